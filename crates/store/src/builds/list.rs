//! Finding builds.

use imagewright_spec::ImageReference;
use jiff::Timestamp;
use sea_orm::sea_query::{Cond, Expr, ExprTrait as _, Func, Query};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select,
};

use super::{Build, BuildStatus, Subject};
use crate::error::StoreError;
use crate::identifiers::{BuildId, GroupId};
use crate::moment::to_column;
use crate::page::{Listed, Page};
use crate::session::Session;
use crate::tables::build::{Column, Entity};

/// What a list of builds is narrowed to; all that is given holds.
#[derive(Debug, Clone, Default)]
pub struct BuildFilter {
    /// Builds of this image or spec; those of an earlier one of the same name are left out.
    pub subject: Option<Subject>,
    /// Builds of custom image specs (true) or of images (false).
    pub of_specs: Option<bool>,
    /// In one of these states.
    pub statuses: Option<Vec<BuildStatus>>,
    /// For these groups.
    pub groups: Option<Vec<GroupId>>,
    /// Asked for at this moment or later.
    pub since: Option<Timestamp>,
}

impl<C: ConnectionTrait> Session<C> {
    /// The build with this identifier.
    pub async fn build(&self, id: &BuildId) -> Result<Option<Build>, StoreError> {
        let found = Entity::find_by_id(id.as_str()).one(&self.connection).await?;
        found.map(Build::try_from).transpose()
    }

    /// The build of a subject with this number.
    pub async fn build_numbered(&self, subject: &Subject, number: i64) -> Result<Option<Build>, StoreError> {
        let found = of(subject).filter(Column::Number.eq(number)).one(&self.connection).await?;
        found.map(Build::try_from).transpose()
    }

    /// The latest build of a subject.
    pub async fn latest_build(&self, subject: &Subject) -> Result<Option<Build>, StoreError> {
        let found = of(subject).order_by_desc(Column::Number).one(&self.connection).await?;
        found.map(Build::try_from).transpose()
    }

    /// The latest build of each of these images (or specs), for those that have one.
    pub async fn latest_builds(&self, kind: &str, names: &[&str]) -> Result<Vec<Build>, StoreError> {
        let latest = Query::select()
            .expr(Func::max(Expr::col(Column::Number)))
            .column(Column::Subject)
            .from(Entity)
            .and_where(Expr::col(Column::SubjectKind).eq(kind))
            .and_where(Expr::col(Column::Subject).is_in(names.iter().copied()))
            .and_where(Expr::col(Column::OrphanedAt).is_null())
            .group_by_col(Column::Subject)
            .to_owned();
        let is_latest =
            Expr::tuple([Expr::col(Column::Number), Expr::col(Column::Subject)]).in_subquery(latest);
        let rows = Entity::find()
            .filter(Column::SubjectKind.eq(kind))
            .filter(Column::OrphanedAt.is_null())
            .filter(is_latest)
            .all(&self.connection)
            .await?;
        rows.into_iter().map(Build::try_from).collect()
    }

    /// Builds, newest first.
    pub async fn builds(&self, filter: &BuildFilter, page: Page) -> Result<Listed<Build>, StoreError> {
        let mut query = match &filter.subject {
            Some(subject) => of(subject),
            None => Entity::find(),
        };
        if let Some(of_specs) = filter.of_specs {
            query = query.filter(Column::SubjectKind.eq(if of_specs { "spec" } else { "image" }));
        }
        if let Some(statuses) = &filter.statuses {
            query = query.filter(Column::Status.is_in(statuses.iter().map(|status| status.name())));
        }
        if let Some(groups) = &filter.groups {
            query = query.filter(Column::GroupId.is_in(groups.iter().map(GroupId::as_str)));
        }
        if let Some(since) = filter.since {
            query = query.filter(Column::RequestedAt.gte(to_column(since)));
        }
        let total = query.clone().count(&self.connection).await?;
        let query =
            query.order_by_desc(Column::RequestedAt).order_by_desc(Column::Number).order_by_asc(Column::Id);
        let rows = page.of(query).all(&self.connection).await?;
        Ok(Listed { rows: rows.into_iter().map(Build::try_from).collect::<Result<_, _>>()?, total })
    }

    /// Builds that wait, in the order in which they were asked for.
    pub async fn queued_builds(&self) -> Result<Vec<Build>, StoreError> {
        let rows = Entity::find()
            .filter(Column::Status.eq(BuildStatus::Queued.name()))
            .order_by_asc(Column::RequestedAt)
            .order_by_asc(Column::Id)
            .all(&self.connection)
            .await?;
        rows.into_iter().map(Build::try_from).collect()
    }

    /// Builds that a worker has.
    pub async fn running_builds(&self) -> Result<Vec<Build>, StoreError> {
        let rows = Entity::find()
            .filter(Column::Status.eq(BuildStatus::Running.name()))
            .order_by_asc(Column::StartedAt)
            .order_by_asc(Column::Id)
            .all(&self.connection)
            .await?;
        rows.into_iter().map(Build::try_from).collect()
    }

    /// Builds whose image is still in the registry, oldest first.
    pub async fn pushed_builds(&self) -> Result<Vec<Build>, StoreError> {
        let rows = Entity::find()
            .filter(Column::Digest.is_not_null())
            .filter(Column::RemovedAt.is_null())
            .order_by_asc(Column::RequestedAt)
            .order_by_asc(Column::Id)
            .all(&self.connection)
            .await?;
        rows.into_iter().map(Build::try_from).collect()
    }

    /// The build that has pushed an image under this address, with its tag.
    pub async fn build_at(&self, url: &ImageReference) -> Result<Option<Build>, StoreError> {
        let url = url.to_string();
        let is_there = Cond::any().add(Column::Url.eq(url.as_str())).add(Column::GpuUrl.eq(url.as_str()));
        let found = Entity::find().filter(is_there).one(&self.connection).await?;
        found.map(Build::try_from).transpose()
    }

    /// Compressed bytes of what a group's builds have in the registry, bases and shared layers counted each time.
    pub async fn stored_bytes(&self, group: &GroupId) -> Result<u64, StoreError> {
        let sum = Entity::find()
            .select_only()
            // PostgreSQL sums to a type of its own.
            .expr(Expr::col(Column::SizeBytes).sum().cast_as("BIGINT"))
            .filter(Column::GroupId.eq(group.as_str()))
            .filter(Column::Digest.is_not_null())
            .filter(Column::RemovedAt.is_null())
            .into_tuple::<Option<i64>>()
            .one(&self.connection)
            .await?;
        Ok(sum.flatten().map_or(0, |sum| u64::try_from(sum).unwrap_or(0)))
    }
}

fn of(subject: &Subject) -> Select<Entity> {
    Entity::find()
        .filter(Column::SubjectKind.eq(subject.kind()))
        .filter(Column::Subject.eq(subject.name()))
        .filter(Column::OrphanedAt.is_null())
}
