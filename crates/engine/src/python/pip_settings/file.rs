//! The format of `pip.conf`: sections of `name = value`, as Python's `configparser` reads it.

use std::collections::BTreeMap;

/// The settings that hold for `pip install`: those of `[install]` over those of `[global]`, by pip's option
/// name with dashes. A value over several lines keeps its line ends.
pub(super) fn read(text: &str) -> BTreeMap<String, String> {
    let mut global = BTreeMap::new();
    let mut install = BTreeMap::new();
    let mut section = String::new();
    let mut last: Option<String> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        let values = match section.as_str() {
            "global" => Some(&mut global),
            "install" => Some(&mut install),
            _ => None,
        };
        if line.starts_with([' ', '\t']) && last.is_some() {
            if let (Some(values), Some(name)) = (values, &last) {
                let value: &mut String = values.entry(name.clone()).or_default();
                value.push('\n');
                value.push_str(trimmed);
            }
        } else if let Some(name) = trimmed.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.trim().clone_into(&mut section);
            last = None;
        } else if let Some((name, value)) = trimmed.split_once(['=', ':']) {
            let name = name.trim().to_lowercase().replace('_', "-");
            if let Some(values) = values {
                values.insert(name.clone(), value.trim().to_owned());
            }
            last = Some(name);
        }
    }
    global.extend(install);
    global
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn install_wins_over_global_and_values_go_on() {
        let settings = read(
            "# comment\n[global]\nindex_url = https://a/simple\npre: yes\nconstraint =\n    /a.txt\n    /b.txt\n\
             [install]\npre = no\n[list]\nformat = columns\n",
        );
        assert_eq!(settings["index-url"], "https://a/simple");
        assert_eq!(settings["pre"], "no");
        assert_eq!(settings["constraint"], "\n/a.txt\n/b.txt");
        assert!(!settings.contains_key("format"));
    }
}
