//! `apt-get` in a container of the base.

use std::path::Path;

use imagewright_spec::AptPackage;

use super::container::{Container, Fence, Step};
use super::explain::{AptOutput, AptStep, explain};
use super::proxies::NetworkSettings;
use super::record::LockedSystemPackage;
use crate::cancel::CancellationToken;
use crate::error::BuildError;

/// Where apt keeps what must not be in the image: lists, archives, logs.
const APT: &str = "/run/imagewright-apt";

/// Makes one stream of a program's two. buildah carries each through a pipe of its own, by which a script's words
/// may come after what dpkg says of its end. The text is fixed: the program and its arguments come as parameters.
const IN_ORDER: [&str; 4] = ["/bin/sh", "-c", "exec \"$@\" 2>&1", "sh"];
/// A policy that keeps maintainer scripts from starting services, as every builder of images has it.
const POLICY: &str = "#!/bin/sh\nexit 101\n";
const POLICY_FILE: &str = "policy-rc.d";
/// The versions that apt shall take.
const PREFERENCES: &str = "preferences";
/// Where maintainer scripts look for it.
pub(crate) const POLICY_PATH: &str = "usr/sbin/policy-rc.d";

/// What is installed, and how.
#[derive(Debug)]
pub(crate) struct Installation<'build> {
    pub(crate) packages: &'build [AptPackage],
    /// True where the versions of all packages are given.
    pub(crate) is_pinned: bool,
    /// The base's reference, for errors.
    pub(crate) base: &'build str,
    /// Name of the base's system, for errors.
    pub(crate) system: &'build str,
    /// Seconds since the Unix epoch that stand for now in what is reproducible.
    pub(crate) epoch: i64,
    pub(crate) network: &'build NetworkSettings,
    /// True where the base has no policy of its own, and ours is shown instead.
    pub(crate) with_policy: bool,
}

impl Installation<'_> {
    /// Puts what the container needs for it into the fence, before the container is made.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn prepare(fence: &Fence, pins: &[LockedSystemPackage]) -> Result<(), BuildError> {
        let folder = fence.folder_for("apt")?;
        let preferences = folder.join(PREFERENCES);
        std::fs::write(&preferences, preferences_of(pins))
            .map_err(|error| BuildError::file("write", &preferences, error))?;
        for name in ["lists", "cache", "log"] {
            fence.folder_for(&format!("apt/{name}"))?;
        }
        let policy = folder.with_file_name(POLICY_FILE);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::write(&policy, POLICY)
            .and_then(|()| std::fs::set_permissions(&policy, mode))
            .map_err(|error| BuildError::file("write", &policy, error))
    }

    /// Reads the lists of packages and installs.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub(crate) async fn run(
        &self,
        container: &Container,
        fence_folder: &Path,
        see: &(dyn Fn(&str) + Send + Sync),
        cancellation: &CancellationToken,
    ) -> Result<(), BuildError> {
        let packages: Vec<String> = self.packages.iter().map(ToString::to_string).collect();
        let update = ["update".to_owned()];
        let install: Vec<String> =
            ["install", "--yes", "--no-install-recommends"].map(str::to_owned).into_iter().collect();
        let install = [install, packages.clone()].concat();
        let steps = [
            (AptStep::Update, &update[..], "reading the lists of system packages"),
            (AptStep::Install, &install[..], "installing system packages"),
        ];
        let environment = self.environment();
        let mut folders = vec![(fence_folder.join("apt"), APT, true)];
        if self.with_policy {
            folders.push((fence_folder.join(POLICY_FILE), "/usr/sbin/policy-rc.d", false));
        }
        let mut warnings = Vec::new();
        for (apt_step, arguments, purpose) in steps {
            let arguments = [self.command(), arguments.to_vec()].concat();
            let step = Step {
                arguments: &arguments,
                environment: &environment,
                folders: &folders,
                network: true,
                folder: "/",
                timeout: None,
                purpose,
            };
            let finished = container.run(&step, see, cancellation).await?;
            if finished.status.success() {
                warnings.extend(unread_lists(&finished.lines));
            } else {
                return Err(explain(&AptOutput {
                    step: apt_step,
                    status: finished.status,
                    lines: [warnings, finished.lines].concat(),
                    packages: &packages,
                    base: self.base,
                    system: self.system,
                    killed_for_memory: container.was_killed_for_memory(),
                }));
            }
        }
        Ok(())
    }

    /// apt-get with settings for this run alone: nothing of them is written into the image.
    fn command(&self) -> Vec<String> {
        let mut arguments = IN_ORDER.map(str::to_owned).to_vec();
        arguments.extend(["apt-get", "--quiet"].map(str::to_owned));
        let mut set = |setting: &str| arguments.extend(["--option".to_owned(), setting.to_owned()]);
        set(&format!("Dir::State::Lists={APT}/lists"));
        set(&format!("Dir::Cache={APT}/cache"));
        set(&format!("Dir::Log={APT}/log"));
        // Its fence is ours: a user of its own could not write to the folders above.
        set("APT::Sandbox::User=root");
        if self.is_pinned {
            set(&format!("Dir::Etc::Preferences={APT}/{PREFERENCES}"));
        }
        set("Acquire::Retries=3");
        set("Acquire::Languages=none");
        set("Dpkg::Use-Pty=0");
        // A file of the base that was edited stays as it is; nobody is there to be asked.
        set("Dpkg::Options::=--force-confdef");
        set("Dpkg::Options::=--force-confold");
        // The disk is ours until the layer is whole: what a crash leaves is thrown away.
        set("Dpkg::Options::=--force-unsafe-io");
        if let Some(certificates) = &self.network.certificates {
            set(&format!("Acquire::https::CAInfo={certificates}"));
        }
        arguments
    }

    fn environment(&self) -> Vec<(String, String)> {
        let fixed = [
            ("DEBIAN_FRONTEND", "noninteractive"),
            ("DEBCONF_NONINTERACTIVE_SEEN", "true"),
            ("LC_ALL", "C"),
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("HOME", "/root"),
        ];
        let mut environment: Vec<(String, String)> =
            fixed.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        environment.push(("SOURCE_DATE_EPOCH".to_owned(), self.epoch.to_string()));
        environment.extend(self.network.environment.iter().cloned());
        environment
    }
}

/// Preferences by which apt takes exactly these versions, older ones than are installed too.
fn preferences_of(pins: &[LockedSystemPackage]) -> String {
    let pin = |pin: &LockedSystemPackage| {
        // Packages for all machines are known to apt under the machine's own name.
        let machine =
            if pin.architecture == "all" { String::new() } else { format!(":{}", pin.architecture) };
        format!("Package: {}{machine}\nPin: version {}\nPin-Priority: 1001\n", pin.name, pin.version)
    };
    pins.iter().map(pin).collect::<Vec<_>>().join("\n")
}

/// The lines in which apt tells of lists that it could not read, and goes on without.
fn unread_lists(lines: &[String]) -> Vec<String> {
    let starts = [
        "W: Failed to fetch ",
        "W: Some index files failed",
        "Warning: Failed to fetch ",
        "Warning: Some index",
    ];
    lines.iter().filter(|line| starts.iter().any(|start| line.starts_with(start))).cloned().collect()
}
