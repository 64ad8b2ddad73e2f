//! Images for machines with a GPU.

use imagewright_testkit::conda::{Channels, CondaPackageBuilder, PrefixBuilder};
use imagewright_testkit::{ImageBuilder, bases, require_tool};

use super::packages::plain;
use crate::support::{Workshop, strings};

/// A channel with a package that has one build for CUDA and one without.
fn channels() -> Channels {
    let channels = Channels::new();
    let forge = channels.channel("conda-forge");
    let tensors =
        |build: &str, number| CondaPackageBuilder::new("tensors", "1.0").build_string(build, number);
    forge.add(&tensors("cpu_0", 0).file("share/tensors", "cpu\n").build());
    forge.add(&tensors("cuda_1", 1).depends("__cuda >=12").file("share/tensors", "cuda\n").build());
    forge.add(&plain("thing", "1.0").build());
    channels
}

#[tokio::test]
async fn a_universal_image_is_two_where_the_packages_differ_and_one_where_they_do_not() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let base = bases::debian_python(&workshop.registry).await;
    let channels = channels();
    let build = |to: &str, spec: &str| {
        let build = workshop.build(&base.reference, to).channels(&channels).conda(spec);
        build.arguments(&["--type", "universal", "--cuda", "12.4"]).succeed()
    };

    let two = build("team/image:1", "tensors");
    let gpu = &two.summary()["gpu"];
    assert_eq!(gpu["reference"], workshop.reference("team/image:1-gpu"));
    assert_eq!(strings(&gpu["images"][0]["conda"]), ["tensors 1.0"]);
    assert_eq!(workshop.run("team/image:1").read_file("/opt/conda/share/tensors"), b"cpu\n");
    assert_eq!(workshop.run("team/image:1-gpu").read_file("/opt/conda/share/tensors"), b"cuda\n");
    let again = build("team/image:1", "tensors");
    assert_eq!(again.summary()["unchanged"], true);
    assert_eq!(again.summary()["gpu"], *gpu);

    for _ in 0..2 {
        let one = build("team/one:1", "thing");
        assert!(one.summary()["gpu"].is_null(), "{:#?}", one.summary());
        assert!(one.says(&["one image serves both"]));
    }
}

#[tokio::test]
async fn the_version_of_cuda_is_that_of_the_base_or_has_to_be_given() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let debian = bases::debian_python(&workshop.registry).await;
    let with = |version: &'static str| {
        let image = ImageBuilder::from_image(&debian).env("CUDA_VERSION", version);
        let name = format!("bases/cuda:{version}");
        let registry = &workshop.registry;
        async move { image.push(registry, &name).await.reference }
    };
    let channels = channels();
    let build = |base: &str| {
        let build = workshop.build(base, "team/image:1").channels(&channels);
        build.conda("tensors").arguments(&["--type", "gpu"])
    };
    let content = || workshop.run("team/image:1").read_file("/opt/conda/share/tensors");

    // Known before the first variant is made, which would have no use without the other.
    let universal = workshop.build(&debian.reference, "team/image:1").channels(&channels).conda("tensors");
    let refused = universal.arguments(&["--type", "universal"]).fail();
    assert_eq!(refused.kind, "spec_invalid");
    assert!(!channels.requests().iter().any(|request| format!("{request:?}").contains(".conda")));
    let refused = build(&with("twelve").await).fail();
    assert!(refused.message.contains("\"twelve\", its CUDA_VERSION"), "{refused:#?}");
    let refused = build(&debian.reference).fail();
    assert_eq!(refused.kind, "spec_invalid");
    assert!(refused.next_step.contains("--cuda"), "{refused:#?}");
    build(&with("12.4.1").await).succeed();
    assert_eq!(content(), b"cuda\n");
    // A base whose CUDA is too old for the GPU build says more than the option.
    build(&with("11.8.0").await).arguments(&["--cuda", "12.4"]).succeed();
    assert_eq!(content(), b"cpu\n");
}

#[tokio::test]
async fn what_needs_a_gpu_in_the_base_stays_in_an_image_for_machines_without() {
    require_tool!("docker-registry", "mmdebstrap", "buildah", "uv");
    let workshop = Workshop::new();
    let channels = channels();
    let cuda = CondaPackageBuilder::new("tensors", "1.0").build_string("cuda_1", 1).depends("__cuda >=12");
    let cuda = cuda.file("share/tensors", "cuda\n").build();
    let prefix = PrefixBuilder::new("/opt/conda").install(&cuda).install(&plain("thing", "0.9").build());
    let jupyter = bases::jupyter(&workshop.registry, &prefix).await;
    let build = |base: &str, to: &str| workshop.build(base, to).channels(&channels);

    let upon = build(&jupyter.reference, "team/image:1").conda("thing>=1").succeed();
    assert_eq!(upon.conda(), ["thing 1.0"]);
    assert_eq!(workshop.run("team/image:1").read_file("/opt/conda/share/tensors"), b"cuda\n");

    // An image of ours is laid out anew, with what its packages say of themselves.
    let debian = bases::debian_python(&workshop.registry).await;
    let gpu = build(&debian.reference, "team/gpu:1").conda("tensors");
    gpu.arguments(&["--type", "gpu", "--cuda", "12.4"]).succeed();
    channels.channel("conda-forge").remove(&cuda);
    let above = build(&workshop.reference("team/gpu:1"), "team/above:1").conda("thing").succeed();
    assert_eq!(above.conda(), ["tensors 1.0", "thing 1.0"]);
    let image = workshop.run("team/above:1");
    assert_eq!(image.read_file("/opt/conda/share/tensors"), b"cuda\n");
    let record = image.read_file("/opt/conda/conda-meta/tensors-1.0-cuda_1.json");
    let record = String::from_utf8(record).unwrap();
    assert!(record.contains("__cuda >=12"), "{record}");
}
