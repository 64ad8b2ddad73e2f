//! Names that people type for packages that are called otherwise.

/// Import names, and names of deprecated packages, with the package they mean.
const MEANT: [(&str, &str); 14] = [
    ("attr", "attrs"),
    ("bs4", "beautifulsoup4"),
    ("cv2", "opencv-python-headless"),
    ("dateutil", "python-dateutil"),
    ("dotenv", "python-dotenv"),
    ("fitz", "pymupdf"),
    ("jwt", "pyjwt"),
    ("mysqldb", "mysqlclient"),
    ("pil", "pillow"),
    ("pytorch", "torch"),
    ("skimage", "scikit-image"),
    ("sklearn", "scikit-learn"),
    ("yaml", "pyyaml"),
    ("zmq", "pyzmq"),
];

/// What somebody who typed this name probably wants.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    let end = name.find(['=', '<', '>', '!', '~', '[', ' ']).unwrap_or(name.len());
    let name = name[..end].to_lowercase();
    MEANT.iter().find_map(|(typed, meant)| (*typed == name).then_some(*meant))
}
