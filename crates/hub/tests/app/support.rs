//! A hub with some people in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use imagewright_hub::access::{Account, Actor};
use imagewright_hub::app::groups::NewGroup;
use imagewright_hub::app::images::{NewImage, NewSource, RecipeInput};
use imagewright_hub::app::users::NewUser;
use imagewright_hub::config::{AddressRule, HubConfig, SystemResolver};
use imagewright_hub::error::{HubError, Kind};
use imagewright_hub::vault::Vault;
use imagewright_hub::{Clock, Hub, Metrics, Parts, Throttle};
use imagewright_spec::ImageKind;
use imagewright_store::builds::{Build, Finish, Outcome, Product, Subject};
use imagewright_store::images::ImageSource;
use imagewright_store::{GroupId, Store, UserId};
use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "a long password";

/// A hub with an admin (`root`), the groups `data` and `other`, an admin (`ann`, `otto`) and a member (`max`, `olga`)
/// in each, and somebody in no group (`nora`). Its clock goes on by a second with each look at it.
pub(crate) struct TestHub {
    pub(crate) hub: Hub,
    pub(crate) data: GroupId,
    pub(crate) other: GroupId,
    pub(crate) everyone: GroupId,
    _folder: TempDir,
}

impl TestHub {
    pub(crate) async fn new() -> Self {
        Self::configured(&[]).await
    }

    /// One whose configuration has these variables.
    pub(crate) async fn configured(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("hub-").tempdir().unwrap();
        let config = HubConfig::load(None, variables.iter().copied()).unwrap();
        let seconds = AtomicI64::new(1_800_000_000);
        let clock =
            Clock::new(move || Timestamp::from_second(seconds.fetch_add(1, Ordering::Relaxed)).unwrap());
        let hub = Hub::new(Parts {
            store: Store::open_file(&folder.path().join("hub.db")).await.unwrap(),
            clock,
            vault: Vault::open(folder.path().join("key")).unwrap(),
            addresses: AddressRule::default(),
            resolver: Arc::new(SystemResolver),
            throttle: Throttle::new(config.login.attempts, config.login.window_seconds),
            wake: Arc::default(),
            metrics: Metrics::default(),
            config,
        });
        hub.prepare().await.unwrap();
        let mut test = Self {
            everyone: hub.everyone().await.unwrap().id,
            data: GroupId::new(""),
            other: GroupId::new(""),
            hub,
            _folder: folder,
        };
        test.add_user("root", true).await;
        for name in ["ann", "max", "otto", "olga", "nora"] {
            test.add_user(name, false).await;
        }
        test.data = test.add_group("data", "ann", &["ann", "max"]).await;
        test.other = test.add_group("other", "otto", &["otto", "olga"]).await;
        test
    }

    async fn add_user(&self, name: &str, is_admin: bool) -> UserId {
        let new = NewUser { username: name.to_owned(), is_admin, is_enabled: true, ..NewUser::default() };
        self.hub.create_user(&Actor::Machine, new).await.unwrap().id
    }

    async fn add_group(&self, name: &str, admin: &str, members: &[&str]) -> GroupId {
        let mut ids = Vec::new();
        for member in members {
            ids.push(self.hub.user_by_name(&Actor::Machine, member).await.unwrap().id);
        }
        let new = NewGroup {
            name: name.to_owned(),
            members: ids,
            admins: vec![admin.to_owned()],
            ..NewGroup::default()
        };
        self.hub.create_group(&Actor::Machine, new).await.unwrap().id
    }

    /// Somebody as signed in now; `nobody` has not signed in.
    pub(crate) async fn actor(&self, name: &str) -> Actor {
        if name == "nobody" {
            return Actor::Anonymous { address: None };
        }
        let user = self.hub.user_by_name(&Actor::Machine, name).await.unwrap();
        let groups = self.hub.store.read().groups_of(&user.id).await.unwrap();
        Actor::User(Box::new(Account::new(&user, groups)))
    }

    /// Adds an existing image, as the hub's own machine may.
    pub(crate) async fn add_image(&self, name: &str, group: Option<&GroupId>, is_global: bool) {
        let new = NewImage { group: group.cloned(), is_global, ..existing(name) };
        self.hub.create_image(&Actor::Machine, new).await.unwrap();
    }

    /// Plays the worker that builds what waits, with success.
    pub(crate) async fn build_next(&self) -> Build {
        let digest = format!("sha256:{}", "0".repeat(64));
        self.build_next_as("registry.example", &digest).await
    }

    /// The same, with an image on this registry that has this digest.
    pub(crate) async fn build_next_as(&self, registry: &str, digest: &str) -> Build {
        let writer = self.hub.store.write().await.unwrap();
        let queued = writer.queued_builds().await.unwrap().into_iter().next().expect("a build that waits");
        let now = self.hub.clock.now();
        let claimed = writer.claim_build(&queued.id, "test", now, now).await.unwrap().unwrap();
        let url = format!("{registry}/images/{}:{}", claimed.subject.name(), claimed.tag);
        let product = Product {
            url: url.parse().unwrap(),
            digest: digest.to_owned(),
            gpu_url: None,
            gpu_digest: None,
            base_digest: None,
            pull_secret: None,
            size_bytes: Some(1000),
            summary: json!({}),
        };
        if let Subject::Image(name) = &claimed.subject
            && let Some(mut image) = writer.image(name).await.unwrap()
        {
            image.url = Some(product.url.clone());
            if let ImageSource::Custom { build, .. } = &mut image.source {
                *build = Some(claimed.id.clone());
            }
            writer.update_image(&image).await.unwrap();
        }
        let finish = Finish { outcome: Outcome::Succeeded(Box::new(product)), stages: Vec::new(), at: now };
        assert!(writer.finish_build(&claimed.id, claimed.fence, &finish).await.unwrap());
        let build = writer.build(&claimed.id).await.unwrap().unwrap();
        writer.commit().await.unwrap();
        build
    }
}

/// An image that exists in some registry.
pub(crate) fn existing(name: &str) -> NewImage {
    NewImage {
        name: Some(name.to_owned()),
        display_name: None,
        is_display_name_strict: false,
        description: String::new(),
        kind: ImageKind::Universal,
        group: None,
        is_global: false,
        shared_with: Vec::new(),
        source: NewSource::Existing {
            url: Some(format!("registry.example/{name}:1")),
            url_for_gpu: None,
            pull_secret: None,
        },
    }
}

/// An image that is to be built.
pub(crate) fn custom(name: &str, group: Option<&GroupId>) -> NewImage {
    NewImage { group: group.cloned(), source: NewSource::Custom(recipe("pandas")), ..existing(name) }
}

pub(crate) fn recipe(pip: &str) -> RecipeInput {
    RecipeInput {
        base: "registry.example/base:1".to_owned(),
        pip: vec![pip.to_owned()],
        ..RecipeInput::default()
    }
}

/// What kind of error it is.
pub(crate) fn kind<T: std::fmt::Debug>(outcome: Result<T, HubError>) -> Kind {
    outcome.expect_err("an error").kind()
}
