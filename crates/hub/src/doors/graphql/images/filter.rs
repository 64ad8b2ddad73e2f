//! Which images a list has, and in what order.

use async_graphql::{ID, InputObject};
use imagewright_spec::ImageKind;
use imagewright_store::groups::GroupFilter;
use imagewright_store::images::{Condition, ImageField, ImageOrder, ImageOwner, ImageQuery};
use imagewright_store::{GroupId, Page};

use super::super::asking::problem;
use super::super::ordering::OrderBy;
use super::object::ImageMode;
use crate::access::{Actor, Standing};
use crate::error::Result;
use crate::hub::Hub;

/// What a list of images is narrowed to; all that is given holds.
#[derive(InputObject, Default)]
pub(in super::super) struct ImageWhereInput {
    /// This image.
    id: Option<ID>,
    /// The keyword is in the name, the name that is shown, the description or the type, whatever its case.
    search: Option<String>,
    /// The name has this in it.
    #[graphql(name = "name_contains")]
    name_contains: Option<String>,
    /// The name that is shown has this in it.
    #[graphql(name = "displayName_contains")]
    display_name_contains: Option<String>,
    /// The name of the group that it belongs to has this in it. Not inside of `_or`.
    #[graphql(name = "groupName_contains")]
    pub(super) group_name_contains: Option<String>,
    /// The type has this in it, as it is shown or as it is written here.
    #[graphql(name = "type_contains")]
    type_contains: Option<String>,
    /// The description has this in it.
    #[graphql(name = "description_contains")]
    description_contains: Option<String>,
    /// One of these holds.
    #[graphql(name = "_or")]
    or: Option<Vec<ImageWhereInput>>,
}

/// The order of a list of images: the first field that is given decides, `asc` or `desc`.
#[derive(InputObject)]
pub(in super::super) struct ImageOrderByInput {
    /// By name.
    name: Option<String>,
    /// By the name that is shown, whatever its case.
    display_name: Option<String>,
    /// By description.
    description: Option<String>,
    /// By type, as it is shown: CPU, GPU, Universal.
    r#type: Option<String>,
    /// By whether it is ready.
    is_ready: Option<String>,
    /// By address.
    url: Option<String>,
    /// By when it was last changed.
    updated_at: Option<String>,
}

/// All that decides about a list.
pub(in super::super) async fn query_of(
    hub: &Hub,
    actor: &Actor,
    mode: Option<ImageMode>,
    filter: Option<ImageWhereInput>,
    order: Option<OrderBy<ImageOrderByInput>>,
) -> Result<ImageQuery> {
    let mut filter = filter.unwrap_or_default();
    let mut owner = match mode {
        Some(ImageMode::SystemOnly) => ImageOwner::System,
        Some(ImageMode::GroupOnly) => ImageOwner::SomeGroup,
        Some(ImageMode::All) | None => ImageOwner::Any,
    };
    if let Some(part) = filter.group_name_contains.take() {
        owner = match owner {
            ImageOwner::System => ImageOwner::Groups(Vec::new()),
            _ => ImageOwner::Groups(groups_with(hub, actor, part).await?),
        };
    }
    let order = order
        .as_ref()
        .and_then(OrderBy::first)
        .and_then(|(field, is_descending)| Some(ImageOrder { field: field_of(field)?, is_descending }));
    Ok(ImageQuery { owner, condition: filter.condition()?, order, ..ImageQuery::default() })
}

/// The groups with this in their name, of those that the actor may see.
async fn groups_with(hub: &Hub, actor: &Actor, part: String) -> Result<Vec<GroupId>> {
    if actor.standing() == Standing::Admin {
        let filter = GroupFilter { name_contains: Some(part), ..GroupFilter::default() };
        let groups = hub.groups(actor, &filter, Page::ALL).await?;
        return Ok(groups.rows.into_iter().map(|group| group.id).collect());
    }
    let groups = hub.own_groups(actor).await?.into_iter().filter(|group| group.name.contains(&part));
    Ok(groups.map(|group| group.id).collect())
}

fn field_of(name: &str) -> Option<ImageField> {
    Some(match name {
        "name" => ImageField::Name,
        "displayName" => ImageField::DisplayName,
        "description" => ImageField::Description,
        "type" => ImageField::Kind,
        "isReady" => ImageField::IsReady,
        "url" => ImageField::Url,
        "updatedAt" => ImageField::UpdatedAt,
        _ => return None,
    })
}

impl ImageWhereInput {
    fn condition(self) -> Result<Option<Condition>> {
        if self.group_name_contains.is_some() {
            return Err(problem(
                "where",
                "`groupName_contains` cannot stand inside of `_or`",
                "put it beside",
            ));
        }
        let mut all = Vec::new();
        all.extend(self.id.map(|id| Condition::Name(id.0)));
        all.extend(self.search.filter(|keyword| !keyword.trim().is_empty()).map(Condition::Search));
        for (field, part) in [
            (ImageField::Name, self.name_contains),
            (ImageField::DisplayName, self.display_name_contains),
            (ImageField::Description, self.description_contains),
        ] {
            all.extend(part.map(|part| Condition::Contains(field, part)));
        }
        all.extend(self.type_contains.map(|part| type_contains(&part)));
        if let Some(alternatives) = self.or.filter(|alternatives| !alternatives.is_empty()) {
            let mut any = Vec::with_capacity(alternatives.len());
            for alternative in alternatives {
                // An alternative without a condition always holds.
                any.push(alternative.condition()?.unwrap_or_else(|| Condition::All(Vec::new())));
            }
            all.push(Condition::Any(any));
        }
        Ok(if all.is_empty() { None } else { Some(Condition::All(all)) })
    }
}

/// The types with this in one of their names.
fn type_contains(part: &str) -> Condition {
    const NAMES: [(ImageKind, &[&str]); 3] = [
        (ImageKind::Cpu, &["cpu", "CPU"]),
        (ImageKind::Gpu, &["gpu", "GPU"]),
        (ImageKind::Universal, &["both", "universal", "Universal"]),
    ];
    let meant = NAMES.iter().filter(|(_, names)| names.iter().any(|name| name.contains(part)));
    let meant = meant.map(|(kind, _)| Condition::Contains(ImageField::Kind, kind.name().to_owned()));
    Condition::Any(meant.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_given_holds() {
        let given = ImageWhereInput {
            search: Some("  ".to_owned()),
            name_contains: Some("a".to_owned()),
            or: Some(vec![
                ImageWhereInput { type_contains: Some("Uni".to_owned()), ..ImageWhereInput::default() },
                ImageWhereInput { id: Some(ID("b".to_owned())), ..ImageWhereInput::default() },
            ]),
            ..ImageWhereInput::default()
        };
        let universal = Condition::Contains(ImageField::Kind, "universal".to_owned());
        let expected = Condition::All(vec![
            Condition::Contains(ImageField::Name, "a".to_owned()),
            Condition::Any(vec![
                Condition::All(vec![Condition::Any(vec![universal])]),
                Condition::All(vec![Condition::Name("b".to_owned())]),
            ]),
        ]);
        assert_eq!(given.condition().unwrap(), Some(expected));
        assert_eq!(ImageWhereInput::default().condition().unwrap(), None);
        assert_eq!(type_contains("xpu"), Condition::Any(Vec::new()));
    }
}
