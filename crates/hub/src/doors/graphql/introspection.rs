//! Whether a query asks what the schema is.

use async_graphql::Positioned;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// Whether somewhere in a document the schema is asked for. Without introspection the library answers with null, which
/// looks as if there were none.
pub(crate) fn asks_for_schema(document: &ExecutableDocument) -> bool {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set);
    operations.chain(fragments).any(in_set)
}

/// Fields of this kind stand at the root only: what is nested in other fields need not be looked at.
fn in_set(set: &Positioned<SelectionSet>) -> bool {
    set.node.items.iter().any(|item| match &item.node {
        Selection::Field(field) => matches!(field.node.name.node.as_str(), "__schema" | "__type"),
        Selection::InlineFragment(fragment) => in_set(&fragment.node.selection_set),
        Selection::FragmentSpread(_) => false,
    })
}
