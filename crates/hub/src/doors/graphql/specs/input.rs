//! What clients say of a custom image spec.

use async_graphql::{ID, InputObject, MaybeUndefined};
use imagewright_store::SecretId;
use imagewright_store::specs::SpecFilter;

use super::super::asking::filled;
use crate::app::Change;
use crate::app::images::RecipeInput;
use crate::app::specs::SpecChange;

/// The custom image spec that is meant.
#[derive(InputObject)]
pub(super) struct BuildImageWhereUniqueInput {
    /// Its name.
    pub(super) id: ID,
}

/// The job that is meant.
#[derive(InputObject)]
pub(super) struct BuildImageJobWhereUniqueInput {
    /// Its identifier.
    pub(super) id: ID,
}

/// What a list of jobs is narrowed to.
#[derive(InputObject)]
pub(super) struct BuildImageJobWhereInput {
    /// Jobs of the custom image spec with this name.
    pub(super) id: ID,
}

/// What a list of custom image specs is narrowed to; all that is given holds.
#[derive(InputObject, Default)]
pub(super) struct BuildImageWhereInput {
    /// This one.
    id: Option<ID>,
    /// The name has this in it.
    #[graphql(name = "name_contains")]
    name_contains: Option<String>,
}

impl BuildImageWhereInput {
    /// What the database can tell.
    pub(super) fn filter(self) -> SpecFilter {
        SpecFilter { name: self.id.map(|id| id.0), name_contains: self.name_contains, by_name: false }
    }
}

/// The order of a list of custom image specs: the first field that is given decides, `asc` or `desc`. Without one,
/// what was changed last comes first.
#[derive(InputObject)]
pub(super) struct BuildImageOrderByInput {
    /// By name.
    name: Option<String>,
    /// By how the latest build stands.
    status: Option<String>,
    /// By the latest image.
    image: Option<String>,
}

/// Packages, one a line.
#[derive(InputObject, Default)]
pub(super) struct PackagesInput {
    /// System packages.
    apt: MaybeUndefined<String>,
    /// Python packages.
    pip: MaybeUndefined<String>,
    /// conda packages.
    conda: MaybeUndefined<String>,
}

/// A custom image spec to be made.
#[derive(InputObject)]
pub(super) struct BuildImageCreateInput {
    /// Name; fixed from now on.
    pub(super) name: String,
    /// The image to start from.
    base_image: Option<String>,
    /// The secret that pulls it.
    use_image_pull_secret: Option<String>,
    /// What is put into it.
    packages: Option<PackagesInput>,
}

impl BuildImageCreateInput {
    /// What is asked for.
    pub(super) fn into_recipe(self) -> RecipeInput {
        let packages = self.packages.unwrap_or_default();
        let lines = |text: MaybeUndefined<String>| written(text).unwrap_or_default();
        RecipeInput {
            base: self.base_image.unwrap_or_default(),
            pull_secret: filled(self.use_image_pull_secret).map(SecretId::new),
            apt: lines(packages.apt),
            conda: lines(packages.conda),
            pip: lines(packages.pip),
        }
    }
}

/// What of a custom image spec changes; fields that are left out stay.
#[derive(InputObject)]
pub(super) struct BuildImageUpdateInput {
    /// Must be what it is: the name is fixed.
    pub(super) name: Option<String>,
    /// The image to start from.
    base_image: Option<String>,
    /// The secret that pulls it: null for none, nothing to leave it.
    use_image_pull_secret: MaybeUndefined<String>,
    /// What is put into it: null or nothing empties a field.
    packages: Option<PackagesInput>,
}

impl BuildImageUpdateInput {
    /// What changes.
    pub(super) fn into_change(self) -> SpecChange {
        let packages = self.packages.unwrap_or_default();
        SpecChange {
            base: filled(self.base_image),
            pull_secret: match self.use_image_pull_secret {
                MaybeUndefined::Undefined => Change::Keep,
                MaybeUndefined::Null => Change::Clear,
                MaybeUndefined::Value(secret) if secret.trim().is_empty() => Change::Keep,
                MaybeUndefined::Value(secret) => Change::Set(SecretId::new(secret)),
            },
            apt: written(packages.apt),
            conda: written(packages.conda),
            pip: written(packages.pip),
        }
    }
}

/// The lines of a field that was given; nothing for one that was left out.
fn written(text: MaybeUndefined<String>) -> Option<Vec<String>> {
    match text {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(Vec::new()),
        MaybeUndefined::Value(text) => Some(text.lines().map(str::to_owned).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_stays_and_what_is_empty_empties() {
        let update = BuildImageUpdateInput {
            name: None,
            base_image: Some(String::new()),
            use_image_pull_secret: MaybeUndefined::Value(String::new()),
            packages: Some(PackagesInput {
                apt: MaybeUndefined::Null,
                pip: MaybeUndefined::Value("numpy\npandas\n".to_owned()),
                conda: MaybeUndefined::Undefined,
            }),
        };
        let change = update.into_change();
        assert_eq!((change.base, change.pull_secret), (None, Change::Keep));
        assert_eq!((change.apt, change.conda), (Some(Vec::new()), None));
        assert_eq!(change.pip, Some(vec!["numpy".to_owned(), "pandas".to_owned()]));
    }
}
