//! What holds for all doors together.

use std::collections::BTreeMap;
use std::path::Path;

use super::ApiLimits;
use super::graphql::{schema, sdl};
use super::http::routes::routes;
use crate::access::TABLE;

/// Set, it makes the test write the schema anew.
const UPDATE: &str = "IMAGEWRIGHT_UPDATE_SCHEMA";

#[test]
fn the_schema_in_the_repository_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema.graphql");
    let served = sdl();
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, &served).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == served, "schema.graphql is not up to date: run this test with {UPDATE}=1");
}

async fn fields(root: &str) -> Vec<String> {
    let query = format!("{{ __schema {{ {root}Type {{ fields {{ name }} }} }} }}");
    let response = schema(&ApiLimits::default()).execute(query).await.data.into_json().unwrap();
    let fields = response["__schema"][format!("{root}Type")]["fields"].as_array().unwrap();
    fields.iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_door_stands_in_one_row_of_the_table_and_every_row_names_doors_that_exist() {
    let mut doors: BTreeMap<String, usize> = BTreeMap::new();
    for (root, title) in [("query", "Query"), ("mutation", "Mutation")] {
        doors.extend(fields(root).await.into_iter().map(|field| (format!("{title}.{field}"), 0)));
    }
    doors.extend(routes().into_iter().map(|(name, _)| (name.to_owned(), 0)));
    for row in TABLE {
        for door in row.doors {
            match doors.get_mut(*door) {
                Some(count) => *count += 1,
                None => panic!("{} names {door}, which does not exist", row.name),
            }
        }
    }
    let wrong: Vec<_> = doors.into_iter().filter(|(_, count)| *count != 1).collect();
    assert!(wrong.is_empty(), "these doors do not stand in exactly one row: {wrong:?}");
}

/// The query of tools that draw schemas, with `ofType` as deep as they ask.
#[tokio::test]
async fn introspection_fits_into_the_limits() {
    let of_type = (0..7).fold("name".to_owned(), |inner, _| format!("kind name ofType {{ {inner} }}"));
    let query = format!(
        "{{ __schema {{ types {{ kind name fields(includeDeprecated: true) {{ name args {{ name type {{ {of_type} }} }} \
         type {{ {of_type} }} }} inputFields {{ name type {{ {of_type} }} }} enumValues {{ name }} }} }} }}"
    );
    let open = schema(&ApiLimits::default()).execute(query.as_str()).await;
    assert!(open.errors.is_empty(), "{:?}", open.errors);
}
