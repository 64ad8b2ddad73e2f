//! The folder that every server starts from, made once per machine.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Folder, USER, account, program_file};
use crate::{cache, process};

/// Raised when the template is made in another way.
const VERSION: u32 = 1;

/// Nobody needs the second empty database: without it a third less has to be copied.
const TRIM: &str = "UPDATE pg_database SET datistemplate = false WHERE datname = 'template0';\n\
                    DROP DATABASE template0;\n\
                    CHECKPOINT;\n";

/// Copies the template to this path, owners and modes included.
pub(super) fn copy_to(data: &Path) {
    let template = folder();
    cache::locked("postgresql", || {
        if !template.is_dir() {
            make(&template);
        }
    });
    process::run(Command::new("cp").args(["--archive", "--no-target-directory"]).arg(&template).arg(data));
}

/// Each version of PostgreSQL has a format of its own, and another account cannot read what root's tests have made.
fn folder() -> PathBuf {
    let programs =
        program_file("").to_string_lossy().replace(|character: char| !character.is_alphanumeric(), "-");
    let programs = programs.trim_matches('-');
    let owner = if account::is_another() { "given" } else { "own" };
    cache::folder().join(format!("postgresql-{VERSION}-{programs}-{owner}"))
}

fn make(template: &Path) {
    let folder = Folder::create();
    let data = folder.data();
    let mut command = as_server("initdb");
    command.arg("--pgdata").arg(&data).args(["--username", USER, "--auth=trust", "--no-sync"]);
    process::run(command.args(["--encoding=UTF8", "--no-locale", "--wal-segsize=1"]));

    let mut command = as_server("postgres");
    command.arg("--single").arg("-D").arg(&data).args([
        "-c",
        "fsync=off",
        "-c",
        "min_wal_size=2MB",
        "template1",
    ]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = command.spawn().expect("PostgreSQL for one user");
    let mut input = server.stdin.take().expect("its input");
    input.write_all(TRIM.as_bytes()).expect("statements that it reads");
    drop(input);
    let output = server.wait_with_output().expect("its end");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !words.contains("ERROR"), "the template cannot be trimmed:\n{words}");

    // Under its name it is whole.
    let unfinished = template.with_extension("unfinished");
    let _ = fs::remove_dir_all(&unfinished);
    process::run(Command::new("cp").arg("--archive").arg(&data).arg(&unfinished));
    fs::rename(&unfinished, template).expect("the template in the cache");
}

/// A program of PostgreSQL, with the server's account.
fn as_server(name: &str) -> Command {
    let mut command = process::bound_command_with(&account::options(), program_file(name));
    command.current_dir("/");
    command
}
