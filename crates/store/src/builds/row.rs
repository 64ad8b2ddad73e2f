//! Builds as rows.

use sea_orm::ActiveValue::Set;

use super::{Build, NewBuild, Product, Subject};
use crate::error::{StoreError, from_json, from_text, to_json};
use crate::identifiers::{GroupId, SecretId};
use crate::moment::{from_column, to_column};
use crate::tables::build::{ActiveModel, Model};

const TABLE: &str = "builds";

impl TryFrom<Model> for Build {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let product = product(&row)?;
        let subject = match row.subject_kind.as_str() {
            "image" => Subject::Image(from_text(TABLE, &row.subject)?),
            "spec" => Subject::Spec(from_text(TABLE, &row.subject)?),
            other => {
                let problem = format!("{other:?} is nothing that is built");
                return Err(StoreError::Damaged { table: TABLE, problem });
            }
        };
        Ok(Self {
            id: row.id.into(),
            subject,
            number: row.number,
            group: row.group_id.map(GroupId::from),
            status: from_text(TABLE, &row.status)?,
            recipe: from_json(TABLE, &row.recipe)?,
            recipe_secret: row.recipe_secret_id.map(SecretId::from),
            spec_hash: from_text(TABLE, &row.spec_hash)?,
            tag: row.tag,
            requested_by: row.requested_by.into(),
            requested_by_name: row.requested_by_name,
            requested_at: from_column(row.requested_at),
            started_at: row.started_at.map(from_column),
            finished_at: row.finished_at.map(from_column),
            updated_at: from_column(row.updated_at),
            attempt: row.attempt,
            worker: row.worker,
            lease_until: row.lease_until.map(from_column),
            fence: row.fence,
            is_cancel_requested: row.is_cancel_requested,
            publish_granted_at: row.publish_granted_at.map(from_column),
            stages: from_json(TABLE, &row.stages)?,
            product,
            failure: row.error.as_deref().map(|error| from_json(TABLE, error)).transpose()?,
            orphaned_at: row.orphaned_at.map(from_column),
            removed_at: row.removed_at.map(from_column),
        })
    }
}

fn product(row: &Model) -> Result<Option<Product>, StoreError> {
    let (Some(url), Some(digest)) = (&row.url, &row.digest) else { return Ok(None) };
    Ok(Some(Product {
        url: from_text(TABLE, url)?,
        digest: digest.clone(),
        gpu_url: row.gpu_url.as_deref().map(|url| from_text(TABLE, url)).transpose()?,
        gpu_digest: row.gpu_digest.clone(),
        base_digest: row.base_digest.clone(),
        pull_secret: row.pull_secret_id.clone().map(SecretId::from),
        size_bytes: row.size_bytes.and_then(|size| size.try_into().ok()),
        summary: row
            .result
            .as_deref()
            .map(|result| from_json(TABLE, result))
            .transpose()?
            .unwrap_or_default(),
    }))
}

/// The row of a build that was just asked for.
pub(super) fn queued(build: &NewBuild, number: i64) -> ActiveModel {
    let moment = to_column(build.requested_at);
    ActiveModel {
        id: Set(format!("{}-{}-{number}", build.subject.kind(), build.subject.name())),
        subject_kind: Set(build.subject.kind().to_owned()),
        subject: Set(build.subject.name().to_owned()),
        number: Set(number),
        group_id: Set(build.group.as_ref().map(ToString::to_string)),
        status: Set(super::BuildStatus::Queued.name().to_owned()),
        recipe: Set(to_json(&build.recipe)),
        recipe_secret_id: Set(build.recipe_secret.as_ref().map(ToString::to_string)),
        spec_hash: Set(build.spec_hash.to_string()),
        tag: Set(format!("{}-{number}", build.spec_hash)),
        requested_by: Set(build.requested_by.to_string()),
        requested_by_name: Set(build.requested_by_name.clone()),
        requested_at: Set(moment),
        started_at: Set(None),
        finished_at: Set(None),
        updated_at: Set(moment),
        attempt: Set(0),
        worker: Set(None),
        lease_until: Set(None),
        fence: Set(0),
        is_cancel_requested: Set(false),
        publish_granted_at: Set(None),
        stages: Set("[]".to_owned()),
        result: Set(None),
        error: Set(None),
        base_digest: Set(None),
        url: Set(None),
        digest: Set(None),
        gpu_url: Set(None),
        gpu_digest: Set(None),
        pull_secret_id: Set(None),
        size_bytes: Set(None),
        orphaned_at: Set(None),
        removed_at: Set(None),
    }
}
