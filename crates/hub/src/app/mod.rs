//! What people may do: app functions, each with the actor who asks. All doors call these, and only these.

pub mod accounts;
mod auditing;
pub mod builds;
mod change;
pub mod clean_up;
pub mod groups;
pub mod images;
mod own_images;
mod recipe;
pub mod secrets;
pub mod selection;
pub mod specs;
pub mod users;

pub use change::Change;
pub use recipe::{RecipeRules, read_recipe};
