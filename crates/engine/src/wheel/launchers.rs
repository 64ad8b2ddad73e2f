//! Commands: small programs for entry points, and shebangs of the scripts that wheels bring along.

use super::metadata::{EntryPoint, EntryPoints};

/// Linux reads this many bytes of a first line, the line's end among them.
const LONGEST_SHEBANG: usize = 127;

/// The first lines of a Python program that is run by `interpreter`.
///
/// The kernel splits a shebang at blanks and cuts it off when it is long. Such paths go through the shell: for
/// it, the three quotes make a command of the line, and for Python a string without effect.
pub(super) fn shebang(interpreter: &str) -> String {
    let needs_quotes = interpreter.contains(' ');
    if !needs_quotes && "#!\n".len() + interpreter.len() <= LONGEST_SHEBANG {
        return format!("#!{interpreter}\n");
    }
    let command = if needs_quotes { format!("\"{interpreter}\"") } else { interpreter.to_owned() };
    format!("#!/bin/sh\n'''exec' {command} \"$0\" \"$@\"\n' '''\n")
}

/// The program for an entry point, the same text as the newest pip for that version of Python writes.
///
/// Newer ones spare importing `re` at every start of a command; `removesuffix` came with Python 3.9.
pub(super) fn launcher(point: &EntryPoint, interpreter: &str, python_version: (u8, u8)) -> Vec<u8> {
    let EntryPoint { module, function, .. } = point;
    let imported = function.split('.').next().unwrap_or(function);
    let first_lines = shebang(interpreter);
    let program = if python_version >= (3, 9) {
        format!(
            "import sys\n\
             from {module} import {imported}\n\
             if __name__ == '__main__':\n    \
                 sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    \
                 sys.exit({function}())\n"
        )
    } else {
        format!(
            "# -*- coding: utf-8 -*-\n\
             import re\n\
             import sys\n\
             from {module} import {imported}\n\
             if __name__ == '__main__':\n    \
                 sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])\n    \
                 sys.exit({function}())\n"
        )
    };
    (first_lines + &program).into_bytes()
}

/// The commands to write for a distribution's entry points.
///
/// The wheel of pip states `pip3`, and old wheels of setuptools `easy_install-3.6`, for the Python they were
/// *built* with. As pip does, these are replaced by the ones of the Python they are installed for: otherwise
/// replacing pip in an image would take its `pip3.11` away.
pub(super) fn commands(points: &EntryPoints, (major, minor): (u8, u8)) -> Vec<EntryPoint> {
    let mut commands: Vec<EntryPoint> = points.all().cloned().collect();
    let versioned = [
        ("pip", vec![format!("pip{major}"), format!("pip{major}.{minor}")]),
        ("easy_install", vec![format!("easy_install-{major}.{minor}")]),
    ];
    for (name, aliases) in versioned {
        let Some(point) = points.console.iter().find(|point| point.name == name) else { continue };
        commands.retain(|command| !is_versioned_alias(&command.name, name));
        commands.extend(aliases.into_iter().map(|alias| EntryPoint { name: alias, ..point.clone() }));
    }
    commands
}

/// Whether `command` is `name` with a version behind it: `pip3`, `pip3.8`, `easy_install-3.6`.
fn is_versioned_alias(command: &str, name: &str) -> bool {
    command.strip_prefix(name).is_some_and(|version| {
        let version = version.strip_prefix('-').unwrap_or(version);
        !version.is_empty() && version.chars().all(|character| character.is_ascii_digit() || character == '.')
    })
}

/// A wheel's own script that starts with [`SHEBANG_MARK`], its first line replaced by the interpreter's.
pub(super) fn with_interpreter(script: &[u8], interpreter: &str) -> Vec<u8> {
    let first_line = script.iter().position(|byte| *byte == b'\n').map_or(script.len(), |end| end + 1);
    let mut rewritten = shebang(interpreter).into_bytes();
    rewritten.extend_from_slice(&script[first_line..]);
    rewritten
}

/// How scripts in wheels say that they are to be run by the Python they are installed for.
pub(super) const SHEBANG_MARK: &[u8] = b"#!python";

/// Whether a script was made by an old setuptools for an entry point that gets a launcher of ours.
pub(super) fn is_setuptools_wrapper(file_name: &str, points: &EntryPoints) -> bool {
    let lower = file_name.to_ascii_lowercase();
    let suffix = [".exe", "-script.py", ".pya"].into_iter().find(|suffix| lower.ends_with(suffix));
    let name = suffix.map_or(file_name, |suffix| &file_name[..file_name.len() - suffix.len()]);
    points.all().any(|point| point.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, version: (u8, u8)) -> Vec<String> {
        let points = EntryPoints::parse(format!("[console_scripts]\n{text}").as_bytes()).unwrap();
        let mut names: Vec<_> = commands(&points, version).into_iter().map(|point| point.name).collect();
        names.sort();
        names
    }

    #[test]
    fn long_and_spaced_interpreters_go_through_the_shell() {
        assert_eq!(shebang("/usr/bin/python3"), "#!/usr/bin/python3\n");
        assert_eq!(
            shebang("/opt/my env/bin/python"),
            "#!/bin/sh\n'''exec' \"/opt/my env/bin/python\" \"$0\" \"$@\"\n' '''\n"
        );
        let longest = format!("/{}", "x".repeat(LONGEST_SHEBANG - 4));
        assert!(shebang(&longest).starts_with("#!/x"));
        assert!(shebang(&format!("{longest}x")).starts_with("#!/bin/sh\n'''exec' /x"));
    }

    #[test]
    fn launchers_import_what_they_call() {
        let point = EntryPoint { name: "x".into(), module: "a.b".into(), function: "App.main".into() };
        let new = String::from_utf8(launcher(&point, "/p", (3, 11))).unwrap();
        assert_eq!(
            new,
            "#!/p\nimport sys\nfrom a.b import App\nif __name__ == '__main__':\n    \
             sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    sys.exit(App.main())\n"
        );
        let old = String::from_utf8(launcher(&point, "/p", (3, 8))).unwrap();
        assert!(old.contains("\n    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])\n"));
    }

    #[test]
    fn pip_gets_the_names_of_the_python_it_is_for() {
        assert_eq!(names("pip = a:b\npip3 = a:b\npip3.14 = a:b", (3, 11)), ["pip", "pip3", "pip3.11"]);
        assert_eq!(names("pip-compile = a:b\npipx = a:b", (3, 11)), ["pip-compile", "pipx"]);
        assert_eq!(
            names("easy_install = a:b\neasy_install-3.6 = a:b", (3, 9)),
            ["easy_install", "easy_install-3.9"]
        );
    }

    #[test]
    fn scripts_get_the_interpreter_they_left_open() {
        assert_eq!(with_interpreter(b"#!pythonw -u\r\nprint(1)\n", "/p"), b"#!/p\nprint(1)\n");
        assert_eq!(with_interpreter(b"#!python", "/p"), b"#!/p\n");
        let points = EntryPoints::parse(b"[console_scripts]\nrun = a:b").unwrap();
        for name in ["run", "run.exe", "run-script.py"] {
            assert!(is_setuptools_wrapper(name, &points), "{name}");
        }
        assert!(!is_setuptools_wrapper("running", &points));
    }
}
