//! Which wheels run in a target, and which of several is the best: the tags of PEP 425, 600 and 656.

use crate::python::{Architecture, Libc, PythonTarget};

/// How well a wheel fits; the smallest is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// By interpreter and ABI: the exact one, the stable ABI, older stable ABIs, pure Python.
    interpreter: u32,
    /// By platform: the newest C library that the image has, down to `any`.
    platform: u32,
}

/// True for the name or path of a wheel. Case counts: tools write and look for it in small letters only.
pub(super) fn is_wheel(name: &str) -> bool {
    name.strip_suffix(".whl").is_some()
}

/// The rank of a wheel's file name in a target; `None` when it does not run there, or is no wheel's name.
pub(super) fn rank(file_name: &str, target: &PythonTarget) -> Option<Rank> {
    let stem = file_name.strip_suffix(".whl")?;
    let parts: Vec<&str> = stem.split('-').collect();
    if !(5..=6).contains(&parts.len()) {
        return None;
    }
    let [pythons, abis, platforms] = parts[parts.len() - 3..] else { return None };
    let mut best: Option<Rank> = None;
    for platform in platforms.split('.').filter_map(|tag| platform_rank(tag, target)) {
        for python in pythons.split('.') {
            for abi in abis.split('.') {
                let Some(interpreter) = interpreter_rank(python, abi, target) else { continue };
                let rank = Rank { interpreter, platform };
                best = Some(best.map_or(rank, |best| best.min(rank)));
            }
        }
    }
    best
}

/// The build number of a wheel's name (`name-1.0-2-py3-none-any.whl`): the highest wins among equals.
pub(super) fn build_number(file_name: &str) -> (u64, String) {
    let parts: Vec<&str> = file_name.split('-').collect();
    let build = if parts.len() == 6 { parts[2] } else { "" };
    let digits = build.bytes().take_while(u8::is_ascii_digit).count();
    (build[..digits].parse().unwrap_or(0), build[digits..].to_owned())
}

fn interpreter_rank(python: &str, abi: &str, target: &PythonTarget) -> Option<u32> {
    let minor = u32::from(target.version.minor);
    let own_abi = format!("cp3{minor}{}", if target.free_threaded { "t" } else { "" });
    if let Some(of) = python.strip_prefix("cp3").and_then(|of| of.parse::<u32>().ok()) {
        return match abi {
            _ if abi == own_abi && of == minor => Some(0),
            // A free-threaded build has another ABI, which the stable one does not cover.
            "abi3" if (2..=minor).contains(&of) && !target.free_threaded => Some(1 + 2 * (minor - of)),
            "none" if of == minor => Some(2),
            _ => None,
        };
    }
    let pure = match python.strip_prefix("py3")? {
        "" => 1,
        of => match minor.checked_sub(of.parse().ok()?)? {
            0 => 0,
            distance => 1 + distance,
        },
    };
    (abi == "none").then_some(1000 + pure)
}

fn platform_rank(tag: &str, target: &PythonTarget) -> Option<u32> {
    if tag == "any" {
        return Some(u32::MAX);
    }
    let machine = target.architecture.machine();
    let name = tag.strip_suffix(machine)?.strip_suffix('_')?;
    if name == "linux" {
        return Some(10_000);
    }
    match target.libc {
        Libc::Glibc { major, minor } => {
            let (wanted_major, wanted_minor) = match name {
                "manylinux1" if target.architecture == Architecture::Amd64 => (2, 5),
                "manylinux2010" if target.architecture == Architecture::Amd64 => (2, 12),
                "manylinux2014" => (2, 17),
                _ => numbers(name.strip_prefix("manylinux_")?)?,
            };
            (wanted_major == major).then(|| minor.checked_sub(wanted_minor)).flatten().map(u32::from)
        }
        Libc::Musl { major, minor } => {
            let (wanted_major, wanted_minor) = numbers(name.strip_prefix("musllinux_")?)?;
            (wanted_major == major).then(|| minor.checked_sub(wanted_minor)).flatten().map(u32::from)
        }
    }
}

/// `2_17`.
fn numbers(text: &str) -> Option<(u16, u16)> {
    let (major, minor) = text.split_once('_')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pip::fixtures::target;

    fn best<'name>(target: &PythonTarget, names: &[&'name str]) -> Option<&'name str> {
        names.iter().filter_map(|name| Some((rank(name, target)?, *name))).min().map(|(_, name)| name)
    }

    const NAMES: [&str; 6] = [
        "x-1-py3-none-any.whl",
        "x-1-cp37-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        "x-1-cp311-cp311-manylinux_2_28_x86_64.whl",
        "x-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "x-1-cp311-cp311-musllinux_1_2_x86_64.whl",
        "x-1-cp313-cp313t-manylinux_2_28_x86_64.whl",
    ];

    #[test]
    fn the_most_specific_wheel_that_runs_is_the_best() {
        let mut target = target();
        assert_eq!(best(&target, &NAMES), Some(NAMES[2]));
        target.libc = Libc::Glibc { major: 2, minor: 27 };
        assert_eq!(best(&target, &NAMES), Some(NAMES[3]));
        target.libc = Libc::Musl { major: 1, minor: 2 };
        assert_eq!(best(&target, &NAMES), Some(NAMES[4]));
        target.libc = Libc::Musl { major: 1, minor: 1 };
        assert_eq!(best(&target, &NAMES), Some(NAMES[0]));
        target.libc = Libc::Glibc { major: 2, minor: 36 };
        target.version.minor = 13;
        assert_eq!(best(&target, &NAMES), Some(NAMES[1]));
        target.free_threaded = true;
        assert_eq!(best(&target, &NAMES), Some(NAMES[5]));
        target.architecture = Architecture::Arm64;
        assert_eq!(best(&target, &NAMES), Some(NAMES[0]));
    }

    #[test]
    fn old_pure_wheels_run_and_newer_ones_do_not() {
        let target = target();
        assert!(rank("x-1-py2.py3-none-any.whl", &target).is_some());
        assert!(rank("x-1-py38-none-any.whl", &target).is_some());
        assert!(rank("x-1-py312-none-any.whl", &target).is_none());
        assert!(rank("x-1-py2-none-any.whl", &target).is_none());
        assert!(rank("x-1-cp311-cp311-win_amd64.whl", &target).is_none());
        assert_eq!(build_number("x-1-12a-py3-none-any.whl"), (12, "a".to_owned()));
    }
}
