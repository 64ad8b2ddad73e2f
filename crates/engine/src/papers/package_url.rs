//! Package URLs (`purl`): names of packages that other tools understand, as the specification of purl writes them.

use std::fmt::Write as _;

/// A package URL in parts.
#[derive(Debug, Default)]
pub(super) struct PackageUrl<'part> {
    /// `deb`, `apk`, `conda`, `pypi`.
    pub(super) kind: &'part str,
    /// `debian`.
    pub(super) namespace: Option<&'part str>,
    /// Name.
    pub(super) name: &'part str,
    /// Version.
    pub(super) version: &'part str,
    /// Qualifiers, in the order of their keys.
    pub(super) qualifiers: Vec<(&'part str, &'part str)>,
}

impl PackageUrl<'_> {
    /// The URL.
    pub(super) fn text(&self) -> String {
        let mut text = format!("pkg:{}/", self.kind);
        for part in self.namespace.iter().chain([&self.name]) {
            if !text.ends_with('/') {
                text.push('/');
            }
            text.push_str(&encoded(part));
        }
        // Writing to a string does not fail.
        let _ = write!(text, "@{}", encoded(self.version));
        let mut sign = '?';
        for (key, value) in self.qualifiers.iter().filter(|(_, value)| !value.is_empty()) {
            let _ = write!(text, "{sign}{key}={}", encoded(value));
            sign = '&';
        }
        text
    }
}

/// Everything but letters, digits, `.`, `-`, `_`, `~` and `:` as the hexadecimal digits of its bytes.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_encoded() {
        let url = PackageUrl {
            kind: "deb",
            namespace: Some("debian"),
            name: "g++",
            version: "4:12.2.0-3+b1",
            qualifiers: vec![("arch", "amd64"), ("distro", ""), ("x", "a b/c")],
        };
        assert_eq!(url.text(), "pkg:deb/debian/g%2B%2B@4:12.2.0-3%2Bb1?arch=amd64&x=a%20b%2Fc");
    }
}
