//! What can go wrong with the hub's own registry.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why the registry does not start, or does not do what it was asked to.
#[derive(Debug, Error)]
pub enum ManagedRegistryError {
    /// A program that it needs is not there.
    #[error(
        "the program `{program}` is not installed, and the hub needs it to run a registry of its own: install it \
         (`apt-get install {package}`), or name a registry in [registry], or do without building (builder = \"off\")"
    )]
    Missing {
        /// The program.
        program: &'static str,
        /// The package of Debian's that has it.
        package: &'static str,
    },
    /// Something of its folder cannot be read or written.
    #[error("the folder {} of the hub's registry cannot be used", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file in it says nothing that we have written.
    #[error(
        "the file {} of the hub's registry is damaged: put back its backup, or remove it to have it made anew \
         (then {consequence})",
        file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What follows if it is made anew.
        consequence: &'static str,
    },
    /// Another hub runs with the same folder.
    #[error("the folder {} is used by a hub that is running: stop that, or use another data folder", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// Another program has its port now.
    #[error(
        "port {port} of 127.0.0.1 is taken by another program, and the hub's registry has had it since its first start: \
         addresses of images have it in them. End that program (`ss -ltnp 'sport = :{port}'` names it); if no image of \
         this registry is in use, remove {} to have another port chosen",
        file.display()
    )]
    PortTaken {
        /// The port.
        port: u16,
        /// Where it is kept.
        file: PathBuf,
    },
    /// It does not answer.
    #[error("the hub's registry does not answer within {seconds} seconds; its last words: {last_words}")]
    NotReady {
        /// How long it was waited for.
        seconds: u64,
        /// What it has written last.
        last_words: String,
    },
    /// Its garbage was not collected.
    #[error("the garbage of the hub's registry could not be collected: {last_words}")]
    Garbage {
        /// What the program has written last.
        last_words: String,
    },
    /// The operating system does not do what it was asked for.
    #[error("cannot {attempt} for the hub's registry")]
    System {
        /// What was attempted, as a verb.
        attempt: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// It was stopped.
    #[error("the hub's registry has been stopped")]
    Ended,
}
