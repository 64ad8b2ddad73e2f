//! Sources at an address: `name @ https://…/x.tar.gz#subdirectory=…` and `name @ git+https://…@ref`.

use pep508_rs::PackageName;
use std::str::FromStr as _;
use url::Url;

use crate::pip::tags;

/// The longest branch, tag or folder.
const LONGEST: usize = 500;

/// Sources that were asked for by address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceAddress {
    /// An archive.
    Archive {
        /// Where it is, without fragment.
        url: Url,
        /// Its name.
        file_name: String,
        /// Its digest in hex, where the address promises it.
        sha256: Option<String>,
        /// The folder that is built.
        subdirectory: Option<String>,
    },
    /// A Git repository.
    Git {
        /// Where it is, as git takes it: without `git+`, without what is asked for.
        url: Url,
        /// The branch, tag or commit.
        reference: Option<String>,
        /// The folder that is built.
        subdirectory: Option<String>,
    },
}

impl SourceAddress {
    /// Reads the address of a requirement; `None` for a wheel's. The error is a clause for people.
    pub(crate) fn read(url: &Url, package: &PackageName) -> Option<Result<Self, String>> {
        let is_git = url.scheme().starts_with("git+");
        if !is_git && tags::is_wheel(url.path()) {
            return None;
        }
        Some(Self::parse(url, package, is_git))
    }

    fn parse(url: &Url, package: &PackageName, is_git: bool) -> Result<Self, String> {
        let mut bare = url.clone();
        bare.set_fragment(None);
        let (mut subdirectory, mut sha256) = (None, None);
        for part in url.fragment().unwrap_or_default().split('&') {
            match part.split_once('=') {
                Some(("subdirectory", folder)) => subdirectory = Some(plain_folder(folder)?),
                Some(("sha256", digest)) => sha256 = Some(digest.to_lowercase()),
                Some(("egg", egg)) => check_egg(egg, package)?,
                _ => {}
            }
        }
        if !is_git {
            let last = bare.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
            let ends = [".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz", ".tar"];
            if !ends.iter().any(|end| last.to_lowercase().ends_with(end)) {
                return Err(
                    "its address is neither that of a wheel nor that of an archive of sources".to_owned()
                );
            }
            return Ok(Self::Archive { file_name: last.to_owned(), url: bare, sha256, subdirectory });
        }
        let text = bare.as_str().trim_start_matches("git+").to_owned();
        let mut bare = Url::parse(&text).map_err(|_| "its address is not that of a repository".to_owned())?;
        // A reference stands behind the last `@` of the path: it may itself hold slashes.
        let path = bare.path().to_owned();
        let reference = match path.rsplit_once('@') {
            Some((path, reference)) => {
                bare.set_path(path);
                Some(plain_reference(reference)?)
            }
            None => None,
        };
        Ok(Self::Git { url: bare, reference, subdirectory })
    }
}

/// `#egg=name[extra]` must be the name that was asked for.
fn check_egg(egg: &str, package: &PackageName) -> Result<(), String> {
    let name = egg.split(['[', '%', '-']).next().unwrap_or_default();
    let whole = egg.split(['[', '%']).next().unwrap_or_default();
    let is_it = |name: &str| PackageName::from_str(name).is_ok_and(|name| name == *package);
    if is_it(whole) || is_it(name) {
        Ok(())
    } else {
        Err(format!("its address says `#egg={whole}`, which is another package than {package}"))
    }
}

fn plain_folder(folder: &str) -> Result<String, String> {
    let folder = folder.trim_matches('/');
    let is_plain = folder.len() <= LONGEST
        && !folder.is_empty()
        && folder.split('/').all(|part| !matches!(part, "" | "." | ".."))
        && folder.chars().all(|character| character.is_alphanumeric() || "/._-+".contains(character));
    is_plain
        .then(|| folder.to_owned())
        .ok_or_else(|| "its `#subdirectory=` leads out of the sources".to_owned())
}

/// What git takes for a branch, a tag or a commit, and cannot take for anything else.
fn plain_reference(reference: &str) -> Result<String, String> {
    let is_plain = (1..=LONGEST).contains(&reference.len())
        && !reference.starts_with(['-', '/', '.'])
        && !reference.contains("..")
        && reference
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "/._-+".contains(character));
    is_plain
        .then(|| reference.to_owned())
        .ok_or_else(|| "what stands behind its `@` is no branch, tag or commit".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Result<SourceAddress, String>> {
        SourceAddress::read(&Url::parse(text).unwrap(), &PackageName::from_str("demo").unwrap())
    }

    #[test]
    fn addresses_are_taken_apart() {
        let git = |url: &str, reference: Option<&str>, subdirectory: Option<&str>| SourceAddress::Git {
            url: Url::parse(url).unwrap(),
            reference: reference.map(str::to_owned),
            subdirectory: subdirectory.map(str::to_owned),
        };
        assert_eq!(read("https://x.example/demo-1-py3-none-any.whl"), None);
        assert_eq!(
            read("git+https://x.example/a/demo.git@feature/x#egg=Demo&subdirectory=python/demo"),
            Some(Ok(git("https://x.example/a/demo.git", Some("feature/x"), Some("python/demo"))))
        );
        assert_eq!(read("git+https://x.example/demo"), Some(Ok(git("https://x.example/demo", None, None))));
        assert!(matches!(
            read("https://x.example/demo-1.tar.gz#sha256=AB"),
            Some(Ok(SourceAddress::Archive { sha256: Some(sha256), .. })) if sha256 == "ab"
        ));
    }

    #[test]
    fn addresses_that_lead_elsewhere_are_refused() {
        for text in [
            "git+https://x.example/demo@--upload-pack=x",
            "git+https://x.example/demo@a..b",
            "git+https://x.example/demo#subdirectory=../x",
            "git+https://x.example/demo#egg=other",
            "https://x.example/demo",
        ] {
            assert!(matches!(read(text), Some(Err(_))), "{text}");
        }
    }
}
