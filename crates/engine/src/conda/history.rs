//! `conda-meta/history`: what was asked for in earlier installations, and what this one adds.
//!
//! conda reads requests back from lines such as `# update specs: ['numpy=1.26', "python[version='>=3']"]`. Later
//! ones of a package replace earlier ones; removed packages are asked for no longer.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Requests by package name, as they were written.
pub type Requests = BTreeMap<String, String>;

/// Reads the requests of a history.
pub(super) fn requests(history: &str) -> Requests {
    let mut requests = Requests::new();
    for line in history.lines() {
        let Some((words, specs)) = line.strip_prefix('#').and_then(|line| line.split_once("specs:")) else {
            continue;
        };
        let specs = listed(specs);
        match words.trim() {
            // What was neutered was kept in this weaker form.
            "update" | "install" | "create" | "neutered" | "" => {
                for spec in specs {
                    if let Some(name) = name_of(&spec) {
                        requests.insert(name, spec);
                    }
                }
            }
            "remove" | "uninstall" => {
                for spec in specs {
                    requests.retain(|name, _| Some(name) != name_of(&spec).as_ref());
                }
            }
            _ => {}
        }
    }
    requests
}

/// The specs of a line: a Python list of strings, or, as old versions wrote, words with commas between them.
fn listed(text: &str) -> Vec<String> {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) else {
        return text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    };
    let mut specs = Vec::new();
    let mut rest = inner;
    while let Some(start) = rest.find(['\'', '"']) {
        let quote = rest.as_bytes()[start];
        let mut spec = String::new();
        let mut characters = rest[start + 1..].char_indices();
        let mut end = None;
        while let Some((at, character)) = characters.next() {
            if character == '\\' {
                spec.extend(characters.next().map(|(_, escaped)| escaped));
            } else if character == char::from(quote) {
                end = Some(start + 1 + at + 1);
                break;
            } else {
                spec.push(character);
            }
        }
        let Some(end) = end else { break };
        specs.push(spec);
        rest = &rest[end..];
    }
    specs
}

/// The package's name in a spec, in lower case.
pub fn name_of(spec: &str) -> Option<String> {
    let spec = spec.rsplit_once("::").map_or(spec, |(_, rest)| rest).trim();
    let end = spec.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
    let name = &spec[..end.unwrap_or(spec.len())];
    (!name.is_empty()).then(|| name.to_ascii_lowercase())
}

/// What one installation has changed.
#[derive(Debug, Default)]
pub struct Entry<'entry> {
    /// Time of the entry, as conda writes it.
    pub time: &'entry str,
    /// `channel/subdir::name-version-build` of what went.
    pub removed: Vec<String>,
    /// The same of what came.
    pub added: Vec<String>,
    /// What was asked for.
    pub requested: Vec<String>,
}

/// The history with one more entry.
pub fn extended(history: Option<&str>, entry: &Entry<'_>) -> String {
    let mut text = history.unwrap_or_default().to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    // Writing to a string does not fail.
    let _ = writeln!(text, "==> {} <==\n# cmd: imagewright build", entry.time);
    for (sign, lines) in [('-', &entry.removed), ('+', &entry.added)] {
        for line in lines {
            let _ = writeln!(text, "{sign}{line}");
        }
    }
    if !entry.requested.is_empty() {
        let quoted: Vec<String> = entry.requested.iter().map(|spec| python_string(spec)).collect();
        let _ = writeln!(text, "# update specs: [{}]", quoted.join(", "));
    }
    text
}

/// A string as Python writes it.
fn python_string(text: &str) -> String {
    if text.contains('\'') { format!("\"{}\"", text.replace('"', "'")) } else { format!("'{text}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_request_of_a_package_counts() {
        let history = "\
==> 2024-01-01 00:00:00 <==
# cmd: /opt/conda/bin/conda create
# conda version: 4.5.0
+defaults::zlib-1-0
# create specs: ['python=3.11', 'conda-forge::numpy[version=\">=1\"]', \"scipy[build='py*']\"]
==> 2024-02-01 00:00:00 <==
# update specs: ['numpy<2', 'Pandas']
==> 2024-03-01 00:00:00 <==
# remove specs: ['scipy']
# neutered specs: ['pandas==1.0']
==> 2024-04-01 00:00:00 <==
# specs: a, b 1.0
";
        let found = requests(history);
        let shown: Vec<String> = found.iter().map(|(name, spec)| format!("{name}: {spec}")).collect();
        assert_eq!(
            shown,
            ["a: a", "b: b 1.0", "numpy: numpy<2", "pandas: pandas==1.0", "python: python=3.11"]
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        let entry = Entry {
            time: "2024-05-01 00:00:00",
            removed: vec!["conda-forge/noarch::a-1-0".into()],
            added: vec!["conda-forge/noarch::a-2-0".into()],
            requested: vec!["a".into(), "b[version='>=1']".into(), "c[version=\">=1\"]".into()],
        };
        let text = extended(Some("==> 2023 <==\n# update specs: ['z', 'a=1']"), &entry);
        let found = requests(&text);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "b", "c", "z"]);
        assert_eq!(found["a"], "a");
        assert_eq!(found["b"], "b[version='>=1']");
    }

    #[test]
    fn broken_lines_are_passed_over() {
        assert!(requests("# update specs: ['unfinished\n# update specs: [\n# specs").is_empty());
    }
}
