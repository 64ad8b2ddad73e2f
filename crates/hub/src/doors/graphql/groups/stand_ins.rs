//! What PrimeHub's groups have besides images: this hub has none of it, and clients ask nevertheless.

use async_graphql::SimpleObject;

/// A type of instance. This hub has none; the type is here for PrimeHub's clients.
#[derive(SimpleObject, Default)]
pub(super) struct InstanceType {
    /// Identifier.
    id: String,
    /// Name.
    name: String,
    /// Name that is shown.
    display_name: Option<String>,
    /// Description.
    description: Option<String>,
    /// Cores that are reserved.
    cpu_request: Option<f64>,
    /// Cores at most.
    cpu_limit: Option<f64>,
    /// GB that are reserved.
    memory_request: Option<f64>,
    /// GB at most.
    memory_limit: Option<f64>,
    /// GPUs.
    gpu_limit: Option<i64>,
    /// Whether every group may use it.
    global: Option<bool>,
}

/// A volume. This hub has none; the type is here for PrimeHub's clients.
#[derive(SimpleObject, Default)]
pub(super) struct Dataset {
    /// Identifier.
    id: String,
    /// Name.
    name: String,
    /// Name that is shown.
    display_name: Option<String>,
    /// Description.
    description: Option<String>,
    /// Its kind.
    r#type: Option<String>,
    /// Whether the group may write to it.
    writable: Option<bool>,
}

/// What notebooks of a group use. This hub runs none, and does not know.
#[derive(SimpleObject, Default)]
#[expect(clippy::struct_field_names, reason = "the fields of PrimeHub's type")]
pub(super) struct ResourceStatus {
    /// Cores.
    cpu_usage: Option<f64>,
    /// GB.
    mem_usage: Option<f64>,
    /// GPUs.
    gpu_usage: Option<i64>,
}
