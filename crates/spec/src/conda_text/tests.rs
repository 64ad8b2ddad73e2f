use super::*;

fn read(text: &str) -> (Vec<String>, Vec<String>) {
    let request =
        parse_conda("conda packages", text, CondaPolicy::OPEN).unwrap_or_else(|errors| panic!("{errors}"));
    (
        request.channels.iter().map(ToString::to_string).collect(),
        request.specs.iter().map(ToString::to_string).collect(),
    )
}

fn specs(text: &str) -> Vec<String> {
    read(text).1
}

#[test]
fn the_guides_own_example_is_understood() {
    assert_eq!(read("-c conda-forge::numpy==1.17*"), (vec![], specs("conda-forge::numpy 1.17.*")));
    assert_eq!(specs("-c conda-forge::numpy==1.17*"), ["numpy[version=\"1.17.*\",channel=\"conda-forge\"]"]);
    let request =
        parse_conda("t", "-c conda-forge::numpy==1.17*\n-c nvidia cuda", CondaPolicy::OPEN).unwrap();
    let channels: Vec<_> = request.all_channels().iter().map(ToString::to_string).collect();
    assert_eq!(channels, ["nvidia", "conda-forge"]);
}

#[test]
fn channels_are_kept_in_order() {
    let channels = |text: &str| read(text).0;
    assert_eq!(channels("-c conda-forge numpy"), ["conda-forge"]);
    assert_eq!(
        channels("conda install -y -c b --channel a --channel=c -cd --override-channels numpy -c b"),
        ["b", "a", "c", "d"]
    );
    assert_eq!(channels("-c nvidia/label/cuda-12.4.0 cuda"), ["nvidia/label/cuda-12.4.0"]);
    assert_eq!(channels("-c https://conda.example.com/x/ y"), ["https://conda.example.com/x"]);
    assert_eq!(channels("-c a,b x"), ["a", "b"]);
}

#[test]
fn blanks_separate_versions_builds_and_packages() {
    let same = |text: &str, expected: &[&str]| {
        let expected: Vec<String> =
            expected.iter().map(|spec| spec.parse::<CondaSpec>().unwrap().to_string()).collect();
        assert_eq!(specs(text), expected, "{text}");
    };
    same("numpy scipy", &["numpy", "scipy"]);
    same("numpy 1.17.*", &["numpy 1.17.*"]);
    same("numpy 1.17 py37_0", &["numpy 1.17 py37_0"]);
    same("blas 1.0 mkl", &["blas 1.0 mkl"]);
    same("pytorch * *cuda*", &["pytorch * *cuda*"]);
    same("numpy >= 1.17 , < 2 scikit-learn", &["numpy>=1.17,<2", "scikit-learn"]);
    same("numpy >=1.17 <2", &["numpy>=1.17,<2"]);
    same("python 3.9 numpy 1.17", &["python 3.9", "numpy 1.17"]);
    same("python 3.9, numpy, scipy", &["python 3.9", "numpy", "scipy"]);
    same("numpy,scipy", &["numpy", "scipy"]);
    same("numpy=1.17 scipy==1.5 pandas", &["numpy=1.17", "scipy==1.5", "pandas"]);
    same("\"numpy>=1.17\" 'scipy 1.5'", &["numpy>=1.17", "scipy 1.5"]);
    same(
        "numpy[version='>=1.17, <2',build=py37*] scipy",
        &["numpy[version='>=1.17,<2',build=py37*]", "scipy"],
    );
    same("conda-forge/linux-64::numpy x", &["conda-forge/linux-64::numpy", "x"]);
    same("mamba install -n base pip python=3.11", &["pip", "python=3.11"]);
}

#[test]
fn what_policy_forbids_is_refused() {
    for refused in [
        "-c https://conda.example.com/x y",
        "https://conda.example.com/x::y",
        "https://conda.example.com/x/linux-64/y-1.0-0.conda",
    ] {
        parse_conda("t", refused, CondaPolicy::NAMED_CHANNELS_ONLY).unwrap_err();
        parse_conda("t", refused, CondaPolicy::OPEN).unwrap();
    }
}

#[test]
fn errors_read_well() {
    let text = "numpy\n-c\n-c ../local x\nnumpy==\n1.17\nconda create -n x numpy\n-c https://me:hunter2@h/x y\n./x.conda\n\
        --file x.txt\n-n other numpy\nx;rm -rf /\npip install numpy\n__cuda\npy*\n-c https://conda.anaconda.org/t/tk-1/x y";
    let errors = parse_conda("conda packages", text, CondaPolicy::OPEN).unwrap_err();
    insta::assert_snapshot!(errors);
}
