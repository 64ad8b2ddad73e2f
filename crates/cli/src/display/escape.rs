//! Texts from outside, made safe to show: package names, logs and what registries say may hold sequences that
//! move the cursor, retitle the window or turn a line around.

use std::fmt::Write as _;

/// A text on one line, with everything that a terminal would act upon written as its code: `\u{1b}[2J`.
pub(crate) fn one_line(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => safe.push(' '),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            acts if is_acted_upon(acts) => {
                // Writing to a string cannot fail.
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(acts));
            }
            shown => safe.push(shown),
        }
    }
    safe
}

/// The lines of a text, each as [`one_line`] shows it.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().map(one_line)
}

/// JSON in which characters that terminals act upon are written as `\u` escapes. The serialiser escapes those
/// below U+0020; the others can only stand inside of strings, where an escape means the same.
pub(crate) fn json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut units = [0; 2];
    for character in text.chars() {
        if is_acted_upon(character) && character != '\n' {
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Control characters (of both sets: U+009B starts a sequence as ESC does), and those that take no room or
/// reorder what stands beside them.
fn is_acted_upon(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_reaches_the_terminal_as_a_command() {
        assert_eq!(one_line("a\u{1b}[2Jb\u{9b}1mc\u{7}\r\n"), r"a\u{1b}[2Jb\u{9b}1mc\u{7}\r\n");
        assert_eq!(one_line("evil\u{202e}gpj.exe"), r"evil\u{202e}gpj.exe");
        assert_eq!(one_line("naïve 名前\t→"), "naïve 名前 →");
        assert_eq!(lines("a\n\u{1b}b\r\nc").collect::<Vec<_>>(), ["a", r"\u{1b}b", "c"]);
    }

    #[test]
    fn json_means_the_same_after_it_was_escaped() {
        let value = serde_json::json!({"line": "a\u{9b}b\u{202e}c\u{e0041}\u{1b}\n"});
        let shown = json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(shown.is_ascii(), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
