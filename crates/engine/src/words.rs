//! Numbers in words for people.

/// A number of bytes in decimal units with three figures: `999 B`, `54.8 MB`, `1.20 GB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut unit = UNITS[0];
    let mut divisor: u64 = 1000;
    for next in &UNITS[1..] {
        if count / divisor < 1000 {
            break;
        }
        unit = next;
        divisor *= 1000;
    }
    let whole = count / divisor;
    let thousandths = count % divisor / (divisor / 1000);
    match whole {
        0..=9 => format!("{whole}.{:02} {unit}", thousandths / 10),
        10..=99 => format!("{whole}.{} {unit}", thousandths / 100),
        _ => format!("{whole} {unit}"),
    }
}

/// A count with its noun: `1 layer`, `11,727 paths`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{} {noun}s", grouped(number)) }
}

/// Digits in groups of three.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{bytes, count};

    #[test]
    fn three_figures_are_enough() {
        let words: Vec<String> = [0, 999, 1_000, 54_775_428, 146_528_300, 1_200_000_000, u64::MAX]
            .into_iter()
            .map(bytes)
            .collect();
        assert_eq!(words, ["0 B", "999 B", "1.00 kB", "54.7 MB", "146 MB", "1.20 GB", "18446744 TB"]);
        assert_eq!(
            (count(1, "path"), count(11_727, "path")),
            ("1 path".to_owned(), "11,727 paths".to_owned())
        );
    }
}
