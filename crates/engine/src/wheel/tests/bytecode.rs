//! Bytecode made by an interpreter of this machine.

use std::process::Command;

use super::*;

/// Any interpreter of this machine; there is no development machine without one.
fn interpreter() -> Interpreter {
    let found = ["/usr/bin/python3", "/usr/local/bin/python3"].into_iter();
    found.map(Path::new).find_map(Interpreter::ask).expect("tests need a python3 on this machine")
}

fn scheme_for(interpreter: &Interpreter) -> InstallScheme {
    InstallScheme { cache_tag: interpreter.cache_tag.clone(), ..scheme() }
}

fn wheel() -> TestWheel {
    TestWheel::empty()
        .with(
            "demo/__init__.py",
            "NAMES = {'a', 'b', 'c', 'd'}\ndef known(x):\n    return x in {'e', 'f', 'g'}\n",
        )
        .with("demo/broken.py", "this is {{ a template }}\n")
        .with("demo/latin.py", b"# -*- coding: latin-1 -*-\nNAME = '\xe9'\n".as_slice())
        .with("demo/tests/test_demo.py", "pass\n")
        .with("demo/__pycache__/latin.cpython-36.pyc", "old")
        .with("demo-1.0.data/scripts/run.py", "#!python\n")
}

fn stage_compiled(wheel: &TestWheel, compiler: &BytecodeCompiler, leave_out_tests: bool) -> StagedPackage {
    let options = StageOptions { bytecode: Some(compiler), leave_out_tests, ..StageOptions::default() };
    let staging = tempfile::tempdir_in(wheel.folder.path()).unwrap().keep();
    stage(&wheel.write(), &scheme_for(compiler.interpreter()), &options, &staging).unwrap()
}

fn bytecode(package: &StagedPackage) -> Vec<(&str, Vec<u8>)> {
    let made = |file: &&StagedFile| file.path.contains("/__pycache__/") && !file.path.contains("cpython-36");
    package.files.iter().filter(made).map(|file| (file.path.as_str(), read(file))).collect()
}

#[test]
fn what_compiles_is_compiled_for_its_place_and_time() {
    let interpreter = interpreter();
    let tag = interpreter.cache_tag.clone();
    let compiler = BytecodeCompiler::new(interpreter);
    let wheel = wheel();
    let package = stage_compiled(&wheel, &compiler, true);
    let site = "/opt/venv/lib/python3.11/site-packages/demo";
    let made = bytecode(&package);
    assert_eq!(
        made.iter().map(|(path, _)| (*path).to_owned()).collect::<Vec<_>>(),
        [format!("{site}/__pycache__/__init__.{tag}.pyc"), format!("{site}/__pycache__/latin.{tag}.pyc")]
    );
    assert_eq!(package.compiled_files, 2);
    assert_eq!(package.warnings, [format!("`{site}/broken.py` has no bytecode: it does not compile")]);
    let (_, latin) = &made[1];
    assert_eq!(latin[8..12], 1_580_608_922_u32.to_le_bytes(), "the source's time");
    assert_eq!(latin[12..16], 37_u32.to_le_bytes(), "the source's size");
    let path = format!("{site}/latin.py");
    assert!(latin.windows(path.len()).any(|window| window == path.as_bytes()), "the place in the image");
    let record = String::from_utf8(read(&package.requested.record)).unwrap();
    assert!(record.contains(&format!("demo/__pycache__/latin.{tag}.pyc,,\r\n")));

    let with_tests = stage_compiled(&wheel, &compiler, false);
    assert_eq!(with_tests.compiled_files, 3);
}

/// Run by the next test in processes that differ in all that must not matter: writes the bytes of all files.
#[test]
#[ignore = "a part of `bytes_are_the_same_wherever_they_are_made`"]
fn print_digest_of_a_staged_wheel() {
    let wheel = wheel();
    let package = stage_compiled(&wheel, &BytecodeCompiler::new(interpreter()), false);
    let mut all = Vec::new();
    for file in package.files.iter().chain([&package.requested.record]) {
        all.extend(format!("{} {} {} ", file.path, file.mode, file.mtime).into_bytes());
        all.extend(read(file));
    }
    println!("digest {}", RecordedContent::of(&all).hash);
}

#[test]
fn bytes_are_the_same_wherever_they_are_made() {
    let digest = |folder: &str, umask: &str, zone: &str, seed: &str| {
        let program = std::env::current_exe().unwrap();
        let output = Command::new("/bin/sh")
            .args(["-c", "umask \"$1\"; exec \"$2\" --ignored --nocapture print_digest", "sh", umask])
            .arg(program)
            .current_dir(folder)
            .env("HOME", folder)
            .env("TZ", zone)
            .env("PYTHONHASHSEED", seed)
            .env("PYTHONPATH", folder)
            .env("LC_ALL", zone)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let found =
            text.lines().find_map(|line| line.split_once("digest ").map(|(_, digest)| digest.to_owned()));
        found.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
    };
    let here = digest("/", "022", "UTC", "1");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("struct.py"), "raise SystemExit('imported from the current folder')")
        .unwrap();
    let there = digest(folder.path().to_str().unwrap(), "077", "Asia/Kathmandu", "2");
    assert_eq!(here, there);
}

#[test]
fn a_compiler_for_another_python_is_refused() {
    let compiler = BytecodeCompiler::new(interpreter());
    let options = StageOptions { bytecode: Some(&compiler), ..StageOptions::default() };
    let other = InstallScheme { cache_tag: "cpython-399".into(), ..scheme() };
    let (wheel, staging) = (wheel(), tempfile::tempdir().unwrap());
    let error = stage(&wheel.write(), &other, &options, staging.path()).unwrap_err();
    assert!(matches!(error.problem, WheelProblem::Bytecode { .. }), "{error}");
    assert_eq!(std::fs::read_dir(staging.path()).unwrap().count(), 0);
}
