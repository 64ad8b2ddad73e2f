//! `RECORD`: the list of a distribution's files with their hashes and sizes, as the wheel has it and as an
//! installation has it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::error::WheelProblem;
use super::names::{member_path, shown};

/// Hash and size of a file as text, the way they stand in a row. Both are empty for files that may change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RecordedContent {
    /// `sha256=` and the digest in URL-safe Base64 without padding.
    pub hash: String,
    /// Length in bytes, decimal.
    pub size: String,
}

impl RecordedContent {
    /// What a row says of these bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
        Self { hash: format!("sha256={digest}"), size: bytes.len().to_string() }
    }
}

/// Reads a wheel's `RECORD`: what it says of each member, by checked path.
pub(super) fn parse(bytes: &[u8]) -> Result<BTreeMap<String, RecordedContent>, WheelProblem> {
    let invalid = |reason: String| WheelProblem::Metadata { file: "RECORD", reason };
    let text = str::from_utf8(bytes).map_err(|_| invalid("is not UTF-8 text".to_owned()))?;
    let mut rows = BTreeMap::new();
    for (line, row) in text.lines().enumerate().filter(|(_, row)| !row.trim().is_empty()) {
        let fields =
            csv_fields(row).ok_or_else(|| invalid(format!("has an unreadable line {}", line + 1)))?;
        let mut fields = fields.into_iter();
        let name = fields.next().unwrap_or_default();
        let path =
            member_path(&name).map_err(|problem| WheelProblem::Entry { entry: shown(&name), problem })?;
        let content = RecordedContent {
            hash: fields.next().unwrap_or_default(),
            size: fields.next().unwrap_or_default(),
        };
        if rows.insert(path, content).is_some() {
            return Err(invalid(format!("lists `{}` twice", shown(&name))));
        }
    }
    Ok(rows)
}

/// Writes `RECORD` as pip does: rows by path, `\r\n` at their ends.
pub(super) fn write(rows: &BTreeMap<String, RecordedContent>) -> Vec<u8> {
    let mut text = String::new();
    for (path, content) in rows {
        for field in [path, &content.hash, &content.size] {
            if field.contains([',', '"']) {
                text.push('"');
                text.push_str(&field.replace('"', "\"\""));
                text.push('"');
            } else {
                text.push_str(field);
            }
            text.push(',');
        }
        text.pop();
        text.push_str("\r\n");
    }
    text.into_bytes()
}

/// The fields of one line of comma-separated values, `None` where a quote is never closed.
fn csv_fields(row: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut characters = row.chars().peekable();
    let mut quoted = false;
    while let Some(character) = characters.next() {
        let field = fields.last_mut()?;
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            ',' if !quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    if quoted { None } else { Some(fields) }
}

/// Compares a member with its row while it is unpacked.
#[derive(Debug)]
pub(super) struct Verifier<'a> {
    recorded: &'a RecordedContent,
    hasher: Hasher,
    length: u64,
}

/// The hashes that the wheel format allows. Weaker ones (MD5, SHA-1) are forbidden there.
#[derive(Debug)]
enum Hasher {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
    /// The row has none: allowed, if discouraged. The hash of the whole wheel still holds.
    None,
}

impl<'a> Verifier<'a> {
    /// Starts to compare the member `path` with its row.
    pub(super) fn new(path: &str, recorded: &'a RecordedContent) -> Result<Self, WheelProblem> {
        let hasher = match recorded.hash.split_once('=').map_or(recorded.hash.as_str(), |(name, _)| name) {
            "sha256" => Hasher::Sha256(Sha256::new()),
            "sha384" => Hasher::Sha384(Sha384::new()),
            "sha512" => Hasher::Sha512(Sha512::new()),
            "" => Hasher::None,
            _ => {
                return Err(differs(
                    path,
                    "has a kind of hash in RECORD that the wheel format does not allow",
                ));
            }
        };
        Ok(Self { recorded, hasher, length: 0 })
    }

    /// Takes in the next bytes of the member.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        match &mut self.hasher {
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Sha384(hasher) => hasher.update(bytes),
            Hasher::Sha512(hasher) => hasher.update(bytes),
            Hasher::None => {}
        }
    }

    /// Whether all bytes together are what the row says.
    pub(super) fn finish(self, path: &str) -> Result<(), WheelProblem> {
        let size = self.recorded.size.trim();
        if !size.is_empty() && size.parse() != Ok(self.length) {
            return Err(differs(path, "has another size than RECORD says"));
        }
        let digest = match self.hasher {
            Hasher::Sha256(hasher) => URL_SAFE_NO_PAD.encode(hasher.finalize()),
            Hasher::Sha384(hasher) => URL_SAFE_NO_PAD.encode(hasher.finalize()),
            Hasher::Sha512(hasher) => URL_SAFE_NO_PAD.encode(hasher.finalize()),
            Hasher::None => return Ok(()),
        };
        let recorded = self.recorded.hash.split_once('=').map_or("", |(_, digest)| digest);
        if recorded.trim_end_matches('=') == digest {
            Ok(())
        } else {
            Err(differs(path, "has another hash than RECORD says"))
        }
    }
}

fn differs(path: &str, reason: &'static str) -> WheelProblem {
    WheelProblem::Record { entry: shown(path), reason }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rows of an installation's `RECORD`, whose paths may lead out of the library.
    pub(in crate::wheel) fn parse_installed(bytes: &[u8]) -> BTreeMap<String, RecordedContent> {
        let rows = str::from_utf8(bytes).unwrap().lines().map(|row| csv_fields(row).unwrap());
        rows.map(|row| (row[0].clone(), RecordedContent { hash: row[1].clone(), size: row[2].clone() }))
            .collect()
    }

    fn verify(bytes: &[u8], hash: &str, size: &str) -> Result<(), WheelProblem> {
        let recorded = RecordedContent { hash: hash.into(), size: size.into() };
        let mut verifier = Verifier::new("a.py", &recorded)?;
        verifier.update(bytes);
        verifier.finish("a.py")
    }

    #[test]
    fn members_are_compared_with_their_rows() {
        let right = RecordedContent::of(b"abc");
        assert_eq!(right.hash, "sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        assert!(verify(b"abc", &right.hash, "3").is_ok());
        assert!(verify(b"abc", &format!("{}=", right.hash), "").is_ok());
        assert!(verify(b"abc", "", "").is_ok());
        let sha512 = format!("sha512={}", URL_SAFE_NO_PAD.encode(Sha512::digest(b"abc")));
        assert!(verify(b"abc", &sha512, "3").is_ok());
        for (hash, size) in [(right.hash.as_str(), "4"), ("sha256=AAAA", "3"), ("md5=AAAA", "3"), ("", "x")] {
            assert!(matches!(verify(b"abc", hash, size), Err(WheelProblem::Record { .. })), "{hash} {size}");
        }
    }

    #[test]
    fn rows_are_read_whatever_tool_wrote_them() {
        let rows = parse(b"a.py,sha256=x,1\r\n\"odd,\"\"name\"\".py\",,\n\n./b.py\n").unwrap();
        assert_eq!(rows.keys().collect::<Vec<_>>(), ["a.py", "b.py", "odd,\"name\".py"]);
        assert_eq!(rows["a.py"], RecordedContent { hash: "sha256=x".into(), size: "1".into() });
        assert!(matches!(parse(b"../a,,"), Err(WheelProblem::Entry { .. })));
        assert!(matches!(parse(b"a,,\n./a,,"), Err(WheelProblem::Metadata { .. })));
        assert!(matches!(parse(b"\"a,,"), Err(WheelProblem::Metadata { .. })));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(names in proptest::collection::btree_set("[a-z,\" é]{1,8}", 0..6)) {
            let rows: BTreeMap<_, _> =
                names.into_iter().map(|name| (format!("x{name}"), RecordedContent::of(b""))).collect();
            prop_assert_eq!(parse(&write(&rows)).unwrap(), rows);
        }
    }
}
