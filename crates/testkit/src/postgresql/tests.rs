use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::PostgreSql;
use crate::require_tool;

const DIES: &str = "IMAGEWRIGHT_TESTKIT_POSTGRESQL_DIES";

#[test]
fn databases_are_apart_and_outlive_a_restart() {
    require_tool!("postgres", "setpriv");
    let server = PostgreSql::start();
    let [one, other] = [server.database(), server.database()];
    server.run(&one, "CREATE TABLE colours (name TEXT); INSERT INTO colours VALUES ('grün');");
    assert!(server.dump(&one).contains("INSERT INTO public.colours VALUES ('grün');"));

    server.stop();
    server.start_again();

    assert_eq!(server.run(&one, "SELECT name, length(name) FROM colours;"), "grün|4\n");
    assert_eq!(server.run(&other, "SELECT count(*) FROM pg_tables WHERE tablename = 'colours';"), "0\n");
}

#[test]
fn tests_at_the_same_time_share_one_server() {
    require_tool!("postgres", "setpriv");
    let server = PostgreSql::shared();
    assert!(Arc::ptr_eq(&server, &PostgreSql::shared()));
    let folder = server.folder.path().to_owned();
    assert!(folder.is_dir());

    drop(server);

    assert!(!folder.exists(), "{} is left", folder.display());
}

/// Not a test but the process that [`a_server_dies_with_a_process_that_is_killed`] kills.
#[test]
fn server_to_be_killed() {
    if std::env::var_os(DIES).is_some() {
        let server = PostgreSql::start();
        println!("server {}.", server.folder.data().display());
        std::thread::sleep(Duration::from_secs(1000));
    }
}

#[test]
fn a_server_dies_with_a_process_that_is_killed() {
    require_tool!("postgres", "setpriv");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "postgresql::tests::server_to_be_killed", "--nocapture"]);
    let mut parent = command.env(DIES, "1").stdout(Stdio::piped()).spawn().expect("a second process");
    let mut lines = BufReader::new(parent.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let data = lines
        .find_map(|line| Some(line.split_once("server ")?.1.trim_end_matches('.').to_owned()))
        .expect("the folder of its server");
    let data = Path::new(&data);
    let server = std::fs::read_to_string(data.join("postmaster.pid")).expect("the server's id");
    let server = Path::new("/proc").join(server.lines().next().expect("a line"));
    assert!(server.exists());

    parent.kill().expect("a process that can be killed");
    parent.wait().expect("its end");

    let deadline = Instant::now() + Duration::from_secs(10);
    // One that nobody has asked for its exit code yet has no command line any more.
    while std::fs::read(server.join("cmdline")).is_ok_and(|line| !line.is_empty()) {
        assert!(Instant::now() < deadline, "the server lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::fs::remove_dir_all(data.parent().expect("the server's folder"))
        .expect("a folder that is not in use");
}
