//! Custom image specs of the Image Builder.

use imagewright_store::builds::Build;
use imagewright_store::specs::{CustomSpec, SpecFilter};
use imagewright_store::{BuildId, Listed, Page, SecretId};

use super::Change;
use super::images::RecipeInput;
use crate::access::Actor;
use crate::error::Result;
use crate::hub::Hub;

/// A spec with its latest build, whose status is the spec's.
#[derive(Debug, Clone)]
pub struct ListedSpec {
    /// The spec.
    pub spec: CustomSpec,
    /// Its latest build.
    pub latest_build: Option<Build>,
}

/// What of a spec changes. A field of packages that is not given stays.
#[derive(Debug, Clone, Default)]
pub struct SpecChange {
    /// The image to start from.
    pub base: Option<String>,
    /// The secret that pulls it.
    pub pull_secret: Change<SecretId>,
    /// APT packages.
    pub apt: Option<Vec<String>>,
    /// conda packages.
    pub conda: Option<Vec<String>>,
    /// pip packages.
    pub pip: Option<Vec<String>>,
}

impl Hub {
    /// Specs, last changed first.
    pub async fn specs(&self, actor: &Actor, filter: &SpecFilter, page: Page) -> Result<Listed<ListedSpec>> {
        todo!()
    }

    /// A spec.
    pub async fn spec(&self, actor: &Actor, name: &str) -> Result<ListedSpec> {
        todo!()
    }

    /// Makes a spec and queues its first build.
    pub async fn create_spec(&self, actor: &Actor, name: &str, recipe: RecipeInput) -> Result<ListedSpec> {
        todo!()
    }

    /// Changes a spec and queues a build of it; one that changes nothing queues none.
    pub async fn update_spec(&self, actor: &Actor, name: &str, change: SpecChange) -> Result<ListedSpec> {
        todo!()
    }

    /// Builds a spec again as it is.
    pub async fn rebuild_spec(&self, actor: &Actor, name: &str) -> Result<ListedSpec> {
        todo!()
    }

    /// Deletes a spec, ends its builds, and leaves what they pushed to the clean-up.
    pub async fn delete_spec(&self, actor: &Actor, name: &str) -> Result<CustomSpec> {
        todo!()
    }

    /// The builds of a spec, newest first.
    pub async fn spec_builds(&self, actor: &Actor, name: &str, page: Page) -> Result<Listed<Build>> {
        todo!()
    }

    /// A build of a spec.
    pub async fn spec_build(&self, actor: &Actor, id: &BuildId) -> Result<Build> {
        todo!()
    }

    /// Ends a build of a spec that waits or runs.
    pub async fn cancel_spec_build(&self, actor: &Actor, id: &BuildId) -> Result<Build> {
        todo!()
    }
}
