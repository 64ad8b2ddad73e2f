//! The life of a build: asked for, claimed, ended.
//!
//! A worker holds a build by a lease and a *fence*, the number of its claim. Whatever a worker writes names the
//! fence, and is written only while that is still the build's: a worker that was believed dead changes nothing.

use imagewright_spec::ImageReference;
use jiff::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, DatabaseTransaction,
    EntityTrait as _, QueryFilter as _, UpdateMany,
};

use super::{Build, BuildStatus, Failure, NewBuild, Product, Stage, Subject, row};
use crate::error::{StoreError, to_json};
use crate::identifiers::BuildId;
use crate::moment::to_column;
use crate::session::Session;
use crate::tables::build::{Column, Entity};
use crate::tables::build_number;

/// The number by which PostgreSQL knows the lock of the queue.
const QUEUE_LOCK: i64 = 0x696d_6167_6577;

/// How a build has ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// With an image.
    Succeeded(Box<Product>),
    /// With an error.
    Failed(Failure),
    /// Because somebody wanted it to.
    Cancelled,
}

/// The end of a build, as its worker has it.
#[derive(Debug, Clone)]
pub struct Finish {
    /// How.
    pub outcome: Outcome,
    /// All stages that had begun.
    pub stages: Vec<Stage>,
    /// When.
    pub at: Timestamp,
}

impl Session<DatabaseTransaction> {
    /// Waits until no other hub chooses a build, and keeps the others waiting until this transaction ends. SQLite has
    /// one writer at a time anyway.
    pub async fn lock_queue(&self) -> Result<(), StoreError> {
        if self.is_postgresql() {
            let statement = format!("SELECT pg_advisory_xact_lock({QUEUE_LOCK})");
            self.connection.execute_unprepared(&statement).await?;
        }
        Ok(())
    }

    /// Queues a build under its subject's next number.
    pub async fn enqueue_build(&self, build: &NewBuild) -> Result<Build, StoreError> {
        let number = self.next_number(&build.subject).await?;
        row::queued(build, number).insert(&self.connection).await?.try_into()
    }

    async fn next_number(&self, subject: &Subject) -> Result<i64, StoreError> {
        use build_number::{ActiveModel, Column, Entity};
        let row = ActiveModel {
            subject_kind: Set(subject.kind().to_owned()),
            subject: Set(subject.name().to_owned()),
            number: Set(1),
        };
        let next = Expr::col((Entity, Column::Number)).add(1);
        let on_conflict = OnConflict::columns([Column::SubjectKind, Column::Subject])
            .value(Column::Number, next)
            .to_owned();
        Ok(Entity::insert(row).on_conflict(on_conflict).exec_with_returning(&self.connection).await?.number)
    }

    /// Gives a build that waits to a worker. `None` when it does not wait any more.
    pub async fn claim_build(
        &self,
        id: &BuildId,
        worker: &str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Build>, StoreError> {
        let outcome = Entity::update_many()
            .col_expr(Column::Status, Expr::value(BuildStatus::Running.name()))
            .col_expr(Column::Worker, Expr::value(worker))
            .col_expr(Column::LeaseUntil, Expr::value(to_column(lease_until)))
            .col_expr(Column::Fence, Expr::col(Column::Fence).add(1))
            .col_expr(Column::Attempt, Expr::col(Column::Attempt).add(1))
            .col_expr(Column::StartedAt, Expr::col(Column::StartedAt).if_null(to_column(now)))
            .col_expr(Column::UpdatedAt, Expr::value(to_column(now)))
            .col_expr(Column::Stages, Expr::value("[]"))
            .filter(Column::Id.eq(id.as_str()))
            .filter(Column::Status.eq(BuildStatus::Queued.name()))
            .exec(&self.connection)
            .await?;
        if outcome.rows_affected == 0 {
            return Ok(None);
        }
        self.build(id).await
    }

    /// Keeps a lease. `None` when the worker has lost it; else whether somebody wants the build to end.
    pub async fn renew_lease(
        &self,
        id: &BuildId,
        fence: i64,
        until: Timestamp,
    ) -> Result<Option<bool>, StoreError> {
        let update = Entity::update_many().col_expr(Column::LeaseUntil, Expr::value(to_column(until)));
        if !self.applied(held(update, id, fence)).await? {
            return Ok(None);
        }
        Ok(self.build(id).await?.map(|build| build.is_cancel_requested))
    }

    /// Notes which stages have begun. False when the worker has lost its lease.
    pub async fn set_stages(
        &self,
        id: &BuildId,
        fence: i64,
        stages: &[Stage],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = Entity::update_many()
            .col_expr(Column::Stages, Expr::value(to_json(&stages)))
            .col_expr(Column::UpdatedAt, Expr::value(to_column(now)));
        self.applied(held(update, id, fence)).await
    }

    /// Allows a worker to move its tag, if it still holds the build and nobody wants that to end.
    pub async fn grant_publish(&self, id: &BuildId, fence: i64, now: Timestamp) -> Result<bool, StoreError> {
        let update = Entity::update_many().col_expr(Column::PublishGrantedAt, Expr::value(to_column(now)));
        self.applied(held(update, id, fence).filter(Column::IsCancelRequested.eq(false))).await
    }

    /// Gives a build another tag: the earlier attempt may have pushed the one that it had.
    pub async fn set_tag(&self, id: &BuildId, fence: i64, tag: &str) -> Result<bool, StoreError> {
        let update = Entity::update_many().col_expr(Column::Tag, Expr::value(tag));
        self.applied(held(update, id, fence)).await
    }

    /// Ends a build. False when the worker has lost its lease: nothing is changed then.
    pub async fn finish_build(&self, id: &BuildId, fence: i64, finish: &Finish) -> Result<bool, StoreError> {
        let moment = to_column(finish.at);
        let update = Entity::update_many()
            .col_expr(Column::Stages, Expr::value(to_json(&finish.stages)))
            .col_expr(Column::FinishedAt, Expr::value(moment))
            .col_expr(Column::UpdatedAt, Expr::value(moment))
            .col_expr(Column::Worker, Expr::value(None::<String>))
            .col_expr(Column::LeaseUntil, Expr::value(None::<i64>));
        let ended = |update: UpdateMany<Entity>, status: BuildStatus| {
            update.col_expr(Column::Status, Expr::value(status.name()))
        };
        let update = match &finish.outcome {
            Outcome::Succeeded(product) => ended(with_product(update, product), BuildStatus::Succeeded),
            Outcome::Failed(failure) => {
                ended(update.col_expr(Column::Error, Expr::value(to_json(failure))), BuildStatus::Failed)
            }
            Outcome::Cancelled => ended(update, BuildStatus::Cancelled),
        };
        self.applied(held(update, id, fence)).await
    }

    /// Puts a build back whose worker is gone, to be claimed again. False when it is not that claim's any more.
    pub async fn requeue_build(&self, id: &BuildId, fence: i64, now: Timestamp) -> Result<bool, StoreError> {
        let update = Entity::update_many()
            .col_expr(Column::Status, Expr::value(BuildStatus::Queued.name()))
            .col_expr(Column::Worker, Expr::value(None::<String>))
            .col_expr(Column::LeaseUntil, Expr::value(None::<i64>))
            .col_expr(Column::UpdatedAt, Expr::value(to_column(now)));
        self.applied(held(update, id, fence)).await
    }

    /// Asks for the end of a build: one that waits ends at once, one that runs is told. The build as it is then;
    /// `None` when there is none. One that has ended stays as it is.
    pub async fn request_cancel(&self, id: &BuildId, now: Timestamp) -> Result<Option<Build>, StoreError> {
        let moment = to_column(now);
        Entity::update_many()
            .col_expr(Column::Status, Expr::value(BuildStatus::Cancelled.name()))
            .col_expr(Column::IsCancelRequested, Expr::value(true))
            .col_expr(Column::FinishedAt, Expr::value(moment))
            .col_expr(Column::UpdatedAt, Expr::value(moment))
            .filter(Column::Id.eq(id.as_str()))
            .filter(Column::Status.eq(BuildStatus::Queued.name()))
            .exec(&self.connection)
            .await?;
        Entity::update_many()
            .col_expr(Column::IsCancelRequested, Expr::value(true))
            .col_expr(Column::UpdatedAt, Expr::value(moment))
            .filter(Column::Id.eq(id.as_str()))
            .filter(Column::Status.eq(BuildStatus::Running.name()))
            .exec(&self.connection)
            .await?;
        self.build(id).await
    }

    /// Leaves the builds of a subject that is deleted without one, and gives their number.
    pub async fn orphan_builds(&self, subject: &Subject, now: Timestamp) -> Result<u64, StoreError> {
        let outcome = Entity::update_many()
            .col_expr(Column::OrphanedAt, Expr::value(to_column(now)))
            .filter(Column::SubjectKind.eq(subject.kind()))
            .filter(Column::Subject.eq(subject.name()))
            .filter(Column::OrphanedAt.is_null())
            .exec(&self.connection)
            .await?;
        Ok(outcome.rows_affected)
    }

    /// Notes that what a build had pushed is gone.
    pub async fn mark_removed(&self, id: &BuildId, now: Timestamp) -> Result<bool, StoreError> {
        let update = Entity::update_many()
            .col_expr(Column::RemovedAt, Expr::value(to_column(now)))
            .filter(Column::Id.eq(id.as_str()));
        self.applied(update).await
    }

    async fn applied(&self, update: UpdateMany<Entity>) -> Result<bool, StoreError> {
        Ok(update.exec(&self.connection).await?.rows_affected > 0)
    }
}

/// Only while this claim holds the build.
fn held(update: UpdateMany<Entity>, id: &BuildId, fence: i64) -> UpdateMany<Entity> {
    update
        .filter(Column::Id.eq(id.as_str()))
        .filter(Column::Fence.eq(fence))
        .filter(Column::Status.eq(BuildStatus::Running.name()))
}

fn with_product(update: UpdateMany<Entity>, product: &Product) -> UpdateMany<Entity> {
    let text = |reference: &Option<ImageReference>| reference.as_ref().map(ToString::to_string);
    update
        .col_expr(Column::Url, Expr::value(product.url.to_string()))
        .col_expr(Column::Digest, Expr::value(product.digest.clone()))
        .col_expr(Column::GpuUrl, Expr::value(text(&product.gpu_url)))
        .col_expr(Column::GpuDigest, Expr::value(product.gpu_digest.clone()))
        .col_expr(Column::BaseDigest, Expr::value(product.base_digest.clone()))
        .col_expr(Column::PullSecretId, Expr::value(product.pull_secret.as_ref().map(ToString::to_string)))
        .col_expr(
            Column::SizeBytes,
            Expr::value(product.size_bytes.and_then(|size| i64::try_from(size).ok())),
        )
        .col_expr(Column::Result, Expr::value(product.summary.to_string()))
}
