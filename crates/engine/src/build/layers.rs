//! From prepared packages to layers whose digests are known.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use imagewright_oci::layer::codec::Compression;
use imagewright_oci::tree::ImageTree;
use tokio::sync::Semaphore;

use super::conda::CondaStep;
use crate::assemble::frame::FrameKey;
use crate::assemble::layer::{LayerFacts, LayerRecipe};
use crate::assemble::layer_plan::{MAXIMUM_LAYERS, Member as PlanMember, plan_layers};
use crate::assemble::placement::{Placement, Placer};
use crate::assemble::removal::Removal;
use crate::assemble::top::{TopFile, write_top};
use crate::base::{Base, blocking};
use crate::cache::Cache;
use crate::error::BuildError;
use crate::lock::LockedPackage;
use crate::packages::PreparedPackage;
use crate::publish::Publisher;
use crate::scope::Scope;

/// Layers whose facts are gathered at the same time.
const CONCURRENT_LAYERS: usize = 8;

/// A layer whose digests are known.
#[derive(Debug, Clone)]
pub(super) struct BuiltLayer {
    pub(super) recipe: LayerRecipe,
    pub(super) facts: LayerFacts,
}

/// A package as layers take it.
pub(super) struct Member<'build> {
    /// Its name: decides which layer it shares.
    pub(super) name: &'build str,
    /// Name and version, for the image's history.
    pub(super) label: String,
    pub(super) frame: FrameKey,
    /// For whom the frame is.
    pub(super) scope: &'build Scope,
    /// Compressed bytes of the frame.
    pub(super) size: u64,
    pub(super) placement: &'build Placement,
}

/// Layers of one kind of packages: what goes, what comes, and a few small files on top.
pub(super) struct Stack<'build> {
    /// The tree below, whole.
    pub(super) whole: &'build ImageTree,
    /// The same without what is replaced.
    pub(super) reduced: &'build ImageTree,
    pub(super) removal: &'build Removal,
    /// For whom the tree below is: the names in it are for nobody else.
    pub(super) below: Scope,
    pub(super) members: Vec<Member<'build>>,
    pub(super) top: Vec<TopFile>,
    /// For whom the files on top are.
    pub(super) top_scope: Scope,
    pub(super) compression: Compression,
}

impl Stack<'_> {
    /// How many layers it would have if there were room for all.
    pub(super) fn wanted(&self) -> usize {
        let members = self.plan_members();
        plan_layers(&members, MAXIMUM_LAYERS).map_or(0, |layers| layers.len()) + self.others()
    }

    /// Layers that are not of packages.
    fn others(&self) -> usize {
        usize::from(!self.removal.is_empty()) + usize::from(!self.top.is_empty())
    }

    fn plan_members(&self) -> Vec<PlanMember> {
        let members = self.members.iter();
        members.map(|member| PlanMember { name: member.name.to_owned(), size: member.size }).collect()
    }

    /// Plans the layers: whiteouts first, then packages, the topmost last; no more than `room` of them.
    pub(super) fn recipes(&self, room: usize) -> Result<Vec<LayerRecipe>, BuildError> {
        let mut recipes = Vec::new();
        if !self.removal.is_empty() {
            let contents = vec![format!("removed: {}", self.removal.labels.join(", "))];
            recipes.push(LayerRecipe::of_entries(
                contents,
                self.compression,
                self.below.clone(),
                |output| self.removal.write(output, self.whole),
            )?);
        }
        for group in plan_layers(&self.plan_members(), room.saturating_sub(self.others()))? {
            recipes.push(self.package_layer(&group)?);
        }
        if !self.top.is_empty() {
            recipes.push(LayerRecipe::of_entries(
                vec!["marks of what was asked for".to_owned()],
                self.compression,
                self.top_scope.clone(),
                |output| write_top(output, self.reduced, &self.top),
            )?);
        }
        Ok(recipes)
    }

    fn package_layer(&self, group: &[usize]) -> Result<LayerRecipe, BuildError> {
        let mut folders = BTreeSet::new();
        let mut frames = Vec::new();
        let mut contents = Vec::new();
        for at in group {
            let member = &self.members[*at];
            folders.extend(member.placement.folders.iter().cloned());
            frames.push((member.frame, member.scope.clone()));
            contents.push(member.label.clone());
        }
        LayerRecipe::of_frames(self.reduced, &folders, &frames, contents, self.compression)
    }
}

/// The layers of all stacks, the lowest first, above `foundation` layers.
pub(super) fn recipes(stacks: &[Stack<'_>], foundation: usize) -> Result<Vec<LayerRecipe>, BuildError> {
    let mut room = MAXIMUM_LAYERS.saturating_sub(foundation);
    let mut recipes = Vec::new();
    for (at, stack) in stacks.iter().enumerate() {
        // Those above have what they want, or their share.
        let above: usize = stacks[at + 1..].iter().map(Stack::wanted).sum();
        let share = room.saturating_sub(above).max(room / (stacks.len() - at));
        let planned = stack.recipes(share)?;
        room = room.saturating_sub(planned.len());
        recipes.extend(planned);
    }
    Ok(recipes)
}

/// The layers of conda's packages.
pub(super) fn conda_stack<'build>(
    step: &'build CondaStep,
    base: &Base,
    compression: Compression,
) -> Stack<'build> {
    let packages = step.locked.packages.iter().zip(&step.prepared);
    let members: Vec<Member<'build>> = packages
        .map(|(locked, prepared)| Member {
            name: locked.name(),
            label: format!("{} {}", locked.name(), locked.record.package_record.version),
            frame: prepared.frame,
            scope: &prepared.scope,
            size: prepared.size,
            placement: &prepared.placement,
        })
        .collect();
    let top_scope = Scope::of_all(members.iter().map(|member| member.scope).chain([&base.scope]));
    Stack {
        whole: &step.whole,
        reduced: &step.reduced,
        removal: &step.removal,
        below: base.scope.clone(),
        members,
        top: step.top.clone(),
        top_scope,
        compression,
    }
}

/// What the layers of pip's packages are made of.
pub(super) struct PipLayers<'build> {
    /// The tree below, whole.
    pub(super) whole: &'build ImageTree,
    /// The same without what is replaced.
    pub(super) reduced: &'build ImageTree,
    pub(super) removal: &'build Removal,
    pub(super) locked: &'build [LockedPackage],
    pub(super) prepared: &'build [PreparedPackage],
    pub(super) compression: Compression,
    /// For whom the tree below is.
    pub(super) below: Scope,
}

/// The layers of pip's packages.
pub(super) fn pip_stack<'build>(inputs: &PipLayers<'build>) -> Result<Stack<'build>, BuildError> {
    let packages = inputs.locked.iter().zip(inputs.prepared);
    let members = packages.map(|(locked, prepared)| Member {
        name: &locked.name,
        label: format!("{} {}", locked.name, locked.version),
        frame: prepared.frame,
        scope: &prepared.scope,
        size: prepared.size,
        placement: &prepared.placement,
    });
    Ok(Stack {
        whole: inputs.whole,
        reduced: inputs.reduced,
        removal: inputs.removal,
        below: inputs.below.clone(),
        members: members.collect(),
        top: marks(inputs)?,
        top_scope: marks_scope(inputs),
        compression: inputs.compression,
    })
}

/// For whom the marks of what was asked for are: they name files of packages.
fn marks_scope(inputs: &PipLayers<'_>) -> Scope {
    let marked = inputs.locked.iter().zip(inputs.prepared).filter(|(locked, _)| locked.requested);
    Scope::of_all(marked.map(|(_, prepared)| &prepared.scope))
}

/// The files that mark the packages that were asked for by name.
fn marks(inputs: &PipLayers<'_>) -> Result<Vec<TopFile>, BuildError> {
    let mut files = Vec::new();
    let mut placer = Placer::new(inputs.reduced);
    for (locked, prepared) in inputs.locked.iter().zip(inputs.prepared) {
        if !locked.requested {
            continue;
        }
        let facts = &prepared.facts;
        let marked = [
            (facts.requested_path.as_str(), Vec::new()),
            (facts.record_path.as_str(), facts.requested_record.clone().into_bytes()),
        ];
        for (path, content) in marked {
            let place = placer.place_one(&locked.name, path)?;
            files.push(TopFile { path: place.path, owner: place.owner, content });
        }
    }
    Ok(files)
}

/// Finds or works out the digests of each layer: remembered on this machine, known to the layer repository, or
/// measured.
pub(super) async fn measure(
    recipes: Vec<LayerRecipe>,
    cache: &Cache,
    owner: &Scope,
    publisher: &Publisher,
    processors: &Arc<Semaphore>,
) -> Result<Vec<BuiltLayer>, BuildError> {
    let measured: Vec<Result<BuiltLayer, BuildError>> = stream::iter(recipes)
        .map(|recipe| async move {
            let facts = facts(&recipe, cache, owner, publisher, processors).await?;
            Ok(BuiltLayer { recipe, facts })
        })
        .buffered(CONCURRENT_LAYERS)
        .collect()
        .await;
    // Not before all were looked at: whatever was damaged is thrown away by then, and made anew together.
    measured.into_iter().collect()
}

/// Throws away all frames that do not make the layers that they should.
pub(super) async fn lose_damaged(layers: &[BuiltLayer], cache: &Cache) -> Result<(), BuildError> {
    let (layers, cache) = (layers.to_vec(), cache.clone());
    blocking(move || {
        for layer in layers.iter().filter(|layer| !layer.recipe.makes(&cache, &layer.facts)) {
            layer.recipe.lose_frames(&cache, std::io::Error::from(std::io::ErrorKind::InvalidData));
        }
    })
    .await
}

async fn facts(
    recipe: &LayerRecipe,
    cache: &Cache,
    owner: &Scope,
    publisher: &Publisher,
    processors: &Arc<Semaphore>,
) -> Result<LayerFacts, BuildError> {
    if let Some(known) = recipe.known_facts(cache, &[Scope::Shared, owner.clone(), recipe.scope.clone()])? {
        return Ok(known);
    }
    if let Some(stored) = publisher.stored_facts(recipe).await {
        // What a repository says is believed by the owner who builds with it, and by nobody else.
        recipe.remember(cache, owner, &stored)?;
        return Ok(stored);
    }
    let permit = Arc::clone(processors)
        .acquire_owned()
        .await
        .map_err(|error| BuildError::internal("the build's processors are gone").with_source(error))?;
    let measured = {
        let (recipe, cache) = (recipe.clone(), cache.clone());
        blocking(move || {
            let _permit = permit;
            recipe.measure(&cache)
        })
    };
    let facts = measured.await??;
    recipe.remember(cache, &recipe.scope, &facts)?;
    Ok(facts)
}
