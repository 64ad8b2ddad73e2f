//! Which packages a prefix will have: what `conda install` would decide.
//!
//! What is installed stays, at its version where that still fits, even if what is wanted gets an older version then.
//! What was asked for earlier holds as firmly as what is asked for now, pins too. Only a package that nobody has asked
//! for goes, and only where it stands in the way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use imagewright_spec::{CondaChannel, CondaSpec};
use rattler_conda_types::{GenericVirtualPackage, MatchSpec, ParseMatchSpecOptions, RepoDataRecord};
use rattler_repodata_gateway::RepoData;
use rattler_solve::{
    CancellationToken, ChannelPriority, ChannelRepoData, SolveError, SolverImpl as _, SolverTask, resolvo,
};

use super::channels::ChannelSource;
use super::history;
use super::installed::{InstalledPackage, InstalledPrefix};

/// How long solving may take by default, with all attempts.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// How many attempts are made to keep more of what is installed as it is. Where that is not enough, as for another
/// minor version of Python, nearly everything has to change anyway.
const ATTEMPTS_TO_HOLD: usize = 24;

/// What to solve.
pub struct SolveInput<'input> {
    /// What is asked for now.
    pub wanted: &'input [CondaSpec],
    /// What the prefix has.
    pub installed: &'input InstalledPrefix,
    /// Where packages come from.
    pub channels: &'input [ChannelSource],
    /// What the channels have.
    pub available: &'input [RepoData],
    /// What was asked for by its address.
    pub by_address: &'input [RepoDataRecord],
    /// What the image has.
    pub virtual_packages: &'input [GenericVirtualPackage],
    /// Which channel's packages win.
    pub priority: ChannelPriority,
    /// How long it may take.
    pub patience: Duration,
    /// Ends the work.
    pub cancellation: &'input CancellationToken,
}

/// What the prefix will have.
#[derive(Debug, Clone)]
pub struct Solution {
    /// All its packages.
    pub records: Vec<RepoDataRecord>,
    /// Names of installed packages that stood in the way of what was asked for.
    pub dropped: Vec<String>,
}

/// What everybody has asked for, as the solver takes it.
#[derive(Debug, Clone)]
pub struct Demands {
    /// Now and earlier.
    pub requested: Vec<MatchSpec>,
    /// What holds for a package if it is there: pins, and the minor version of Python.
    pub constraints: Vec<MatchSpec>,
    /// Names of the other packages that are installed.
    pub others: BTreeSet<String>,
    /// Earlier requests that cannot be read.
    pub unreadable: Vec<String>,
}

impl Demands {
    /// Puts together what was asked for.
    pub fn new(wanted: &[CondaSpec], installed: &InstalledPrefix) -> Self {
        let mut demands = Self {
            requested: wanted.iter().map(|spec| of_channel(spec.match_spec().clone())).collect(),
            constraints: installed.pinned.clone(),
            others: BTreeSet::new(),
            unreadable: Vec::new(),
        };
        let is_wanted = |name: &str| wanted.iter().any(|spec| spec.name() == name);
        for (name, text) in &installed.requests {
            if is_wanted(name) {
                continue;
            }
            // An address that a base names is not fetched: what was installed from it stays as it is.
            let spec = match parse(text).map(of_channel) {
                Some(spec) if spec.url.is_some() => installed.find(name).and_then(exactly),
                other => other,
            };
            match spec {
                Some(spec) => demands.requested.push(spec),
                None => demands.unreadable.push(text.clone()),
            }
        }
        let is_requested = |name: &str| is_wanted(name) || installed.requests.contains_key(name);
        let others = installed.packages.iter().map(InstalledPackage::name);
        demands.others = others.filter(|name| !is_requested(name)).map(str::to_owned).collect();
        // As conda does: another minor version of Python is another environment, and comes only when asked for.
        let python = installed.find("python").filter(|_| !is_wanted("python"));
        let minor = python.and_then(|python| python.record.package_record.version.as_major_minor());
        demands
            .constraints
            .extend(minor.and_then(|(major, minor)| parse(&format!("python {major}.{minor}.*"))));
        demands
    }

    /// The names of all packages that were asked for.
    pub fn names_for_query(&self) -> Vec<MatchSpec> {
        self.requested.iter().filter_map(|spec| parse(&spec.name.to_string())).collect()
    }

    /// Every package whose versions the solver must know. What was asked for by its address is not looked for; what
    /// that needs is.
    pub fn for_query(&self, by_address: &[RepoDataRecord]) -> Vec<MatchSpec> {
        let others = self.others.iter().filter_map(|name| parse(name));
        let needed = by_address.iter().flat_map(|record| &record.package_record.depends);
        let needed = needed.filter_map(|spec| parse(&parse(spec)?.name.to_string()));
        let named = self.requested.iter().filter(|spec| spec.url.is_none()).cloned();
        named.chain(others).chain(needed).collect()
    }
}

/// A spec whose channel has the name that the solver knows it by: the address, where it was given by that. The last
/// part of an address is no name: `https://other.example/forge` is not the channel `forge`.
fn of_channel(mut spec: MatchSpec) -> MatchSpec {
    let written = CondaChannel::of(&spec);
    if let (Some(channel), Some(written)) = (spec.channel.take(), written) {
        let mut channel = Arc::unwrap_or_clone(channel);
        channel.name = Some(written.as_str().to_owned());
        spec.channel = Some(Arc::new(channel));
    }
    spec
}

/// The spec that only this very package fulfils.
fn exactly(package: &InstalledPackage) -> Option<MatchSpec> {
    let record = &package.record.package_record;
    parse(&format!("{}=={}={}", package.name(), record.version, record.build))
}

fn parse(spec: &str) -> Option<MatchSpec> {
    let spec = MatchSpec::from_str(spec, ParseMatchSpecOptions::lenient()).ok()?;
    history::name_of(&spec.name.to_string()).map(|_| spec)
}

/// Solves. Blocks, for as long as seconds where channels are large.
///
/// # Errors
/// What contradicts what, in the solver's words; or cancelled, which the solver also says when the time is over.
pub fn solve(input: &SolveInput<'_>, demands: &Demands) -> Result<Solution, SolveError> {
    let end = Instant::now() + input.patience;
    let solution = with_others(input, demands, end)?;
    hold(input, demands, end, solution)
}

/// Solves, and gives up as few as possible of the names that nobody has asked for.
fn with_others(input: &SolveInput<'_>, demands: &Demands, end: Instant) -> Result<Solution, SolveError> {
    let attempt = |kept: &[&str]| attempt(input, demands, end, kept, &[]);
    let others: Vec<&str> = demands.others.iter().map(String::as_str).collect();
    match attempt(&others) {
        Err(SolveError::Unsolvable(_)) => {}
        outcome => return outcome.map(|records| Solution { records, dropped: Vec::new() }),
    }
    // Without the others it either works, or the request itself is the contradiction.
    attempt(&[])?;
    let mut kept = Vec::new();
    let mut dropped = Vec::new();
    let mut groups = vec![others];
    while let Some(group) = groups.pop() {
        let with: Vec<&str> = kept.iter().chain(&group).copied().collect();
        match attempt(&with) {
            Ok(_) => kept = with,
            Err(SolveError::Unsolvable(_)) if group.len() > 1 => {
                let (first, second) = group.split_at(group.len() / 2);
                groups.extend([second.to_vec(), first.to_vec()]);
            }
            Err(SolveError::Unsolvable(_)) => dropped.extend(group.into_iter().map(str::to_owned)),
            Err(error) => return Err(error),
        }
    }
    dropped.sort();
    let records = attempt(&kept)?;
    // What stays as a dependency of something else was not dropped.
    dropped.retain(|name| records.iter().all(|record| record.package_record.name.as_normalized() != name));
    Ok(Solution { records, dropped })
}

/// Holds at its version what the solver has changed without need: it decides for the newest version of what is wanted,
/// where an older one would fit what is installed.
fn hold(
    input: &SolveInput<'_>,
    demands: &Demands,
    end: Instant,
    mut solution: Solution,
) -> Result<Solution, SolveError> {
    let after: BTreeMap<&str, &RepoDataRecord> =
        solution.records.iter().map(|record| (record.package_record.name.as_normalized(), record)).collect();
    let is_wanted = |name: &str| input.wanted.iter().any(|spec| spec.name() == name);
    let (mut held, mut changed) = (Vec::new(), Vec::new());
    for package in input.installed.packages.iter().filter(|package| !is_wanted(package.name())) {
        match after.get(package.name()) {
            Some(record) if is_same(record, &package.record) => held.push(package),
            Some(_) => changed.push(package),
            None => {}
        }
    }
    if changed.is_empty() {
        return Ok(solution);
    }
    let is_dropped = |name: &&str| !solution.dropped.iter().any(|dropped| dropped == name);
    let kept: Vec<&str> = demands.others.iter().map(String::as_str).filter(is_dropped).collect();
    let mut groups = vec![changed];
    let mut left = ATTEMPTS_TO_HOLD;
    while let (Some(group), 1..) = (groups.pop(), left) {
        left -= 1;
        let with: Vec<&InstalledPackage> = held.iter().chain(&group).copied().collect();
        match attempt(input, demands, end, &kept, &with) {
            Ok(records) => (held, solution.records) = (with, records),
            Err(SolveError::Unsolvable(_)) if group.len() > 1 => {
                let (first, second) = group.split_at(group.len() / 2);
                groups.extend([second.to_vec(), first.to_vec()]);
            }
            Err(SolveError::Unsolvable(_)) => {}
            // What was found fits, and only changes more than it would have to.
            Err(SolveError::Cancelled) if !input.cancellation.is_cancelled() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(solution)
}

fn is_same(one: &RepoDataRecord, other: &RepoDataRecord) -> bool {
    let (one, other) = (&one.package_record, &other.package_record);
    (&one.name, &one.version, &one.build, &one.subdir)
        == (&other.name, &other.version, &other.build, &other.subdir)
}

/// One attempt, in which packages of the names `kept` have to be there, and those that are `held` stay as they are.
fn attempt(
    input: &SolveInput<'_>,
    demands: &Demands,
    end: Instant,
    kept: &[&str],
    held: &[&InstalledPackage],
) -> Result<Vec<RepoDataRecord>, SolveError> {
    let places: Vec<Place<'_>> = input.wanted.iter().filter_map(Place::of).collect();
    let is_offered = |record: &&RepoDataRecord| places.iter().all(|place| place.allows(record));
    let available = input.available.iter().map(|data| ChannelRepoData {
        records: data.iter().filter(is_offered).collect::<Vec<_>>().into_iter(),
        multi_channel: data.multi_channel(),
    });
    // The first that has a package decides where it is from. One at a time: two may have archives of one name.
    let by_address = input.by_address.iter().filter(is_offered);
    let by_address =
        by_address.map(|record| ChannelRepoData { records: vec![record].into_iter(), multi_channel: None });
    let mut task: SolverTask<'_, Vec<ChannelRepoData<'_, _>>> = by_address.chain(available).collect();
    let is_elsewhere = |package: &&InstalledPackage| {
        input
            .wanted
            .iter()
            .any(|spec| spec.name() == package.name() && is_from_elsewhere(input, spec, package))
    };
    let installed = input.installed.packages.iter().filter(|package| !is_elsewhere(package));
    task.locked_packages = installed.map(|package| &package.record).collect();
    task.pinned_packages = held.iter().map(|package| &package.record).collect();
    task.virtual_packages = input.virtual_packages.to_vec();
    task.specs =
        demands.requested.iter().cloned().chain(kept.iter().filter_map(|name| parse(name))).collect();
    task.constraints.clone_from(&demands.constraints);
    task.timeout = Some(end.saturating_duration_since(Instant::now()));
    task.channel_priority = input.priority;
    task.cancellation_token = Some(input.cancellation.clone());
    Ok(resolvo::Solver.solve(task)?.records)
}

/// Whether a package is installed from another channel, or for another platform, than it is wanted from now. The
/// solver asks neither of what is installed.
fn is_from_elsewhere(input: &SolveInput<'_>, spec: &CondaSpec, package: &InstalledPackage) -> bool {
    let record = &package.record;
    if Place::of(spec).is_some_and(|place| !place.allows(record)) {
        return true;
    }
    let Some(channel) = spec.channel() else { return false };
    let source = input.channels.iter().find(|source| source.channel == channel);
    source.is_some_and(|source| !source.has(record))
}

/// Where in its channel a package is wanted from: the solver looks at neither.
struct Place<'spec> {
    name: &'spec str,
    subdir: Option<&'spec str>,
    file: Option<&'spec str>,
}

impl<'spec> Place<'spec> {
    /// What a spec says of it, if it does.
    fn of(spec: &'spec CondaSpec) -> Option<Self> {
        let matched = spec.match_spec();
        let (subdir, file) = (matched.subdir.as_deref(), matched.file_name.as_deref());
        (subdir.is_some() || file.is_some()).then(|| Self { name: spec.name(), subdir, file })
    }

    fn allows(&self, record: &RepoDataRecord) -> bool {
        record.package_record.name.as_normalized() != self.name
            || self.subdir.is_none_or(|subdir| record.package_record.subdir == subdir)
                && self.file.is_none_or(|file| record.identifier.to_file_name() == file)
    }
}

#[cfg(test)]
mod tests;
