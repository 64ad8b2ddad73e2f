//! `imagewright clean-up`.

use std::process::ExitCode;

use imagewright_engine::error::BuildError;
use imagewright_hub::access::Actor;
use imagewright_hub::registry::managed::configure_as_kept;

use super::{configuration, finish, open, shown};
use crate::arguments::HubArguments;
use crate::display::amount::bytes;
use crate::display::{out, table};

/// Shows what the hub would remove from the registry now. It only reads.
pub(crate) async fn run(arguments: &HubArguments) -> ExitCode {
    finish(attempt(arguments).await)
}

async fn attempt(arguments: &HubArguments) -> Result<(), BuildError> {
    let mut config = configuration(arguments)?;
    if config.registry.destination().is_none() {
        let folder = config.registry_folder();
        configure_as_kept(&folder, &mut config)
            .map_err(|error| BuildError::internal(error.to_string()).with_source(error))?;
    }
    let hub = open(config).await?;
    let removals = hub.plan_clean_up(&Actor::Machine).await.map_err(shown)?;
    if removals.is_empty() {
        out("nothing: everything that was pushed is used, or kept for its time");
    } else {
        let total = removals.iter().map(|removal| removal.bytes).sum();
        let rows = removals.iter().map(|removal| {
            let images: Vec<String> = removal.manifests.iter().map(|(url, _)| url.to_string()).collect();
            [
                removal.build.to_string(),
                bytes(removal.bytes),
                removal.reason.title().to_owned(),
                images.join(" "),
            ]
        });
        table(["BUILD", "SIZE", "WHY", "IMAGES"], rows);
        out(&format!("at most {}; what other images share stays", bytes(total)));
    }
    hub.store.clone().close().await;
    Ok(())
}
