//! Fields of groups that clients keep here and the hub does not use: quotas of notebooks and the like.

use async_graphql::{InputObject, MaybeUndefined, SimpleObject};
use serde::Serialize;
use serde_json::{Map, Value};

/// The fields, as they are given. The hub keeps them and does nothing with them.
#[derive(InputObject, Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct GroupAttributesInput {
    /// Cores that a user may have.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    quota_cpu: MaybeUndefined<f64>,
    /// GPUs that a user may have.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    quota_gpu: MaybeUndefined<i64>,
    /// GB of memory that a user may have.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    quota_memory: MaybeUndefined<f64>,
    /// GB of a user's volume.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    user_volume_capacity: MaybeUndefined<i64>,
    /// Cores that the group may have.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    project_quota_cpu: MaybeUndefined<f64>,
    /// GPUs that the group may have.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    project_quota_gpu: MaybeUndefined<i64>,
    /// GB of memory that the group may have.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    project_quota_memory: MaybeUndefined<f64>,
    /// Whether the group has a shared volume.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    enabled_shared_volume: MaybeUndefined<bool>,
    /// GB of the shared volume.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    shared_volume_capacity: MaybeUndefined<i64>,
    /// Whether the home folder leads to the shared volume.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    home_symlink: MaybeUndefined<bool>,
    /// Whether the shared volume is for notebooks of this group only.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    launch_group_only: MaybeUndefined<bool>,
    /// Whether the group may deploy models.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    enabled_deployment: MaybeUndefined<bool>,
    /// How many models it may deploy.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    max_deploy: MaybeUndefined<i64>,
    /// How many seconds a job may take.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    job_default_active_deadline_seconds: MaybeUndefined<i64>,
    /// Where runs of `MLflow` are logged.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    tracking_uri: MaybeUndefined<String>,
    /// Where the pages of `MLflow` are.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    ui_url: MaybeUndefined<String>,
    /// Variables for logging: a list of objects with `name` and `value`.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    tracking_envs: MaybeUndefined<Value>,
    /// Variables for artefacts.
    #[serde(skip_serializing_if = "MaybeUndefined::is_undefined")]
    artifact_envs: MaybeUndefined<Value>,
}

impl GroupAttributesInput {
    /// The fields that were given.
    pub(super) fn given(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        }
    }
}

/// The fields, as they are kept.
#[derive(SimpleObject, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the fields of PrimeHub's groups")]
pub(super) struct GroupAttributes {
    /// Cores that a user may have; any number without.
    quota_cpu: Option<f64>,
    /// GPUs that a user may have.
    quota_gpu: Option<i64>,
    /// GB of memory that a user may have.
    quota_memory: Option<f64>,
    /// GB of a user's volume.
    user_volume_capacity: Option<i64>,
    /// Cores that the group may have.
    project_quota_cpu: Option<f64>,
    /// GPUs that the group may have.
    project_quota_gpu: Option<i64>,
    /// GB of memory that the group may have.
    project_quota_memory: Option<f64>,
    /// Whether the group has a shared volume.
    enabled_shared_volume: bool,
    /// GB of the shared volume.
    shared_volume_capacity: Option<i64>,
    /// Whether the home folder leads to the shared volume.
    home_symlink: bool,
    /// Whether the shared volume is for notebooks of this group only.
    launch_group_only: bool,
    /// Whether the group may deploy models.
    enabled_deployment: bool,
    /// How many models it may deploy.
    max_deploy: Option<i64>,
    /// How many seconds a job may take.
    job_default_active_deadline_seconds: Option<i64>,
    /// Where the group's `MLflow` is.
    mlflow: Option<MlflowSetting>,
}

/// Where a group's `MLflow` is.
#[derive(SimpleObject, Debug, PartialEq, Eq)]
#[graphql(name = "MLflowSetting")]
pub(super) struct MlflowSetting {
    /// Where runs are logged.
    tracking_uri: Option<String>,
    /// Where its pages are.
    ui_url: Option<String>,
    /// Variables for logging.
    tracking_envs: Vec<EnvVar>,
    /// Variables for artefacts.
    artifact_envs: Vec<EnvVar>,
}

/// A variable.
#[derive(SimpleObject, Debug, PartialEq, Eq)]
pub(super) struct EnvVar {
    /// Name.
    name: String,
    /// Value.
    value: String,
}

impl GroupAttributes {
    /// What is kept, read with patience: a field of another type is none.
    pub(super) fn read(kept: &Value) -> Self {
        let number = |field: &str| kept[field].as_f64();
        let count = |field: &str| kept[field].as_i64();
        let switch = |field: &str| kept[field].as_bool().unwrap_or_default();
        Self {
            quota_cpu: number("quotaCpu"),
            quota_gpu: count("quotaGpu"),
            quota_memory: number("quotaMemory"),
            user_volume_capacity: count("userVolumeCapacity"),
            project_quota_cpu: number("projectQuotaCpu"),
            project_quota_gpu: count("projectQuotaGpu"),
            project_quota_memory: number("projectQuotaMemory"),
            enabled_shared_volume: switch("enabledSharedVolume"),
            shared_volume_capacity: count("sharedVolumeCapacity"),
            home_symlink: switch("homeSymlink"),
            launch_group_only: switch("launchGroupOnly"),
            enabled_deployment: switch("enabledDeployment"),
            max_deploy: count("maxDeploy"),
            job_default_active_deadline_seconds: count("jobDefaultActiveDeadlineSeconds"),
            mlflow: MlflowSetting::read(kept),
        }
    }
}

impl MlflowSetting {
    fn read(kept: &Value) -> Option<Self> {
        let tracking_uri = kept["trackingUri"].as_str()?.to_owned();
        Some(Self {
            tracking_uri: Some(tracking_uri),
            ui_url: kept["uiUrl"].as_str().map(str::to_owned),
            tracking_envs: EnvVar::read(&kept["trackingEnvs"]),
            artifact_envs: EnvVar::read(&kept["artifactEnvs"]),
        })
    }
}

impl EnvVar {
    fn read(kept: &Value) -> Vec<Self> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let variables = kept.as_array().map(Vec::as_slice).unwrap_or_default();
        variables.iter().map(|kept| Self { name: text(&kept["name"]), value: text(&kept["value"]) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_given_is_written_and_null_is_given() {
        let input = GroupAttributesInput {
            quota_cpu: MaybeUndefined::Value(0.5),
            quota_gpu: MaybeUndefined::Null,
            tracking_envs: MaybeUndefined::Value(json!([{ "name": "a", "value": "b" }])),
            ..GroupAttributesInput::default()
        };
        let kept = Value::Object(input.given());
        assert_eq!(
            kept,
            json!({ "quotaCpu": 0.5, "quotaGpu": null, "trackingEnvs": [{ "name": "a", "value": "b" }] })
        );
        let attributes = GroupAttributes::read(&kept);
        assert_eq!((attributes.quota_cpu, attributes.quota_gpu), (Some(0.5), None));
        assert_eq!(attributes.mlflow, None);
        let attributes = GroupAttributes::read(&json!({ "trackingUri": "http://m", "maxDeploy": "many" }));
        assert_eq!(attributes.max_deploy, None);
        assert!(attributes.mlflow.is_some());
    }
}
