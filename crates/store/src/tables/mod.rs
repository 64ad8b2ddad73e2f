//! The tables as sea-orm sees them: rows, column by column. Nothing of it leaves this crate.

#![expect(unreachable_pub, reason = "sea-orm's macros write public items")]

pub(crate) mod audit_entry;
pub(crate) mod authorization_code;
pub(crate) mod build;
pub(crate) mod build_number;
pub(crate) mod group;
pub(crate) mod image;
pub(crate) mod image_group;
pub(crate) mod member;
pub(crate) mod secret;
pub(crate) mod secret_group;
pub(crate) mod spec;
pub(crate) mod token;
pub(crate) mod user;
