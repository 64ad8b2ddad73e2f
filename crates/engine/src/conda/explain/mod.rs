//! Contradictions among conda packages, in words and shortened to their cause.
//!
//! The solver tells a tree of everything that it tried. People want to know which of the things they asked for need
//! what, and why that cannot be: one line for each chain of needs, and the end of each chain.
//!
//! ```text
//! tree.rs     the solver's text, read back
//! chains.rs   from the tree to chains of needs
//! ```

mod chains;
mod tree;

use std::collections::BTreeSet;

use rattler_conda_types::{
    GenericVirtualPackage, MatchSpec, Matches as _, NamelessMatchSpec, ParseStrictness, RepoDataRecord,
};

use super::history::name_of;
use super::installed::InstalledPrefix;
use crate::error::{BuildError, ErrorKind};
use chains::{Chain, End};

/// Most chains that are told.
const MOST_LINES: usize = 8;

/// What was to be solved.
pub struct Situation<'solve> {
    /// What the prefix has.
    pub installed: &'solve InstalledPrefix,
    /// What was asked for, now and earlier.
    pub requested: &'solve [MatchSpec],
    /// What holds for packages if they are there.
    pub constraints: &'solve [MatchSpec],
    /// All records that channels have of the packages in question.
    pub available: Vec<&'solve RepoDataRecord>,
    /// What the image has besides.
    pub virtual_packages: &'solve [GenericVirtualPackage],
    /// The channels, as they were asked.
    pub channels: &'solve [String],
}

impl Situation<'_> {
    /// The error of a request that nothing satisfies; `told` is what the solver says.
    pub fn conflict(&self, told: &str) -> BuildError {
        let chains = chains::of(&tree::parse(told));
        if let [Chain { needs, end: End::None }] = &chains[..]
            && let [spec] = &needs[..]
            && !self.exists(spec)
        {
            return self.not_there(spec);
        }
        let mut lines: Vec<String> = Vec::new();
        for chain in &chains {
            let line = self.sentence(chain);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        // Short chains first: they are nearer to what was asked for.
        lines.sort_by_key(|line| line.matches(" needs ").count());
        let more = lines.len().saturating_sub(MOST_LINES);
        lines.truncate(MOST_LINES);
        lines.extend((more > 0).then(|| format!("… and {more} more like these")));
        if let Some(shared) = Self::contested(&chains) {
            lines.push(format!("No version of {shared} fits all of them."));
        }
        let explanation = if lines.is_empty() { shortened(told) } else { lines.join("\n") };
        BuildError::new(ErrorKind::Conflict, Self::headline(&chains))
            .with_explanation(explanation)
            .with_next_step(self.next_step(&chains))
    }

    fn headline(chains: &[Chain]) -> String {
        let wanted: BTreeSet<String> =
            chains.iter().filter_map(|chain| chain.needs.first()).filter_map(|spec| name_of(spec)).collect();
        let names: Vec<String> = wanted.into_iter().collect();
        match &names[..] {
            [] => "the conda packages contradict each other, or what the base must keep".to_owned(),
            [one] => format!("{one} cannot be installed with conda"),
            [rest @ .., last] if names.len() <= 4 => {
                format!("{} and {last} cannot be installed together", rest.join(", "))
            }
            _ => format!("{} conda packages cannot be installed together", names.len()),
        }
    }

    /// What is in no channel at all.
    fn not_there(&self, spec: &str) -> BuildError {
        let name = name_of(spec).unwrap_or_else(|| spec.to_owned());
        let mut versions: Vec<_> = self
            .available
            .iter()
            .filter(|record| record.package_record.name.as_normalized() == name)
            .map(|record| &record.package_record.version)
            .collect();
        versions.sort();
        versions.dedup();
        let channels = self.channels.join(", ");
        if versions.is_empty() {
            return BuildError::new(ErrorKind::NotFound, format!("there is no package {name} in {channels}"))
                .with_next_step(
                    "check the name, or add the channel that has it, for example --conda \"-c bioconda NAME\"",
                );
        }
        let newest: Vec<String> = versions.iter().rev().take(5).map(ToString::to_string).collect();
        let spec = plain(spec);
        BuildError::new(ErrorKind::NotFound, format!("there is no {spec} in {channels}"))
            .with_explanation(format!("The newest versions of {name} there are {}.", newest.join(", ")))
            .with_next_step("choose one of these, or add the channel that has it")
    }

    /// `app needs mid >=1, which needs shared <2, …`.
    fn sentence(&self, chain: &Chain) -> String {
        let needs: Vec<String> = chain.needs.iter().map(|need| plain(need)).collect();
        let words = match &needs[..] {
            [first, rest @ ..] if !rest.is_empty() => {
                format!("{first} needs {}", rest.join(", which needs "))
            }
            _ => needs.concat(),
        };
        let last = chain.needs.last().map(String::as_str).unwrap_or_default();
        let end = match &chain.end {
            End::None => self.reason(last),
            End::Contested => None,
            End::Told(text) => Some(text.clone()),
        };
        end.map_or_else(|| format!("{words}."), |end| format!("{words}: {end}."))
    }

    /// Why nothing satisfies the last need of a chain.
    fn reason(&self, spec: &str) -> Option<String> {
        let name = name_of(spec)?;
        if let Some(virtual_package) =
            self.virtual_packages.iter().find(|one| one.name.as_normalized() == name)
        {
            let what = described(&name);
            return Some(format!("{what} of the image is {}", virtual_package.version));
        }
        match name.as_str() {
            "__cuda" => return Some("this image is for machines without a GPU".to_owned()),
            "__glibc" => {
                return Some(
                    "the C library of the base is not glibc, or its version cannot be told".to_owned(),
                );
            }
            other if other.starts_with("__") => return Some("the image has nothing of that kind".to_owned()),
            _ => {}
        }
        if !self.exists(spec) {
            let known =
                self.available.iter().any(|record| record.package_record.name.as_normalized() == name);
            let channels = self.channels.join(", ");
            return Some(if known {
                format!("there is no such version in {channels}")
            } else {
                format!("there is no {name} in {channels}")
            });
        }
        let of_name = |specs: &[MatchSpec]| {
            let found = specs.iter().find(|one| one.name.to_string() == name && one.version.is_some());
            found.map(|spec| plain(&spec.to_string()))
        };
        if let Some(asked) = of_name(self.requested) {
            return Some(format!("{asked} was asked for"));
        }
        let installed = self.installed.find(&name)?;
        let held = of_name(self.constraints)?;
        let version = &installed.record.package_record.version;
        Some(if name == "python" {
            format!("the base has Python {version}, which stays at {held} unless another is asked for")
        } else {
            format!("the base has {name} {version} and pins it to {held}")
        })
    }

    fn next_step(&self, chains: &[Chain]) -> String {
        let ends_at = |name: &str| {
            chains
                .iter()
                .any(|chain| chain.needs.last().and_then(|spec| name_of(spec)).as_deref() == Some(name))
        };
        if ends_at("__cuda") {
            return "build for machines with a GPU with --type gpu, or choose builds without CUDA".to_owned();
        }
        if ends_at("__glibc") {
            return "choose a base image with a newer system, or older versions of the packages".to_owned();
        }
        if ends_at("python") && self.requested.iter().all(|spec| spec.name.to_string() != "python") {
            return "ask for that Python too, for example --conda python=3.12, or for older versions of the packages"
                .to_owned();
        }
        "loosen one of these, or search another channel with -c".to_owned()
    }

    /// The package that several chains end at.
    fn contested(chains: &[Chain]) -> Option<String> {
        let ends = chains.iter().filter(|chain| matches!(chain.end, End::Contested));
        let names: Vec<String> = ends.filter_map(|chain| name_of(chain.needs.last()?)).collect();
        let (first, rest) = names.split_first()?;
        (!rest.is_empty() && rest.iter().all(|name| name == first)).then(|| first.clone())
    }

    /// Whether a channel or the prefix has something that satisfies a spec on its own.
    fn exists(&self, spec: &str) -> bool {
        let Some(name) = name_of(spec) else { return false };
        let rest = spec.trim_start_matches(|c: char| !c.is_whitespace()).trim();
        let Ok(rest) = NamelessMatchSpec::from_str(rest, ParseStrictness::Lenient) else { return true };
        let installed = self.installed.packages.iter().map(|package| &package.record);
        self.available.iter().copied().chain(installed).any(|record| {
            record.package_record.name.as_normalized() == name && rest.matches(&record.package_record)
        })
    }
}

/// What people call a virtual package.
fn described(name: &str) -> &str {
    match name {
        "__cuda" => "CUDA",
        "__glibc" => "the C library (glibc)",
        "__linux" => "the kernel",
        "__archspec" => "the processor",
        other => other,
    }
}

/// A spec without what says nothing: `numpy *` is `numpy`.
fn plain(spec: &str) -> String {
    spec.trim().trim_end_matches(" *").to_owned()
}

/// The solver's own words, where they are not understood: the first lines.
fn shortened(told: &str) -> String {
    const MOST: usize = 40;
    let mut lines: Vec<&str> = told.lines().take(MOST).collect();
    if told.lines().count() > MOST {
        lines.push("…");
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
