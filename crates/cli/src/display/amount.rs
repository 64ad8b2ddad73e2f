//! Numbers for people.

/// A number of bytes, in units of a thousand: `999 B`, `1.4 MB`, `131 MB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if count < 1000 {
        return format!("{count} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = count as f64 / 1000.0;
    let mut unit = 0;
    // 999.95 would be shown as 1000.0.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let decimals = usize::from(value < 99.95);
    format!("{value:.decimals$} {}", UNITS[unit])
}

/// A number with its thousands apart: `11,726`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 layer`, `14 layers`.
pub(crate) fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(number as u64))
}

/// A length of time: `0.3s`, `12.4s`, `2m 05s`, `1h 02m`.
pub(crate) fn seconds(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 59.95 {
        return format!("{seconds:.1}s");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and saturating"
    )]
    let whole = seconds.round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours == 0 { format!("{minutes}m {seconds:02}s") } else { format!("{hours}h {minutes:02}m") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_three_digits_and_never_a_thousand() {
        let shown = [0, 999, 1000, 999_949, 1_400_000, 99_949_999, 131_000_000, 999_600_000, u64::MAX];
        let expected =
            ["0 B", "999 B", "1.0 kB", "1.0 MB", "1.4 MB", "99.9 MB", "131 MB", "1.0 GB", "18.4 EB"];
        assert_eq!(shown.map(bytes), expected);
    }

    #[test]
    fn numbers_and_times_are_read_at_a_glance() {
        assert_eq!([0, 999, 11_726, 1_000_000].map(count), ["0", "999", "11,726", "1,000,000"]);
        assert_eq!([(0, "layer"), (1, "layer")].map(|(n, s)| counted(n, s)), ["0 layers", "1 layer"]);
        let shown = [0.04, 12.44, 59.96, 125.0, 3725.0].map(seconds);
        assert_eq!(shown, ["0.0s", "12.4s", "1m 00s", "2m 05s", "1h 02m"]);
    }
}
