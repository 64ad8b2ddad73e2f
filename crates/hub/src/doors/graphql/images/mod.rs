//! Images.

mod filter;
mod input;
mod mutations;
mod object;
mod queries;

pub(super) use input::{ImageSpecInput, ImageWhereUniqueInput, change_of, kind_of, kind_text};
pub(super) use mutations::ImageMutations;
pub(super) use object::{ImageMode, ImageSpec};
pub(super) use queries::ImageQueries;

pub(super) use object::ImageObject;
