//! Chains of needs in the solver's tree.

use super::tree::Node;

/// How the solver words things.
const REQUIRES: &str = " would require";
const NO_OPTIONS: &str = " cannot be installed because there are no viable options:";
const WHICH_NO_OPTIONS: &str = ", which cannot be installed because there are no viable options:";
const OPTIONS: &str = " can be installed with any of the following options:";
const WHICH_OPTIONS: &str = ", which can be installed with any of the following options:";
const NO_CANDIDATES: &str = ", for which no candidates were found.";
const NONE_FOR: &str = "No candidates were found for ";
const CONFLICTS: &str = ", which conflicts with the versions reported above.";

/// Most chains that are followed.
const MOST_CHAINS: usize = 200;

/// What was asked for, what that needs, what that needs, …
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// Specs.
    pub(super) needs: Vec<String>,
    /// Why the last one cannot be had.
    pub(super) end: End,
}

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing satisfies the last need.
    None,
    /// Something does, but others need something else of it.
    Contested,
    /// The solver's own words.
    Told(String),
}

/// All chains of a tree.
pub(super) fn of(roots: &[Node]) -> Vec<Chain> {
    let mut chains = Vec::new();
    for root in roots {
        if root.text.starts_with("The following packages are incompatible") {
            root.children.iter().for_each(|child| follow(child, &[], &mut chains));
        } else {
            follow(root, &[], &mut chains);
        }
    }
    chains
}

fn follow(node: &Node, above: &[String], chains: &mut Vec<Chain>) {
    if chains.len() >= MOST_CHAINS {
        return;
    }
    let text = node.text.as_str();
    let with = |spec: &str| [above, &[spec.to_owned()]].concat();
    let mut add = |needs: Vec<String>, end: End| {
        let chain = Chain { needs, end };
        if !chains.contains(&chain) {
            chains.push(chain);
        }
    };
    if let Some(spec) = text.strip_prefix(NONE_FOR) {
        return add(with(spec.trim_end_matches('.')), End::None);
    }
    if let Some(spec) = text.strip_suffix(NO_CANDIDATES) {
        return add(with(spec), End::None);
    }
    let spec =
        [WHICH_NO_OPTIONS, NO_OPTIONS, WHICH_OPTIONS, OPTIONS].iter().find_map(|end| text.strip_suffix(end));
    if let Some(spec) = spec {
        let needs = with(spec);
        // Each option is a version; what matters is what they need, and that is told below them.
        let leads_on = node.children.iter().any(|child| !child.children.is_empty());
        let told = node.children.iter().find_map(|child| own_words(&child.text));
        return match (leads_on, told) {
            (true, _) => node.children.iter().for_each(|child| follow(child, &needs, chains)),
            (false, Some(words)) => add(needs, End::Told(words)),
            (false, None) => add(needs, End::Contested),
        };
    }
    if text.ends_with(REQUIRES) {
        // Versions of the need above: the chain goes on with what they need.
        return node.children.iter().for_each(|child| follow(child, above, chains));
    }
    if let Some(words) = own_words(text) {
        let end = End::Told(words);
        return add(if above.is_empty() { vec![text.to_owned()] } else { above.to_vec() }, end);
    }
    node.children.iter().for_each(|child| follow(child, above, chains));
}

/// What is worth repeating of a line that says why one version is out.
fn own_words(text: &str) -> Option<String> {
    let reason =
        text.split_once(" is excluded because ").or_else(|| text.split_once(", which is excluded because "));
    let locked = text.contains(" is locked");
    match reason {
        Some((_, reason)) => Some(reason.trim_end_matches('.').to_owned()),
        None if locked => Some(text.trim_end_matches('.').to_owned()),
        None if text.ends_with(CONFLICTS) => None,
        None => None,
    }
}
