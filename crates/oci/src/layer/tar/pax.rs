//! PAX records: `LENGTH KEY=VALUE\n`, where the length counts the whole record in bytes, itself included.

/// The records of a PAX header in order, or `None` when the text is malformed.
pub(super) fn parse(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut records = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() && rest[0] != 0 {
        let blank = rest.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&rest[..blank]).ok()?.parse().ok()?;
        if length <= blank + 1 || length > rest.len() || rest[length - 1] != b'\n' {
            return None;
        }
        let record = &rest[blank + 1..length - 1];
        let equals = record.iter().position(|byte| *byte == b'=')?;
        records.push((&record[..equals], &record[equals + 1..]));
        rest = &rest[length..];
    }
    Some(records)
}

/// One record as bytes.
pub(super) fn record(key: &str, value: &[u8]) -> Vec<u8> {
    // The length counts its own digits, so it is grown until it fits.
    let content = key.len() + value.len() + 3;
    let mut length = content + 1;
    while length != content + length.to_string().len() {
        length = content + length.to_string().len();
    }
    let mut bytes = format!("{length} {key}=").into_bytes();
    bytes.extend_from_slice(value);
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_every_length_are_read_back() {
        for size in 0..1200 {
            let value = vec![b'x'; size];
            let bytes = record("path", &value);
            assert_eq!(parse(&bytes), Some(vec![(&b"path"[..], &value[..])]), "{size}");
        }
    }

    #[test]
    fn malformed_records_are_refused() {
        for bytes in [&b"5 a=b\n"[..], b"99 a=b\n", b"x a=b\n", b"6 a=bc", b"3 \n", b"0 a=b\n"] {
            assert_eq!(parse(bytes), None, "{bytes:?}");
        }
    }
}
