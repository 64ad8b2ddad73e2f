//! Keeps secrets and noise out of messages.
//!
//! Addresses of uploads and of storage behind a registry carry signatures in their query, and what
//! a registry answers is a stranger's text.

/// The longest piece of a registry's answer that a message quotes, in characters.
const LONGEST_QUOTE: usize = 300;

/// What takes the place of a secret.
const MASK: &str = "…";

/// Makes one short line of a registry's text: no control characters, no queries or user parts of
/// addresses, nothing that follows `Bearer` or `Basic`.
pub(super) fn clean(text: &str) -> String {
    let mut words = Vec::new();
    let mut length = 0;
    let mut secret_follows = false;
    for word in text.split(|character: char| character.is_whitespace() || character.is_control()) {
        if word.is_empty() {
            continue;
        }
        let shown = if secret_follows { MASK.to_owned() } else { without_secrets(word) };
        let bare = word.trim_matches(|character: char| !character.is_ascii_alphanumeric());
        secret_follows = bare.eq_ignore_ascii_case("bearer") || bare.eq_ignore_ascii_case("basic");
        length += shown.chars().count() + 1;
        words.push(shown);
        if length > LONGEST_QUOTE {
            break;
        }
    }
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}{MASK}", &line[..end]),
        None => line,
    }
}

/// Cuts the user part and everything after `?` or `#` from an address.
fn without_secrets(word: &str) -> String {
    let Some(scheme_end) = word.find("://") else {
        return word.to_owned();
    };
    let (scheme, rest) = word.split_at(scheme_end + 3);
    let (rest, cut) = match rest.find(['?', '#']) {
        Some(end) => (&rest[..end], MASK),
        None => (rest, ""),
    };
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let rest = match rest[..authority_end].rfind('@') {
        Some(at) => &rest[at + 1..],
        None => rest,
    };
    format!("{scheme}{rest}{cut}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_users_and_tokens_are_not_quoted() {
        let cleaned = clean(
            "PUT https://user:hunter2@storage.example.org/b?X-Amz-Signature=s3cr3t failed:\r\n\
             Authorization: Bearer abc.def.ghi \u{1b}[31mexpired",
        );
        for secret in ["hunter2", "s3cr3t", "abc.def", "\u{1b}", "\n"] {
            assert!(!cleaned.contains(secret), "{cleaned}");
        }
        assert!(cleaned.contains("https://storage.example.org/b…"), "{cleaned}");
        assert!(cleaned.contains("expired"), "{cleaned}");
    }

    #[test]
    fn long_answers_are_cut() {
        assert_eq!(clean(&"é".repeat(5000)).chars().count(), LONGEST_QUOTE + 1);
        assert!(clean(&"word ".repeat(5000)).chars().count() <= LONGEST_QUOTE + 1);
    }
}
