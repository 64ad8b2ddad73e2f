//! The variants of an image: for machines without a GPU, and for those with one.

use imagewright_spec::ImageKind;
use serde_json::Value;

use super::{BuiltPlatform, Shared};
use crate::conda::{CudaVersion, variables};
use crate::error::{BuildError, ErrorKind};
use crate::lock::Lock;

/// Which machines a variant is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    /// Without a GPU.
    Cpu,
    /// With an NVIDIA GPU.
    Gpu,
}

impl Variant {
    /// The variants of an image, the one that has the plan's own tag first.
    pub(super) fn of(kind: ImageKind) -> &'static [Self] {
        match kind {
            ImageKind::Cpu => &[Self::Cpu],
            ImageKind::Gpu => &[Self::Gpu],
            ImageKind::Universal => &[Self::Cpu, Self::Gpu],
        }
    }
}

/// What came of one platform of a variant.
pub(super) enum Outcome {
    /// An image, pushed by digest.
    Built(Box<BuiltPlatform>),
    /// The packages are those of the other variant, whose image serves both.
    SameAsTwin,
}

impl Shared<'_> {
    /// CUDA of the machines that this variant is for; `None` for those without. Only conda's packages ask for it.
    pub(super) fn cuda(&self, config: &Value) -> Result<Option<CudaVersion>, BuildError> {
        let of_base = variables(config).get("CUDA_VERSION").and_then(|text| text.parse().ok());
        match (self.variant, of_base.or(self.plan.conda.cuda)) {
            (Variant::Cpu, _) => Ok(None),
            (Variant::Gpu, Some(cuda)) => Ok(Some(cuda)),
            (Variant::Gpu, None) => Err(BuildError::new(
                ErrorKind::SpecInvalid,
                "which CUDA the GPU machines have is not known: the base sets no CUDA_VERSION",
            )
            .with_next_step("pass --cuda VERSION, for example --cuda 12.4, or use a base image with CUDA")),
        }
    }
}

impl Lock {
    /// Whether both images have the same packages, whatever machines they were chosen for.
    pub(super) fn has_packages_of(&self, other: &Self) -> bool {
        let without_machine = |lock: &Self| {
            let mut lock = lock.clone();
            if let Some(conda) = &mut lock.conda {
                conda.virtual_packages.clear();
            }
            lock
        };
        without_machine(self) == without_machine(other)
    }
}
