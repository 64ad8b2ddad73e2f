//! For which machines an image is: with or without a GPU.

use std::fmt;
use std::str::FromStr;

use crate::problem::{Problem, quote};
use crate::string_type::string_type;

/// For which machines an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ImageKind {
    /// Machines without a GPU, and with one that is not used.
    #[default]
    Cpu,
    /// Machines with an NVIDIA GPU.
    Gpu,
    /// Both: one image, or two where their packages differ.
    Universal,
}

impl ImageKind {
    /// `cpu`, `gpu` or `universal`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Universal => "universal",
        }
    }

    /// True for the kind that is meant where none is given.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for ImageKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for ImageKind {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let kinds = [Self::Cpu, Self::Gpu, Self::Universal];
        kinds.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
            Problem::at(
                1,
                format!("{} is no type of image", quote(text)),
                "write `cpu`, `gpu` or `universal`",
            )
        })
    }
}

string_type!(ImageKind);
