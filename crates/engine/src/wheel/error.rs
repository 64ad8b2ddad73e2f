//! What can be wrong with a wheel, in words for the person who asked for it.

use std::io;
use std::path::PathBuf;

/// A wheel that could not be staged: which one, and why.
///
/// `Display` is a whole sentence. The cause below it (an I/O or archive error), if there is one, is `source()`.
#[derive(Debug)]
pub struct WheelError {
    /// File name of the wheel.
    pub wheel: String,
    /// What is wrong with it.
    pub problem: WheelProblem,
}

impl std::fmt::Display for WheelError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the wheel `{}` cannot be installed: {}", self.wheel, self.problem)
    }
}

impl std::error::Error for WheelError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.problem)
    }
}

impl WheelError {
    /// Whether this is nobody's fault: the build was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.problem, WheelProblem::Cancelled)
    }

    /// True when the wheel holds more than is accepted.
    pub fn is_too_large(&self) -> bool {
        matches!(self.problem, WheelProblem::TooLarge { .. } | WheelProblem::DirectoryTooLarge { .. })
    }
}

/// Why a wheel cannot be staged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WheelProblem {
    /// The file name is not `name-version(-build)-python-abi-platform.whl`.
    #[error("its file name is not that of a wheel ({reason}); keep the name it was published under")]
    FileName {
        /// What is wrong with the name.
        reason: String,
    },
    /// The wheel could not be opened or read from disk.
    #[error("it could not be read from disk; check that `{path}` exists and is readable")]
    Read {
        /// Where the wheel was expected.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Not a ZIP archive, or a broken one.
    #[error("it is not a sound ZIP archive; it may be damaged, download it again")]
    Archive(#[source] zip::result::ZipError),
    /// One member cannot be unpacked.
    #[error("its member `{entry}` cannot be unpacked; the file may be damaged, download it again")]
    Unpack {
        /// The member.
        entry: String,
        /// What the unpacker said.
        #[source]
        source: io::Error,
    },
    /// A member that no honest tool writes.
    #[error("its member `{entry}` {problem}; no honest tool writes this, do not use the file")]
    Entry {
        /// The member, control characters escaped.
        entry: String,
        /// What is wrong with it.
        problem: EntryProblem,
    },
    /// Two members of exactly the same name.
    #[error("two of its members have the same name; no honest tool writes this, do not use the file")]
    DuplicateMembers,
    /// Members share bytes of the archive, as in a decompression bomb.
    #[error("members of the archive overlap, as they do in a decompression bomb; do not use the file")]
    OverlappingMembers,
    /// The archive lists more members than are held in memory.
    #[error("its list of members is larger than {limit} bytes, more than any real wheel needs")]
    DirectoryTooLarge {
        /// The bytes that are allowed.
        limit: u64,
    },
    /// More than the limits allow.
    #[error("{what} is {found}, and the limit is {limit}")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// Not exactly one `.dist-info` folder.
    #[error("it has {found} `.dist-info` folders and must have exactly one")]
    DistInfoCount {
        /// How many were found.
        found: usize,
    },
    /// The `.dist-info` folder or the metadata speak of another distribution than the file name.
    #[error("its file name says {expected}, but {place} says {found}; ask the package's authors")]
    Mismatch {
        /// Where the other value stands.
        place: String,
        /// What the file name says.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A file of the `.dist-info` folder is missing, or cannot be understood.
    #[error("its `{file}` {reason}; ask the package's authors for a correct wheel")]
    Metadata {
        /// `METADATA`, `WHEEL`, `RECORD` or `entry_points.txt`.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// `Wheel-Version` of a format newer than this program knows.
    #[error("it is written in wheel format {version}, and only format 1 is known; use a newer imagewright")]
    WheelVersion {
        /// The version it states.
        version: String,
    },
    /// A member and its row in `RECORD` disagree.
    #[error("its member `{entry}` {reason}; the wheel was altered after it was made, do not use the file")]
    Record {
        /// The member.
        entry: String,
        /// How they disagree.
        reason: &'static str,
    },
    /// A `.data` folder that is not one of those a wheel may have.
    #[error(
        "its member `{entry}` is in none of the known `.data` folders \
         (purelib, platlib, scripts, headers, data); ask the package's authors"
    )]
    DataFolder {
        /// The member.
        entry: String,
    },
    /// An entry point that cannot become a launcher.
    #[error("its entry point `{name}` {reason}; ask the package's authors for a correct wheel")]
    EntryPoint {
        /// Name of the entry point, control characters escaped.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two files would be installed where only one can be.
    #[error("it installs `{path}` both as a file and as a folder; ask the package's authors")]
    FileAndFolder {
        /// The contested path in the image.
        path: String,
    },
    /// It would overwrite the interpreter it is installed for.
    #[error("it would replace the interpreter `{path}` itself; do not use the file")]
    ReplacesInterpreter {
        /// Path of the interpreter in the image.
        path: String,
    },
    /// The folders of the interpreter in the image cannot be installed into.
    #[error("the {what} `{path}` of the image's interpreter is not an absolute, plain path")]
    Scheme {
        /// Which of the folders.
        what: &'static str,
        /// The path as given.
        path: String,
    },
    /// The files could not be kept for the layer.
    #[error(
        "its files could not be kept in `{path}`; check that there is space left and that it is writable"
    )]
    Staging {
        /// The file or folder that was written.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Compiling its sources failed as a whole (a file with a syntax error is only left out).
    #[error(
        "compiling its Python files with `{interpreter}` {reason}; \
         build without bytecode, or check that interpreter"
    )]
    Bytecode {
        /// The host's interpreter.
        interpreter: PathBuf,
        /// What happened.
        reason: String,
    },
    /// The build was cancelled.
    #[error("the build was cancelled")]
    Cancelled,
}

/// What is wrong with one member of the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryProblem {
    /// The name is empty, or a folder where a file is needed.
    #[error("has an empty name")]
    EmptyName,
    /// Starts with `/`.
    #[error("has an absolute path")]
    Absolute,
    /// Starts with `C:` or alike.
    #[error("starts with a drive letter")]
    DriveLetter,
    /// Has `..` in it.
    #[error("leads out of its folder with `..`")]
    ParentFolder,
    /// Has `\` in it.
    #[error("has a backslash in its path")]
    Backslash,
    /// Has `//` in it.
    #[error("has an empty folder name in its path")]
    EmptyComponent,
    /// NUL, newline and the like.
    #[error("has a control character in its path")]
    ControlCharacter,
    /// Starts with `.wh.`: in a layer, such a name removes what another package or the base has.
    #[error("has a name that would remove other files from the image (`.wh.`)")]
    Whiteout,
    /// Longer than a Linux file system takes.
    #[error("has a path too long for a file system")]
    TooLong,
    /// The bytes of the name cannot be decoded.
    #[error("has a name that cannot be decoded")]
    Undecodable,
    /// Two members of the same name.
    #[error("is there twice")]
    Duplicate,
    /// A file has another member below it.
    #[error("is a file, and other members lie below it")]
    FileAndFolder,
    /// A symbolic link: wheels have none.
    #[error("is a symbolic link, which wheels cannot have")]
    Symlink,
    /// A device, pipe or socket.
    #[error("is neither a file nor a folder")]
    SpecialFile,
    /// Encrypted members cannot be read.
    #[error("is encrypted")]
    Encrypted,
    /// Neither stored nor deflated.
    #[error("is compressed with a method that wheels do not use")]
    Compression,
    /// More or fewer bytes came out than the archive's directory says.
    #[error("has another size than the archive says")]
    Size,
}
