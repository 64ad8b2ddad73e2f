//! What an image tells pip.

use super::Image;
use crate::python::pip_settings::{PipSettings, PipSettingsError, read};

fn python() -> Image {
    Image::debian()
        .link("usr/local/bin/python3", "python3.12")
        .binary("usr/local/bin/python3.12", 62, Some("3.12.7"))
        .file("usr/local/lib/python3.12/os.py")
}

fn settings(image: &Image) -> Result<PipSettings, PipSettingsError> {
    read(&image.tree(), &image.config(), &image.python())
}

#[test]
fn constraints_of_the_image_hold_and_addresses_do_not() {
    let image = python()
        .variable("PIP_CONSTRAINT", "/etc/pip/constraint.txt")
        .variable("PIP_INDEX_URL", "https://me:secret@pypi.corp.example/simple")
        .text(
            "etc/pip/constraint.txt",
            "# of the vendor\ntorch==2.3.0a0+ngc24.05 # pinned\n--extra-index-url https://x.example\n\
             -c more-constraints.txt\nfoo @ https://x.example/foo-1-py3-none-any.whl\n",
        )
        .text("etc/pip/more-constraints.txt", "numpy<2 \\\n  ; python_version >= '3.9'\n");
    let settings = settings(&image).unwrap();
    assert_eq!(settings.constraints, ["torch==2.3.0a0+ngc24.05", "numpy<2   ; python_version >= '3.9'"]);
    insta::assert_snapshot!(settings.notices.join("\n"));
}

#[test]
fn files_are_read_in_pips_order() {
    let image = python()
        .variable("HOME", "/home/jovyan")
        .text("etc/pip.conf", "[global]\npre = yes\nonly-binary = numpy,scipy\n")
        .text("home/jovyan/.config/pip/pip.conf", "[install]\nprefer-binary = true\nuser = true\n")
        .text("usr/local/pip.conf", "[global]\nonly-binary = :all: :none: pandas\n")
        .variable("PIP_PRE", "0");
    let settings = settings(&image).unwrap();
    assert!(!settings.pre && settings.prefer_binary);
    assert_eq!(settings.only_binary, ["pandas"]);
    assert_eq!(settings.notices.len(), 1, "{:?}", settings.notices);
}

#[test]
fn constraints_that_cannot_be_read_are_errors() {
    let remote = python().variable("PIP_CONSTRAINT", "https://me:secret@x.example/c.txt");
    let error = settings(&remote).unwrap_err().to_string();
    assert!(error.contains("https://x.example/c.txt") && !error.contains("secret"), "{error}");
    let missing = python().variable("PIP_CONSTRAINT", "/nowhere.txt");
    assert!(matches!(settings(&missing), Err(PipSettingsError::MissingConstraint { .. })));
    let unread = python().variable("PIP_CONSTRAINT", "/limits").file("limits");
    assert!(matches!(settings(&unread), Err(PipSettingsError::UnreadableConstraint { .. })));
    let endless = python().variable("PIP_CONSTRAINT", "/c.txt").text("c.txt", "-c c.txt\n");
    assert!(matches!(settings(&endless), Err(PipSettingsError::NestedTooDeep { .. })));
}
