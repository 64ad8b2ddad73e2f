//! What people see of resolutions: recorded words of uv, and real runs.

mod consistency;
mod downloads;
mod live;
mod local_index;
mod stand_in;
mod words;

use std::path::Path;

use imagewright_spec::{PipRequest, PipRequirement};
use tokio_util::sync::CancellationToken;

use super::{PipError, PipInput, PipResolver, Resolution, ResolverSettings, Source, UvBinary};
use crate::pip::fixtures::target;
use crate::python::installed::Installed;
use crate::python::pip_settings::PipSettings;

/// Requirements as a request.
fn request(requirements: &[&str]) -> PipRequest {
    let requirements = requirements.iter().map(|line| line.parse::<PipRequirement>().unwrap()).collect();
    PipRequest { requirements, ..PipRequest::default() }
}

/// The pinned uv. It is found by `IMAGEWRIGHT_UV`, in `tools/bin` of the target folder, or on `PATH`; without it the
/// tests say so, and continuous integration installs it.
pub(super) async fn uv() -> Option<UvBinary> {
    match UvBinary::find().await {
        Ok(uv) => Some(uv),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            eprintln!("SKIPPED: {error}; {}", error.next_step().unwrap_or_default());
            None
        }
    }
}

async fn resolve_in(
    cache: &Path,
    uv: UvBinary,
    request: &PipRequest,
    installed: &Installed,
    settings: &PipSettings,
) -> Result<Resolution, PipError> {
    let target = target();
    let input = PipInput { request, target: &target, installed, settings };
    let resolver = PipResolver::new(uv, ResolverSettings::new(cache, cache));
    resolver.resolve(input, &CancellationToken::new()).await
}

/// `name version` of each package, with how it comes.
fn shown(resolution: &Resolution) -> Vec<String> {
    let of = |source: &Source| match source {
        Source::Kept => "kept".to_owned(),
        Source::Wheel(wheel) => wheel.file_name.clone(),
        Source::DirectUrl(wheel) => format!("{} by address", wheel.file_name),
        Source::Built(wheel) => format!("{} built", wheel.file_name),
    };
    let packages = resolution.packages.iter();
    packages.map(|package| format!("{} {}: {}", package.name, package.version, of(&package.source))).collect()
}
