//! Where built images go, and what they are called there.

use std::fmt;
use std::str::FromStr;

use imagewright_spec::{ImageReference, Problem, RepositoryReference};

/// Longest tag that registries take.
const LONGEST_TAG: usize = 128;

/// What an image is for. The names of the two live apart: an image and a spec may be called alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Images of groups and of the system.
    Images,
    /// Custom image specs of the Image Builder.
    Specs,
}

impl Purpose {
    /// Its folder in the registry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Specs => "specs",
        }
    }
}

/// The beginning of repositories: a registry and perhaps a path in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// A repository below.
    pub fn repository(&self, path: &str) -> Result<RepositoryReference, Problem> {
        format!("{}/{path}", self.0).parse()
    }

    /// The registry's host and port.
    pub fn registry(&self) -> &str {
        self.0.split_once('/').map_or(self.0.as_str(), |(registry, _)| registry)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Prefix({})", self.0)
    }
}

impl FromStr for Prefix {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        const BELOW: &str = "/images";
        const ADVICE: &str = "write a registry and perhaps a path, as in `registry.example/team`";
        if text.contains("://") {
            return Err(Problem::at(1, "a registry is named without https:// or http://", ADVICE));
        }
        let text = text.trim_end_matches('/');
        let below: RepositoryReference = format!("{text}{BELOW}").parse()?;
        let whole = below.to_string();
        // Where no host was written, Docker Hub's has been put in front.
        if !text.contains(['.', ':', '/']) && text != "localhost" || whole.len() != text.len() + BELOW.len() {
            return Err(Problem::at(1, "the registry is missing", ADVICE));
        }
        Ok(Self(whole[..text.len()].to_owned()))
    }
}

/// Where built images go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A repository for each name.
    Prefix(Prefix),
    /// One repository, with the names in the tags.
    Repository(RepositoryReference),
}

impl Destination {
    /// The registry's host and port.
    pub fn registry(&self) -> &str {
        match self {
            Self::Prefix(prefix) => prefix.registry(),
            Self::Repository(repository) => repository.registry(),
        }
    }

    /// What an image is pushed as.
    ///
    /// # Errors
    /// A name or tag that the registry would not take: too long together, where the name goes into the tag.
    pub fn image(&self, purpose: Purpose, name: &str, tag: &str) -> Result<ImageReference, Problem> {
        match self {
            Self::Prefix(prefix) => {
                let repository = prefix.repository(&format!("{}/{name}", purpose.name()))?;
                ImageReference::of_repository(repository).with_tag(tag)
            }
            Self::Repository(repository) => {
                // The last part is the tag proper, which has no dot: so no two names share a tag.
                let tag = format!("{}.{name}.{tag}", purpose.name());
                if tag.len() > LONGEST_TAG {
                    return Err(Problem::at(
                        1,
                        format!("the tag of {name} would have more than {LONGEST_TAG} characters"),
                        "choose a shorter name, or configure `prefix` in place of `repository`",
                    ));
                }
                ImageReference::of_repository(repository.clone()).with_tag(&tag)
            }
        }
    }

    /// Where layers are kept. Only with a prefix: it has to be a repository that holds nothing else.
    pub fn layers(&self) -> Option<RepositoryReference> {
        match self {
            Self::Prefix(prefix) => prefix.repository("layers").ok(),
            Self::Repository(_) => None,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(prefix) => fmt::Display::fmt(prefix, formatter),
            Self::Repository(repository) => fmt::Display::fmt(repository, formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RegistrySection;

    #[test]
    fn names_become_repositories_or_tags() {
        let prefix = Destination::Prefix("Registry.example/team/".parse().unwrap());
        let image = prefix.image(Purpose::Images, "base-1", "ab12-7").unwrap();
        assert_eq!(image.to_string(), "registry.example/team/images/base-1:ab12-7");
        assert_eq!(prefix.layers().unwrap().to_string(), "registry.example/team/layers");
        assert_eq!(prefix.registry(), "registry.example");

        let own = Destination::Prefix("127.0.0.1:5000".parse().unwrap());
        let image = own.image(Purpose::Specs, "a", "b-1").unwrap();
        assert_eq!(image.to_string(), "127.0.0.1:5000/specs/a:b-1");

        let single = Destination::Repository("registry.example/all".parse().unwrap());
        let image = single.image(Purpose::Specs, "a", "b-1").unwrap();
        assert_eq!(image.to_string(), "registry.example/all:specs.a.b-1");
        assert_eq!(single.layers(), None);
        single.image(Purpose::Images, &"a".repeat(130), "b-1").unwrap_err();
    }

    #[test]
    fn a_prefix_names_its_registry() {
        for wrong in
            ["", "/", "team", "team/images", "https://registry.example/x", "registry.example/x:1", "a b.c/d"]
        {
            assert!(wrong.parse::<Prefix>().is_err(), "{wrong}");
        }
        for right in ["registry.example", "localhost/x", "docker.io/team", "10.0.0.1:5000/a/b"] {
            assert_eq!(right.parse::<Prefix>().unwrap().to_string(), right);
        }
    }

    #[test]
    fn addresses_for_people_and_for_builds_are_exchanged() {
        let mut section = RegistrySection {
            prefix: Some("push.example/team".parse().unwrap()),
            ..RegistrySection::default()
        };
        let pushed: ImageReference = "push.example/team/images/a:1".parse().unwrap();
        assert_eq!(section.as_pulled(&pushed), pushed);
        section.pull_prefix = Some("pull.example".parse().unwrap());
        let pulled = section.as_pulled(&pushed);
        assert_eq!(pulled.to_string(), "pull.example/images/a:1");
        assert_eq!(section.as_pushed(&pulled), pushed);
        let other: ImageReference = "push.example/team-b/a:1".parse().unwrap();
        assert_eq!(section.as_pulled(&other), other);

        section.prefix = None;
        section.repository = Some("push.example/all".parse().unwrap());
        section.pull_prefix = Some("pull.example/mirror".parse().unwrap());
        let pushed: ImageReference = "push.example/all:images.a.1".parse().unwrap();
        assert_eq!(section.as_pulled(&pushed).to_string(), "pull.example/mirror:images.a.1");
    }
}
