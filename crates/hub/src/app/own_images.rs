//! Images that the hub has built, used as bases: it pulls them with its own credentials, which open everybody's.

use imagewright_spec::ImageReference;

use crate::access::{Actor, Operation};
use crate::config::Destination;
use crate::error::{FieldProblem, HubError, Kind, Result};
use crate::hub::Hub;

/// What a reference to the hub's own place names.
#[derive(Debug, PartialEq, Eq)]
enum Own {
    /// An image, by its name.
    Image(String),
    /// Something else: a custom image spec, layers, or nothing at all.
    Other,
}

impl Hub {
    /// Refuses a base that the hub has built for somebody else.
    ///
    /// # Errors
    /// Invalid, in the same words whether there is such an image or not.
    pub(super) async fn may_build_upon(&self, actor: &Actor, base: &ImageReference) -> Result<()> {
        let Some(destination) = self.config.registry.destination() else { return Ok(()) };
        let pushed = self.config.registry.as_pushed(base);
        let Some(own) = own(&destination, &pushed) else { return Ok(()) };
        if actor.standing() >= Operation::ManageSpecs.needs() {
            return Ok(());
        }
        let is_readable = match own {
            Own::Other => false,
            Own::Image(name) => match self.readable_image(actor, &name).await {
                Ok(_) => true,
                Err(error) if error.kind() == Kind::NotFound => false,
                Err(error) => return Err(error),
            },
        };
        if is_readable {
            return Ok(());
        }
        let message = format!("there is no image {base} that may be used here");
        let suggestion = "choose an image that your group may use, or one of another registry";
        Err(HubError::invalid(FieldProblem::new("imageSpec.baseImage", message, suggestion)))
    }
}

/// What a reference names, if it leads to the hub's own place.
fn own(destination: &Destination, pushed: &ImageReference) -> Option<Own> {
    let place = destination.to_string();
    let repository = pushed.repository_reference().to_string();
    let of_images = |rest: &str, end: Option<char>| {
        let name = rest.strip_prefix("images")?.get(1..)?;
        let name = match end {
            Some(end) => name.rsplit_once(end)?.0,
            None => name,
        };
        (!name.is_empty() && !name.contains('/')).then(|| Own::Image(name.to_owned()))
    };
    match destination {
        Destination::Prefix(_) => {
            let rest = repository.strip_prefix(&place)?.strip_prefix('/')?;
            Some(of_images(rest, None).filter(|_| rest.starts_with("images/")).unwrap_or(Own::Other))
        }
        // Names are in the tags there: a digest alone tells nothing.
        Destination::Repository(_) => {
            let is_there = repository == place;
            let tag = pushed.tag().filter(|tag| pushed.digest().is_none() && tag.starts_with("images."));
            is_there.then(|| tag.and_then(|tag| of_images(tag, Some('.'))).unwrap_or(Own::Other))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_to_the_hubs_own_place_are_understood() {
        let image = |name: &str| Some(Own::Image(name.to_owned()));
        let prefix = Destination::Prefix("registry.example/team".parse().unwrap());
        let single = Destination::Repository("registry.example/all".parse().unwrap());
        let digest = format!("sha256:{}", "0".repeat(64));
        for (destination, reference, expected) in [
            (&prefix, "registry.example/team/images/x:1".to_owned(), image("x")),
            (&prefix, format!("registry.example/team/images/x@{digest}"), image("x")),
            (&prefix, "registry.example/team/specs/x:1".to_owned(), Some(Own::Other)),
            (&prefix, "registry.example/team/layers:1".to_owned(), Some(Own::Other)),
            (&prefix, "registry.example/team/images/x/y:1".to_owned(), Some(Own::Other)),
            (&prefix, "registry.example/team-b/images/x:1".to_owned(), None),
            (&prefix, "other.example/team/images/x:1".to_owned(), None),
            (&single, "registry.example/all:images.a.b.01234567-1".to_owned(), image("a.b")),
            (&single, "registry.example/all:specs.x.01234567-1".to_owned(), Some(Own::Other)),
            (&single, format!("registry.example/all:images.x.1@{digest}"), Some(Own::Other)),
            (&single, "registry.example/all/else:1".to_owned(), None),
        ] {
            assert_eq!(own(destination, &reference.parse().unwrap()), expected, "{reference}");
        }
    }
}
