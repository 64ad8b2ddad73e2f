//! Bases that have packages already.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::debian::on_debian;
use crate::wheel::record_hash;
use crate::{Entry, LayerBuilder, PushedImage, Registry, Wheel};

/// Where `pip install`, run as root, puts packages on Debian.
const SITE: &str = "usr/local/lib/python3.11/dist-packages";

/// Debian with these wheels installed as `sudo pip install` leaves them: with `RECORD`, `INSTALLER` and console
/// scripts. Their versions are the test's choice: older, newer, local (`2.3.0a0+vendor`).
pub async fn with_packages(registry: &Registry, wheels: &[Wheel]) -> PushedImage {
    let mut layer =
        LayerBuilder::new().directory("usr/local/bin").directory("usr/local/lib/python3.11").directory(SITE);
    let mut names = Vec::new();
    for wheel in wheels {
        layer = installed(layer, wheel);
        let mut parts = wheel.file_name.split('-');
        names.extend(parts.next().zip(parts.next()).map(|(name, version)| format!("{name}-{version}")));
    }
    // Tags allow fewer characters than versions do.
    let tag = names.join("_").to_lowercase().replace('+', "-");
    on_debian(registry, layer.build()).await.push(registry, &format!("bases/with-packages:{tag}")).await
}

fn installed(mut layer: LayerBuilder, wheel: &Wheel) -> LayerBuilder {
    let mut archive = ZipArchive::new(Cursor::new(wheel.bytes.clone())).expect("a wheel of our own making");
    let mut record = Vec::new();
    let mut info = String::new();
    let mut folders = std::collections::BTreeSet::new();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).expect("a member of the wheel");
        let path = member.name().expect("a member's name").to_string();
        assert!(!path.contains(".data/"), "{path}: bases are made from wheels without a data folder");
        let mut content = Vec::new();
        member.read_to_end(&mut content).expect("a member's content");

        for (end, _) in path.match_indices('/') {
            let folder = &path[..end];
            if folders.insert(folder.to_owned()) {
                layer = layer.directory(&format!("{SITE}/{folder}"));
            }
        }
        if path.ends_with(".dist-info/RECORD") {
            path.trim_end_matches("RECORD").clone_into(&mut info);
            continue;
        }
        if path.ends_with(".dist-info/entry_points.txt") {
            for (name, script) in console_scripts(&String::from_utf8_lossy(&content)) {
                record.push(line(&format!("../../../bin/{name}"), script.as_bytes()));
                layer = layer.add(Entry::file(format!("usr/local/bin/{name}"), script).mode(0o755));
            }
        }
        record.push(line(&path, &content));
        layer = layer.file(&format!("{SITE}/{path}"), content);
    }
    for (name, content) in [("INSTALLER", "pip\n"), ("REQUESTED", "")] {
        record.push(line(&format!("{info}{name}"), content.as_bytes()));
        layer = layer.file(&format!("{SITE}/{info}{name}"), content);
    }
    record.push(format!("{info}RECORD,,\n"));
    layer.file(&format!("{SITE}/{info}RECORD"), record.concat())
}

/// A line of `RECORD`.
fn line(path: &str, content: &[u8]) -> String {
    format!("{path},{},{}\n", record_hash(content), content.len())
}

/// Name and text of each launcher that `entry_points.txt` asks for.
fn console_scripts(entry_points: &str) -> Vec<(String, String)> {
    let (_, rest) = entry_points.split_once("[console_scripts]\n").unwrap_or_default();
    let lines = rest.lines().take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| line.split_once(" = "))
        .filter_map(|(name, object)| {
            let (module, function) = object.split_once(':')?;
            let script = format!(
                "#!/usr/bin/python3\nimport sys\nfrom {module} import {function}\nif __name__ == '__main__':\n    sys.exit({function}())\n"
            );
            Some((name.to_owned(), script))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::{Registry, Runner, WheelBuilder, bases, require_tool};

    #[tokio::test]
    async fn pip_knows_and_removes_what_the_base_has() {
        require_tool!("docker-registry", "mmdebstrap", "buildah");
        let registry = Registry::new();
        let wheel = WheelBuilder::new("demo-package", "2.3.0a0+vendor")
            .file("demo/__init__.py", "def main(): print('demo')\n")
            .script("demo", "demo:main")
            .build();
        let base = bases::with_packages(&registry, &[wheel]).await;
        let runner = Runner::start(&registry, &base.reference);

        assert_eq!(runner.run(&["demo"]).stdout, "demo\n");
        let listed = runner.run(&["pip", "list", "--format=freeze"]);
        assert!(listed.stdout.contains("demo-package==2.3.0a0+vendor"), "{listed:?}");
        let removed = runner.run(&["pip", "uninstall", "--yes", "--break-system-packages", "demo-package"]);
        assert!(removed.succeeded(), "{removed:?}");
        assert!(!runner.run(&["demo"]).succeeded());
    }
}
