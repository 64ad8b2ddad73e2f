//! The papers that come with an image besides its lock: a bill of materials in the form of `CycloneDX` 1.6.
//!
//! ```text
//! bill.rs         the document
//! components.rs   the packages of an image, each with where it comes from
//! package_url.rs  names of packages that other tools understand
//! licence.rs      what packages say of their licences
//! ```

mod bill;
mod components;
mod licence;
mod package_url;

pub use bill::{BILL_MEDIA_TYPE, BILL_SIZE_LIMIT, BillInput, bill_of_materials};
pub use licence::Licence;
pub(crate) use licence::of_metadata as licence_of_metadata;
