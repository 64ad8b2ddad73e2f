//! Finding images.

use imagewright_spec::{ImageName, ImageReference};
use sea_orm::sea_query::{Cond, Expr, ExprTrait as _, NullOrdering, SimpleExpr};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, QueryTrait as _, Select,
};

use super::Image;
use crate::error::StoreError;
use crate::identifiers::{GroupId, SecretId};
use crate::page::{Listed, Page};
use crate::search::{always, contains, found, never};
use crate::session::Session;
use crate::tables::image::{Column, Entity};
use crate::tables::image_group;

/// Whose eyes look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ImageScope {
    /// Every image.
    #[default]
    All,
    /// What these groups may use: their own images, those shared with them, and global ones.
    UsableBy(Vec<GroupId>),
}

/// Whose images.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ImageOwner {
    /// Whoever's.
    #[default]
    Any,
    /// System images.
    System,
    /// Images of some group.
    SomeGroup,
    /// Images of these groups.
    Groups(Vec<GroupId>),
}

/// A field that a list is searched or sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageField {
    /// Name.
    Name,
    /// Name that is shown; sorted whatever its case.
    DisplayName,
    /// Description.
    Description,
    /// Type; sorted as it is shown: CPU, GPU, Universal.
    Kind,
    /// Whether it is ready.
    IsReady,
    /// Address; images without one stand before all others.
    Url,
    /// When it was last changed.
    UpdatedAt,
}

/// What a list of images is narrowed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// This image.
    Name(String),
    /// The keyword is in the name, the name that is shown, the description or the type, whatever its case.
    Search(String),
    /// The field has this text in it, case included. Never true where it has none: an image without an address, and the
    /// fields that are no text.
    Contains(ImageField, String),
    /// All of these: everything, of none.
    All(Vec<Condition>),
    /// At least one of these: nothing, of none.
    Any(Vec<Condition>),
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageOrder {
    /// By which field; by name where that is the same.
    pub field: ImageField,
    /// From the end.
    pub is_descending: bool,
}

/// A list of images.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageQuery {
    /// Whose eyes look.
    pub scope: ImageScope,
    /// Whose images.
    pub owner: ImageOwner,
    /// What holds for each.
    pub condition: Option<Condition>,
    /// The order; by name without.
    pub order: Option<ImageOrder>,
}

impl<C: ConnectionTrait> Session<C> {
    /// The image with this name.
    pub async fn image(&self, name: &ImageName) -> Result<Option<Image>, StoreError> {
        let found = Entity::find_by_id(name.as_str()).one(&self.connection).await?;
        found.map(Image::try_from).transpose()
    }

    /// Images.
    pub async fn images(&self, query: &ImageQuery, page: Page) -> Result<Listed<Image>, StoreError> {
        let select = self.selected(query);
        let total = select.clone().count(&self.connection).await?;
        let rows = page.of(ordered(select, query.order)).all(&self.connection).await?;
        Ok(Listed { rows: rows.into_iter().map(Image::try_from).collect::<Result<_, _>>()?, total })
    }

    /// The groups that a system image is shared with, besides being global.
    pub async fn image_groups(&self, name: &ImageName) -> Result<Vec<GroupId>, StoreError> {
        let rows = image_group::Entity::find()
            .filter(image_group::Column::ImageName.eq(name.as_str()))
            .order_by_asc(image_group::Column::GroupId)
            .all(&self.connection)
            .await?;
        Ok(rows.into_iter().map(|row| row.group_id.into()).collect())
    }

    /// The images that use a secret, for themselves or for their base.
    pub async fn images_with_secret(&self, secret: &SecretId) -> Result<Vec<Image>, StoreError> {
        let uses = Cond::any()
            .add(Column::PullSecretId.eq(secret.as_str()))
            .add(Column::RecipeSecretId.eq(secret.as_str()));
        let rows = Entity::find().filter(uses).order_by_asc(Column::Name).all(&self.connection).await?;
        rows.into_iter().map(Image::try_from).collect()
    }

    /// The images at this very address, with or without a GPU.
    pub async fn images_at(&self, url: &ImageReference) -> Result<Vec<Image>, StoreError> {
        let url = url.to_string();
        let is_there = Cond::any().add(Column::Url.eq(url.as_str())).add(Column::UrlForGpu.eq(url.as_str()));
        let rows = Entity::find().filter(is_there).order_by_asc(Column::Name).all(&self.connection).await?;
        rows.into_iter().map(Image::try_from).collect()
    }

    fn selected(&self, query: &ImageQuery) -> Select<Entity> {
        let mut select = Entity::find();
        if let ImageScope::UsableBy(groups) = &query.scope {
            let groups: Vec<&str> = groups.iter().map(GroupId::as_str).collect();
            let shared = image_group::Entity::find()
                .select_only()
                .column(image_group::Column::ImageName)
                .filter(image_group::Column::GroupId.is_in(groups.iter().copied()))
                .into_query();
            let for_all = Column::IsGlobal.eq(true).or(Column::Name.in_subquery(shared));
            select = select.filter(
                Cond::any()
                    .add(Column::GroupId.is_in(groups))
                    .add(Cond::all().add(Column::GroupId.is_null()).add(for_all)),
            );
        }
        select = match &query.owner {
            ImageOwner::Any => select,
            ImageOwner::System => select.filter(Column::GroupId.is_null()),
            ImageOwner::SomeGroup => select.filter(Column::GroupId.is_not_null()),
            ImageOwner::Groups(groups) => {
                select.filter(Column::GroupId.is_in(groups.iter().map(GroupId::as_str)))
            }
        };
        if let Some(condition) = &query.condition {
            select = select.filter(self.condition(condition));
        }
        select
    }

    fn condition(&self, condition: &Condition) -> Cond {
        let one = |expression: SimpleExpr| Cond::all().add(expression);
        match condition {
            Condition::Name(name) if name.contains('\0') => one(never()),
            Condition::Name(name) => one(Column::Name.eq(name.as_str())),
            Condition::Search(keyword) => {
                one(found(Expr::col(Column::Search), keyword, self.is_postgresql()))
            }
            Condition::Contains(ImageField::IsReady | ImageField::UpdatedAt, _) => one(never()),
            Condition::Contains(field, part) => {
                one(contains(Expr::col(column_of(*field)), part, self.is_postgresql()))
            }
            Condition::All(all) if all.is_empty() => one(always()),
            Condition::All(all) => {
                all.iter().fold(Cond::all(), |conditions, next| conditions.add(self.condition(next)))
            }
            // Of no alternatives none holds.
            Condition::Any(any) if any.is_empty() => one(never()),
            Condition::Any(any) => {
                any.iter().fold(Cond::any(), |conditions, next| conditions.add(self.condition(next)))
            }
        }
    }
}

fn column_of(field: ImageField) -> Column {
    match field {
        ImageField::Name => Column::Name,
        ImageField::DisplayName => Column::DisplayName,
        ImageField::Description => Column::Description,
        ImageField::Kind => Column::Kind,
        ImageField::IsReady | ImageField::Url => Column::Url,
        ImageField::UpdatedAt => Column::UpdatedAt,
    }
}

fn ordered(select: Select<Entity>, order: Option<ImageOrder>) -> Select<Entity> {
    let Some(order) = order else { return select.order_by_asc(Column::Name) };
    let direction = if order.is_descending { sea_orm::Order::Desc } else { sea_orm::Order::Asc };
    let by = match order.field {
        ImageField::DisplayName => Expr::col(Column::SortName),
        ImageField::IsReady => Expr::col(Column::Url).is_not_null(),
        // The names of the table sort as what is shown does.
        other => Expr::col(column_of(other)),
    };
    let select = match order.field {
        // Databases differ in where they put what is not there.
        ImageField::Url if order.is_descending => {
            select.order_by_with_nulls(by, direction, NullOrdering::Last)
        }
        ImageField::Url => select.order_by_with_nulls(by, direction, NullOrdering::First),
        _ => select.order_by(by, direction),
    };
    select.order_by_asc(Column::Name)
}
