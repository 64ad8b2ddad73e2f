//! Packages of the base that stay.

use std::collections::BTreeMap;
use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::PackageName;

use crate::pip::consistency::{Broken, broken};
use crate::pip::fixtures::{installed, target};
use crate::python::installed::Installed;
use crate::python::markers::marker_environment;

fn sentences(installed: &Installed, new: &[(&str, &str)]) -> Vec<String> {
    let new: BTreeMap<PackageName, Version> = new
        .iter()
        .map(|(name, version)| (PackageName::from_str(name).unwrap(), Version::from_str(version).unwrap()))
        .collect();
    let environment = marker_environment(&target()).unwrap();
    broken(installed, &new, &environment).iter().map(Broken::sentence).collect()
}

#[test]
fn a_broken_requirement_is_named_once_it_applies() {
    let base = installed(&[
        ("numba", "0.57", &["numpy<1.25,>=1.21", "llvmlite==0.40"]),
        ("old", "1.0", &["numpy<2; python_version < '3.9'", "numpy<2; extra == 'x'"]),
        ("numpy", "1.24.4", &[]),
    ]);
    assert_eq!(
        sentences(&base, &[("numpy", "2.0")]),
        ["numba 0.57 of the base needs numpy>=1.21, <1.25, but the image will have numpy 2.0."]
    );
    assert!(sentences(&base, &[("numpy", "1.24.4")]).is_empty());
}

#[test]
fn what_was_broken_before_or_is_replaced_is_not_reported() {
    let base = installed(&[("numba", "0.57", &["numpy<1.20"]), ("numpy", "1.24.4", &[])]);
    assert!(sentences(&base, &[("numpy", "2.0")]).is_empty());
    let base = installed(&[("numba", "0.57", &["numpy<1.25"]), ("numpy", "1.24.4", &[])]);
    assert!(sentences(&base, &[("numpy", "2.0"), ("numba", "0.60")]).is_empty());
}
