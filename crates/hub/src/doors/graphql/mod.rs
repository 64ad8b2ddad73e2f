//! The API: PrimeHub's types where it has them, with additions of ours that follow the same conventions.
//!
//! A folder is a family of types: its queries and mutations, the objects that they give, what clients say. The doc
//! comments of fields are the documentation of the schema.

mod accounts;
mod asking;
mod audit;
mod builds;
mod clean_up;
pub(crate) mod errors;
mod groups;
mod images;
pub(crate) mod introspection;
mod ordering;
mod paging;
mod secrets;
mod selection;
mod specs;
mod system;
mod users;

use async_graphql::{EmptySubscription, MergedObject, Schema};

use super::ApiLimits;

/// Everything that can be asked.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct Query(
    system::SystemQueries,
    accounts::AccountQueries,
    users::UserQueries,
    groups::GroupQueries,
    images::ImageQueries,
    builds::BuildQueries,
    selection::SelectionQueries,
    secrets::SecretQueries,
    specs::SpecQueries,
    audit::AuditQueries,
    clean_up::CleanUpQueries,
);

/// Everything that can be done.
#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
pub struct Mutation(
    accounts::AccountMutations,
    users::UserMutations,
    groups::GroupMutations,
    images::ImageMutations,
    secrets::SecretMutations,
    specs::SpecMutations,
);

/// The schema. Requests bring the hub and the actor along.
pub type ApiSchema = Schema<Query, Mutation, EmptySubscription>;

/// The schema within these limits.
pub fn schema(limits: &ApiLimits) -> ApiSchema {
    let mut builder = Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .limit_depth(limits.depth)
        .limit_complexity(limits.complexity);
    if !limits.introspection {
        // Suggestions would tell the names one by one.
        builder = builder.disable_introspection().disable_suggestions();
    }
    builder.finish()
}

/// The schema in its own language, as `schema.graphql` has it.
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new().prefer_single_line_descriptions();
    schema(&ApiLimits::default()).sdl_with_options(options)
}
