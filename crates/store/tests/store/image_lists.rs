//! Lists of images against what a reader of the documentation would pick by hand.

use std::cmp::Ordering;

use imagewright_spec::ImageKind;
use imagewright_store::images::{
    Condition, Image, ImageField, ImageOrder, ImageOwner, ImageQuery, ImageScope,
};
use imagewright_store::{GroupId, Page};

use crate::support::rows::{at, group, group_id, image, reference};
use crate::support::{TestStore, on_both_databases};

on_both_databases!(
    lists_have_what_was_asked_for,
    both_databases_sort_alike,
    pages_of_images_follow_each_other_and_end,
);

const FIELDS: [ImageField; 7] = [
    ImageField::Name,
    ImageField::DisplayName,
    ImageField::Description,
    ImageField::Kind,
    ImageField::IsReady,
    ImageField::Url,
    ImageField::UpdatedAt,
];

/// An image and the groups that it is shared with.
type Shared = (Image, Vec<GroupId>);

fn images() -> Vec<Shared> {
    let kinds = [ImageKind::Universal, ImageKind::Cpu, ImageKind::Gpu];
    let texts = ["", "100% a_b \\ done", "100x aXb done", "Größe", "GRÖSSE", "zebra", "Zebra", "aab"];
    let owners = [None, Some("red"), Some("blue"), None, Some("green")];
    let shares: [&[&str]; 4] = [&[], &["red"], &["blue", "red"], &["green"]];
    (0..40_usize)
        .map(|number| {
            let name = format!("image{}-{}", number * 7 % 40, if number % 2 == 0 { "a" } else { "b.c" });
            let group = owners[number % owners.len()];
            let image = Image {
                display_name: texts[number % 8].to_owned(),
                description: texts[number / 8].to_owned(),
                kind: kinds[number % 3],
                url: (number % 4 != 0).then(|| reference(&format!("registry.example/x{}:1", number % 7))),
                url_for_gpu: (number % 5 == 0).then(|| reference("registry.example/gpu:1")),
                group: group.map(group_id),
                is_global: group.is_none() && number % 3 == 0,
                updated_at: at(i64::try_from(number % 6).unwrap() - 3),
                ..image(&name)
            };
            let chosen = if group.is_none() { shares[number % 4] } else { &[] };
            (image, chosen.iter().map(|name| group_id(name)).collect())
        })
        .collect()
}

async fn fill(store: &TestStore) -> Vec<Shared> {
    let images = images();
    store
        .change(async |writer| {
            for name in ["red", "blue", "green", "grey"] {
                writer.insert_group(&group(name)).await?;
            }
            for (image, groups) in &images {
                writer.insert_image(image).await?;
                for group in groups {
                    writer.share_image(&image.name, group).await?;
                }
            }
            Ok(())
        })
        .await;
    images
}

fn text(image: &Image, field: ImageField) -> Option<String> {
    match field {
        ImageField::Name => Some(image.name.to_string()),
        ImageField::DisplayName => Some(image.display_name.clone()),
        ImageField::Description => Some(image.description.clone()),
        ImageField::Kind => Some(image.kind.name().to_owned()),
        ImageField::Url => image.url.as_ref().map(ToString::to_string),
        ImageField::IsReady | ImageField::UpdatedAt => None,
    }
}

fn holds(condition: &Condition, image: &Image) -> bool {
    match condition {
        Condition::Name(name) => image.name.as_str() == name,
        Condition::Search(keyword) => {
            let keyword = keyword.trim().to_lowercase();
            [ImageField::Name, ImageField::DisplayName, ImageField::Description, ImageField::Kind]
                .into_iter()
                .any(|field| text(image, field).unwrap().to_lowercase().contains(&keyword))
        }
        Condition::Contains(field, part) => text(image, *field).is_some_and(|text| text.contains(part)),
        Condition::All(all) => all.iter().all(|condition| holds(condition, image)),
        Condition::Any(any) => any.iter().any(|condition| holds(condition, image)),
    }
}

fn is_wanted(query: &ImageQuery, (image, shared): &Shared) -> bool {
    let is_visible = match &query.scope {
        ImageScope::All => true,
        ImageScope::UsableBy(groups) => match &image.group {
            Some(owner) => groups.contains(owner),
            None => image.is_global || shared.iter().any(|group| groups.contains(group)),
        },
    };
    let is_owned = match &query.owner {
        ImageOwner::Any => true,
        ImageOwner::System => image.group.is_none(),
        ImageOwner::SomeGroup => image.group.is_some(),
        ImageOwner::Groups(groups) => image.group.as_ref().is_some_and(|owner| groups.contains(owner)),
    };
    is_visible && is_owned && query.condition.as_ref().is_none_or(|condition| holds(condition, image))
}

/// What is not there stands before what is.
fn compare(field: ImageField, one: &Image, other: &Image) -> Ordering {
    match field {
        ImageField::DisplayName => one.display_name.to_lowercase().cmp(&other.display_name.to_lowercase()),
        ImageField::IsReady => one.is_ready().cmp(&other.is_ready()),
        ImageField::UpdatedAt => one.updated_at.cmp(&other.updated_at),
        other_field => text(one, other_field).cmp(&text(other, other_field)),
    }
}

/// The names of the images that are wanted, in the order that is wanted.
fn expected(images: &[Shared], query: &ImageQuery) -> Vec<String> {
    let mut wanted: Vec<&Image> =
        images.iter().filter(|shared| is_wanted(query, shared)).map(|(image, _)| image).collect();
    wanted.sort_by(|one, other| {
        let order = query.order.map_or(Ordering::Equal, |order| {
            let ascending = compare(order.field, one, other);
            if order.is_descending { ascending.reverse() } else { ascending }
        });
        order.then_with(|| one.name.cmp(&other.name))
    });
    wanted.into_iter().map(|image| image.name.to_string()).collect()
}

async fn check(store: &TestStore, images: &[Shared], query: &ImageQuery) {
    let found = store.read().images(query, Page::ALL).await.unwrap();
    let names: Vec<String> = found.rows.iter().map(|image| image.name.to_string()).collect();
    assert_eq!(names, expected(images, query), "{query:?}");
    assert_eq!(found.total, names.len() as u64, "{query:?}");
}

fn conditions() -> Vec<Condition> {
    let search = |keyword: &str| Condition::Search(keyword.to_owned());
    let name = |name: &str| Condition::Name(name.to_owned());
    let mut conditions = vec![name("image7-b.c"), name("IMAGE7-B.C"), name("im%"), name("a\0b")];
    let keywords = [
        "",
        " ",
        "%",
        "_",
        "\\",
        "100%",
        "a_b",
        "a_B \\ D",
        "grö",
        "GRÖßE",
        "universal",
        "B.C",
        "image1",
        "aab",
        "none",
        "a\0b",
        "e\u{1}z",
    ];
    conditions.extend(keywords.map(search));
    for field in FIELDS {
        for part in ["", "%", "_", "\\ d", "Zeb", "zeb", "pu", "x1", "b.c", "1", "a\0b"] {
            conditions.push(Condition::Contains(field, part.to_owned()));
        }
    }
    let nothing = Condition::Any(Vec::new());
    let everything = Condition::All(Vec::new());
    let cpu = Condition::Contains(ImageField::Kind, "cpu".to_owned());
    conditions.extend([
        Condition::All(vec![cpu.clone(), search("zebra")]),
        Condition::Any(vec![cpu.clone(), search("zebra"), name("image7-b.c")]),
        Condition::All(vec![cpu.clone(), nothing.clone()]),
        Condition::Any(vec![cpu.clone(), nothing.clone()]),
        Condition::All(vec![cpu.clone(), everything.clone()]),
        Condition::Any(vec![cpu.clone(), everything.clone()]),
        Condition::Any(vec![everything.clone(), cpu.clone()]),
        Condition::Any(vec![everything.clone()]),
        Condition::All(vec![Condition::Any(vec![nothing.clone()]), cpu]),
        nothing,
        everything,
    ]);
    conditions
}

async fn lists_have_what_was_asked_for(store: &TestStore) {
    let images = fill(store).await;
    let groups = |names: &[&str]| names.iter().map(|name| group_id(name)).collect::<Vec<_>>();
    let scopes = [
        ImageScope::All,
        ImageScope::UsableBy(Vec::new()),
        ImageScope::UsableBy(groups(&["red"])),
        ImageScope::UsableBy(groups(&["red", "blue", "none"])),
        ImageScope::UsableBy(groups(&["grey"])),
    ];
    let owners = [
        ImageOwner::Any,
        ImageOwner::System,
        ImageOwner::SomeGroup,
        ImageOwner::Groups(groups(&["green", "red"])),
        ImageOwner::Groups(Vec::new()),
    ];
    let alone = scopes[..1].iter().flat_map(|scope| owners[..1].iter().map(move |owner| (scope, owner)));
    let every = || scopes.iter().flat_map(|scope| owners.iter().map(move |owner| (scope, owner)));

    // Each condition by itself, and some with everything else.
    for condition in conditions() {
        for (scope, owner) in alone.clone() {
            let (scope, owner) = (scope.clone(), owner.clone());
            let query = ImageQuery { scope, owner, condition: Some(condition.clone()), order: None };
            check(store, &images, &query).await;
        }
    }
    let zebra = Condition::Search("zebra".to_owned());
    for condition in [None, Some(Condition::Any(vec![zebra, Condition::Name("image7-b.c".to_owned())]))] {
        for (scope, owner) in every() {
            let (scope, owner) = (scope.clone(), owner.clone());
            check(store, &images, &ImageQuery { scope, owner, condition: condition.clone(), order: None })
                .await;
        }
    }
}

async fn both_databases_sort_alike(store: &TestStore) {
    let images = fill(store).await;
    for field in FIELDS {
        for is_descending in [false, true] {
            let order = Some(ImageOrder { field, is_descending });
            check(store, &images, &ImageQuery { order, ..ImageQuery::default() }).await;
        }
    }
}

async fn pages_of_images_follow_each_other_and_end(store: &TestStore) {
    let images = fill(store).await;
    let order = Some(ImageOrder { field: ImageField::Kind, is_descending: true });
    let query = ImageQuery { owner: ImageOwner::System, order, ..ImageQuery::default() };
    let all = expected(&images, &query);

    let mut names = Vec::new();
    for number in 1..=u64::try_from(all.len().div_ceil(7)).unwrap() + 2 {
        let page = store.read().images(&query, Page::numbered(number, 7)).await.unwrap();
        assert_eq!(page.total, all.len() as u64);
        names.extend(page.rows.into_iter().map(|image| image.name.to_string()));
    }

    assert_eq!(names, all);
}
