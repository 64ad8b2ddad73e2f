//! PrimeHub's own client, installed from the public index, against this hub: for an admin, a group admin and a member. Each test
//! looks at what the client prints and at what has come of it.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod admin_groups;
mod admin_images;
mod admin_secrets;
mod admin_users;
mod configuration;
mod group_admin;
mod member;
#[path = "../doors/server.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod server;
#[path = "../app/support.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use imagewright_hub::access::Actor;
use imagewright_store::UserId;
use imagewright_testkit::PrimeHubSdk;
use serde_json::Value;

use server::Server;

impl Server {
    /// The client of somebody, who has not chosen a group.
    async fn client_of(&self, name: &str) -> PrimeHubSdk {
        PrimeHubSdk::new(&self.url("/api/graphql"), &self.token(name).await)
    }

    /// The client of somebody who works in a group.
    async fn client_in(&self, name: &str, group: &str) -> PrimeHubSdk {
        let sdk = self.client_of(name).await;
        sdk.run(&["config", "set-group", group]).text();
        sdk
    }

    async fn user(&self, name: &str) -> UserId {
        self.test.hub.user_by_name(&Actor::Machine, name).await.unwrap().id
    }
}

/// The values of a field in a list.
fn each<'list>(list: &'list Value, field: &str) -> Vec<&'list str> {
    let rows = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    rows.iter().map(|row| row[field].as_str().unwrap_or_default()).collect()
}
