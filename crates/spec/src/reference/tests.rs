use proptest::prelude::*;

use super::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn defaults_are_docker_hubs() {
    for (written, registry, repository, tag, shown) in [
        ("python", "docker.io", "library/python", None, "docker.io/library/python"),
        (
            "python:3.12-slim",
            "docker.io",
            "library/python",
            Some("3.12-slim"),
            "docker.io/library/python:3.12-slim",
        ),
        (
            "jupyter/base-notebook",
            "docker.io",
            "jupyter/base-notebook",
            None,
            "docker.io/jupyter/base-notebook",
        ),
        ("index.docker.io/python", "docker.io", "library/python", None, "docker.io/library/python"),
        ("localhost:5000/x", "localhost:5000", "x", None, "localhost:5000/x"),
        ("localhost/x:1", "localhost", "x", Some("1"), "localhost/x:1"),
        ("Registry.Example.com/a/b", "registry.example.com", "a/b", None, "registry.example.com/a/b"),
        ("test.com:5000", "docker.io", "library/test.com", Some("5000"), "docker.io/library/test.com:5000"),
        ("a/b__c/d--e:X_.-", "docker.io", "a/b__c/d--e", Some("X_.-"), "docker.io/a/b__c/d--e:X_.-"),
    ] {
        let reference: ImageReference = written.parse().unwrap();
        assert_eq!(
            (reference.registry(), reference.repository(), reference.tag(), reference.to_string().as_str()),
            (registry, repository, tag, shown),
            "{written}"
        );
    }
}

#[test]
fn a_digest_follows_the_tag_and_wins() {
    let reference: ImageReference = format!("127.0.0.1:5000/a/b:tag@{DIGEST}").parse().unwrap();
    assert_eq!(
        (reference.tag(), reference.digest(), reference.identifier()),
        (Some("tag"), Some(DIGEST), DIGEST)
    );
    let moved = reference.with_tag("2").unwrap();
    assert_eq!(moved.to_string(), "127.0.0.1:5000/a/b:2");
    assert_eq!(moved.with_digest(DIGEST).unwrap().to_string(), format!("127.0.0.1:5000/a/b:2@{DIGEST}"));
    assert_eq!(moved.with_repository("c").unwrap().to_string(), "127.0.0.1:5000/c:2");
    assert!(
        moved.with_tag("-x").is_err()
            && moved.with_tag("a/b").is_err()
            && moved.with_repository("A").is_err()
    );
    assert_eq!("python".parse::<ImageReference>().unwrap().identifier(), "latest");
}

#[test]
fn refusals_say_where_and_what_instead() {
    for (refused, column, message) in [
        ("", 1, "the image reference is empty"),
        ("python:3.12\nRUN evil", 12, "an image reference cannot contain a line break"),
        ("python 3.12", 7, "an image reference cannot contain a space"),
        ("a\u{a0}b", 2, "an image reference cannot contain a non-breaking space"),
        ("Foo/bar", 1, "a repository cannot contain `F`"),
        ("docker.io/Foo/bar", 11, "a repository cannot contain `F`"),
        ("https://example.com/x", 1, "an image reference has no `https://`"),
        ("x:", 3, "the tag after `:` is empty"),
        ("x:-a", 3, "a tag cannot start with `-`"),
        ("x:a:b", 4, "a tag cannot contain `:`"),
        ("x@sha256:abc", 10, "a sha256 digest has 64 digits, this one has 3"),
        ("x@md5:abc", 3, "the digest algorithm `md5` is not known"),
        ("a..b", 2, "`..` cannot stand inside a repository"),
        ("a//b", 3, "a part of the repository is empty"),
        ("-x", 1, "each part of a repository starts with a letter or digit"),
        ("a/b-", 4, "each part of a repository ends with a letter or digit"),
        ("exa_mple.com/x:1/y", 4, "a registry cannot contain `_`"),
        ("localhost:70000/x", 11, "the registry's port is not a number from 0 to 65535"),
    ] {
        let problem = refused.parse::<ImageReference>().unwrap_err();
        assert_eq!((problem.column, problem.message.as_str()), (column, message), "{refused}");
    }
}

#[test]
fn repositories_have_neither_tag_nor_digest() {
    let repository: RepositoryReference = "localhost:5000/layers".parse().unwrap();
    assert_eq!(ImageReference::from(repository).to_string(), "localhost:5000/layers");
    assert_eq!("x:1".parse::<RepositoryReference>().unwrap_err().column, 2);
    assert_eq!(format!("x@{DIGEST}").parse::<RepositoryReference>().unwrap_err().column, 2);
}

proptest! {
    #[test]
    fn what_is_shown_parses_to_the_same(text in "[a-zA-Z0-9._/:@-]{0,24}|[a-z.]{1,5}(:[0-9]{1,5})?/[a-z0-9._-]{1,6}(:[a-zA-Z0-9._-]{1,5})?|.*") {
        if let Ok(reference) = text.parse::<ImageReference>() {
            let shown = reference.to_string();
            prop_assert!(!shown.starts_with('-') && shown.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(shown.parse::<ImageReference>().unwrap(), reference.clone());
            let json = serde_json::to_string(&reference).unwrap();
            prop_assert_eq!(serde_json::from_str::<ImageReference>(&json).unwrap(), reference);
        }
    }
}
