//! Builds that succeed.

use imagewright_testkit::{PackageIndex, SdistBuilder, WheelBuilder};

use super::{Workshop, at, read_built, shown, sources};
use crate::pip::fixtures::installed;
use crate::pip::{Resolution, Source};

#[tokio::test]
async fn a_source_distribution_is_built_once() {
    let Some(workshop) = Workshop::new().await else { return };
    let index = PackageIndex::with([&WheelBuilder::new("helper", "2.5").build()]);
    index.add_sdist(&sources("demo", "1.0", "helper>=2").build());
    let request = at(&index.url(), &["demo"]);

    let first = workshop.resolve(&request).await.unwrap();

    assert_eq!(
        shown(&first),
        ["helper 2.5: helper-2.5-py3-none-any.whl", "demo 1.0: demo-1.0-py3-none-any.whl built"]
    );
    assert_eq!(read_built(&first, "demo", "demo.py"), "value = \"1.0\"\n");
    let runs = workshop.runs();
    assert!(runs > 0);
    let second = workshop.resolve(&request).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(workshop.runs(), runs, "nothing is run for what was built before");
}

#[tokio::test]
async fn the_newest_version_is_built_and_what_constraints_allow() {
    let Some(workshop) = Workshop::new().await else { return };
    let index = PackageIndex::with([&WheelBuilder::new("demo", "0.1").build()]);
    for version in ["1.0", "2.0", "3.0a1"] {
        index.add_sdist(&sources("demo", version, "").build());
    }
    let built = |version: &str| vec![format!("demo {version}: demo-{version}-py3-none-any.whl built")];

    let found = workshop.resolve(&at(&index.url(), &["demo"])).await.unwrap();
    assert_eq!(shown(&found), built("2.0"), "not the old one that has a wheel");

    let mut constrained = at(&index.url(), &["demo"]);
    constrained.constraints.push("demo<2".parse().unwrap());
    assert_eq!(shown(&workshop.resolve(&constrained).await.unwrap()), built("1.0"));

    let mut pre = at(&index.url(), &["demo"]);
    pre.pre = true;
    assert_eq!(shown(&workshop.resolve(&pre).await.unwrap()), built("3.0a1"));

    let mut wheels = at(&index.url(), &["demo"]);
    wheels.only_binary.push("demo".to_owned());
    let found = workshop.resolve(&wheels).await.unwrap();
    assert_eq!(shown(&found), ["demo 0.1: demo-0.1-py3-none-any.whl"]);
}

#[tokio::test]
async fn a_wheel_is_refused_where_people_want_sources() {
    let Some(workshop) = Workshop::new().await else { return };
    let index =
        PackageIndex::with([&WheelBuilder::new("demo", "1.0").file("demo.py", "published = 1").build()]);
    index.add_sdist(&sources("demo", "1.0", "").build());
    let mut request = at(&index.url(), &["demo"]);
    request.no_binary.push("demo".to_owned());

    let found = workshop.resolve(&request).await.unwrap();

    assert!(read_built(&found, "demo", "demo.py").starts_with("value"));
}

#[tokio::test]
async fn what_is_built_with_may_be_source_only_itself() {
    let Some(workshop) = Workshop::new().await else { return };
    let index = PackageIndex::builder().start();
    // The backend is a package that is only published as source.
    let tool = sources("tool", "1.0", "");
    index.add_sdist(&tool.build());
    let demo = SdistBuilder::new("demo", "1.0")
        .file(
            "pyproject.toml",
            "[build-system]\nrequires = [\"tool\"]\nbuild-backend = \"made\"\nbackend-path = [\".\"]\n\
             [project]\nname = \"demo\"\ndynamic = [\"version\"]\n",
        )
        .file("made.py", format!("import tool\nassert tool.value == '1.0'\n{}", super::BACKEND))
        .file("what", "demo|1.0||value = 1\n")
        .build();
    index.add_sdist(&demo);

    let found = workshop.resolve(&at(&index.url(), &["demo"])).await.unwrap();

    assert_eq!(shown(&found), ["demo 1.0: demo-1.0-py3-none-any.whl built"]);
    let Source::Built(built) = &found.packages[0].source else { panic!("{found:?}") };
    assert_eq!(built.build.requires.len(), 1);
    assert_eq!(built.build.requires[0].file, "tool-1.0-py3-none-any.whl");
}

#[tokio::test]
async fn an_archive_at_an_address_is_built_and_says_where_it_is_from() {
    let Some(workshop) = Workshop::new().await else { return };
    let index = PackageIndex::with([&WheelBuilder::new("helper", "2.5").build()]);
    let sdist = sources("demo", "1.0", "helper").build();
    index.add_sdist(&sdist);
    let line = format!("demo @ {}", index.file_url(&sdist.file_name));

    let found = workshop.resolve(&at(&index.url(), &[&line])).await.unwrap();

    assert_eq!(shown(&found)[1], "demo 1.0: demo-1.0-py3-none-any.whl built");
    let Source::Built(built) = &found.packages[1].source else { panic!("{found:?}") };
    let direct_url = built.direct_url.as_deref().unwrap();
    assert!(direct_url.contains(&sdist.file_name) && direct_url.contains("sha256="), "{direct_url}");
    assert!(found.packages[1].requested);
    let not_here = format!("{line} ; python_version < '3'");
    assert_eq!(workshop.resolve(&at(&index.url(), &[&not_here])).await.unwrap().packages, []);
}

#[tokio::test]
async fn what_the_base_has_stays_where_it_fits() {
    let Some(workshop) = Workshop::new().await else { return };
    let index = PackageIndex::builder().start();
    index.add_sdist(&sources("demo", "2.0", "").build());
    let base = installed(&[("demo", "1.0", &[])]);

    let found = workshop.resolve_over(&at(&index.url(), &["demo"]), &base).await.unwrap();

    assert_eq!(shown(&found), ["demo 1.0: kept"]);
    assert_eq!(workshop.runs(), 0);
}

#[tokio::test]
async fn setuptools_builds_what_says_nothing_of_its_build() {
    let Some(workshop) = Workshop::new().await else { return };
    let index = PackageIndex::builder().start();
    // Dynamic: what it needs is only known once it is built.
    let setup = "from setuptools import setup\nimport sys\nassert 'pip' not in sys.modules\n\
                 setup(name='demo', version='1.0', py_modules=['demo'], install_requires=['six==1.16.0'],\n\
                 entry_points={'console_scripts': ['demo = demo:main']})\n";
    let sdist =
        SdistBuilder::new("demo", "1.0").file("setup.py", setup).file("demo.py", "def main(): pass\n");
    index.add_sdist(&sdist.build());
    let mut request = at("https://pypi.org/simple", &["demo==1.0"]);
    request.extra_index_urls.push(index.url().parse().unwrap());

    let found = workshop.resolve(&request).await.unwrap();

    let elsewhere = Workshop::new().await.unwrap();
    let again = elsewhere.resolve(&request).await.unwrap();
    let digest = |found: &Resolution| match &found.packages.last().unwrap().source {
        Source::Built(built) => built.sha256,
        other => panic!("{other:?}"),
    };
    assert_eq!(digest(&found), digest(&again), "the same sources give the same bytes in every build");

    let built = shown(&found).last().unwrap().clone();
    assert_eq!(built, "demo 1.0: demo-1.0-py3-none-any.whl built");
    let points = read_built(&found, "demo", "demo-1.0.dist-info/entry_points.txt");
    assert!(points.contains("demo = demo:main"), "{points}");
}
