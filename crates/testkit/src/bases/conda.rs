//! Bases with a conda prefix.

use crate::conda::PrefixBuilder;
use crate::{ImageBuilder, PushedImage, Registry, bases};

/// A base in the shape of Jupyter's images: `/opt/conda` belongs to the notebook user, comes first in `PATH`, and is
/// what `prefix` says.
pub async fn jupyter(registry: &Registry, prefix: &PrefixBuilder) -> PushedImage {
    let debian = bases::debian_python(registry).await;
    ImageBuilder::from_image(&debian)
        .layer(prefix.clone().owner(1000, 100).layer().build())
        .env("CONDA_DIR", "/opt/conda")
        .env("PATH", "/opt/conda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", "/home/jovyan")
        .user("1000")
        .push(registry, "bases/jupyter:1")
        .await
}
