//! conda packages, channels and prefixes.
//!
//! ```no_run
//! use imagewright_testkit::conda::{Channels, CondaPackageBuilder, python};
//!
//! let channels = Channels::new();
//! let forge = channels.channel("conda-forge");
//! forge.add(&python());
//! forge.add(
//!     &CondaPackageBuilder::noarch_python("greeting", "1.0")
//!         .depends("python >=3.8")
//!         .module("greeting.py", "def main(): print('hello')\n")
//!         .entry_point("greet = greeting:main")
//!         .build(),
//! );
//! // … give `forge.url()`, or `channels.url()` as the alias, to the code under test.
//! ```

mod archive;
mod channel;
mod interpreter;
mod package;
mod parts;
mod prefix;
mod wheel;

#[cfg(test)]
mod tests;

pub use channel::{Channel, ChannelAccess, Channels};
pub use interpreter::python;
pub use package::{CondaPackage, CondaPackageBuilder, PLACEHOLDER};
pub use prefix::PrefixBuilder;
