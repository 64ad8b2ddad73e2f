//! Registries on a bad day.

use std::time::Duration;

use imagewright_testkit::{Fault, FaultyProxy, Registry, require_tool};

use crate::support::{Workshop, assert_failure, index, push_base};

#[tokio::test]
async fn one_that_is_down_is_unreachable() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let base = push_base(&registry).await.reference;
    let workshop = Workshop::new();
    registry.stop();

    let outcome =
        workshop.build(&base, &index(), &["gamma"], &format!("{}/team/image:1", registry.host())).run();

    assert_failure!(outcome, @r"
    exit 6, unreachable
    message: could not read the manifest “1” in HOST/base: there is no connection; check its name, the network and that the registry runs
    ");
    assert_eq!(workshop.leftovers(), [""; 0]);
}

#[tokio::test]
async fn a_slow_one_only_takes_longer() {
    require_tool!("docker-registry", "uv");
    let registry = Registry::new();
    let base = push_base(&registry).await;
    let proxy = FaultyProxy::in_front_of(&registry);
    proxy.inject(Fault::on("/v2/").delay(Duration::from_millis(100)));
    let workshop = Workshop::new();

    let to = format!("{}/team/image:1", proxy.host());
    let outcome = workshop.build(&base.reference_at(&proxy.host()), &index(), &["gamma"], &to).run();

    assert!(registry.manifest("team/image", &outcome.digest()).await.is_some());
}
