//! What builds have pushed and nobody needs any more.

use std::collections::{HashMap, HashSet};

use imagewright_oci::digest::Digest;
use imagewright_oci::registry::Registry;
use imagewright_spec::ImageReference;
use imagewright_store::builds::{Build, Product, Subject};
use imagewright_store::images::{ImageQuery, ImageSource};
use imagewright_store::specs::SpecFilter;
use imagewright_store::{BuildId, Page};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::access::{Actor, Operation};
use crate::error::Result;
use crate::hub::Hub;

/// Why what a build has pushed is not needed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Its image or spec was deleted.
    Orphaned,
    /// It is an old revision.
    Old,
}

impl Reason {
    /// In words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Orphaned => "its image was deleted",
            Self::Old => "it is an old revision",
        }
    }
}

/// What goes of one build.
#[derive(Debug, Clone, PartialEq)]
pub struct Removal {
    /// The build.
    pub build: BuildId,
    /// Why.
    pub reason: Reason,
    /// The manifests that go: the address that people use, and the digest. None where other builds made the very same.
    pub manifests: Vec<(ImageReference, String)>,
    /// Compressed bytes of the image; what other images share of them stays.
    pub bytes: u64,
}

/// What happened to one build's images.
#[derive(Debug)]
pub struct Removed {
    /// What was to go.
    pub removal: Removal,
    /// Why it is still there; nothing when it is gone.
    pub problem: Option<String>,
}

/// How long revisions are kept.
#[derive(Debug, Clone, Copy)]
struct Retention {
    /// So many of a subject, the newest.
    kept: usize,
    /// And all that ended after this moment.
    since: Timestamp,
}

/// What is used, whoever built it.
#[derive(Debug, Default)]
struct Used {
    builds: HashSet<BuildId>,
    references: HashSet<String>,
    digests: HashSet<String>,
}

impl Hub {
    /// What the clean-up would remove now. It only reads.
    ///
    /// # Errors
    /// Not allowed for others than admins.
    pub async fn plan_clean_up(&self, actor: &Actor) -> Result<Vec<Removal>> {
        actor.may(Operation::ReadCleanUp, actor.standing())?;
        let pushed = self.store.read().pushed_builds().await?;
        let days = SignedDuration::from_hours(24 * i64::from(self.config.limits.revisions_days));
        let since = self.clock.now().checked_sub(days).unwrap_or(Timestamp::MIN);
        let retention = Retention { kept: self.config.limits.revisions_kept as usize, since };
        Ok(removals(&pushed, &self.used().await?, retention))
    }

    /// Removes from the registry what nobody needs. Looks again at what is used before each step.
    ///
    /// # Errors
    /// A database that does not answer. What the registry refuses is told build by build.
    pub async fn clean_up(&self, registry: &dyn Registry) -> Result<Vec<Removed>> {
        let actor = Actor::Machine;
        let mut done = Vec::new();
        for removal in self.plan_clean_up(&actor).await? {
            let is_still_due = self.plan_clean_up(&actor).await?.contains(&removal);
            if !is_still_due {
                continue;
            }
            let problem = self.remove(registry, &removal).await.err();
            if problem.is_none() {
                let writer = self.store.write().await?;
                writer.mark_removed(&removal.build, self.clock.now()).await?;
                let detail = json!({ "reason": removal.reason.title(), "manifests": removal.manifests });
                let object = ("build", removal.build.as_str());
                self.note(&writer, &actor, "build.remove", object, None, detail).await?;
                writer.commit().await?;
            }
            done.push(Removed { removal, problem });
        }
        Ok(done)
    }

    async fn remove(&self, registry: &dyn Registry, removal: &Removal) -> std::result::Result<(), String> {
        for (url, digest) in &removal.manifests {
            let pushed = self.config.registry.as_pushed(url);
            let digest: Digest = digest.parse().map_err(|_| format!("{digest} is no digest"))?;
            let outcome = registry.delete_manifest(pushed.repository_reference(), &digest).await;
            // One that is gone already is gone.
            outcome.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Everything that images and specs use: as the image itself, or as the base of what is built next.
    async fn used(&self) -> Result<Used> {
        let mut used = Used::default();
        let reader = self.store.read();
        for image in reader.images(&ImageQuery::default(), Page::ALL).await?.rows {
            if let ImageSource::Custom { recipe, build, .. } = &image.source {
                used.builds.extend(build.clone());
                used.add(self, &recipe.base);
            }
            for url in image.url.iter().chain(&image.url_for_gpu) {
                used.add(self, url);
            }
        }
        for spec in reader.specs(&SpecFilter::default(), Page::ALL).await?.rows {
            used.builds.extend(spec.build.clone());
            used.add(self, &spec.recipe.base);
            if let Some(url) = &spec.url {
                used.add(self, url);
            }
        }
        // What waits or runs may have begun to read its base.
        for build in reader.queued_builds().await?.into_iter().chain(reader.running_builds().await?) {
            used.add(self, &build.recipe.base);
        }
        Ok(used)
    }
}

impl Used {
    /// Notes a reference under every name that it has.
    fn add(&mut self, hub: &Hub, reference: &ImageReference) {
        self.digests.extend(reference.digest().map(str::to_owned));
        for name in [
            reference.clone(),
            hub.config.registry.as_pushed(reference),
            hub.config.registry.as_pulled(reference),
        ] {
            self.references.insert(tagged(&name));
        }
    }

    fn has(&self, build: &Build, product: &Product) -> bool {
        self.builds.contains(&build.id)
            || self.references.contains(&tagged(&product.url))
            || product.gpu_url.as_ref().is_some_and(|url| self.references.contains(&tagged(url)))
            || self.digests.contains(&product.digest)
            || product.gpu_digest.as_ref().is_some_and(|digest| self.digests.contains(digest))
    }
}

/// A reference by its tag: that is what a build has pushed.
fn tagged(reference: &ImageReference) -> String {
    format!("{}:{}", reference.repository_reference(), reference.tag_or_latest())
}

fn removals(pushed: &[Build], used: &Used, retention: Retention) -> Vec<Removal> {
    let mut newest_first: Vec<(&Build, &Product)> =
        pushed.iter().filter_map(|build| Some((build, build.product.as_ref()?))).collect();
    newest_first.sort_by_key(|(build, _)| std::cmp::Reverse(build.number));
    let mut seen: HashMap<&Subject, usize> = HashMap::new();
    let mut going: Vec<(&Build, &Product, Reason)> = Vec::new();
    let mut staying: HashSet<(String, &str)> = HashSet::new();
    for (build, product) in newest_first {
        let reason = if build.orphaned_at.is_some() {
            Some(Reason::Orphaned)
        } else {
            let rank = seen.entry(&build.subject).or_insert(0);
            *rank += 1;
            let is_old = *rank > retention.kept && build.finished_at.is_some_and(|end| end < retention.since);
            is_old.then_some(Reason::Old)
        };
        match reason.filter(|_| !used.has(build, product)) {
            Some(reason) => going.push((build, product, reason)),
            None => staying.extend(manifests(product).map(|(url, digest)| (repository(url), digest))),
        }
    }
    going.sort_by(|(one, ..), (other, ..)| {
        one.requested_at.cmp(&other.requested_at).then(one.id.cmp(&other.id))
    });
    going
        .into_iter()
        .map(|(build, product, reason)| Removal {
            build: build.id.clone(),
            reason,
            // A registry removes a manifest with all its tags: one that another build has pushed too stays.
            manifests: manifests(product)
                .filter(|(url, digest)| !staying.contains(&(repository(url), *digest)))
                .map(|(url, digest)| (url.clone(), digest.to_owned()))
                .collect(),
            bytes: product.size_bytes.unwrap_or(0),
        })
        .collect()
}

fn manifests(product: &Product) -> impl Iterator<Item = (&ImageReference, &str)> {
    let own = std::iter::once((&product.url, product.digest.as_str()));
    own.chain(product.gpu_url.as_ref().zip(product.gpu_digest.as_deref()))
}

fn repository(url: &ImageReference) -> String {
    url.repository_reference().to_string()
}
