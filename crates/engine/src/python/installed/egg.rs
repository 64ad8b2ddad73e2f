//! `requires.txt` of setuptools' older metadata.

/// The text of a `PKG-INFO` with the requirements of its `requires.txt` as `Requires-Dist` headers.
///
/// `requires.txt` has one requirement a line, in sections: `[extra]`, `[:marker]` or `[extra:marker]`.
pub(super) fn with_requirements(package_info: &str, requires: &str) -> String {
    let mut text = String::new();
    let mut lines = package_info.lines();
    for line in lines.by_ref().take_while(|line| !line.trim().is_empty()) {
        text.push_str(line);
        text.push('\n');
    }
    let mut condition = String::new();
    for line in requires.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let (extra, marker) = section.split_once(':').unwrap_or((section, ""));
            if !extra.is_empty() {
                text.push_str("Provides-Extra: ");
                text.push_str(extra);
                text.push('\n');
            }
            condition = match (extra, marker) {
                ("", "") => String::new(),
                ("", marker) => format!("; {marker}"),
                (extra, "") => format!("; extra == '{extra}'"),
                (extra, marker) => format!("; ({marker}) and extra == '{extra}'"),
            };
        } else {
            text.push_str("Requires-Dist: ");
            text.push_str(line);
            text.push_str(&condition);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::with_requirements;

    #[test]
    fn sections_become_markers() {
        let text = with_requirements(
            "Name: a\nVersion: 1\n\nprose: yes\n",
            "six\n\n[:python_version < '3.9']\nzipp\n\n[test]\npytest>=7\n",
        );
        assert_eq!(
            text,
            "Name: a\nVersion: 1\nRequires-Dist: six\nRequires-Dist: zipp; python_version < '3.9'\n\
             Provides-Extra: test\nRequires-Dist: pytest>=7; extra == 'test'\n"
        );
    }
}
