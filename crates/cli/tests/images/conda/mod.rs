//! conda packages in images, run and asked.
//!
//! ```text
//! packages.rs    what the tests install
//! new_prefix.rs  bases without conda
//! existing.rs    bases in the shape of Jupyter's: what stays, what gives way
//! consistency.rs whether records and files agree
//! wheels.rs      real wheels as conda packages
//! channels.rs    names, mirrors, priority, credentials
//! addresses.rs   what is fetched from addresses, and what is not
//! with_pip.rs    conda and pip in one image
//! variants.rs    GPU and universal images
//! platforms.rs   two platforms at once
//! refused.rs     contradictions, broken and hostile packages
//! ```

mod addresses;
mod channels;
mod consistency;
mod existing;
mod new_prefix;
mod packages;
mod platforms;
mod refused;
mod variants;
mod wheels;
mod with_pip;

pub(crate) use packages::forge;
