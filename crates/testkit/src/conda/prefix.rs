//! A prefix as conda's own installer would leave it, as entries of a layer. Written apart from the code under test, so
//! that both can be compared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::package::{CondaPackage, Content, PLACEHOLDER};
use crate::{Entry, LayerBuilder, sha256};

/// Where pure Python goes in a prefix with the packed Python.
const SITE_PACKAGES: &str = "lib/python3.11/site-packages";

/// Describes a prefix.
#[derive(Debug, Clone)]
pub struct PrefixBuilder {
    prefix: String,
    owner: (u64, u64),
    channel: String,
    packages: Vec<(CondaPackage, Option<String>)>,
    history: Vec<String>,
    pinned: Vec<String>,
    files: Vec<(String, Vec<u8>)>,
}

impl PrefixBuilder {
    /// An empty prefix, `/opt/conda`, that belongs to root.
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            owner: (0, 0),
            channel: "https://conda.example/conda-forge".to_owned(),
            packages: Vec::new(),
            history: Vec::new(),
            pinned: Vec::new(),
            files: Vec::new(),
        }
    }

    /// To whom everything belongs; folders pass their group on.
    #[must_use]
    pub fn owner(mut self, user: u64, group: u64) -> Self {
        self.owner = (user, group);
        self
    }

    /// From which channel the packages came.
    #[must_use]
    pub fn channel(mut self, url: &str) -> Self {
        url.clone_into(&mut self.channel);
        self
    }

    /// Installs a package as a dependency.
    #[must_use]
    pub fn install(mut self, package: &CondaPackage) -> Self {
        self.packages.push((package.clone(), None));
        self
    }

    /// Installs a package that was asked for, as its record says.
    #[must_use]
    pub fn install_requested(mut self, package: &CondaPackage, spec: &str) -> Self {
        self.packages.push((package.clone(), Some(spec.to_owned())));
        self
    }

    /// Adds a line to the history: requests, as `# update specs: ['numpy<2']`.
    #[must_use]
    pub fn history(mut self, line: &str) -> Self {
        self.history.push(line.to_owned());
        self
    }

    /// Pins a package.
    #[must_use]
    pub fn pin(mut self, spec: &str) -> Self {
        self.pinned.push(spec.to_owned());
        self
    }

    /// Adds a file that conda does not know of: what pip has installed, for example.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), content.into()));
        self
    }

    /// The prefix as a layer.
    pub fn layer(&self) -> LayerBuilder {
        let mut files: BTreeMap<String, Entry> = BTreeMap::new();
        let mut put = |path: String, entry: Entry| {
            files.insert(path, entry.owner(self.owner.0, self.owner.1));
        };
        let mut history = vec!["==> 2024-01-01 12:00:00 <==".to_owned(), "# cmd: conda create".to_owned()];
        for (package, requested) in &self.packages {
            let mut names = Vec::new();
            let mut paths = Vec::new();
            for (path, mode, content, prefixed) in self.installed(package) {
                let absolute = self.inside(&path);
                match content {
                    Content::Bytes(bytes) => {
                        paths.push(json!({
                            "_path": path, "path_type": "hardlink", "size_in_bytes": bytes.len(),
                            "sha256_in_prefix": sha256(&bytes).replacen("sha256:", "", 1),
                        }));
                        if let (Some(mode), Some(entry)) = (prefixed, paths.last_mut()) {
                            entry["file_mode"] = json!(mode);
                            entry["prefix_placeholder"] = json!(PLACEHOLDER);
                        }
                        put(absolute.clone(), Entry::file(&absolute, bytes).mode(mode));
                    }
                    Content::Symlink(target) => {
                        paths.push(json!({"_path": path, "path_type": "softlink"}));
                        put(absolute.clone(), Entry::symlink(&absolute, target));
                    }
                }
                names.push(path);
            }
            let record = self.record(package, &names, &paths, requested.as_deref());
            let path = self.inside(&format!("conda-meta/{}.json", package.distribution()));
            put(path.clone(), Entry::file(&path, record.to_string()).mode(0o664));
            history.push(format!("+conda-forge/{}::{}", package.subdir, package.distribution()));
        }
        history.extend(self.history.iter().cloned());
        let mut ours =
            vec![("conda-meta/history".to_owned(), format!("{}\n", history.join("\n")).into_bytes())];
        if !self.pinned.is_empty() {
            ours.push(("conda-meta/pinned".to_owned(), format!("{}\n", self.pinned.join("\n")).into_bytes()));
        }
        for (path, content) in ours.into_iter().chain(self.files.iter().cloned()) {
            let path = self.inside(&path);
            put(path.clone(), Entry::file(&path, content).mode(0o664));
        }
        let folders: BTreeSet<String> = files
            .keys()
            .flat_map(|path| path.match_indices('/').map(|(at, _)| path[..at].to_owned()).collect::<Vec<_>>())
            .filter(|folder| folder.starts_with(self.prefix.trim_start_matches('/')))
            .collect();
        let mut layer = LayerBuilder::new();
        for folder in folders {
            let mode = if self.owner == (0, 0) { 0o755 } else { 0o2775 };
            layer = layer.add(Entry::directory(folder).mode(mode).owner(self.owner.0, self.owner.1));
        }
        files.into_values().fold(layer, LayerBuilder::add)
    }

    fn inside(&self, path: &str) -> String {
        format!("{}/{path}", self.prefix.trim_start_matches('/'))
    }

    /// Path, mode, content and kind of placeholder of each file as it is in the prefix.
    fn installed(&self, package: &CondaPackage) -> Vec<(String, u32, Content, Option<&'static str>)> {
        let is_python = package.record["noarch"] == "python";
        let mut installed = Vec::new();
        for file in &package.files {
            let path = match file.path.strip_prefix("site-packages/") {
                Some(rest) if is_python => format!("{SITE_PACKAGES}/{rest}"),
                _ => file.path.clone(),
            };
            let content = match (&file.content, file.prefix) {
                (Content::Bytes(bytes), Some("text")) => {
                    let text = String::from_utf8(bytes.clone()).expect("a text");
                    Content::Bytes(text.replace(PLACEHOLDER, &self.prefix).into_bytes())
                }
                (Content::Bytes(bytes), Some(_)) => Content::Bytes(padded(bytes, &self.prefix)),
                (content, _) => content.clone(),
            };
            installed.push((path, file.mode, content, file.prefix));
        }
        for point in &package.entry_points {
            let (command, function) = point.split_once('=').expect("a command and a function");
            let (module, function) = function.trim().split_once(':').expect("a module and a function");
            let text = format!(
                "#!{}/bin/python3.11\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n",
                self.prefix
            );
            installed.push((
                format!("bin/{}", command.trim()),
                0o775,
                Content::Bytes(text.into_bytes()),
                None,
            ));
        }
        installed
    }

    fn record(
        &self,
        package: &CondaPackage,
        names: &[String],
        paths: &[Value],
        requested: Option<&str>,
    ) -> Value {
        let mut record = package.record.clone();
        record["fn"] = json!(package.file_name);
        record["url"] = json!(format!("{}/{}/{}", self.channel, package.subdir, package.file_name));
        record["channel"] = json!(format!("{}/{}", self.channel, package.subdir));
        record["files"] = json!(names);
        record["paths_data"] = json!({"paths_version": 1, "paths": paths});
        record["link"] = json!({"source": "/opt/conda/pkgs/x", "type": 1});
        record["extracted_package_dir"] = json!("/opt/conda/pkgs/x");
        if let Some(spec) = requested {
            record["requested_spec"] = json!(spec);
        }
        record
    }
}

/// Binaries keep their length: what the prefix is shorter than its placeholder stands as zeros at the string's end.
fn padded(bytes: &[u8], prefix: &str) -> Vec<u8> {
    let mut padded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(PLACEHOLDER.len()).position(|window| window == PLACEHOLDER.as_bytes()) {
        padded.extend_from_slice(&rest[..at]);
        padded.extend_from_slice(prefix.as_bytes());
        let behind = &rest[at + PLACEHOLDER.len()..];
        let end = behind.iter().position(|byte| *byte == 0).unwrap_or(behind.len());
        padded.extend_from_slice(&behind[..end]);
        padded.resize(padded.len() + PLACEHOLDER.len() - prefix.len(), 0);
        rest = &behind[end..];
    }
    padded.extend_from_slice(rest);
    padded
}
