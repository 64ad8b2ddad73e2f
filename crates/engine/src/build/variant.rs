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
    ///
    /// # Errors
    /// A CUDA that is not known: of an image for all machines before its first variant is built.
    pub(super) fn cuda(&self, config: &Value) -> Result<Option<CudaVersion>, BuildError> {
        let kind = self.plan.spec.kind;
        let known = cuda_of(config, self.plan.conda.cuda);
        match self.variant {
            Variant::Cpu if kind == ImageKind::Universal => known.map(|_| None),
            Variant::Cpu => Ok(None),
            Variant::Gpu => known.map(Some),
        }
    }
}

/// What a base says of its CUDA, else what the plan says.
fn cuda_of(config: &Value, of_plan: Option<CudaVersion>) -> Result<CudaVersion, BuildError> {
    let of_base = variables(config).remove("CUDA_VERSION").filter(|text| !text.is_empty());
    let read = of_base.as_ref().and_then(|text| text.parse().ok());
    read.or(of_plan).ok_or_else(|| {
        let reason = match of_base {
            Some(text) => {
                let shown: String = text.chars().take(40).collect();
                format!("{shown:?}, its CUDA_VERSION, is no version of CUDA")
            }
            None => "it sets no CUDA_VERSION".to_owned(),
        };
        let message = format!("which CUDA the GPU machines have is not known from the base: {reason}");
        BuildError::new(ErrorKind::SpecInvalid, message)
            .with_next_step("pass --cuda VERSION, for example --cuda 12.4, or use a base image with CUDA")
    })
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_base_says_of_its_cuda_comes_first_and_has_to_be_readable() {
        let of = |text: &str, plan: Option<&str>| {
            let config = json!({"config": {"Env": [format!("CUDA_VERSION={text}")]}});
            let plan = plan.map(|text| text.parse().unwrap());
            cuda_of(&config, plan).map(|cuda| cuda.to_string()).map_err(|error| error.to_string())
        };
        assert_eq!(of("11.8.0", Some("12.4")).unwrap(), "11.8");
        assert_eq!(of("twelve", Some("12.4")).unwrap(), "12.4");
        assert!(of("twelve", None).unwrap_err().contains("\"twelve\", its CUDA_VERSION"));
        assert!(of("", None).unwrap_err().contains("sets no CUDA_VERSION"));
    }
}
