//! Several stores on one database, in one process and in others, some of which die.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use imagewright_store::groups::GroupFilter;
use imagewright_store::{Page, Store, StoreError};

use crate::support::rows::{group, group_id, of_image, request, user, user_id};
use crate::support::{Place, TestStore, on_both_databases};

on_both_databases!(two_stores_write_at_once, a_store_answers_again_after_its_database_was_away);

/// Tells the process that is to be killed what to do, and where.
const DIES: &str = "IMAGEWRIGHT_STORE_DIES";

async fn two_stores_write_at_once(store: &TestStore) {
    const WRITERS: usize = 4;
    const WRITES: usize = 15;
    let stores = [Store::clone(store), store.another().await];
    let tasks: Vec<_> = (0..2 * WRITERS)
        .map(|writer| {
            let store = stores[writer % 2].clone();
            tokio::spawn(async move {
                for number in 0..WRITES {
                    let writer_ = store.write().await?;
                    let name = format!("n{writer}-{number}");
                    writer_.insert_group(&group(&name)).await?;
                    writer_.enqueue_build(&request(of_image("lab"), 0)).await?;
                    writer_.commit().await?;
                    // What one has written, it reads.
                    assert!(store.read().group(&group_id(&name)).await?.is_some());
                }
                Ok::<(), StoreError>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }

    let groups = store.read().groups(&GroupFilter::default(), Page::ALL).await.unwrap();
    assert_eq!(groups.total, (2 * WRITERS * WRITES) as u64);
    let latest = store.read().latest_build(&of_image("lab")).await.unwrap().unwrap();
    assert_eq!(latest.number, i64::try_from(2 * WRITERS * WRITES).unwrap());
}

async fn a_store_answers_again_after_its_database_was_away(store: &TestStore) {
    // A file is never away.
    let Place::Server { server, .. } = &store.place else { return };
    store.change(async |writer| writer.insert_group(&group("before")).await).await;
    let writer = store.write().await.unwrap();
    writer.insert_group(&group("during")).await.unwrap();

    server.stop();

    let error = writer.commit().await.unwrap_err();
    assert!(matches!(error, StoreError::Database(_)), "{error:?}");
    server.start_again();
    store.ping().await.unwrap();
    for number in 0..3 {
        store.change(async |writer| writer.insert_group(&group(&format!("after{number}"))).await).await;
    }
    let groups = store.read().groups(&GroupFilter::default(), Page::ALL).await.unwrap();
    assert_eq!(groups.total, 4);
}

/// Not a test but a process that is killed: it opens the store and adds groups with a member until then.
#[tokio::test]
async fn process_to_be_killed() {
    let Ok(path) = std::env::var(DIES) else { return };
    let store = Store::open_file(path.as_ref()).await.unwrap();
    for number in 0.. {
        let writer = store.write().await.unwrap();
        let name = format!("n{}-{number}", std::process::id());
        if writer.user(&user_id("alice")).await.unwrap().is_none() {
            writer.insert_user(&user("alice")).await.unwrap();
        }
        writer.insert_group(&group(&name)).await.unwrap();
        writer.set_member(&group_id(&name), &user_id("alice"), true).await.unwrap();
        writer.commit().await.unwrap();
    }
}

fn start(path: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "together::process_to_be_killed"]).env(DIES, path);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills two processes that have worked for that long, and says how many groups they have left.
async fn kill_after(path: &Path, time: Duration) -> usize {
    let mut processes = [start(path), start(path)];
    tokio::time::sleep(time).await;
    for process in &mut processes {
        process.kill().unwrap();
        process.wait().unwrap();
    }
    let store = Store::open_file(path).await.unwrap();
    let groups = store.read().groups(&GroupFilter::default(), Page::ALL).await.unwrap().rows;
    let memberships = store.read().groups_of(&user_id("alice")).await.unwrap();
    assert_eq!(groups.len(), memberships.len(), "after {time:?}");
    store.close().await;
    groups.len()
}

/// SQLite's part of a crash; PostgreSQL's own is PostgreSQL's.
#[tokio::test]
async fn a_process_that_is_killed_leaves_a_store_that_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    // The first ones are killed while they make the tables, each in a file of its own.
    for round in 0..20 {
        kill_after(&folder.path().join(format!("{round}.db")), Duration::from_millis(2 * round)).await;
    }
    // What one has left, the next goes on with.
    let mut groups = 0;
    for round in 0..5 {
        let before = groups;
        groups = kill_after(&folder.path().join("hub.db"), Duration::from_millis(50 + 7 * round)).await;
        assert!(groups >= before, "{groups} of {before}");
    }
}

/// `imagewright serve` and a command beside it may be the first ones at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_may_be_opened_by_several_at_first() {
    for place in [Place::folder(), Place::server()] {
        opened_by_several(place).await;
    }
}

async fn opened_by_several(place: Place) {
    let place = std::sync::Arc::new(place);
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let place = std::sync::Arc::clone(&place);
            tokio::spawn(async move { place.open().await })
        })
        .collect();
    for task in tasks {
        let store = task.await.unwrap().unwrap();
        assert_eq!(store.read().count_users().await.unwrap(), 0);
    }
}
