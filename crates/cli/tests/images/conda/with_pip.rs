//! conda and pip in one image.

use imagewright_testkit::conda::{PrefixBuilder, python};
use imagewright_testkit::{PackageIndex, SdistBuilder, bases, require_tool};

use super::packages::{forge, plain};
use crate::support::{Workshop, demo_wheel};

#[tokio::test]
async fn pip_sees_what_conda_installs() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let index = PackageIndex::with(&[demo_wheel("greeting", "3.0"), demo_wheel("thing", "1.0")]);

    let channels = forge();
    let wanted = workshop.build(&base.reference, "team/image:1").conda("greeting").channels(&channels);
    let built = wanted.pip("greeting").pip("thing").index(&index).succeed();

    assert_eq!(built.added(), ["thing 1.0"], "what conda has is not fetched again");
    let image = workshop.run("team/image:1");
    assert_eq!(image.run(&["thing"]).stdout, "thing 1.0\n");
    assert_eq!(image.run(&["greeting"]).stdout, "greeting 2.0\n");
    assert!(image.exists("/opt/conda/lib/python3.11/site-packages/thing/__init__.py"));
}

#[tokio::test]
async fn pip_replaces_what_conda_installs_where_it_has_to() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let index = PackageIndex::with(&[demo_wheel("greeting", "3.0")]);

    let channels = forge();
    let wanted = workshop.build(&base.reference, "team/image:1").conda("greeting").channels(&channels);
    let built = wanted.pip("greeting>=3").index(&index).succeed();

    assert_eq!(built.added(), ["greeting 3.0"]);
    let image = workshop.run("team/image:1");
    assert_eq!(image.run(&["greeting"]).stdout, "greeting 3.0\n");
    let left = "/opt/conda/lib/python3.11/site-packages/greeting-2.0.dist-info";
    assert!(!image.exists(left), "{left} is left");
}

#[tokio::test]
async fn conda_replaces_what_pip_had_installed() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let site = "lib/python3.11/site-packages";
    let record = "greeting/__init__.py,,\ngreeting/old.py,,\ngreeting-0.5.dist-info/METADATA,,\n\
                  greeting-0.5.dist-info/INSTALLER,,\ngreeting-0.5.dist-info/RECORD,,\n";
    let prefix = PrefixBuilder::new("/opt/conda")
        .install(&python())
        .file(&format!("{site}/greeting/__init__.py"), "VERSION = '0.5'\n")
        .file(&format!("{site}/greeting/old.py"), "")
        .file(
            &format!("{site}/greeting-0.5.dist-info/METADATA"),
            "Metadata-Version: 2.1\nName: greeting\nVersion: 0.5\n",
        )
        .file(&format!("{site}/greeting-0.5.dist-info/INSTALLER"), "pip\n")
        .file(&format!("{site}/greeting-0.5.dist-info/RECORD"), record);
    let base = bases::jupyter(&workshop.registry, &prefix).await;

    let built =
        workshop.build(&base.reference, "team/image:1").conda("greeting").channels(&forge()).succeed();

    assert!(built.says(&["greeting 0.5", "pip"]), "{:?}", built.said());
    let image = workshop.run("team/image:1");
    assert_eq!(image.run(&["greeting"]).stdout, "greeting 2.0\n");
    for left in ["greeting/old.py", "greeting-0.5.dist-info"] {
        assert!(!image.exists(&format!("/opt/conda/{site}/{left}")), "{left} is left");
    }
}

/// A backend in the sources themselves, which looks for what conda has installed.
const BACKEND: &str = r#"
import os, sys, zipfile

def build_wheel(directory, settings=None, metadata=None):
    found = (sys.prefix, open("/opt/conda/share/headers/version").read().strip())
    info = "made-1.0.dist-info"
    files = {
        "made.py": "found = %r\n" % (found,),
        info + "/METADATA": "Metadata-Version: 2.1\nName: made\nVersion: 1.0\n",
        info + "/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[info + "/RECORD"] = "".join(path + ",,\n" for path in files) + info + "/RECORD,,\n"
    with zipfile.ZipFile(os.path.join(directory, "made-1.0-py3-none-any.whl"), "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), text)
    return "made-1.0-py3-none-any.whl"
"#;

#[tokio::test]
async fn sources_are_built_with_what_conda_installs() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "bwrap", "slirp4netns", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let channels = forge();
    channels.channel("conda-forge").add(&plain("headers", "4.2").build());
    let index = PackageIndex::with(&[]);
    let project = "[build-system]\nrequires = []\nbuild-backend = \"own\"\nbackend-path = [\".\"]\n\
                   [project]\nname = \"made\"\ndynamic = [\"version\", \"dependencies\"]\n";
    let sources = SdistBuilder::new("made", "1.0").file("pyproject.toml", project).file("own.py", BACKEND);
    index.add_sdist(&sources.build());

    let wanted = workshop.build(&base.reference, "team/image:1").conda("headers python").channels(&channels);
    wanted.pip("made").index(&index).succeed();

    let image = workshop.run("team/image:1");
    let found = image.run(&["python3", "-c", "import made; print(*made.found)"]).stdout;
    assert_eq!(found, "/opt/conda 4.2\n");
}
