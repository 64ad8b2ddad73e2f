//! What a base tells its own conda: the channels to ask, and pins. Of channels only their names count: no address of a
//! base is ever fetched.

use imagewright_oci::tree::ImageTree;
use imagewright_spec::CondaChannel;
use rattler_conda_types::MatchSpec;
use serde_json::Value;

use super::environment::variables;
use super::installed::pins;
use super::prefix::CondaPrefix;
use crate::error::BuildError;

/// The channels of the first file that names some, in the order in which conda lets one file win over another.
pub fn channels_of_base(tree: &ImageTree, config: &Value, prefix: &CondaPrefix) -> Vec<CondaChannel> {
    let lists = files(config, prefix).into_iter().filter_map(|file| tree.text(&file));
    let lists = lists.map(|text| {
        let channels =
            list(&text, "channels").into_iter().filter_map(|item| item.parse::<CondaChannel>().ok());
        channels.filter(|channel| channel.url().is_none()).collect::<Vec<_>>()
    });
    lists.into_iter().find(|channels| !channels.is_empty()).unwrap_or_default()
}

/// The pins of all files (`pinned_packages`): conda puts them together.
///
/// # Errors
/// A pin that cannot be read.
pub fn pins_of_base(
    tree: &ImageTree,
    config: &Value,
    prefix: &CondaPrefix,
) -> Result<Vec<MatchSpec>, BuildError> {
    let mut found = Vec::new();
    for file in files(config, prefix) {
        let Some(text) = tree.text(&file) else { continue };
        found.extend(pins(&list(&text, "pinned_packages").join("\n"), &file)?);
    }
    Ok(found)
}

/// The files that conda reads, in the order in which one wins over another.
fn files(config: &Value, prefix: &CondaPrefix) -> [String; 5] {
    let home = variables(config).remove("HOME").unwrap_or_else(|| "/root".to_owned());
    [
        prefix.inside(".condarc"),
        format!("{}/.condarc", home.trim_matches('/')),
        prefix.inside("condarc"),
        "etc/conda/.condarc".to_owned(),
        "etc/conda/condarc".to_owned(),
    ]
}

/// The items of a list in the two ways in which people write it: one item a line, or all between brackets.
fn list(text: &str, key: &str) -> Vec<String> {
    let mut lines = text.lines().map(without_comment).skip_while(|line| !is_of(line, key));
    let Some(value) = lines.next().and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    else {
        return Vec::new();
    };
    let Some(first) = value.strip_prefix('[') else {
        let lines = lines.map(str::trim).filter(|line| !line.is_empty());
        return lines.map_while(|line| line.strip_prefix("- ")).map(unquoted).collect();
    };
    let mut items = vec![String::new()];
    let mut quote = None;
    for character in std::iter::once(first).chain(lines).flat_map(|line| line.chars().chain([' '])) {
        match (character, quote) {
            (']', None) => break,
            (',', None) => items.push(String::new()),
            (_, open) => {
                if open == Some(character) {
                    quote = None;
                } else if open.is_none() && matches!(character, '"' | '\'') {
                    quote = Some(character);
                }
                if let Some(item) = items.last_mut() {
                    item.push(character);
                }
            }
        }
    }
    items.iter().map(|item| unquoted(item)).filter(|item| !item.is_empty()).collect()
}

fn is_of(line: &str, key: &str) -> bool {
    line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'))
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    line.split(" #").next().unwrap_or_default()
}

fn unquoted(item: &str) -> String {
    item.trim().trim_matches(['"', '\'']).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_count_and_addresses_do_not() {
        let text = "auto_update_conda: false\nchannels:\n  - bioconda\n  # a note\n  - https://169.254.169.254/x\n\n  \
                    - 'conda-forge' # last\nshow_channel_urls: true\n- not-one\n";
        let tree = crate::conda::testing::tree([("opt/conda/.condarc", text.as_bytes())]);
        let prefix = CondaPrefix { path: "/opt/conda".into(), real: "opt/conda".into(), is_new: false };
        let found = channels_of_base(&tree, &json!({}), &prefix);
        assert_eq!(found.iter().map(CondaChannel::as_str).collect::<Vec<_>>(), ["bioconda", "conda-forge"]);
    }

    #[test]
    fn lists_are_read_in_both_forms() {
        for (text, expected) in [
            ("x: 1\nlist: [a, 'b, c', \"d\"] # e\nf: [g]\n", &["a", "b, c", "d"][..]),
            ("list: [a,\n  b\n]\n", &["a", "b"]),
            ("list :\n- a\n\n  # no\n- b 1.*\nother:\n- c\n", &["a", "b 1.*"]),
            ("lists: [a]\nlist: []\n", &[]),
            ("list: a\n", &[]),
            ("list:", &[]),
        ] {
            assert_eq!(list(text, "list"), expected, "{text}");
        }
    }

    #[test]
    fn pins_of_all_files_hold() {
        let tree = crate::conda::testing::tree([
            ("opt/conda/.condarc", &b"channels: [bioconda]\npinned_packages:\n  - numpy 1.*\n"[..]),
            ("etc/conda/condarc", b"pinned_packages: ['python >=3.9,<3.12']\n"),
        ]);
        let prefix = CondaPrefix { path: "/opt/conda".into(), real: "opt/conda".into(), is_new: false };
        let shown: Vec<String> =
            pins_of_base(&tree, &json!({}), &prefix).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["numpy 1.*", "python >=3.9,<3.12"]);
        let channels = channels_of_base(&tree, &json!({}), &prefix);
        assert_eq!(channels.iter().map(CondaChannel::as_str).collect::<Vec<_>>(), ["bioconda"]);
        let tree =
            crate::conda::testing::tree([("opt/conda/.condarc", &b"pinned_packages: ['a >>= 1']\n"[..])]);
        let error = pins_of_base(&tree, &json!({}), &prefix).unwrap_err();
        assert!(error.to_string().contains("opt/conda/.condarc"), "{error}");
    }
}
