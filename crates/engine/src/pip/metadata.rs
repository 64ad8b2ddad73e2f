//! Reading the core metadata (`METADATA`, `PKG-INFO`) of distributions.

use std::str::FromStr;

use pep508_rs::{Requirement, VerbatimUrl};

/// The longest requirement that is read; real ones stay below two hundred characters.
const LONGEST_REQUIREMENT: usize = 2000;
/// The deepest nesting of a marker and the most comparisons in it. Markers are kept as decision diagrams, which
/// a hostile line could make exponentially large.
const DEEPEST_MARKER: usize = 16;
const MOST_COMPARISONS: usize = 32;

/// All values of a header field; the body behind the first empty line is prose.
pub(super) fn headers<'text>(text: &'text str, wanted: &str) -> impl Iterator<Item = &'text str> {
    text.lines().take_while(|line| !line.trim().is_empty()).filter_map(move |line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(wanted).then(|| value.trim())
    })
}

/// The requirements of a distribution. Lines that cannot be read, such as the `>=1.0.*` of old packages, are left
/// out.
pub(super) fn requirements(metadata: &str) -> impl Iterator<Item = Requirement<VerbatimUrl>> {
    headers(metadata, "Requires-Dist")
        .filter(|line| is_acceptable(line))
        .filter_map(|line| Requirement::from_str(line).ok())
}

fn is_acceptable(line: &str) -> bool {
    let marker = line.split_once(';').map_or("", |(_, marker)| marker);
    let opened = marker.bytes().filter(|byte| *byte == b'(').count();
    let comparisons = marker.matches(" and ").count() + marker.matches(" or ").count() + 1;
    line.len() <= LONGEST_REQUIREMENT && opened <= DEEPEST_MARKER && comparisons <= MOST_COMPARISONS
}
