//! Groups.

mod attributes;
mod input;
mod mutations;
mod object;
mod queries;
mod stand_ins;

pub(super) use input::{GroupCreateManyInput, GroupUpdateManyInput, ids};
pub(super) use mutations::GroupMutations;
pub(super) use queries::{GroupQueries, group_named};

pub(super) use object::GroupObject;
