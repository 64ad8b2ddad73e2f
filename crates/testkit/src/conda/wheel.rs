//! Packages made of wheels, as recipes do with `pip install`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Read as _};
use std::path::Path;

use zip::ZipArchive;

use super::package::{CondaPackageBuilder, Content, PLACEHOLDER};
use crate::Wheel;
use crate::wheel::record_hash;

/// One file of a wheel, below the folder it is for.
struct Member {
    path: String,
    content: Vec<u8>,
}

/// A wheel's files by what they are for.
struct Contents {
    /// Below `site-packages`, but for `RECORD`.
    modules: Vec<Member>,
    scripts: Vec<Member>,
    /// Below the prefix.
    data: Vec<Member>,
    /// The folder of the metadata.
    info: String,
    /// `name = module:function`
    commands: Vec<String>,
}

impl CondaPackageBuilder {
    /// A package of a wheel's files: pure Python (`noarch`) for a wheel for any machine, and compiled for one Python
    /// and linux-64 otherwise. It depends on Python only: conda's names of what else it needs are the caller's to add.
    pub fn from_wheel(wheel: &Wheel) -> Self {
        of_wheel(&wheel.file_name, &wheel.bytes)
    }

    /// The same with a wheel that is a file.
    pub fn from_wheel_file(wheel: &Path) -> Self {
        let name = wheel.file_name().expect("a wheel's path").to_string_lossy();
        let bytes =
            std::fs::read(wheel).unwrap_or_else(|error| panic!("cannot read {}: {error}", wheel.display()));
        of_wheel(&name, &bytes)
    }
}

fn of_wheel(file_name: &str, bytes: &[u8]) -> CondaPackageBuilder {
    let stem = file_name.trim_end_matches(".whl");
    let mut parts = stem.split('-');
    let mut part = || parts.next().unwrap_or_else(|| panic!("{file_name} is not the name of a wheel"));
    let (name, version) = (part().to_lowercase().replace('_', "-"), part());
    let contents = Contents::of(bytes);
    if stem.ends_with("-none-any") {
        let at_least = contents.requires_python().map(|range| format!("python {range}"));
        let builder = CondaPackageBuilder::noarch_python(&name, version).build_string("pyhd8ed1ab_0", 0);
        return contents.pure(builder.depends(at_least.as_deref().unwrap_or("python")));
    }
    let tag = stem.rsplit('-').nth(2).and_then(|tag| tag.strip_prefix("cp3"));
    let minor: u32 = tag
        .and_then(|minor| minor.parse().ok())
        .unwrap_or_else(|| panic!("{file_name} is not for one version of CPython"));
    let builder = CondaPackageBuilder::new(&name, version)
        .build_string(&format!("py3{minor}h0_0"), 0)
        .depends(&format!("python >=3.{minor},<3.{}.0a0", minor + 1))
        .depends("__glibc >=2.17");
    contents.compiled(builder, minor)
}

impl Contents {
    fn of(bytes: &[u8]) -> Self {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).expect("a wheel");
        let mut contents = Self {
            modules: Vec::new(),
            scripts: Vec::new(),
            data: Vec::new(),
            info: String::new(),
            commands: Vec::new(),
        };
        for index in 0..archive.len() {
            let mut file = archive.by_index(index).expect("a member of the wheel");
            let path = file.name().expect("a member's name").to_string();
            if path.ends_with('/') {
                continue;
            }
            let mut content = Vec::new();
            file.read_to_end(&mut content).expect("a member's content");
            contents.add(path, content);
        }
        assert!(!contents.info.is_empty(), "a wheel without metadata cannot be packed");
        contents
    }

    fn add(&mut self, path: String, content: Vec<u8>) {
        let (top, rest) = path.split_once('/').unwrap_or((&path, ""));
        let kind = top.rsplit('.').next().unwrap_or_default();
        if kind == "data" && !rest.is_empty() {
            let (scheme, rest) = rest.split_once('/').expect("a scheme and a path");
            let place = match scheme {
                "purelib" | "platlib" => &mut self.modules,
                "scripts" => &mut self.scripts,
                "data" => &mut self.data,
                other => panic!("{path}: files of the scheme {other} are not packed"),
            };
            place.push(Member { path: rest.to_owned(), content });
            return;
        }
        if kind == "dist-info" {
            top.clone_into(&mut self.info);
            match rest {
                // Written anew, as it tells of the launchers too.
                "RECORD" => return,
                "entry_points.txt" => self.commands = commands(&String::from_utf8_lossy(&content)),
                _ => {}
            }
        }
        self.modules.push(Member { path, content });
    }

    /// What `METADATA` asks of Python, without the spaces that conda's lists do not have.
    fn requires_python(&self) -> Option<String> {
        let path = format!("{}/METADATA", self.info);
        let metadata = self.modules.iter().find(|member| member.path == path)?;
        let text = String::from_utf8_lossy(&metadata.content);
        let range = text.lines().find_map(|line| line.strip_prefix("Requires-Python:"))?;
        Some(range.replace(' ', ""))
    }

    fn pure(self, builder: CondaPackageBuilder) -> CondaPackageBuilder {
        let commands = self.commands.clone();
        let builder = self.fill(builder, "site-packages", "python-scripts", &BTreeMap::new());
        commands.iter().fold(builder, |builder, command| builder.entry_point(command))
    }

    fn compiled(self, builder: CondaPackageBuilder, minor: u32) -> CondaPackageBuilder {
        let launchers = self.commands.iter().map(|command| launcher(command)).collect();
        self.fill(builder, &format!("lib/python3.{minor}/site-packages"), "bin", &launchers)
    }

    fn fill(
        self,
        mut builder: CondaPackageBuilder,
        site: &str,
        scripts: &str,
        launchers: &BTreeMap<String, String>,
    ) -> CondaPackageBuilder {
        let mut record = String::new();
        // Of those of pure packages nobody knows the text before they are installed.
        for command in self.commands.iter().filter(|_| launchers.is_empty()) {
            let name = command.split('=').next().unwrap_or_default().trim();
            let _ = writeln!(record, "../../../bin/{name},,");
        }
        let mut tell = |path: &str, content: &[u8]| {
            let _ = writeln!(record, "{path},{},{}", record_hash(content), content.len());
        };
        for (name, text) in launchers {
            tell(&format!("../../../bin/{name}"), text.as_bytes());
            builder = builder.text_with_prefix(&format!("bin/{name}"), text);
        }
        for Member { path, content } in self.scripts {
            let (content, prefix) = with_prefix(content);
            tell(&format!("../../../bin/{path}"), &content);
            builder = builder.add(&format!("{scripts}/{path}"), 0o755, Content::Bytes(content), prefix);
        }
        for Member { path, content } in self.data {
            tell(&format!("../../../{path}"), &content);
            builder = builder.file(&path, content);
        }
        let own = [("INSTALLER", &b"conda\n"[..]), ("REQUESTED", b"")];
        let own = own.map(|(name, content)| Member {
            path: format!("{}/{name}", self.info),
            content: content.to_vec(),
        });
        for Member { path, content } in self.modules.into_iter().chain(own) {
            tell(&path, &content);
            builder = builder.file(&format!("{site}/{path}"), content);
        }
        let path = format!("{}/RECORD", self.info);
        let _ = writeln!(record, "{path},,");
        builder.file(&format!("{site}/{path}"), record)
    }
}

/// The lines of the section `console_scripts`.
fn commands(entry_points: &str) -> Vec<String> {
    let lines = entry_points.lines().map(str::trim);
    let section = lines.skip_while(|line| *line != "[console_scripts]").skip(1);
    let section = section.take_while(|line| !line.starts_with('['));
    section.filter(|line| line.contains('=')).map(str::to_owned).collect()
}

/// Name and text of a command's launcher in a compiled package.
fn launcher(command: &str) -> (String, String) {
    let (name, object) = command.split_once('=').expect("a name and an object");
    let (module, function) = object.trim().split_once(':').expect("a module and a function");
    let (module, function) = (module.trim(), function.trim());
    let text = format!(
        "#!{PLACEHOLDER}/bin/python\nimport sys\nimport {module}\n\nif __name__ == \"__main__\":\n    \
         sys.exit({module}.{function}())\n"
    );
    (name.trim().to_owned(), text)
}

/// A wheel's own script: `#!python` stands for the interpreter it is installed for.
fn with_prefix(content: Vec<u8>) -> (Vec<u8>, Option<&'static str>) {
    match content.strip_prefix(b"#!python") {
        Some(rest) => {
            let mut script = format!("#!{PLACEHOLDER}/bin/python").into_bytes();
            script.extend_from_slice(rest);
            (script, Some("text"))
        }
        None => (content, None),
    }
}
