//! What people read when apt fails.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use super::{AptOutput, AptStep, explain};

/// The whole error as people read it.
fn words(step: AptStep, text: &str) -> String {
    words_of(step, text, 100 << 8, false)
}

fn words_of(step: AptStep, text: &str, status: i32, killed_for_memory: bool) -> String {
    let packages = ["jq".to_owned(), "numpy".to_owned()];
    let error = explain(&AptOutput {
        step,
        status: ExitStatus::from_raw(status),
        lines: text.lines().map(str::to_owned).collect(),
        packages: &packages,
        base: "registry.example/base:1",
        system: "Debian GNU/Linux 12 (bookworm)",
        killed_for_memory,
    });
    let (explanation, next) =
        (error.explanation().unwrap_or_default(), error.next_step().unwrap_or_default());
    format!("{}: {}\n\n{explanation}\n\nnext: {next}", error.kind(), error.message())
}

const READING: &str = "Reading package lists...\nBuilding dependency tree...\nReading state information...\n";

macro_rules! explained {
    ($name:ident, $step:ident, $text:expr) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(words(AptStep::$step, $text));
        }
    };
}

explained!(a_package_that_does_not_exist, Install, &format!("{READING}E: Unable to locate package jqq"));
explained!(a_python_package, Install, &format!("{READING}E: Unable to locate package numpy"));
explained!(
    several_packages_in_the_words_of_apt_3,
    Install,
    "Error: Unable to locate package jqq\nError: Unable to locate package vimm"
);
explained!(
    a_package_that_was_replaced,
    Install,
    &format!(
        "{READING}Package netcat is not available, but is referred to by another package.\nThis may mean that the \
         package is missing, has been obsoleted, or\nis only available from another source\nHowever the following \
         packages replace it:\n  netcat-traditional netcat-openbsd\n\nE: Package 'netcat' has no installation candidate"
    )
);
explained!(
    a_version_that_does_not_exist,
    Install,
    &format!("{READING}E: Version '9.9' for 'jq' was not found")
);
explained!(
    packages_that_conflict,
    Install,
    &format!(
        "{READING}Some packages could not be installed. This may mean that you have\nrequested an impossible situation\n\
         The following information may help to resolve the situation:\n\nThe following packages have unmet \
         dependencies:\n first : Conflicts: second but 1.0 is to be installed\n second : Conflicts: first but 1.0 is to \
         be installed\nE: Unable to correct problems, you have held broken packages."
    )
);
explained!(
    a_conflict_whose_error_comes_early,
    Install,
    "The following packages have unmet dependencies:\nE: Unable to correct problems, you have held broken packages.\n \
     lonely : Depends: nobody-has-this but it is not installable"
);
explained!(
    a_script_that_fails,
    Install,
    "Selecting previously unselected package broken.\n(Reading database ... 9162 files and directories currently \
     installed.)\nPreparing to unpack .../broken_1.0_all.deb ...\nUnpacking broken (1.0) ...\nSetting up broken (1.0) \
     ...\nbroken: cannot find the licence server\ndpkg: error processing package broken (--configure):\n installed \
     broken package post-installation script subprocess returned error exit status 3\nErrors were encountered while \
     processing:\n broken\nE: Sub-process /usr/bin/dpkg returned an error code (1)"
);
explained!(
    a_held_lock,
    Install,
    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 12 (sleep)\nE: Unable to acquire the dpkg \
     frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?"
);
explained!(
    an_installation_that_was_never_finished,
    Install,
    "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem."
);
explained!(
    a_mirror_that_cannot_be_resolved,
    Update,
    "Ign:1 http://deb.example/debian bookworm InRelease\nErr:1 http://deb.example/debian bookworm InRelease\n  Temporary \
     failure resolving 'deb.example'\nReading package lists...\nE: Failed to fetch \
     http://deb.example/debian/dists/bookworm/InRelease  Temporary failure resolving 'deb.example'\nE: Some index files \
     failed to download. They have been ignored, or old ones used instead."
);
explained!(
    a_release_that_is_gone,
    Update,
    "Err:2 http://deb.example/debian stretch Release\n  404  Not Found [IP: 192.0.2.1 80]\nE: The repository \
     'http://deb.example/debian stretch Release' does not have a Release file."
);
explained!(
    a_key_that_is_missing,
    Update,
    "W: GPG error: http://deb.example/debian bookworm InRelease: The following signatures couldn't be verified because \
     the public key is not available: NO_PUBKEY 0E98404D386FA1D9\nE: The repository 'http://deb.example/debian bookworm \
     InRelease' is not signed."
);
explained!(
    a_file_that_is_not_what_was_promised,
    Install,
    "E: Failed to fetch http://deb.example/pool/jq.deb  Hash Sum mismatch\n   Hashes of expected file:"
);
explained!(
    a_mirror_with_a_password_in_its_address,
    Install,
    "E: Failed to fetch https://ann:hunter2@deb.example/pool/jq.deb  Connection refused"
);
explained!(
    a_full_disk,
    Install,
    "E: You don't have enough free space in /run/imagewright-apt/cache/archives/."
);
explained!(nothing_that_is_known, Install, "something odd\x1b[31m happened\nE: It did not work.");

const UNPACKED: &str = "Unpacking odd (1.0) ...\nSetting up odd (1.0) ...\n";
const DPKG_ENDS: &str = "Errors were encountered while processing:\n odd\nE: Sub-process /usr/bin/dpkg returned an error code (1)";

/// dpkg's words about a script of the package `odd`, and what the script said before.
fn script(said: &str, how: &str) -> String {
    let dpkg = "dpkg: error processing package odd (--configure):";
    format!("{UNPACKED}{said}{dpkg}\n {how}\n{DPKG_ENDS}")
}

explained!(
    a_virtual_package,
    Install,
    &format!(
        "{READING}Package awk is a virtual package provided by:\n  mawk 1.3.4\n  gawk 1:5.2.1\n\nE: Package 'awk' has no \
         installation candidate"
    )
);
explained!(
    a_conflict_in_the_words_of_apt_3,
    Install,
    "Solving dependencies... Error!\n\nUnsatisfied dependencies:\n lonely : Depends: nobody-has-this but it is not \
     installable\n\nError: Unable to satisfy dependencies. Reached two conflicting assignments:\n   1. lonely:amd64=1.0 \
     is selected for install\n   2. lonely:amd64 Depends nobody-has-this\n      but none of the choices are \
     installable:\n      [no choices]"
);
explained!(
    a_script_that_fails_in_the_words_of_newer_dpkg,
    Install,
    &script("", "old odd package postinst maintainer script subprocess failed with exit status 1")
);
explained!(
    a_script_that_crashes,
    Install,
    &script(
        "",
        "installed odd package post-installation script subprocess was killed by signal (Segmentation fault)"
    )
);
explained!(
    a_program_of_a_script_that_crashes,
    Install,
    &script(
        "Segmentation fault\n",
        "installed odd package post-installation script subprocess returned error exit status 1"
    )
);
explained!(
    a_script_that_calls_apt,
    Install,
    &script(
        "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 12078\nE: Unable to acquire the dpkg \
         frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?\n",
        "installed odd package post-installation script subprocess returned error exit status 100"
    )
);
explained!(
    a_package_that_fails_because_another_one_did,
    Install,
    "dpkg: dependency problems prevent configuration of needs:\n needs depends on broken; however:\n  Package broken is \
     not configured yet.\n\ndpkg: error processing package needs (--configure):\n dependency problems - leaving \
     unconfigured\nSetting up broken (1.0) ...\nno licence\ndpkg: error processing package broken \
     (--configure):\nProcessing triggers for libc-bin (2.36) ...\n installed broken package post-installation script \
     subprocess returned error exit status 3"
);
explained!(
    a_file_of_another_package,
    Install,
    "Unpacking over (1.0) ...\ndpkg: error processing archive /d/over_1.0_all.deb (--unpack):\n trying to overwrite \
     '/usr/bin/apt-get', which is also in package apt 2.6.2\nErrors were encountered while processing:\n \
     /d/over_1.0_all.deb\nE: Sub-process /usr/bin/dpkg returned an error code (1)"
);
explained!(
    a_held_lock_in_the_words_of_apt_1,
    Install,
    "E: Could not get lock /var/lib/dpkg/lock-frontend - open (11: Resource temporarily unavailable)\nE: Unable to \
     acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?"
);
explained!(too_many_processes, Update, "FATAL -> Failed to fork.");
explained!(
    a_disk_that_cannot_be_written,
    Install,
    "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (30: Read-only file system)\nE: Unable to acquire \
     the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?"
);
explained!(
    a_mirror_that_does_not_work,
    Update,
    "Err:1 http://deb.example/debian bookworm InRelease\n  503  Service Unavailable [IP: 192.0.2.1 80]\nReading package \
     lists...\nE: Failed to fetch http://deb.example/debian/dists/bookworm/InRelease  503  Service Unavailable [IP: \
     192.0.2.1 80]\nE: The repository 'http://deb.example/debian bookworm InRelease' is not signed."
);
explained!(
    sources_that_apt_cannot_read,
    Update,
    "E: Malformed entry 1 in list file /etc/apt/sources.list (URI parse)\nE: The list of sources could not be read."
);

#[test]
fn nothing_secret_and_nothing_that_turns_text_around_is_shown() {
    let long = format!("E: {} https://ann:hunter2@deb.example/", "x".repeat(376));
    let text = format!(
        "{long}\nE: http://a:first@h/,http://b:second@h/ 'https://c:third@h' http_proxy=http://d:fourth@h\nE: a\u{202e}b"
    );
    let shown = words(AptStep::Install, &text);
    for secret in ["hunter", "first", "second", "third", "fourth", "\u{202e}"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}

#[test]
fn too_little_memory() {
    insta::assert_snapshot!(words_of(AptStep::Install, "Unpacking a (1) ...\nKilled", 9, true));
}
