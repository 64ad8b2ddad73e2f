//! The client for registries, as the command line or a plan describes it.

use std::path::PathBuf;
use std::sync::Arc;

use imagewright_engine::error::{BuildError, ErrorKind};
use imagewright_engine::patience::Patience;
use imagewright_engine::plan::BuildPlan;
use imagewright_engine::publish::LayerRegistry;
use imagewright_oci::credential::CredentialSource;
use imagewright_oci::registry::{RegistryClient, RegistryClientConfig, RetryPolicy, Timeouts};

use crate::arguments::RegistryArguments;

/// How registries are reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct RegistryAccess {
    auth_file: Option<PathBuf>,
    insecure_registries: Vec<String>,
    ca_bundles: Vec<PathBuf>,
    patience: Patience,
}

impl RegistryAccess {
    /// As a plan says.
    pub(crate) fn of_plan(plan: &BuildPlan) -> Self {
        Self {
            auth_file: plan.auth_file.clone(),
            insecure_registries: plan.insecure_registries.clone(),
            ca_bundles: plan.ca_bundles.clone(),
            patience: plan.patience,
        }
    }

    /// How the layer repository of a plan is written.
    ///
    /// # Errors
    /// As [`Self::client`].
    pub(crate) fn of_layers(plan: &BuildPlan) -> Result<LayerRegistry, BuildError> {
        let access = Self { auth_file: plan.layer_auth_file.clone(), ..Self::of_plan(plan) };
        if access.auth_file.is_some() {
            return Ok(LayerRegistry::Own(Arc::new(access.client()?)));
        }
        let client = RegistryClient::new(access.settings(CredentialSource::Anonymous))?;
        Ok(LayerRegistry::Anonymous(Arc::new(client)))
    }

    /// As options say.
    pub(crate) fn of_arguments(arguments: &RegistryArguments) -> Self {
        Self {
            auth_file: arguments.authfile.clone(),
            insecure_registries: arguments.insecure_registry.clone(),
            ca_bundles: arguments.ca_bundle.clone(),
            patience: arguments.patience(Patience::default()),
        }
    }

    /// A client.
    ///
    /// # Errors
    /// Credentials and certificates that cannot be read.
    pub(crate) fn client(&self) -> Result<RegistryClient, BuildError> {
        if let Some(path) = &self.auth_file {
            // Told now: many registries answer without credentials, only with less than was meant.
            std::fs::File::open(path).map_err(|error| {
                BuildError::new(
                    ErrorKind::SpecInvalid,
                    format!("the credentials file {} cannot be read: {error}", path.display()),
                )
                .with_next_step("pass a file that `podman login --authfile FILE` has written")
            })?;
        }
        let credentials =
            self.auth_file.clone().map_or(CredentialSource::UserFiles, CredentialSource::AuthFile);
        Ok(RegistryClient::new(self.settings(credentials))?)
    }

    fn settings(&self, credentials: CredentialSource) -> RegistryClientConfig {
        RegistryClientConfig {
            credentials,
            insecure_registries: self.insecure_registries.clone(),
            ca_bundles: self.ca_bundles.clone(),
            timeouts: timeouts(&self.patience),
            retries: RetryPolicy { attempts: self.patience.attempts, ..RetryPolicy::default() },
        }
    }
}

fn timeouts(patience: &Patience) -> Timeouts {
    let (usual, read) = (Timeouts::default(), patience.timeout());
    // Storing a large layer takes a registry longer than any other answer, in the usual proportion.
    let commit = read.saturating_mul(5);
    Timeouts { connect: usual.connect.min(read), read, commit }
}
