//! Debian 12 with its Python 3.11 and pip.

use std::path::Path;
use std::process::Command;

use crate::{Entry, ImageBuilder, Layer, LayerBuilder, MediaTypes, PushedImage, Registry};
use crate::{cache, process, runner, tool};

/// Counted up whenever the function below makes something else, so that nobody keeps an older one.
const NAME: &str = "debian-12-python-1";

const REPOSITORY: &str = "bases/debian-python";

/// Debian 12 with `python3` (3.11), `python3-pip` and `ca-certificates`, usr-merged, one layer, nothing configured
/// but `PATH` and `Cmd`.
pub async fn debian_python(registry: &Registry) -> PushedImage {
    let pushed = push(registry, MediaTypes::Oci, "oci").await;
    // From now on nobody on this machine unpacks these 240 MB again.
    runner::keep_unpacked(NAME, registry, &pushed.reference);
    pushed
}

/// The same with Docker's media types (version 2, schema 2), as most public images have them.
pub async fn debian_python_docker(registry: &Registry) -> PushedImage {
    push(registry, MediaTypes::Docker, "docker").await
}

async fn push(registry: &Registry, media_types: MediaTypes, tag: &str) -> PushedImage {
    let layer = cache::layer(NAME, make_debian);
    registry.lay_in(REPOSITORY, &layer);
    let name = format!("{REPOSITORY}:{tag}");
    image(layer).media_types(media_types).push(registry, &name).await
}

fn image(layer: Layer) -> ImageBuilder {
    ImageBuilder::new()
        .layer(layer)
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .command(&["bash"])
}

fn make_debian(archive: &Path) {
    let mut command = Command::new(tool::required("mmdebstrap"));
    command.args(["--quiet", "--variant=apt", "--include=python3,python3-pip,ca-certificates", "bookworm"]);
    command.arg(archive);
    // A machine that has its own mirror of Debian 12 uses it here too.
    let sources = Path::new("/etc/apt/sources.list.d/debian.sources");
    if std::fs::read_to_string(sources).is_ok_and(|text| text.contains("bookworm")) {
        command.arg(sources);
    }
    process::run(&mut command);
}

/// Debian with existing folders that a careless layer would spoil: the places where packages go are `2775` and
/// belong to 1000:100, and there is a sticky folder below `/opt`.
pub async fn setgid_folders(registry: &Registry) -> PushedImage {
    let shared = |path: &str| Entry::directory(path).mode(0o2775).owner(1000, 100);
    let layer = LayerBuilder::new()
        .add(shared("usr/local/bin"))
        .add(shared("usr/local/share"))
        .add(shared("usr/local/lib/python3.11"))
        .add(shared("usr/local/lib/python3.11/dist-packages"))
        .add(Entry::directory("opt/exchange").mode(0o1777));
    on_debian(registry, layer.build()).await.user("1000:100").push(registry, "bases/setgid-folders:1").await
}

/// Debian with so many small layers above it, each of which adds the file `/srv/layers/NUMBER`.
pub async fn many_layers(registry: &Registry, count: usize) -> PushedImage {
    let mut image = ImageBuilder::from_image(&debian_python(registry).await);
    for number in 0..count {
        let layer = LayerBuilder::new()
            .directory("srv")
            .directory("srv/layers")
            .file(&format!("srv/layers/{number}"), number.to_string());
        image = image.layer(layer.build());
    }
    image.push(registry, &format!("bases/many-layers:{count}")).await
}

/// Debian with one more layer.
pub(super) async fn on_debian(registry: &Registry, layer: Layer) -> ImageBuilder {
    ImageBuilder::from_image(&debian_python(registry).await).layer(layer)
}

#[cfg(test)]
mod tests {
    use crate::{Registry, Runner, bases, require_tool};

    #[tokio::test]
    async fn debian_runs_python() {
        require_tool!("docker-registry", "mmdebstrap", "buildah");
        let registry = Registry::new();
        let base = bases::debian_python(&registry).await;

        let runner = Runner::start(&registry, &base.reference);

        let output = runner.run(&["python3", "-c", "print(1)"]);
        assert_eq!((output.stdout.as_str(), output.succeeded()), ("1\n", true), "{output:?}");
        assert!(runner.run(&["python3", "-m", "pip", "check"]).succeeded());
        assert_eq!(runner.file_metadata("/tmp").mode, 0o1777);
    }

    #[tokio::test]
    async fn docker_types_setgid_folders_and_many_layers_run_too() {
        require_tool!("docker-registry", "mmdebstrap", "buildah");
        let registry = Registry::new();

        let docker = bases::debian_python_docker(&registry).await;
        assert!(Runner::start(&registry, &docker.reference).run(&["true"]).succeeded());

        let setgid = Runner::start(&registry, &bases::setgid_folders(&registry).await.reference);
        let folder = setgid.file_metadata("/usr/local/lib/python3.11/dist-packages");
        assert_eq!((folder.mode, folder.uid, folder.gid), (0o2775, 1000, 100));
        assert_eq!(setgid.run(&["id", "-u"]).stdout, "1000\n");

        let many = Runner::start(&registry, &bases::many_layers(&registry, 100).await.reference);
        assert_eq!(many.run(&["sh", "-c", "ls /srv/layers | wc -l"]).stdout.trim(), "100");
    }
}
