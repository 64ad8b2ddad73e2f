//! What is wrong with keys together that are right each for itself.

use std::collections::BTreeMap;

use super::HubConfig;
use super::error::{ConfigError, Place, Wrong};

/// Where each key that is not at its default was set.
pub(super) type Places = BTreeMap<String, Place>;

pub(super) fn check(config: &HubConfig, places: &Places) -> Result<(), ConfigError> {
    registry(config, places)?;
    channels(config, places)
}

/// Fails at the first of some keys that was set anywhere.
fn fail(wrong: Wrong, keys: &[&str], places: &Places) -> Result<(), ConfigError> {
    let place = keys.iter().find_map(|key| places.get(*key)).cloned().unwrap_or(Place::Default);
    Err(wrong.at(place))
}

fn registry(config: &HubConfig, places: &Places) -> Result<(), ConfigError> {
    let section = &config.registry;
    if section.prefix.is_some() && section.repository.is_some() {
        let wrong = Wrong::new(
            "[registry] has both `prefix` and `repository`",
            "leave one of them out, or set it to nothing (\"\")",
        );
        return fail(wrong, &["registry.repository", "registry.prefix"], places);
    }
    if section.push_user.is_some() != section.push_password.is_some() {
        let wrong = Wrong::new(
            "[registry] has only one of `push_user` and `push_password`",
            "set both (`push_password_file` does for the password), or none",
        );
        let keys = ["registry.push_user", "registry.push_password", "registry.push_password_file"];
        return fail(wrong, &keys, places);
    }
    if section.destination().is_none() {
        let alone = [
            ("push_user", section.push_user.is_some()),
            ("pull_prefix", section.pull_prefix.is_some()),
            ("pull_secret", section.pull_secret.is_some()),
            ("ca_bundle", section.ca_bundle.is_some()),
            ("insecure", section.insecure),
        ];
        if let Some((key, _)) = alone.into_iter().find(|(_, is_set)| *is_set) {
            let wrong = Wrong::new(
                format!(
                    "[registry] has `{key}` and no registry: the hub would run one of its own without it"
                ),
                "set `prefix` to the registry that images are pushed to, for example \"registry.example/team\"",
            );
            return fail(wrong, &[&format!("registry.{key}")], places);
        }
    }
    Ok(())
}

fn channels(config: &HubConfig, places: &Places) -> Result<(), ConfigError> {
    let sources = &config.sources;
    let allowed = &sources.allowed_conda_channels;
    // A channel may be allowed by its name and used by its address: only names are compared here.
    if allowed.is_empty() || allowed.iter().any(|channel| channel.url().is_some()) {
        return Ok(());
    }
    let refused = sources.conda_channels.iter().find(|one| one.url().is_none() && !allowed.contains(one));
    let Some(refused) = refused else { return Ok(()) };
    let wrong = Wrong::new(
        format!("`conda_channels` has {refused}, which `allowed_conda_channels` does not allow"),
        "allow it, or name other channels in `conda_channels`",
    );
    fail(wrong, &["sources.conda_channels", "sources.allowed_conda_channels"], places)
}
