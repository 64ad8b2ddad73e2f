//! Who needs whom, from uv's annotated list.
//!
//! A `pylock.toml` of uv has no dependencies, so the finished resolution is asked for once more in the form of a
//! requirements file, with the versions pinned and from the cache only:
//!
//! ```text
//! jupyter-server[test]==2.14  # via jupyterlab, -c pins.txt, -r requirements.in
//!     # from https://pypi.org/simple
//! ```

use std::collections::BTreeMap;
use std::str::FromStr;

use pep508_rs::{ExtraName, PackageName};

/// What the list says of one package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Annotation {
    /// Its extras.
    pub(super) extras: Vec<ExtraName>,
    /// The packages that need it.
    pub(super) needed_by: Vec<PackageName>,
    /// Address of the index it comes from, as uv was told it: without credentials.
    pub(super) index: Option<String>,
}

/// Reads the list; lines that are not understood are passed over.
pub(super) fn read(text: &str) -> BTreeMap<PackageName, Annotation> {
    let mut annotations: BTreeMap<PackageName, Annotation> = BTreeMap::new();
    let mut last: Option<PackageName> = None;
    for line in text.lines() {
        if let Some(comment) = line.trim_start().strip_prefix('#') {
            let of = last.as_ref().and_then(|name| annotations.get_mut(name));
            if let (Some(annotation), Some(index)) = (of, comment.trim().strip_prefix("from ")) {
                annotation.index = Some(index.trim().to_owned()).filter(|index| index.starts_with("http"));
            }
            continue;
        }
        let (requirement, comment) = line.split_once('#').unwrap_or((line, ""));
        let name_end = requirement.find(['=', '@', ' ', ';']).unwrap_or(requirement.len());
        let (name, extras) =
            requirement[..name_end].split_once('[').unwrap_or((&requirement[..name_end], ""));
        let Ok(name) = PackageName::from_str(name.trim()) else { continue };
        last = Some(name.clone());
        let annotation = annotations.entry(name).or_default();
        annotation.extras.extend(
            extras
                .trim_end_matches(']')
                .split(',')
                .filter_map(|extra| ExtraName::from_str(extra.trim()).ok()),
        );
        let parents = comment.trim().strip_prefix("via ").unwrap_or_default();
        annotation
            .needed_by
            .extend(parents.split(',').filter_map(|parent| PackageName::from_str(parent.trim()).ok()));
    }
    annotations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_and_extras_are_read_and_files_passed_over() {
        let read = read(
            "filelock==4.1.0           # via torch, -c pins.txt\n\
                 # from https://pypi.org/simple\n\
             fastapi[all,standard]==1.0  # via -r requirements.in\n\
             six @ https://example.com/six-1.17.0-py2.py3-none-any.whl  # via torch, filelock\n",
        );
        let name = |text: &str| PackageName::from_str(text).unwrap();
        assert_eq!(read[&name("filelock")].needed_by, [name("torch")]);
        assert_eq!(read[&name("filelock")].index.as_deref(), Some("https://pypi.org/simple"));
        assert_eq!(read[&name("fastapi")].extras.len(), 2);
        assert!(read[&name("fastapi")].needed_by.is_empty());
        assert_eq!(read[&name("six")].needed_by, [name("torch"), name("filelock")]);
    }
}
