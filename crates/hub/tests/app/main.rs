//! What people may do with a hub, as every door finds it.

mod accounts;
mod builds;
mod groups;
mod images;
mod secrets;
mod selection;
mod support;
