//! The nearest of some known words, for typing errors.

/// The known word with the fewest edits from `word`, if few enough that it may be meant. `_` and `-` count as equal.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let alike = |word: &str| word.to_lowercase().replace('_', "-");
    let word = alike(&word.chars().take(64).collect::<String>());
    known
        .iter()
        .map(|candidate| (distance(&word, &alike(candidate)), *candidate))
        .filter(|(edits, candidate)| {
            *edits <= candidate.len().max(3) / 3 || alike(candidate).starts_with(&word)
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, character) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(character != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

/// Words in backquotes with commas between them.
pub(crate) fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_find_their_word() {
        let known = ["packages", "channels", "index-url"];
        assert_eq!(nearest("package", &known), Some("packages"));
        assert_eq!(nearest("chanels", &known), Some("channels"));
        assert_eq!(nearest("index_url", &known), Some("index-url"));
        assert_eq!(nearest("x", &known), None);
    }
}
