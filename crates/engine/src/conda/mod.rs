//! conda packages: solved against what the base has, and written as layers.
//!
//! ```text
//! settings.rs          where packages come from
//! credentials.rs       what opens channels
//! channels.rs          from names to addresses
//! condarc.rs           channels and pins that a base names
//! mirrors.rs           which mirror is asked
//! client.rs            how channels are asked
//! repodata.rs          what they have
//! prefix.rs            where conda installs to
//! installed.rs         what is installed there, pinned and asked for
//! history.rs           the history of requests
//! virtual_packages.rs  what the image has besides
//! solve.rs             what the prefix will have
//! environment.rs       variables of the image, and those that packages set
//! shell.rs             what activation scripts are understood of
//! explain/              contradictions in words
//! transaction.rs       what has to change for that
//! lock.rs              the exact packages
//! package/             from an archive to files
//! ```
//!
//! rattler's crates solve and read; nothing of ours runs a package, and no installer ever sees the image's tree.

mod channels;
mod client;
mod condarc;
mod credentials;
mod environment;
mod explain;
mod history;
mod installed;
mod lock;
mod mirrors;
mod package;
mod prefix;
mod repodata;
mod settings;
mod shell;
mod solve;
#[cfg(test)]
mod testing;
mod transaction;
mod virtual_packages;

pub use channels::{ChannelSource, channels, check_locked};
pub use client::{Refusals, client};
pub use condarc::{channels_of_base, pins_of_base};
pub use credentials::{ChannelCredentials, ChannelSecret, authorised, opening};
pub use environment::{ActivatedVariable, activate, variables};
pub use explain::Situation;
pub use history::{
    Entry as HistoryEntry, Requests as HistoryRequests, extended as extended_history, name_of as request_name,
};
pub use installed::{InstalledPackage, InstalledPrefix, label};
pub use lock::{LockedConda, LockedCondaPackage};
pub use mirrors::on_mirrors;
pub use package::{
    FetchedArchive, PackageProblem, StageInput, StagedCondaPackage, record_of, requested_record, stage,
};
pub use prefix::{CondaPrefix, NEW_PREFIX};
pub use repodata::{Query, fetch};
pub use settings::{ChannelPriority, CondaSettings, CudaVersion};
pub use solve::{Demands, PATIENCE, Solution, SolveInput, solve};
pub use transaction::{Transaction, python_info, transaction};
pub use virtual_packages::{subdir, virtual_packages};
