//! The channels that a base tells its own conda to ask. Only their names count: no address of a base is ever fetched.

use imagewright_oci::tree::ImageTree;
use imagewright_spec::CondaChannel;
use serde_json::Value;

use super::environment::variables;
use super::prefix::CondaPrefix;

/// The channels of the first file that names some, in the order in which conda lets one file win over another.
pub fn channels_of_base(tree: &ImageTree, config: &Value, prefix: &CondaPrefix) -> Vec<CondaChannel> {
    let home = variables(config).remove("HOME").unwrap_or_else(|| "/root".to_owned());
    let files = [
        prefix.inside(".condarc"),
        format!("{}/.condarc", home.trim_matches('/')),
        prefix.inside("condarc"),
        "etc/conda/.condarc".to_owned(),
        "etc/conda/condarc".to_owned(),
    ];
    let texts = files.iter().filter_map(|file| tree.text(file));
    texts.map(|text| named(&text)).find(|channels| !channels.is_empty()).unwrap_or_default()
}

/// The items of the list `channels:` that are names. Files that write the list in another way than one item a line are
/// passed over: then the usual channel is asked.
fn named(text: &str) -> Vec<CondaChannel> {
    let mut lines = text.lines().skip_while(|line| line.trim_end() != "channels:");
    lines.next();
    lines
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map_while(|line| line.strip_prefix("- "))
        .filter_map(|item| {
            item.split(" #").next()?.trim().trim_matches(['"', '\'']).parse::<CondaChannel>().ok()
        })
        .filter(|channel| channel.url().is_none())
        .collect()
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
        assert!(named("channels: [a, b]\n").is_empty());
    }
}
