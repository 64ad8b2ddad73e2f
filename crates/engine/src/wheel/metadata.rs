//! The files of the `.dist-info` folder that decide how a wheel is installed.

use pep440_rs::Version;

use super::archive::Member;
use super::error::WheelProblem;
use super::names::{WheelFileName, normalised_name, parse_version, shown};
use crate::papers::{Licence, licence_of_metadata};

/// The one `.dist-info` folder of a wheel, which must belong to the distribution the file name speaks of.
pub(super) fn dist_info_folder(members: &[Member], expected: &WheelFileName) -> Result<String, WheelProblem> {
    let mut folders: Vec<&str> = members
        .iter()
        .filter_map(|member| member.path.split_once('/').map(|(top, _)| top))
        .filter(|top| top.ends_with(".dist-info"))
        .collect();
    folders.sort_unstable();
    folders.dedup();
    let [folder] = folders.as_slice() else {
        return Err(WheelProblem::DistInfoCount { found: folders.len() });
    };
    let (name, version) = folder.trim_end_matches(".dist-info").rsplit_once('-').unwrap_or((folder, ""));
    agree(expected, name, version, &format!("its folder `{}`", shown(folder)))?;
    Ok((*folder).to_owned())
}

/// What `WHEEL` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WheelFormat {
    /// Whether the root of the archive goes to purelib rather than platlib.
    pub root_is_purelib: bool,
}

impl WheelFormat {
    /// Reads `WHEEL`. Minor versions may differ: they only add what can be ignored.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, WheelProblem> {
        let invalid = |reason: &str| WheelProblem::Metadata { file: "WHEEL", reason: reason.to_owned() };
        let text = String::from_utf8_lossy(bytes);
        let version = header(&text, "Wheel-Version").ok_or_else(|| invalid("does not name its version"))?;
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        match major {
            Some(1) => {}
            Some(_) => return Err(WheelProblem::WheelVersion { version: shown(version) }),
            None => return Err(invalid("has a version that is not a number")),
        }
        let root_is_purelib =
            header(&text, "Root-Is-Purelib").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Ok(Self { root_is_purelib })
    }
}

/// Name and version as `METADATA` states them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CoreMetadata {
    /// As the authors spell it.
    pub name: String,
    /// Normalised by PEP 440.
    pub version: Version,
    /// What it says of its licence.
    pub licence: Option<Licence>,
}

impl CoreMetadata {
    /// Reads `METADATA` and checks that it belongs to the distribution the file name speaks of.
    pub(super) fn parse(bytes: &[u8], expected: &WheelFileName) -> Result<Self, WheelProblem> {
        let missing = |what: &str| WheelProblem::Metadata {
            file: "METADATA",
            reason: format!("does not state the package's {what}"),
        };
        // The description may be in any encoding; the headers that count are ASCII.
        let text = String::from_utf8_lossy(bytes);
        let name = header(&text, "Name").ok_or_else(|| missing("name"))?;
        let version = header(&text, "Version").ok_or_else(|| missing("version"))?;
        agree(expected, name, version, "its METADATA")?;
        // The name becomes a folder of headers, so the rule for names (PEP 508) has to hold.
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !plain || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(WheelProblem::Metadata {
                file: "METADATA",
                reason: format!("states the name `{}`, which packages cannot have", shown(name)),
            });
        }
        Ok(Self {
            name: name.to_owned(),
            version: expected.version.clone(),
            licence: licence_of_metadata(&text),
        })
    }
}

fn agree(expected: &WheelFileName, name: &str, version: &str, place: &str) -> Result<(), WheelProblem> {
    let same_name = normalised_name(name) == expected.name;
    let same_version = parse_version(version).is_some_and(|version| version == expected.version);
    if same_name && same_version {
        return Ok(());
    }
    Err(WheelProblem::Mismatch {
        place: place.to_owned(),
        expected: format!("{} {}", expected.name, expected.version),
        found: shown(&format!("{name} {version}")),
    })
}

/// The first value of a header, in the part before the first empty line.
fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .take_while(|line| !line.trim_end().is_empty())
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// A command or any other object that a distribution announces: `name = module:attribute [extras]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntryPoint {
    /// Name of the command.
    pub name: String,
    /// Dotted name of the module.
    pub module: String,
    /// Dotted path of the function in it.
    pub function: String,
}

/// The commands among a distribution's entry points, those that appear later winning over equal names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct EntryPoints {
    /// Commands for a terminal.
    pub console: Vec<EntryPoint>,
    /// Commands that open windows; the same as the others on Linux.
    pub gui: Vec<EntryPoint>,
}

impl EntryPoints {
    /// Reads `entry_points.txt` as `importlib.metadata` does. Groups other than commands are not looked at.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, WheelProblem> {
        let text = str::from_utf8(bytes).map_err(|_| WheelProblem::Metadata {
            file: "entry_points.txt",
            reason: "is not UTF-8 text".to_owned(),
        })?;
        let mut found = Self::default();
        let mut section = "";
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name;
                continue;
            }
            let commands = match section {
                "console_scripts" => &mut found.console,
                "gui_scripts" => &mut found.gui,
                _ => continue,
            };
            let point = EntryPoint::parse(line)?;
            commands.retain(|earlier| earlier.name != point.name);
            commands.push(point);
        }
        Ok(found)
    }

    /// All commands, those of terminals first.
    pub(super) fn all(&self) -> impl Iterator<Item = &EntryPoint> {
        self.console.iter().chain(&self.gui)
    }
}

impl EntryPoint {
    fn parse(line: &str) -> Result<Self, WheelProblem> {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        let (name, value) = (name.trim(), value.trim());
        let invalid = |reason| WheelProblem::EntryPoint { name: shown(name), reason };
        if name.is_empty() || matches!(name, "." | "..") {
            return Err(invalid("has no usable name"));
        }
        if name.contains(['/', '\\']) {
            return Err(invalid("has a path as its name"));
        }
        if name.chars().any(|character| character.is_control() || character.is_whitespace()) {
            return Err(invalid("has a blank or a control character in its name"));
        }
        if name.len() > 255 {
            return Err(invalid("has too long a name"));
        }
        // What follows the function (extras, a comment) has no meaning for a launcher; pip skips it, too.
        let end = value
            .find(|character: char| !(character.is_alphanumeric() || matches!(character, '_' | '.' | ':')))
            .unwrap_or(value.len());
        let (module, function) = value[..end]
            .split_once(':')
            .ok_or_else(|| invalid("does not name a function (`module:function`)"))?;
        if !is_dotted_name(module) || !is_dotted_name(function) {
            return Err(invalid("does not name a function (`module:function`)"));
        }
        Ok(Self { name: name.to_owned(), module: module.to_owned(), function: function.to_owned() })
    }
}

/// Whether the text is identifiers joined by dots. It goes into a program's source, so nothing else may pass.
fn is_dotted_name(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && part.chars().all(|character| character.is_alphanumeric() || character == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(name: &str, module: &str, function: &str) -> EntryPoint {
        EntryPoint { name: name.into(), module: module.into(), function: function.into() }
    }

    #[test]
    fn entry_points_are_read_as_python_reads_them() {
        let text = b"# made by hand\n[console_scripts]\nold = a:b\n  run = pkg.cli:App.main [gui,extra] \n\
            old=pkg:main  # trailing\n\n[other]\nx = not looked at\n[gui_scripts]\nwindow=pkg.gui:open\n";
        let found = EntryPoints::parse(text).unwrap();
        assert_eq!(found.console, [point("run", "pkg.cli", "App.main"), point("old", "pkg", "main")]);
        assert_eq!(found.gui, [point("window", "pkg.gui", "open")]);
    }

    #[test]
    fn entry_points_that_lead_elsewhere_or_run_code_are_refused() {
        for line in [
            "../../etc/x = a:b",
            "a/b = a:b",
            ".. = a:b",
            "a b = a:b",
            "a\u{1b} = a:b",
            " = a:b",
            "x = a",
            "x = :b",
            "x = a:",
            "x = a:b:c",
            "x = import os; os.system('x'):y",
            "x = a..b:c",
            "x = 1a:c",
            "x",
        ] {
            let text = format!("[console_scripts]\n{line}\n");
            assert!(
                matches!(EntryPoints::parse(text.as_bytes()), Err(WheelProblem::EntryPoint { .. })),
                "{line}"
            );
        }
    }

    #[test]
    fn the_wheel_format_is_checked() {
        let format = WheelFormat::parse(b"Wheel-Version: 1.9\r\nRoot-Is-Purelib: True\r\n").unwrap();
        assert!(format.root_is_purelib);
        assert!(!WheelFormat::parse(b"Wheel-Version: 1.0\n\nRoot-Is-Purelib: true").unwrap().root_is_purelib);
        assert!(matches!(WheelFormat::parse(b"Wheel-Version: 2.0"), Err(WheelProblem::WheelVersion { .. })));
        assert!(matches!(WheelFormat::parse(b"Wheel-Version: one"), Err(WheelProblem::Metadata { .. })));
        assert!(matches!(WheelFormat::parse(b"Generator: x"), Err(WheelProblem::Metadata { .. })));
    }

    #[test]
    fn metadata_must_be_that_of_the_file() {
        let file: WheelFileName = "Some_Thing-1.0-py3-none-any.whl".parse().unwrap();
        let metadata =
            CoreMetadata::parse(b"Name: some.thing\nVersion: 1.0.0\n\nName: other", &file).unwrap();
        assert_eq!(metadata.name, "some.thing");
        for other in ["Name: other\nVersion: 1.0", "Name: some-thing\nVersion: 1.1"] {
            let parsed = CoreMetadata::parse(other.as_bytes(), &file);
            assert!(matches!(parsed, Err(WheelProblem::Mismatch { .. })), "{other}");
        }
        assert!(matches!(CoreMetadata::parse(b"Name: x", &file), Err(WheelProblem::Metadata { .. })));
    }
}
