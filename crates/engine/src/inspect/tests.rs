//! Reports on images that a registry really serves.

use std::sync::Arc;

use imagewright_oci::credential::CredentialSource;
use imagewright_oci::registry::{RegistryClient, RegistryClientConfig};
use imagewright_testkit::{ImageBuilder, LayerBuilder, PushedImage, Registry, bases, require_tool};
use serde_json::{Value, json};

use super::*;

async fn report(image: &PushedImage) -> ImageReport {
    let folder = tempfile::tempdir().unwrap();
    let config =
        RegistryClientConfig { credentials: CredentialSource::Anonymous, ..RegistryClientConfig::default() };
    let context = InspectContext {
        cache: Cache::open(folder.path()).unwrap(),
        owner: Owner::default(),
        registry: Arc::new(RegistryClient::new(config).unwrap()),
        events: Events::none(),
        cancellation: CancellationToken::new(),
    };
    let reference = image.reference.parse().unwrap();
    inspect(&reference, &Platform::new("linux", "amd64"), &context).await.unwrap()
}

/// The report as its readers see it, with what depends on ports and compressors taken out.
fn stable(report: &ImageReport) -> Value {
    let mut value = serde_json::to_value(report).unwrap();
    for field in ["reference", "digest", "compressed_size"] {
        value[field] = json!(field.to_uppercase());
    }
    for layer in value["layers"].as_array_mut().unwrap() {
        layer["digest"] = json!("DIGEST");
        layer["compressed_size"] = json!("COMPRESSED_SIZE");
    }
    value
}

#[tokio::test]
async fn an_image_with_a_system_python_is_described() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let image = bases::musl_layout(&registry).await;
    insta::assert_json_snapshot!(stable(&report(&image).await));
}

#[tokio::test]
async fn packages_of_every_manager_are_listed_with_their_sizes() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let record = json!({
        "name": "numpy", "version": "1.26.4",
        "files": ["lib/numpy/core.so", "lib/numpy/missing.so", "../../etc/shadow"],
    });
    let status = "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\nInstalled-Size: 10\n\n\
        Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\
        Package: broken\nStatus: install ok installed\n\n\
        Package: adduser\nStatus: install ok installed\nVersion: 3.134\nInstalled-Size: 99999999999999999999\n";
    let layer = LayerBuilder::new()
        .file("var/lib/dpkg/status", status)
        .file("opt/conda/conda-meta/numpy-1.26.4-h1.json", record.to_string())
        .file("opt/conda/conda-meta/broken-1-0.json", "{")
        .file("opt/conda/conda-meta/history", "")
        .file("opt/conda/lib/numpy/core.so", vec![7; 1234])
        .file("srv/not-conda-meta/x.json", "{}")
        .build();
    let image = ImageBuilder::new().layer(layer).push(&registry, "mixed:1").await;

    let report = report(&image).await;

    insta::assert_json_snapshot!(report.packages);
    assert!(report.python_missing.unwrap().contains("python3"));
    assert!(report.interpreters.is_empty());
}

#[tokio::test]
async fn every_interpreter_is_found_and_the_one_on_the_path_is_first() {
    require_tool!("docker-registry");
    let registry = Registry::new();
    let base = bases::musl_layout(&registry).await;
    let layer = LayerBuilder::new()
        .file("opt/venv/pyvenv.cfg", "home = /usr/bin\nversion = 3.12.7\n")
        .symlink("opt/venv/bin/python3", "/usr/bin/python3.12")
        .file("opt/venv/lib/python3.12/site-packages/six.py", vec![b'#'; 100])
        .file(
            "opt/venv/lib/python3.12/site-packages/six-1.17.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: six\nVersion: 1.17.0\n",
        )
        .file("opt/venv/lib/python3.12/site-packages/six-1.17.0.dist-info/INSTALLER", "pip\n")
        .file(
            "opt/venv/lib/python3.12/site-packages/six-1.17.0.dist-info/RECORD",
            "six.py,,\nsix-1.17.0.dist-info/INSTALLER,,\n",
        )
        .build();
    let image = ImageBuilder::from_image(&base).layer(layer).push(&registry, "venv:1").await;

    let report = report(&image).await;

    let found: Vec<_> =
        report.interpreters.iter().map(|one| (one.executable.as_str(), one.default)).collect();
    assert_eq!(found, [("/usr/bin/python3", true), ("/opt/venv/bin/python3", false)]);
    let environment = &report.interpreters[1];
    assert_eq!((environment.kind, environment.prefix.as_str()), ("virtual_environment", "/opt/venv"));
    let six = PackageReport {
        name: "six".to_owned(),
        version: "1.17.0".to_owned(),
        size: Some(104),
        build: None,
        installer: Some("pip".to_owned()),
    };
    assert_eq!(environment.packages, [six]);
}
