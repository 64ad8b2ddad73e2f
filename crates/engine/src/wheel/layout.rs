//! Where a wheel's members go in the image of one interpreter.

use super::error::WheelProblem;
use super::names::is_plain_absolute;

/// The folders of one interpreter in the image, as `sysconfig` of that Python names them.
///
/// All paths are absolute, in the image, and not resolved through its symbolic links: `RECORD` must speak of
/// them as Python does. Who writes the layer resolves them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallScheme {
    /// Folder of pure Python packages: `/usr/lib/python3.11/site-packages`.
    pub purelib: String,
    /// Folder of packages with compiled parts, mostly the same.
    pub platlib: String,
    /// Folder of commands: `/usr/local/bin`.
    pub scripts: String,
    /// Folder of C headers, below which each project has its own: `/usr/local/include/python3.11`.
    pub headers: String,
    /// Root of everything else: `/usr/local`.
    pub data: String,
    /// What launchers run: `/usr/bin/python3`.
    pub interpreter: String,
    /// Major and minor version.
    pub python_version: (u8, u8),
    /// What stands in the names of bytecode files: `cpython-311`.
    pub cache_tag: String,
}

impl InstallScheme {
    /// Refuses a scheme that could lead out of the image or into a place that layers cannot name.
    pub(super) fn check(&self) -> Result<(), WheelProblem> {
        for (what, path) in [
            ("purelib folder", &self.purelib),
            ("platlib folder", &self.platlib),
            ("scripts folder", &self.scripts),
            ("headers folder", &self.headers),
            ("interpreter path", &self.interpreter),
        ] {
            if !is_plain_absolute(path) {
                return Err(WheelProblem::Scheme { what, path: path.clone() });
            }
        }
        // A prefix of `/` is odd but exists; joining takes care of it.
        if self.data != "/" && !is_plain_absolute(&self.data) {
            return Err(WheelProblem::Scheme { what: "data folder", path: self.data.clone() });
        }
        let plain_tag = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
        if self.cache_tag.is_empty() || !self.cache_tag.chars().all(plain_tag) {
            return Err(WheelProblem::Scheme { what: "cache tag", path: self.cache_tag.clone() });
        }
        Ok(())
    }
}

/// A member's place in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    /// Absolute path in the image.
    pub path: String,
    /// Where the wheel keeps it.
    pub origin: Origin,
}

/// The part of a wheel that a member belongs to. The order is that in which later ones win, as with pip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// The root of the archive: packages and modules.
    Root,
    /// `.data/{purelib,platlib,headers,data}`.
    Data,
    /// `.data/scripts`: commands.
    Script,
}

/// Maps members to places for one wheel and one interpreter.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    scheme: &'a InstallScheme,
    /// Where the root of the wheel goes: purelib or platlib.
    pub library: &'a str,
    project: &'a str,
}

impl<'a> Layout<'a> {
    /// `project` is the distribution's name as its metadata spells it; headers go into a folder of that name.
    pub(super) fn new(scheme: &'a InstallScheme, root_is_purelib: bool, project: &'a str) -> Self {
        let library = if root_is_purelib { &scheme.purelib } else { &scheme.platlib };
        Self { scheme, library, project }
    }

    /// Where the member of this (already checked) path goes.
    pub(super) fn destination(&self, member: &str) -> Result<Destination, WheelProblem> {
        let data = member.split_once('/').filter(|(top, _)| top.strip_suffix(".data").is_some());
        let Some((_, below)) = data else {
            return Ok(Destination { path: join(self.library, member), origin: Origin::Root });
        };
        let unknown = || WheelProblem::DataFolder { entry: member.to_owned() };
        let (key, file) = below.split_once('/').ok_or_else(unknown)?;
        let (path, origin) = match key {
            "purelib" => (join(&self.scheme.purelib, file), Origin::Data),
            "platlib" => (join(&self.scheme.platlib, file), Origin::Data),
            "data" => (join(&self.scheme.data, file), Origin::Data),
            "headers" => (join(&join(&self.scheme.headers, self.project), file), Origin::Data),
            "scripts" => (join(&self.scheme.scripts, file), Origin::Script),
            _ => return Err(unknown()),
        };
        Ok(Destination { path, origin })
    }

    /// Where a file of the `.dist-info` folder goes.
    pub(super) fn in_library(&self, folder: &str, file: &str) -> String {
        join(&join(self.library, folder), file)
    }
}

/// Joins a relative path to an absolute folder.
pub(super) fn join(folder: &str, relative: &str) -> String {
    format!("{}/{relative}", folder.trim_end_matches('/'))
}

/// `path` as seen from `folder`, both absolute and plain: `../../../bin/x`. How `RECORD` names what is outside.
pub(super) fn relative_to(path: &str, folder: &str) -> String {
    let mut to = path.split('/').filter(|part| !part.is_empty()).peekable();
    let mut from = folder.split('/').filter(|part| !part.is_empty()).peekable();
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let mut parts: Vec<&str> = from.map(|_| "..").collect();
    parts.extend(to);
    parts.join("/")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::wheel) fn scheme() -> InstallScheme {
        InstallScheme {
            purelib: "/opt/venv/lib/python3.11/site-packages".into(),
            platlib: "/opt/venv/lib64/python3.11/site-packages".into(),
            scripts: "/opt/venv/bin".into(),
            headers: "/opt/venv/include/site/python3.11".into(),
            data: "/opt/venv".into(),
            interpreter: "/opt/venv/bin/python3".into(),
            python_version: (3, 11),
            cache_tag: "cpython-311".into(),
        }
    }

    #[test]
    fn members_go_where_pip_puts_them() {
        let scheme = scheme();
        let layout = Layout::new(&scheme, false, "Some.Project");
        for (member, path, origin) in [
            ("a/b.py", "/opt/venv/lib64/python3.11/site-packages/a/b.py", Origin::Root),
            ("p-1.data/purelib/a.py", "/opt/venv/lib/python3.11/site-packages/a.py", Origin::Data),
            ("p-1.data/data/etc/x", "/opt/venv/etc/x", Origin::Data),
            ("p-1.data/headers/x.h", "/opt/venv/include/site/python3.11/Some.Project/x.h", Origin::Data),
            ("p-1.data/scripts/run", "/opt/venv/bin/run", Origin::Script),
        ] {
            let found = layout.destination(member).unwrap();
            assert_eq!(found, Destination { path: path.into(), origin }, "{member}");
        }
        assert!(matches!(layout.destination("p-1.data/bin/x"), Err(WheelProblem::DataFolder { .. })));
        assert!(matches!(layout.destination("p-1.data/x"), Err(WheelProblem::DataFolder { .. })));
    }

    #[test]
    fn schemes_that_lead_elsewhere_are_refused() {
        assert!(scheme().check().is_ok());
        for broken in ["opt/venv", "/opt/../etc", "/opt//venv", "", "/opt/a\nb"] {
            let scheme = InstallScheme { scripts: broken.into(), ..scheme() };
            assert!(matches!(scheme.check(), Err(WheelProblem::Scheme { .. })), "{broken}");
        }
        assert!(InstallScheme { data: "/".into(), ..scheme() }.check().is_ok());
        assert!(InstallScheme { cache_tag: "../x".into(), ..scheme() }.check().is_err());
    }

    #[test]
    fn records_name_files_relative_to_the_library() {
        assert_eq!(relative_to("/v/lib/py/sp/a.py", "/v/lib/py/sp"), "a.py");
        assert_eq!(relative_to("/v/bin/x", "/v/lib/py/sp"), "../../../bin/x");
        assert_eq!(relative_to("/etc/x", "/v/lib"), "../../etc/x");
    }
}
