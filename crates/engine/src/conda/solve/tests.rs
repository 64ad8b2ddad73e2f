use imagewright_spec::{CondaPolicy, parse_conda};
use rattler_conda_types::RepoDataRecord;
use serde_json::json;

use super::*;
use crate::conda::CondaPrefix;
use crate::conda::testing::tree;

const FORGE: &str = "https://conda.example/forge";

fn record(channel: &str, subdir: &str, name: &str, version: &str, depends: &[&str]) -> RepoDataRecord {
    // Builds differ, as those of one package for two platforms or on two channels mostly do.
    let build = if channel == FORGE { format!("{subdir}_0") } else { "other_0".to_owned() };
    let file = format!("{name}-{version}-{build}.conda");
    let record = json!({
        "name": name, "version": version, "build": build, "build_number": 0, "subdir": subdir, "depends": depends,
        "fn": file, "url": format!("{channel}/{subdir}/{file}"), "channel": channel,
    });
    serde_json::from_value(record).unwrap()
}

fn forge(name: &str, version: &str, depends: &[&str]) -> RepoDataRecord {
    record(FORGE, "linux-64", name, version, depends)
}

/// A prefix with these packages, and with this history.
fn prefix(packages: &[RepoDataRecord], history: &str) -> InstalledPrefix {
    let mut files: Vec<(String, Vec<u8>)> = packages
        .iter()
        .map(|record| {
            let name = format!("opt/conda/conda-meta/{}.json", record.package_record.name.as_normalized());
            (name, serde_json::to_vec(record).unwrap())
        })
        .collect();
    files.push(("opt/conda/conda-meta/history".to_owned(), history.as_bytes().to_vec()));
    let tree = tree(files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())));
    let prefix = CondaPrefix { path: "/opt/conda".into(), real: "opt/conda".into(), is_new: false };
    InstalledPrefix::read(&tree, &prefix).unwrap()
}

/// What the prefix has after the request, `name version` and `name version subdir` where that is another.
fn solved(request: &str, installed: &InstalledPrefix, available: &[RepoDataRecord]) -> Vec<String> {
    let request = parse_conda("conda", request, CondaPolicy::OPEN).unwrap();
    let source = ChannelSource {
        channel: "forge".parse().unwrap(),
        addresses: vec![FORGE.parse().unwrap()],
        are_mirrors: false,
    };
    let input = SolveInput {
        wanted: &request.specs,
        installed,
        channels: &[source],
        available: &[],
        by_address: available,
        virtual_packages: &[],
        priority: ChannelPriority::Strict,
        patience: PATIENCE,
        cancellation: &CancellationToken::new(),
    };
    let solution = solve(&input, &Demands::new(&request.specs, installed)).unwrap();
    let mut labels: Vec<String> = solution
        .records
        .iter()
        .map(|record| {
            let package = &record.package_record;
            let place = record.url.as_str().strip_prefix(FORGE).map_or("elsewhere", |_| &package.subdir);
            format!("{} {} {place}", package.name.as_normalized(), package.version)
        })
        .collect();
    labels.sort();
    labels
}

#[test]
fn what_is_installed_stays_where_an_older_version_of_what_is_wanted_fits() {
    let available = [
        forge("wanted", "2.0", &["dependency >=2"]),
        forge("wanted", "1.0", &["dependency >=1"]),
        forge("dependency", "2.0", &[]),
        forge("dependency", "1.0", &[]),
    ];
    let installed = prefix(&[forge("dependency", "1.0", &[])], "");
    assert_eq!(solved("wanted", &installed, &available), ["dependency 1.0 linux-64", "wanted 1.0 linux-64"]);
    // What is asked for by its version comes, and what it needs with it.
    assert_eq!(
        solved("wanted=2", &installed, &available),
        ["dependency 2.0 linux-64", "wanted 2.0 linux-64"]
    );
}

#[test]
fn as_little_as_needed_changes() {
    let available = [
        forge("wanted", "1.0", &["one >=2", "two"]),
        forge("one", "2.0", &[]),
        forge("two", "2.0", &[]),
        forge("two", "1.0", &[]),
        forge("three", "2.0", &[]),
    ];
    let installed =
        prefix(&[forge("one", "1.0", &[]), forge("two", "1.0", &[]), forge("three", "1.0", &[])], "");
    assert_eq!(
        solved("wanted", &installed, &available),
        ["one 2.0 linux-64", "three 1.0 linux-64", "two 1.0 linux-64", "wanted 1.0 linux-64"]
    );
}

#[test]
fn a_package_of_another_channel_is_replaced_when_a_channel_is_asked_for() {
    let other = record("https://other.example/main", "linux-64", "numpy", "1.0", &[]);
    let available = [forge("numpy", "1.0", &[])];
    let installed = prefix(std::slice::from_ref(&other), "");
    let by_name = [other, forge("numpy", "1.0", &[])];
    assert_eq!(solved("numpy", &installed, &by_name), ["numpy 1.0 elsewhere"]);
    let demand = "forge::numpy";
    let request = parse_conda("conda", demand, CondaPolicy::OPEN).unwrap();
    let source = ChannelSource {
        channel: "forge".parse().unwrap(),
        addresses: vec![FORGE.parse().unwrap()],
        are_mirrors: false,
    };
    let input = SolveInput {
        wanted: &request.specs,
        installed: &installed,
        channels: &[source],
        available: &[],
        by_address: &available,
        virtual_packages: &[],
        priority: ChannelPriority::Strict,
        patience: PATIENCE,
        cancellation: &CancellationToken::new(),
    };
    assert!(is_from_elsewhere(&input, &request.specs[0], &installed.packages[0]));
    let from_forge = prefix(&[forge("numpy", "1.0", &[])], "");
    assert!(!is_from_elsewhere(&input, &request.specs[0], &from_forge.packages[0]));
}

#[test]
fn the_platform_and_the_file_that_are_asked_for_are_taken() {
    let available = [forge("six", "1.0", &[]), record(FORGE, "noarch", "six", "1.0", &[])];
    let none = prefix(&[], "");
    assert_eq!(solved("six[subdir=noarch]", &none, &available), ["six 1.0 noarch"]);
    assert_eq!(solved("six[subdir=linux-64]", &none, &available), ["six 1.0 linux-64"]);
    // One that is installed for another platform is none of these.
    let installed = prefix(&[forge("six", "1.0", &[])], "");
    assert_eq!(solved("six[subdir=noarch]", &installed, &available), ["six 1.0 noarch"]);
}

#[test]
fn no_address_that_a_base_names_is_asked_for() {
    let python = forge("python", "3.11.2", &[]);
    for address in ["http://169.254.169.254/python-3.11.2-0.conda", "file:///etc/python-3.11.2-0.conda"] {
        let history = format!("# update specs: ['python[url=\"{address}\"]']\n");
        let installed = prefix(std::slice::from_ref(&python), &history);
        assert!(installed.requests["python"].contains(address), "the history was read");
        let demands = Demands::new(&[], &installed);
        let asked = format!("{:?}", demands.for_query(&[]));
        assert!(!asked.contains("169.254") && !asked.contains("etc"), "{asked}");
        assert_eq!(solved("", &installed, std::slice::from_ref(&python)), ["python 3.11.2 linux-64"]);
    }
}

#[test]
fn the_last_part_of_an_address_is_no_name_of_a_channel() {
    let request = parse_conda("conda", "https://other.example/forge::x", CondaPolicy::OPEN).unwrap();
    let name =
        Demands::new(&request.specs, &InstalledPrefix::default()).requested[0].channel.clone().unwrap();
    assert_eq!(
        name.name.as_deref(),
        request.specs[0].channel().as_ref().map(imagewright_spec::CondaChannel::as_str)
    );
    assert_ne!(name.name.as_deref(), Some("forge"));
    // Nor in what was asked for earlier.
    for earlier in ["https://other.example/forge::x", "https://me:secret@other.example/forge::x"] {
        let installed = prefix(&[forge("x", "1.0", &[])], &format!("# update specs: ['{earlier}']\n"));
        let demands = Demands::new(&[], &installed);
        let name = demands.requested[0].channel.as_ref().unwrap().name.as_deref();
        assert!(name.is_some_and(|name| name.starts_with("https://")), "{earlier}: {name:?}");
    }
    let named = prefix(&[forge("x", "1.0", &[])], "# update specs: ['forge::x']\n");
    let demands = Demands::new(&[], &named);
    assert_eq!(demands.requested[0].channel.as_ref().unwrap().name.as_deref(), Some("forge"));
}

#[test]
fn what_needs_a_gpu_in_the_base_stays_in_an_image_for_machines_without() {
    let torch = forge("torch", "2.0", &["__cuda >=12"]);
    let available = [torch.clone(), forge("torch", "1.0", &[]), forge("six", "1.0", &[])];
    let mut installed = prefix(&[torch], "");
    installed.take_for_granted("__cuda");
    assert_eq!(solved("six", &installed, &available), ["six 1.0 linux-64", "torch 2.0 linux-64"]);
}

#[test]
fn what_packages_say_of_themselves_is_kept_though_it_is_taken_for_granted() {
    let recorded = prefix(&[forge("torch", "2.0", &["__cuda >=12", "six"]), forge("six", "1.0", &[])], "");
    let mut assumed = recorded.clone();
    assumed.take_for_granted("__cuda");
    let mut records: Vec<RepoDataRecord> =
        assumed.packages.iter().map(|package| package.record.clone()).collect();
    assert!(!format!("{records:?}").contains("__cuda"));
    recorded.give_back(&assumed, &mut records);
    assert!(records.iter().zip(&recorded.packages).all(|(record, package)| *record == package.record));
}

#[test]
fn without_time_nothing_is_decided() {
    let request = parse_conda("conda", "six", CondaPolicy::OPEN).unwrap();
    let installed = prefix(&[], "");
    let cancellation = CancellationToken::new();
    let input = SolveInput {
        wanted: &request.specs,
        installed: &installed,
        channels: &[],
        available: &[],
        by_address: &[forge("six", "1.0", &[])],
        virtual_packages: &[],
        priority: ChannelPriority::Strict,
        patience: Duration::ZERO,
        cancellation: &cancellation,
    };
    let outcome = solve(&input, &Demands::new(&request.specs, &installed));
    assert!(matches!(outcome, Err(SolveError::Cancelled)), "{outcome:?}");
    assert!(!cancellation.is_cancelled(), "the time is over, and nobody has cancelled anything");
}
