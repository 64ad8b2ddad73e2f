//! The stand-in interpreter, run as uv runs it.

use std::process::Command;

use crate::pip::fixtures::target;
use crate::pip::stand_in::{REFUSAL, write};

#[test]
fn it_answers_one_question_and_refuses_everything_else() {
    let folder = tempfile::tempdir().unwrap();
    // A quote in the path must not end the quoting of the script.
    let parent = folder.path().join("it's here");
    let path = write(&target(), &parent).unwrap();
    let run = |arguments: &[&str]| {
        Command::new(&path).args(arguments).env_clear().env("PATH", "/nonexistent").output().unwrap()
    };
    let answer = run(&["-I", "-c", "from python.get_interpreter_info import main; main()"]);
    assert!(answer.status.success());
    let facts: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(facts["markers"]["python_full_version"], "3.11.2");
    assert_eq!(facts["os"]["minor"], 36);
    assert_eq!(facts["sys_executable"].as_str(), path.to_str());
    for arguments in [&["setup.py", "egg_info"][..], &["-c", "import os"], &[]] {
        let refused = run(arguments);
        assert_eq!(refused.status.code(), Some(i32::from(REFUSAL)));
        assert!(refused.stdout.is_empty());
    }
    assert_eq!(write(&target(), &parent).unwrap(), path);
}
