//! What sources are built with: resolved like any packages, fetched, and built first where they are sources, too.

use std::path::PathBuf;

use imagewright_spec::{PipRequest, PipRequirement};

use super::builder::Builder;
use super::locked::LockedRequirement;
use super::wanted::Wanted;
use crate::error::{BuildError, ErrorKind};
use crate::pip::download::WantedFile;
use crate::pip::{PipInput, PipResolver, Source};
use crate::python::installed::Installed;
use crate::python::pip_settings::PipSettings;

/// What a package is built with.
pub(super) struct Requirements {
    /// The wheels.
    pub(super) files: Vec<PathBuf>,
    /// What the lock says of them, in the same order.
    pub(super) locked: Vec<LockedRequirement>,
}

impl Builder<'_> {
    /// Finds and fetches what the sources are built with. A requirement that is source only is built first.
    pub(super) async fn requirements(
        &self,
        wanted: &Wanted,
        lines: &[String],
        resolver: &PipResolver,
    ) -> Result<Requirements, BuildError> {
        let what = wanted.shown();
        let mut request = PipRequest {
            index_url: self.request.index_url.clone(),
            extra_index_urls: self.request.extra_index_urls.clone(),
            only_binary: self.request.only_binary.clone(),
            ..PipRequest::default()
        };
        for line in lines {
            let requirement: PipRequirement = line.parse().map_err(|problem| {
                let shown: String = line.chars().take(200).flat_map(char::escape_default).collect();
                let problem = format!("{problem:?}");
                BuildError::new(
                    ErrorKind::Unsupported,
                    format!("{what} cannot be built: it asks for {shown}, which is not a requirement"),
                )
                .with_explanation(problem)
                .with_next_step("choose another version, or tell its authors")
            })?;
            if requirement.is_direct_url() {
                // Whoever wrote the sources would choose what this machine fetches, and with whose credentials.
                return Err(BuildError::new(
                    ErrorKind::Unsupported,
                    format!(
                        "{what} cannot be built: it asks for {} from an address of its own",
                        requirement.name()
                    ),
                )
                .with_next_step(
                    "choose another version: what it is built with has to come from a package index",
                ));
            }
            request.requirements.push(requirement);
        }
        if request.requirements.is_empty() {
            return Ok(Requirements { files: Vec::new(), locked: Vec::new() });
        }
        let (installed, settings) = (Installed::default(), PipSettings::default());
        let input =
            PipInput { request: &request, target: self.target, installed: &installed, settings: &settings };
        let resolution = Box::pin(resolver.resolve(input, self.cancellation)).await.map_err(|error| {
            let error = BuildError::from(error);
            if error.kind() == ErrorKind::Cancelled {
                return error;
            }
            let message =
                format!("{what} cannot be built, since what it is built with cannot be had: {error}");
            let mut outer = BuildError::new(error.kind(), message);
            if let Some(explanation) = error.explanation() {
                outer = outer.with_explanation(explanation);
            }
            if let Some(next_step) = error.next_step() {
                outer = outer.with_next_step(next_step);
            }
            outer.with_source(error)
        })?;
        let wanted = WantedFile::of(&resolution);
        let fetched = self.settings.downloader.fetch(&wanted, &|_, _| {}, self.cancellation).await?;
        let mut found: Vec<(LockedRequirement, PathBuf)> = Vec::new();
        for (wanted, fetched) in wanted.iter().zip(fetched) {
            let sha256 = format!("sha256:{}", fetched.sha256).parse().map_err(|error| {
                BuildError::internal("a file was fetched without a digest").with_source(error)
            })?;
            found.push((LockedRequirement { file: wanted.file_name.clone(), sha256 }, fetched.path));
        }
        for package in &resolution.packages {
            if let Source::Built(built) = &package.source {
                let locked = LockedRequirement { file: built.file_name.clone(), sha256: built.sha256 };
                found.push((locked, built.path.clone()));
            }
        }
        found.sort();
        let (locked, files) = found.into_iter().unzip();
        Ok(Requirements { files, locked })
    }
}
