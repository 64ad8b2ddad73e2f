//! Finding and reading the base.

use std::sync::Arc;

use imagewright_oci::manifest::Platform;
use imagewright_oci::registry::{ResolvedImage, TagOrDigest};

use imagewright_spec::CondaChannel;
use url::{Origin, Url};

use super::Shared;
use super::target::PythonBase;
use crate::base::{self, Base, OwnImage};
use crate::conda;
use crate::error::{BuildError, ErrorKind};
use crate::event::RunningStep;
use crate::lock::Lock;
use crate::scope::PUBLIC_INDEX;

impl Shared<'_> {
    /// The image that the plan's base reference names for a platform, and what it says of itself where it is one
    /// of ours.
    pub(super) async fn find_base(
        &self,
        platform: &Platform,
    ) -> Result<(ResolvedImage, Option<OwnImage>), BuildError> {
        let given = self.plan.lock_of(&platform.to_string());
        let pinned =
            given.map(|lock| self.plan.spec.base.with_digest(&lock.base.digest.to_string())).transpose();
        let pinned = pinned.map_err(|problem| BuildError::internal(problem.message))?;
        let reference = pinned.as_ref().unwrap_or(&self.plan.spec.base);
        let identifier = TagOrDigest::try_from(reference).map_err(|error| {
            BuildError::new(ErrorKind::SpecInvalid, format!("the digest of {reference} is malformed"))
                .with_next_step("write sha256: and 64 hexadecimal digits")
                .with_source(error)
        })?;
        let registry = &*self.context.registry;
        let image = registry.resolve(reference.repository_reference(), &identifier, platform).await?;
        if given.is_some() {
            // A lock names the base below all packages of ours.
            return Ok((image, None));
        }
        let own = OwnImage::of(registry, &image).await?;
        let events = &self.context.events;
        let trusted = self.index_origins();
        let own = match own {
            Some(own) if !own.lock.addresses_are_within(&trusted, &self.channel_addresses(&own.lock)) => {
                events.log(format!(
                    "{reference} names packages outside of the package indexes and channels of this build: it is used as it is"
                ));
                None
            }
            Some(own) => {
                events.log(format!("{reference} was built by Imagewright: its packages are laid out anew"));
                Some(own)
            }
            None => None,
        };
        Ok((image, own))
    }

    /// Where packages may come from: the plan's indexes, and the hosts at which the public index keeps its files.
    fn index_origins(&self) -> Vec<Origin> {
        let pip = &self.plan.spec.pip;
        let indexes = pip.index_url.iter().chain(&pip.extra_index_urls).map(|index| index.url().origin());
        let mut origins: Vec<Origin> = indexes.collect();
        if pip.index_url.is_none() {
            let public = PUBLIC_INDEX.iter().filter_map(|url| Url::parse(url).ok());
            origins.extend(public.map(|url| url.origin()));
        }
        origins
    }

    /// Where conda packages may come from: the plan's channels, and those of an image's lock that are given by name,
    /// wherever this build finds them.
    fn channel_addresses(&self, lock: &Lock) -> Vec<Url> {
        let mut request = self.plan.spec.conda.clone();
        let named = lock.conda.iter().flat_map(|conda| &conda.channels);
        let named =
            named.filter_map(|name| name.parse::<CondaChannel>().ok()).filter(|one| one.url().is_none());
        request.channels.extend(named);
        // A channel that is not allowed is refused with its own words, where packages are resolved.
        let sources = conda::channels(&request, &self.plan.conda, &[]).unwrap_or_default();
        sources.into_iter().flat_map(|source| source.addresses).collect()
    }

    /// Reads the base's configuration and layers.
    pub(super) async fn load_base(
        &self,
        image: ResolvedImage,
        own: Option<&OwnImage>,
        step: &RunningStep,
    ) -> Result<Base, BuildError> {
        let foundation_layers = own.map_or(image.manifest.layers.len(), |own| own.base_layers);
        let context = self.context;
        base::load(
            Arc::clone(&context.registry),
            image,
            foundation_layers,
            &context.cache,
            &self.owner,
            step,
            &context.cancellation,
        )
        .await
    }

    /// Reads the base's Python, where pip packages are asked for, or are in layers of ours that are made anew.
    pub(super) fn python(
        &self,
        base: &Base,
        own: Option<&OwnImage>,
    ) -> Result<Option<PythonBase>, BuildError> {
        let inherited = own.is_some_and(|own| !own.lock.pip.is_empty());
        // The lock of packages that the base had all of names the interpreter, and nothing of pip's.
        let locked = self.plan.locks.iter().any(|lock| lock.python.is_some());
        if self.plan.spec.pip.requirements.is_empty() && !inherited && !locked {
            return Ok(None);
        }
        let python = PythonBase::read(&base.tree, &base.config)?;
        let events = &self.context.events;
        for notice in python.target.notices.iter().chain(&python.settings.notices) {
            events.log(notice.clone());
        }
        for warning in &python.installed.warnings {
            events.log(warning.clone());
        }
        Ok(Some(python))
    }
}
