//! What a user may ask for: names, image references, package lines and the build spec. Pure: no I/O, no clock,
//! no randomness.
//!
//! Text comes in through one reader per kind: [`parse_apt`], [`parse_conda`] and [`parse_pip`] for form fields and
//! options, [`parse_requirements`], [`parse_environment_yml`] and [`parse_image_toml`] for files. Each understands
//! what people paste, reports *every* line it does not understand as a [`SpecError`], and gives values that no
//! tool can take for an option. Together they make a [`BuildSpec`], whose [`BuildSpec::spec_hash`] is the same for
//! equal requests.
//!
//! ```
//! use imagewright_spec::{BuildSpec, PipPolicy, parse_pip};
//!
//! let mut spec = BuildSpec::new("python:3.12-slim".parse()?);
//! spec.pip = parse_pip("--pip", "pip install 'requests>=2' pandas", PipPolicy::INDEX_ONLY)?;
//! assert_eq!(spec.base.to_string(), "docker.io/library/python:3.12-slim");
//! assert_eq!(spec.pip.requirements.len(), 2);
//!
//! let errors = parse_pip("--pip", "numpy=1.26", PipPolicy::INDEX_ONLY).unwrap_err();
//! assert_eq!(errors.0[0].suggestion, "write `numpy==1.26`");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod apt;
mod apt_text;
mod build_spec;
mod command;
mod conda;
mod conda_request;
mod conda_text;
mod environment_yml;
mod error;
mod image_kind;
mod image_toml;
mod index_url;
mod names;
mod nearest;
mod owner;
mod pip;
mod pip_request;
mod platform;
mod problem;
mod reference;
mod relative_path;
mod repository;
mod requirements;
mod revision;
mod size;
mod string_type;
mod text;

pub use apt::{AptPackage, AptSelection};
pub use apt_text::parse_apt;
pub use build_spec::{BuildSpec, PackageRequest, SpecHash};
pub use conda::{CondaChannel, CondaSpec};
pub use conda_request::CondaRequest;
pub use conda_text::{CondaPolicy, parse_conda};
pub use environment_yml::parse_environment_yml;
pub use error::{SpecError, SpecErrors};
pub use image_kind::ImageKind;
pub use image_toml::parse_image_toml;
pub use index_url::{IndexCredentials, IndexUrl, serialize_exposed};
pub use names::{DisplayName, ImageName, SpecName};
pub use nearest::nearest;
pub use owner::Owner;
pub use pip::PipRequirement;
pub use pip_request::PipRequest;
pub use platform::{Architecture, Platform};
pub use problem::Problem;
pub use reference::ImageReference;
pub use relative_path::RelativePath;
pub use repository::RepositoryReference;
pub use requirements::{IncludeError, IncludeReader, NoIncludes, PipPolicy, parse_pip, parse_requirements};
pub use revision::Revision;
pub use size::parse_size;
