//! Which packages a prefix will have: what `conda install` would decide.
//!
//! What is installed stays, at its version where that still fits. What was asked for earlier holds as firmly as
//! what is asked for now, pins too. Only a package that nobody has asked for goes, and only where it stands in the
//! way.

use std::collections::BTreeSet;
use std::time::Duration;

use imagewright_spec::CondaSpec;
use rattler_conda_types::{GenericVirtualPackage, MatchSpec, ParseMatchSpecOptions, RepoDataRecord};
use rattler_repodata_gateway::RepoData;
use rattler_solve::{
    CancellationToken, ChannelPriority, ChannelRepoData, SolveError, SolverImpl as _, SolverTask, resolvo,
};

use super::history;
use super::installed::{InstalledPackage, InstalledPrefix};

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_mins(5);

/// What to solve.
pub struct SolveInput<'input> {
    /// What is asked for now.
    pub wanted: &'input [CondaSpec],
    /// What the prefix has.
    pub installed: &'input InstalledPrefix,
    /// What the channels have.
    pub available: &'input [RepoData],
    /// What the image has.
    pub virtual_packages: &'input [GenericVirtualPackage],
    /// Which channel's packages win.
    pub priority: ChannelPriority,
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
            requested: wanted.iter().map(|spec| spec.match_spec().clone()).collect(),
            constraints: installed.pinned.clone(),
            others: BTreeSet::new(),
            unreadable: Vec::new(),
        };
        let is_wanted = |name: &str| wanted.iter().any(|spec| spec.name() == name);
        for (name, spec) in &installed.requests {
            if is_wanted(name) {
                continue;
            }
            match parse(spec) {
                Some(spec) => demands.requested.push(spec),
                None => demands.unreadable.push(spec.clone()),
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

    /// Every package whose versions the solver must know.
    pub fn for_query(&self) -> Vec<MatchSpec> {
        let others = self.others.iter().filter_map(|name| parse(name));
        self.requested.iter().cloned().chain(others).collect()
    }
}

fn parse(spec: &str) -> Option<MatchSpec> {
    let spec = MatchSpec::from_str(spec, ParseMatchSpecOptions::lenient()).ok()?;
    history::name_of(&spec.name.to_string()).map(|_| spec)
}

/// Solves. Blocks, for as long as seconds where channels are large.
///
/// # Errors
/// What contradicts what, in the solver's words; or cancelled.
pub fn solve(input: &SolveInput<'_>, demands: &Demands) -> Result<Solution, SolveError> {
    let attempt = |kept: &[&str]| attempt(input, demands, kept);
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

/// One attempt, in which the packages of these names have to stay.
fn attempt(
    input: &SolveInput<'_>,
    demands: &Demands,
    kept: &[&str],
) -> Result<Vec<RepoDataRecord>, SolveError> {
    let available = input
        .available
        .iter()
        .map(|data| ChannelRepoData { records: data.iter(), multi_channel: data.multi_channel() });
    let mut task: SolverTask<'_, Vec<ChannelRepoData<'_, _>>> = available.collect();
    task.locked_packages = input.installed.packages.iter().map(|package| &package.record).collect();
    task.virtual_packages = input.virtual_packages.to_vec();
    task.specs =
        demands.requested.iter().cloned().chain(kept.iter().filter_map(|name| parse(name))).collect();
    task.constraints.clone_from(&demands.constraints);
    task.timeout = Some(TIMEOUT);
    task.channel_priority = input.priority;
    task.cancellation_token = Some(input.cancellation.clone());
    Ok(resolvo::Solver.solve(task)?.records)
}
