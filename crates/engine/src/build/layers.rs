//! From prepared packages to layers whose digests are known.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use imagewright_oci::layer::codec::Compression;
use imagewright_oci::tree::ImageTree;
use tokio::sync::Semaphore;

use crate::assemble::layer::{LayerFacts, LayerRecipe};
use crate::assemble::layer_plan::{MAXIMUM_LAYERS, Member, plan_layers};
use crate::assemble::placement::Placer;
use crate::assemble::removal::Removal;
use crate::assemble::top::{TopFile, write_top};
use crate::base::blocking;
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

/// What layers are made of.
pub(super) struct LayerInputs<'build> {
    /// The foundation's tree, whole.
    pub(super) whole: &'build ImageTree,
    /// The same without what is replaced.
    pub(super) reduced: &'build ImageTree,
    pub(super) removal: &'build Removal,
    pub(super) locked: &'build [LockedPackage],
    pub(super) prepared: &'build [PreparedPackage],
    pub(super) foundation_layers: usize,
    pub(super) compression: Compression,
    /// For whom the base is: the names in it are for nobody else.
    pub(super) base_scope: &'build Scope,
}

/// Plans the layers: whiteouts first, then packages, the topmost last.
pub(super) fn recipes(inputs: &LayerInputs<'_>) -> Result<Vec<LayerRecipe>, BuildError> {
    let compression = inputs.compression;
    let mut recipes = Vec::new();
    if !inputs.removal.is_empty() {
        let contents = vec![format!("removed: {}", inputs.removal.labels.join(", "))];
        let scope = inputs.base_scope.clone();
        recipes.push(LayerRecipe::of_entries(contents, compression, scope, |output| {
            inputs.removal.write(output, inputs.whole)
        })?);
    }
    let top = top_files(inputs)?;
    let taken = inputs.foundation_layers + recipes.len() + usize::from(!top.is_empty());
    let members: Vec<Member> = inputs
        .locked
        .iter()
        .zip(inputs.prepared)
        .map(|(locked, prepared)| Member { name: locked.name.clone(), size: prepared.size })
        .collect();
    for group in plan_layers(&members, MAXIMUM_LAYERS.saturating_sub(taken))? {
        recipes.push(package_layer(inputs, &group)?);
    }
    if !top.is_empty() {
        recipes.push(LayerRecipe::of_entries(
            vec!["marks of what was asked for".to_owned()],
            compression,
            marks_scope(inputs),
            |output| write_top(output, inputs.reduced, &top),
        )?);
    }
    Ok(recipes)
}

fn package_layer(inputs: &LayerInputs<'_>, group: &[usize]) -> Result<LayerRecipe, BuildError> {
    let mut folders = BTreeSet::new();
    let mut frames = Vec::new();
    let mut contents = Vec::new();
    for at in group {
        let prepared = &inputs.prepared[*at];
        folders.extend(prepared.placement.folders.iter().cloned());
        frames.push((prepared.frame, prepared.scope.clone()));
        contents.push(format!("{} {}", inputs.locked[*at].name, inputs.locked[*at].version));
    }
    LayerRecipe::of_frames(inputs.reduced, &folders, &frames, contents, inputs.compression)
}

/// For whom the marks of what was asked for are: they name files of packages.
fn marks_scope(inputs: &LayerInputs<'_>) -> Scope {
    let marked = inputs.locked.iter().zip(inputs.prepared).filter(|(locked, _)| locked.requested);
    Scope::of_all(marked.map(|(_, prepared)| &prepared.scope))
}

/// The files that mark the packages that were asked for by name.
fn top_files(inputs: &LayerInputs<'_>) -> Result<Vec<TopFile>, BuildError> {
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
            let placement = placer.place(&locked.name, [path])?;
            let place = placement.places.into_iter().next();
            let place = place.ok_or_else(|| BuildError::internal("a file was placed nowhere"))?;
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
