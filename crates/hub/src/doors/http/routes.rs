//! Every route.

use axum::routing::{MethodRouter, get, post};

use super::{Doors, authorization, graphql, health, logs, selection};

/// The routes by name: method and path. `HEAD` goes where `GET` does.
pub(in crate::doors) fn routes() -> Vec<(&'static str, MethodRouter<Doors>)> {
    vec![
        ("GET /healthz", get(health::alive)),
        ("GET /readyz", get(health::ready)),
        ("GET /metrics", get(health::figures)),
        ("POST /api/graphql", post(graphql::graphql)),
        ("GET /api/groups/{group}/selection", get(selection::selection)),
        ("GET /api/logs/images/{id}/job", get(logs::of_image)),
        ("GET /api/logs/builds/{id}", get(logs::of_build)),
        ("GET /api/logs/namespaces/{namespace}/jobs/{id}", get(logs::of_job)),
        ("GET /oidc/auth-flow/request", get(authorization::request)),
        ("GET /oidc/auth-flow/code", get(authorization::code)),
        ("POST /oidc/auth-flow/exchange", post(authorization::exchange)),
    ]
}
