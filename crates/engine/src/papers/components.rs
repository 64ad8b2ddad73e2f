//! The packages of an image as components of its bill.

use imagewright_oci::tree::ImageTree;
use serde_json::{Map, Value, json};

use super::bill::BillInput;
use super::licence::{Licence, of_metadata};
use super::package_url::PackageUrl;
use crate::base::operating_system;
use crate::conda::{CondaPrefix, InstalledPrefix};
use crate::inspect::paragraphs;
use crate::lock::LockedCondaPackage;
use crate::python::installed::{self, Owner};

/// Most components of one bill.
const MOST: usize = 100_000;

/// One package.
#[derive(Debug, Default)]
struct Component {
    name: String,
    version: String,
    package_url: String,
    licence: Option<Licence>,
    /// SHA-256 of the archive in hexadecimal digits.
    sha256: Option<String>,
    /// `base` or `build`.
    origin: &'static str,
}

impl Component {
    fn to_json(&self) -> Value {
        let mut value = Map::new();
        value.insert("type".to_owned(), json!("library"));
        // Two packages of one URL are one package.
        value.insert("bom-ref".to_owned(), json!(self.package_url));
        value.insert("name".to_owned(), json!(self.name));
        value.insert("version".to_owned(), json!(self.version));
        if let Some(sha256) = &self.sha256 {
            value.insert("hashes".to_owned(), json!([{"alg": "SHA-256", "content": sha256}]));
        }
        if let Some(licence) = &self.licence {
            value.insert("licenses".to_owned(), licence.to_json());
        }
        value.insert("purl".to_owned(), json!(self.package_url));
        value.insert(
            "properties".to_owned(),
            json!([{"name": "io.imagewright.origin", "value": self.origin}]),
        );
        Value::Object(value)
    }
}

/// All packages, sorted and without repetitions.
pub(super) fn components(input: &BillInput<'_>) -> Vec<Value> {
    let mut all = system(input);
    all.extend(conda(input));
    all.extend(python(input));
    all.sort_by(|left, right| left.package_url.cmp(&right.package_url));
    all.dedup_by(|left, right| left.package_url == right.package_url);
    all.truncate(MOST);
    all.iter().map(Component::to_json).collect()
}

/// The packages of dpkg and apk.
fn system(input: &BillInput<'_>) -> Vec<Component> {
    let tree = input.tree;
    let system = operating_system(tree);
    let id = system.as_ref().map_or("linux", |system| system.id.as_str());
    let distribution = system
        .as_ref()
        .and_then(|system| Some(format!("{id}-{}", system.version.as_ref()?)))
        .unwrap_or_default();
    let mut found = Vec::new();
    for text in dpkg_texts(tree) {
        for paragraph in paragraphs(&text) {
            let fields = ["Package", "Version", "Architecture"].map(|name| paragraph.field(name));
            let [Some(name), Some(version), Some(architecture)] = fields else { continue };
            if paragraph.field("Status").is_some_and(|status| !status.ends_with(" installed")) {
                continue;
            }
            let is_new =
                input.lock.apt.iter().any(|one| {
                    one.name == name && one.version == version && one.architecture == architecture
                });
            found.push(Component {
                name: name.to_owned(),
                version: version.to_owned(),
                package_url: PackageUrl {
                    kind: "deb",
                    namespace: Some(id),
                    name,
                    version,
                    qualifiers: vec![("arch", architecture), ("distro", &distribution)],
                }
                .text(),
                origin: if is_new { "build" } else { "base" },
                ..Component::default()
            });
        }
    }
    let text = ["lib/apk/db/installed", "usr/lib/apk/db/installed"].iter().find_map(|path| tree.text(path));
    for paragraph in text.iter().flat_map(|text| paragraphs(text)) {
        let (Some(name), Some(version)) = (paragraph.field("P"), paragraph.field("V")) else { continue };
        let architecture = paragraph.field("A").unwrap_or_default();
        found.push(Component {
            name: name.to_owned(),
            version: version.to_owned(),
            package_url: PackageUrl {
                kind: "apk",
                namespace: Some(id),
                name,
                version,
                qualifiers: vec![("arch", architecture), ("distro", &distribution)],
            }
            .text(),
            licence: paragraph.field("L").and_then(Licence::of_text),
            origin: "base",
            ..Component::default()
        });
    }
    found
}

fn dpkg_texts(tree: &ImageTree) -> Vec<String> {
    let folder = "var/lib/dpkg/status.d";
    let apart = tree.children(folder).map(|(name, _)| format!("{folder}/{name}"));
    let paths = std::iter::once("var/lib/dpkg/status".to_owned()).chain(apart);
    paths.filter_map(|path| tree.text(&path).map(std::borrow::Cow::into_owned)).collect()
}

/// The packages of conda's prefix, those of this build included.
fn conda(input: &BillInput<'_>) -> Vec<Component> {
    let installed = CondaPrefix::find(input.tree, input.config)
        .and_then(|prefix| InstalledPrefix::read(input.tree, &prefix))
        .unwrap_or_default();
    let new: Vec<String> =
        input.lock.conda.iter().flat_map(|conda| &conda.packages).map(LockedCondaPackage::label).collect();
    let packages = installed.packages.iter().map(|package| {
        let record = &package.record.package_record;
        let (version, build) = (record.version.to_string(), record.build.to_string());
        let file = package.record.identifier.to_file_name();
        let kind = if file.ends_with(".tar.bz2") { "tar.bz2" } else { "conda" };
        let channel = package.record.channel.as_deref().unwrap_or_default().trim_end_matches('/');
        Component {
            name: package.name().to_owned(),
            version: version.clone(),
            package_url: PackageUrl {
                kind: "conda",
                namespace: None,
                name: package.name(),
                version: &version,
                qualifiers: vec![
                    ("build", &build),
                    ("channel", channel),
                    ("subdir", &record.subdir),
                    ("type", kind),
                ],
            }
            .text(),
            licence: record.license.as_deref().and_then(Licence::of_text),
            sha256: record.sha256.as_ref().map(hex::encode),
            origin: if new.contains(&package.label()) { "build" } else { "base" },
        }
    });
    packages.collect()
}

/// Python distributions of pip's: those that stay of the base, and those of this build.
fn python(input: &BillInput<'_>) -> Vec<Component> {
    let of_base = crate::python::detect(input.tree, input.config)
        .map(|target| installed::list(input.tree, &target).distributions)
        .unwrap_or_default();
    let is_new = |name: &str| input.lock.pip.iter().any(|locked| locked.name == name);
    let mut found: Vec<Component> = of_base
        .iter()
        // What other package managers have put there is listed with them.
        .filter(|one| one.owner == Owner::Pip && !is_new(one.name.as_ref()))
        .map(|one| {
            let (name, version) = (one.name.to_string(), one.version.to_string());
            let package_url = pypi(&name, &version);
            Component {
                name,
                version,
                package_url,
                licence: of_metadata(&one.metadata),
                origin: "base",
                ..Component::default()
            }
        })
        .collect();
    found.extend(input.lock.pip.iter().enumerate().map(|(at, locked)| Component {
        name: locked.name.clone(),
        version: locked.version.clone(),
        package_url: pypi(&locked.name, &locked.version),
        licence: input.licences.get(at).cloned().flatten(),
        sha256: Some(locked.sha256.hex()),
        origin: "build",
    }));
    found
}

fn pypi(name: &str, version: &str) -> String {
    PackageUrl { kind: "pypi", name, version, ..PackageUrl::default() }.text()
}
