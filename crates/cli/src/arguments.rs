//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use imagewright_engine::conda::CudaVersion;
use imagewright_engine::patience::Patience;
use imagewright_oci::layer::codec::Compression;
use imagewright_spec::{ImageKind, ImageReference, Owner, Platform, RepositoryReference};
use url::Url;

/// Container images for data science, assembled in seconds.
#[derive(Debug, Parser)]
#[command(name = "imagewright", version, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Assemble a base image and packages into a pushed image.
    Build(Box<BuildArguments>),
    /// Show what an image holds: system, interpreters, packages, layers.
    Inspect(Box<InspectArguments>),
    /// Show what tells two images apart: packages and bytes.
    Diff(Box<DiffArguments>),
    /// Check which parts this machine has, and how to get those that are missing.
    Doctor(DoctorArguments),
    /// Show the cache, or make it smaller.
    Cache(CacheArguments),
    /// Run the hub: images, groups, secrets and builds, behind permissions and an API.
    Serve(Box<ServeArguments>),
    /// Show what the hub would remove from the registry now; it only reads.
    CleanUp(HubArguments),
    /// Look after the users of a hub.
    User {
        #[command(subcommand)]
        action: UserAction,
        #[command(flatten)]
        hub: HubArguments,
    },
    /// Look after the groups of a hub.
    Group {
        #[command(subcommand)]
        action: GroupAction,
        #[command(flatten)]
        hub: HubArguments,
    },
    /// Look after the API tokens of a hub's users.
    Token {
        #[command(subcommand)]
        action: TokenAction,
        #[command(flatten)]
        hub: HubArguments,
    },
    /// Look after the key that a hub's secrets are sealed with.
    Secrets {
        #[command(subcommand)]
        action: SecretsAction,
        #[command(flatten)]
        hub: HubArguments,
    },
}

/// How events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventFormat {
    /// Progress bars on a terminal, plain lines elsewhere.
    Auto,
    /// One JSON object a line on standard output.
    Json,
}

/// Options of `build`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES_AND_EXIT_CODES)]
pub(crate) struct BuildArguments {
    /// Image to start from
    #[arg(long, value_name = "REF", required_unless_present_any = ["plan", "file", "lock"])]
    pub(crate) base: Option<ImageReference>,

    /// Python requirement as pip reads it (repeatable)
    #[arg(long, value_name = "REQ", allow_hyphen_values = true)]
    pub(crate) pip: Vec<String>,

    /// System package as apt reads it (repeatable)
    #[arg(long, value_name = "PKG")]
    pub(crate) apt: Vec<String>,

    /// conda package as `conda install` reads it, `-c CHANNEL` included (repeatable)
    #[arg(long, value_name = "SPEC", allow_hyphen_values = true)]
    pub(crate) conda: Vec<String>,

    /// For which machines: cpu, gpu, or universal, which builds a second image TAG-gpu where the packages differ
    /// [default: cpu]
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<ImageKind>,

    /// Version of CUDA on the machines that a gpu image is for, where the base does not say
    #[arg(long, value_name = "VERSION")]
    pub(crate) cuda: Option<CudaVersion>,

    /// Server of conda channels that are given by name [default: Anaconda's];
    /// `IMAGEWRIGHT_CHANNEL_ALIAS` sets it too
    #[arg(long, value_name = "URL")]
    pub(crate) channel_alias: Option<Url>,

    /// Where a conda channel is found instead (repeatable; the next is asked where one does not answer)
    #[arg(long, value_name = "NAME=URL")]
    pub(crate) channel_mirror: Vec<String>,

    /// File with credentials of conda channels, as rattler and pixi keep them;
    /// `IMAGEWRIGHT_CHANNEL_AUTHFILE` sets it too
    #[arg(long, value_name = "FILE")]
    pub(crate) channel_authfile: Option<PathBuf>,

    /// requirements.txt, environment.yml or image.toml (repeatable)
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,

    /// Lock of an earlier build: exactly its packages on exactly its base (repeatable, one a platform); --base says
    /// where the base is now, if that is elsewhere
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "pip", "apt", "conda", "file", "kind", "cuda", "channel_alias", "channel_mirror", "compression", "dry_run",
    ])]
    pub(crate) lock: Vec<PathBuf>,

    /// Fetch what begins with one address from another, as a mirror has it (repeatable)
    #[arg(long, value_name = "URL=URL")]
    pub(crate) mirror: Vec<String>,

    /// Where to push the image, with its tag
    #[arg(long, value_name = "REF", required_unless_present_any = ["plan", "dry_run"])]
    pub(crate) to: Option<ImageReference>,

    /// Platforms, separated by commas: linux/amd64, linux/arm64
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    pub(crate) platform: Vec<Platform>,

    /// Package index instead of the public one; `IMAGEWRIGHT_INDEX_URL` sets it too
    // The variables of this, of `--layer-repo` and its like are read elsewhere: clap takes them for options that were
    // typed, and would refuse every plan where they are set.
    #[arg(long, value_name = "URL")]
    pub(crate) index_url: Option<String>,

    /// Further package index, asked first (repeatable)
    #[arg(long, value_name = "URL")]
    pub(crate) extra_index_url: Vec<String>,

    #[command(flatten)]
    pub(crate) registry: RegistryArguments,

    /// Repository that keeps layers for the next image; nobody else should write to it;
    /// `IMAGEWRIGHT_LAYER_REPO` sets it too
    #[arg(long, value_name = "REF")]
    pub(crate) layer_repo: Option<RepositoryReference>,

    /// File with the credentials that write the layer repository; without it that is written only where nobody
    /// is asked for credentials; `IMAGEWRIGHT_LAYER_AUTHFILE` sets it too
    #[arg(long, value_name = "FILE")]
    pub(crate) layer_authfile: Option<PathBuf>,

    /// For whom the image is: what is fetched with credentials or made by running a base is kept apart for each
    /// owner [default: default]; `IMAGEWRIGHT_OWNER` sets it too
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<Owner>,

    /// Compression of new layers: zstd or gzip
    #[arg(long, value_name = "CODEC", default_value_t)]
    pub(crate) compression: Compression,

    /// Resolve again, even if the same was resolved within the last day
    #[arg(long)]
    pub(crate) fresh: bool,

    /// Resolve and show the exact packages; push nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// How progress is shown
    #[arg(long, value_enum, default_value_t = EventFormat::Auto)]
    pub(crate) events: EventFormat,

    /// Read the whole build plan as JSON, `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "base", "pip", "apt", "conda", "file", "to", "platform", "index_url", "extra_index_url", "authfile",
        "insecure_registry", "ca_bundle", "layer_repo", "layer_authfile", "owner", "compression",
        "fresh", "lock", "mirror", "kind", "cuda", "channel_alias", "channel_mirror",
    ])]
    pub(crate) plan: Option<PathBuf>,

    /// With `--plan -`: the first line is the plan; the tag waits for a line `publish`, and the end of input cancels
    #[arg(long, requires = "plan")]
    pub(crate) supervised: bool,

    /// Configuration file of this machine [default: /etc/imagewright/config.toml, where there is one]
    #[arg(long, value_name = "FILE", env = "IMAGEWRIGHT_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,

    /// Folder of the cache [default: ~/.cache/imagewright]
    #[arg(long, value_name = "DIR", env = "IMAGEWRIGHT_CACHE", hide_env_values = true)]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// Options of everything that speaks to a registry.
#[derive(Debug, Args)]
pub(crate) struct RegistryArguments {
    /// File with registry credentials, as `docker login` writes it
    #[arg(long, value_name = "FILE")]
    pub(crate) authfile: Option<PathBuf>,

    /// Registry to speak to over plain HTTP (repeatable)
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) insecure_registry: Vec<String>,

    /// PEM file with certificates to trust besides the system's (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_bundle: Vec<PathBuf>,

    /// Seconds without a byte after which a connection to a registry or index is broken [default: 60]
    #[arg(long, value_name = "SECONDS", env = "IMAGEWRIGHT_TIMEOUT", hide_env_values = true)]
    pub(crate) timeout: Option<u64>,

    /// How often a request is sent before it has failed [default: 5]
    #[arg(long, value_name = "COUNT", env = "IMAGEWRIGHT_ATTEMPTS", hide_env_values = true)]
    pub(crate) attempts: Option<u32>,
}

impl RegistryArguments {
    /// How long to wait and how often to try: as was said, else as `usual` has it.
    pub(crate) fn patience(&self, usual: Patience) -> Patience {
        Patience {
            timeout_seconds: self.timeout.unwrap_or(usual.timeout_seconds),
            attempts: self.attempts.unwrap_or(usual.attempts),
        }
    }
}

/// Options of `inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// Image to look into
    #[arg(value_name = "REF")]
    pub(crate) reference: ImageReference,

    /// Platform of an image for several: linux/amd64 or linux/arm64 [default: this machine's]
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<Platform>,

    #[command(flatten)]
    pub(crate) registry: RegistryArguments,

    /// Who wants to know: an image that takes credentials is kept apart for each owner [default: default]
    #[arg(long, value_name = "NAME", env = "IMAGEWRIGHT_OWNER", hide_env_values = true)]
    pub(crate) owner: Option<Owner>,

    /// Print everything as one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) papers: PaperArguments,

    /// List every package; without it long lists end with the largest ones
    #[arg(long, conflicts_with = "json")]
    pub(crate) all: bool,

    /// Folder of the cache [default: ~/.cache/imagewright]
    #[arg(long, value_name = "DIR", env = "IMAGEWRIGHT_CACHE", hide_env_values = true)]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// A form of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LockForm {
    /// As `conda create --file` reads it.
    Conda,
    /// As `pip install -r pylock.toml` and uv read it.
    Pylock,
    /// As arguments of `apt-get install`.
    Apt,
}

/// Which paper of an image is printed.
#[derive(Debug, Args)]
pub(crate) struct PaperArguments {
    /// Print the lock alone, as it was stored
    #[arg(long, conflicts_with_all = ["json", "all", "sbom"])]
    pub(crate) lock: bool,

    /// Print a part of the lock in the form of another tool: conda's explicit list, Python's pylock.toml, versions
    /// for apt-get
    #[arg(long, value_enum, value_name = "FORM", requires = "lock")]
    pub(crate) format: Option<LockForm>,

    /// Print the bill of materials alone, as it was stored: `CycloneDX` 1.6
    #[arg(long, conflicts_with_all = ["json", "all"])]
    pub(crate) sbom: bool,
}

/// Options of `diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// Image to compare
    #[arg(value_name = "FROM")]
    pub(crate) from: ImageReference,

    /// Image to compare it with
    #[arg(value_name = "TO")]
    pub(crate) to: ImageReference,

    /// Platform of images for several: linux/amd64 or linux/arm64 [default: this machine's]
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<Platform>,

    #[command(flatten)]
    pub(crate) registry: RegistryArguments,

    /// Who wants to know: an image that takes credentials is kept apart for each owner [default: default]
    #[arg(long, value_name = "NAME", env = "IMAGEWRIGHT_OWNER", hide_env_values = true)]
    pub(crate) owner: Option<Owner>,

    /// Print everything as one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    /// Folder of the cache [default: ~/.cache/imagewright]
    #[arg(long, value_name = "DIR", env = "IMAGEWRIGHT_CACHE", hide_env_values = true)]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// Options of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Print the findings as one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    /// Remove what builds that were killed have left
    #[arg(long)]
    pub(crate) clean: bool,

    /// Configuration file of this machine [default: /etc/imagewright/config.toml, where there is one]
    #[arg(long, value_name = "FILE", env = "IMAGEWRIGHT_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,

    /// Folder of the cache [default: ~/.cache/imagewright]
    #[arg(long, value_name = "DIR", env = "IMAGEWRIGHT_CACHE", hide_env_values = true)]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// Options of `cache`.
#[derive(Debug, Args)]
pub(crate) struct CacheArguments {
    #[command(subcommand)]
    pub(crate) action: Option<CacheAction>,

    /// Folder of the cache [default: ~/.cache/imagewright]
    #[arg(long, value_name = "DIR", env = "IMAGEWRIGHT_CACHE", hide_env_values = true, global = true)]
    pub(crate) cache_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheAction {
    /// Show what the cache holds
    Show,
    /// Remove what was not used for longest
    Trim {
        /// Size to trim to, such as 10GB or 500MiB; 0 empties the cache
        #[arg(long, value_name = "SIZE")]
        to: String,
    },
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    pub(crate) hub: HubArguments,

    /// Address and port to answer on [default: as the configuration says, 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<std::net::SocketAddr>,

    /// Print the default configuration with all its keys, and end
    #[arg(long)]
    pub(crate) print_config: bool,
}

/// Which hub is meant.
#[derive(Debug, Args)]
pub(crate) struct HubArguments {
    /// Configuration file of the hub
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,

    /// Data folder of the hub [default: as the configuration says, ./data]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserAction {
    /// Add a user; without --password-stdin a password is made and printed
    Add {
        /// Name to sign in with
        name: String,
        /// As an admin of the hub
        #[arg(long)]
        admin: bool,
        /// Mail address
        #[arg(long)]
        email: Option<String>,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// List all users
    List,
    /// Give a user another password and end the user's tokens
    Password {
        /// The user
        name: String,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Keep a user out, and end the user's tokens
    Disable {
        /// The user
        name: String,
    },
    /// Let a user in again
    Enable {
        /// The user
        name: String,
    },
    /// Remove a user; what the user has built stays
    Remove {
        /// The user
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum GroupAction {
    /// Add a group
    Add {
        /// Its name
        name: String,
        /// The name that is shown
        #[arg(long)]
        display_name: Option<String>,
    },
    /// List all groups, or who is in one
    List {
        /// The group
        name: Option<String>,
    },
    /// Put a user into a group, or change as what the user is in it
    Join {
        /// The group
        group: String,
        /// The user
        user: String,
        /// As an admin of the group
        #[arg(long)]
        admin: bool,
    },
    /// Take a user out of a group
    Leave {
        /// The group
        group: String,
        /// The user
        user: String,
    },
    /// Remove a group that owns no images
    Remove {
        /// The group
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenAction {
    /// Make a token and print it, alone, on standard output
    Create {
        /// Whose
        user: String,
        /// What it is for
        #[arg(long, default_value = "command line")]
        name: String,
        /// Days until it is good for nothing; without, it has no end
        #[arg(long)]
        days: Option<u32>,
    },
    /// List a user's tokens, never what they prove themselves with
    List {
        /// Whose
        user: String,
    },
    /// End a token
    Revoke {
        /// Its identifier
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsAction {
    /// Make a new key, seal all secrets with it, and forget the old one
    RotateKey,
}

const EXAMPLES_AND_EXIT_CODES: &str = "\
Examples:
  imagewright build --base python:3.12-slim --pip pandas --pip 'scikit-learn>=1.5' --to registry.example/team/analysis:1
  imagewright build --base python:3.12-slim -f requirements.txt --to registry.example/team/analysis:2 --dry-run

Standard output has one line, REPOSITORY@DIGEST, so that scripts can take it; everything else is on standard error.

Exit codes:
  0  the image is pushed
  2  spec_invalid     a line, a name or an option is wrong
  3  conflict         no set of versions satisfies everything
  4  not_found        an image, a package or a version does not exist
  5  unauthorized     a registry or index refuses the credentials
  6  unreachable      a registry or index cannot be reached
  7  sandbox_failed   a step in the sandbox failed
  8  disk_full        no space is left
  9  digest_mismatch  bytes are not those that were promised
 10  too_large        something is larger than is accepted
 11  timeout          a step took too long
 12  unsupported      the base or a package is of a kind that is not supported
 70  internal         a defect of Imagewright
130  cancelled        the build was ended";
