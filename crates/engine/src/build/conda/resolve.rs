//! Which conda packages the image will have.

use imagewright_oci::manifest::Platform;
use rattler_conda_types::{RepoDataRecord, Subdir};
use rattler_repodata_gateway::RepoData;
use rattler_solve::SolveError;

use super::super::Shared;
use crate::base::{Base, blocking};
use crate::conda::{
    ChannelSource, CondaPrefix, Demands, HistoryRequests, InstalledPackage, InstalledPrefix, LockedConda,
    LockedCondaPackage, PATIENCE, Query, Refusals, Situation, Solution, SolveInput, channels,
    channels_of_base, client, fetch, label, pins_of_base, python_info, request_name, solve, subdir,
    transaction, virtual_packages,
};
use crate::error::{BuildError, ErrorKind};
use crate::pip::download::http_client;

/// The virtual package that says which CUDA a machine has.
const CUDA: &str = "__cuda";

impl Shared<'_> {
    /// Solves the plan's specs against what the base has.
    pub(super) async fn resolve_conda(
        &self,
        base: &Base,
        prefix: &CondaPrefix,
        inherited: Option<&LockedConda>,
        platform: &Platform,
    ) -> Result<LockedConda, BuildError> {
        let wanted = &self.plan.spec.conda.specs;
        let settings = &self.plan.conda;
        let subdir = subdir(platform)?;
        let mut recorded = InstalledPrefix::read(&base.tree, prefix)?;
        adopt(&mut recorded, inherited);
        recorded.pinned.extend(pins_of_base(&base.tree, &base.config, prefix)?);
        let mut installed = recorded.clone();
        let of_base = channels_of_base(&base.tree, &base.config, prefix);
        let channels = channels(&self.plan.spec.conda, settings, &of_base)?;
        let cuda = self.cuda(&base.config)?;
        if cuda.is_none() {
            installed.take_for_granted(CUDA);
        }
        let virtual_packages = virtual_packages(&base.tree, subdir, cuda)?;
        let demands = Demands::new(wanted, &installed);
        for spec in &demands.unreadable {
            self.context
                .events
                .warn(format!("the earlier request {spec:?} of the base cannot be read, and is not kept"));
        }
        let by_address = Box::pin(self.packages_by_address()).await?;
        let sources = Sources { channels: &channels, by_address: &by_address };
        let mut solution = self.solve_conda(&installed, sources, subdir, &virtual_packages, demands).await?;
        recorded.give_back(&installed, &mut solution.records);
        for name in &solution.dropped {
            let gone = installed.find(name).map_or_else(|| name.clone(), InstalledPackage::label);
            self.context.events.warn(format!(
                "{gone} of the base is removed: nobody has asked for it, and it does not go together with what is installed now"
            ));
        }
        let below = InstalledPrefix::read(&base.foundation.tree, prefix)?;
        let change = transaction(&below, &solution.records, relinks(&below, &solution.records, subdir)?);
        let mut requests = inherited.map(|locked| requests_of(&locked.requested)).unwrap_or_default();
        for spec in wanted {
            requests.insert(spec.name().to_owned(), spec.to_string());
        }
        let mut packages = Vec::new();
        for record in change.link {
            sources.check(&record, inherited)?;
            let name = record.package_record.name.as_normalized();
            // What records alone tell of earlier requests would be lost with the records that are replaced.
            let requested = requests.get(name).or_else(|| installed.requests.get(name)).cloned();
            packages.push(LockedCondaPackage { requested, record });
        }
        Ok(LockedConda {
            prefix: prefix.path.clone(),
            channels: channels.iter().map(|source| source.channel.to_string()).collect(),
            virtual_packages: virtual_packages.iter().map(ToString::to_string).collect(),
            packages,
            removed: change.unlink.iter().map(|package| package.label()).collect(),
            requested: requests.into_values().collect(),
            variables: Vec::new(),
            python: None,
            bytecode: None,
        })
    }

    async fn solve_conda(
        &self,
        installed: &InstalledPrefix,
        sources: Sources<'_>,
        subdir: Subdir,
        virtual_packages: &[rattler_conda_types::GenericVirtualPackage],
        demands: Demands,
    ) -> Result<Solution, BuildError> {
        let settings = &self.plan.conda;
        let http = http_client(&self.plan.ca_bundles, self.plan.patience.timeout())?;
        let refusals = Refusals::default();
        let retries = self.plan.patience.retries();
        let http = client(http, settings, retries, &refusals);
        let folder = self.owners_cache().channels();
        let Sources { channels, by_address } = sources;
        let query = |specs| Query { channels, subdir, specs };
        let wanted_now = demands.for_query(by_address);
        let available = fetch(http.clone(), &folder, query(wanted_now), &refusals).await?;
        let token = rattler_solve::CancellationToken::new();
        // A solve that nobody waits for any more ends soon.
        let _ended = EndOnDrop(token.clone());
        let (wanted, known) = (self.plan.spec.conda.specs.clone(), installed.clone());
        let (target, priority) =
            (virtual_packages.to_vec(), settings.channel_priority.unwrap_or_default().into());
        let asked = demands.clone();
        let (asked_channels, asked_addresses) = (channels.to_vec(), by_address.to_vec());
        let outcome = blocking(move || {
            let input = SolveInput {
                wanted: &wanted,
                installed: &known,
                channels: &asked_channels,
                available: &available,
                by_address: &asked_addresses,
                virtual_packages: &target,
                priority,
                patience: PATIENCE,
                cancellation: &token,
            };
            solve(&input, &asked).map(|mut solution| {
                prefer_available(&mut solution, &available);
                solution
            })
        });
        let reasons = match outcome.await? {
            Ok(solution) => return Ok(solution),
            Err(SolveError::Unsolvable(reasons)) => reasons.join("\n"),
            Err(other) => return Err(unsolved(other, self.context.cancellation.is_cancelled())),
        };
        // To tell what is there instead, all versions have to be known, not only those that were asked for.
        let all = fetch(http, &folder, query(demands.names_for_query()), &refusals).await.unwrap_or_default();
        let channels: Vec<String> = channels.iter().map(|source| source.channel.to_string()).collect();
        let situation = Situation {
            installed,
            requested: &demands.requested,
            constraints: &demands.constraints,
            available: all.iter().flat_map(|data| data.iter()).collect(),
            virtual_packages,
            channels: &channels,
        };
        Err(situation.conflict(&reasons))
    }
}

/// Where the packages of a build may be fetched from.
#[derive(Clone, Copy)]
struct Sources<'build> {
    channels: &'build [ChannelSource],
    by_address: &'build [RepoDataRecord],
}

impl Sources<'_> {
    /// Refuses a package that would be fetched from where only the base says that it is.
    fn check(&self, record: &RepoDataRecord, inherited: Option<&LockedConda>) -> Result<(), BuildError> {
        let is_here = |other: &RepoDataRecord| other.url == record.url;
        // The addresses of a lock of ours were looked at before it was believed.
        let of_lock = inherited.iter().flat_map(|locked| &locked.packages);
        if self.channels.iter().any(|source| source.has_address(&record.url))
            || self.by_address.iter().any(is_here)
            || of_lock.map(|package| &package.record).any(is_here)
        {
            return Ok(());
        }
        let message = format!(
            "{} of the base has to be laid out anew, and no channel of this build has it",
            label(record)
        );
        let name = record.package_record.name.as_normalized();
        Err(BuildError::new(ErrorKind::NotFound, message).with_next_step(format!(
            "add the channel that it came from, or ask for {name} in a version that the channels have"
        )))
    }
}

/// Why there is no solution, where that is not for a contradiction. The solver says that it was cancelled when its time
/// is over, too.
fn unsolved(error: SolveError, is_cancelled: bool) -> BuildError {
    match error {
        SolveError::Cancelled if is_cancelled => BuildError::cancelled(),
        SolveError::Cancelled => BuildError::new(
            ErrorKind::Timeout,
            "choosing the conda packages took more than five minutes",
        )
        .with_next_step(
            "name the versions that you need: every version that is named leaves fewer to choose from",
        ),
        other => BuildError::internal("the conda packages cannot be solved").with_source(other),
    }
}

/// Ends a solve with the future that waits for it.
struct EndOnDrop(rattler_solve::CancellationToken);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// An image of ours keeps its records whole in its lock: those of its tree have been through a file.
fn adopt(installed: &mut InstalledPrefix, inherited: Option<&LockedConda>) {
    let Some(inherited) = inherited else { return };
    for package in &mut installed.packages {
        let label = package.label();
        if let Some(locked) = inherited.packages.iter().find(|locked| locked.label() == label) {
            package.record = locked.record.clone();
        }
    }
}

/// Requests of an earlier build by name.
fn requests_of(specs: &[String]) -> HistoryRequests {
    specs.iter().filter_map(|spec| Some((request_name(spec)?, spec.clone()))).collect()
}

/// Whether pure Python packages that stay have to be laid out anew, for another minor version.
fn relinks(below: &InstalledPrefix, records: &[RepoDataRecord], subdir: Subdir) -> Result<bool, BuildError> {
    let before: Vec<RepoDataRecord> = below.packages.iter().map(|package| package.record.clone()).collect();
    let (before, after) = (python_info(&before, subdir)?, python_info(records, subdir)?);
    Ok(match (before, after) {
        (Some(before), Some(after)) => after.is_relink_required(&before),
        _ => false,
    })
}

/// What is installed and laid out anew is fetched from the channels of this build, where they have the same archive:
/// where the base had it from may be gone.
fn prefer_available(solution: &mut Solution, available: &[RepoData]) {
    for record in &mut solution.records {
        let is_same = |other: &&RepoDataRecord| {
            let (one, other) = (&record.package_record, &other.package_record);
            let same_bytes = one.sha256.is_none() || one.sha256 == other.sha256;
            same_bytes
                && one.name == other.name
                && one.version == other.version
                && one.build == other.build
                && one.subdir == other.subdir
        };
        if let Some(found) = available.iter().flat_map(|data| data.iter()).find(is_same) {
            *record = found.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_time_is_not_taken_for_a_wish() {
        assert_eq!(unsolved(SolveError::Cancelled, true).kind(), ErrorKind::Cancelled);
        assert_eq!(unsolved(SolveError::Cancelled, false).kind(), ErrorKind::Timeout);
    }
}
