//! `imagewright cache`.

use std::process::ExitCode;

use imagewright_engine::cache::{Cache, Trimmed};
use imagewright_engine::error::{BuildError, ErrorKind};

use crate::arguments::{CacheAction, CacheArguments};
use crate::display::amount::{bytes, count};
use crate::display::{self, out};

/// Shows or trims the cache.
pub(crate) fn run(arguments: &CacheArguments) -> ExitCode {
    match attempt(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            display::show_error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

fn attempt(arguments: &CacheArguments) -> Result<(), BuildError> {
    let cache = Cache::open(&arguments.cache_dir.clone().unwrap_or_else(Cache::default_root))?;
    if let Some(CacheAction::Trim { to }) = &arguments.action {
        let target = parse_size(to).ok_or_else(|| {
            BuildError::new(ErrorKind::SpecInvalid, format!("{to:?} is no size"))
                .with_next_step("write a number with a unit, for example 10GB or 500MiB")
        })?;
        let Trimmed { removed, in_use } = cache.trim(target)?;
        out(&format!("removed {}", bytes(removed)));
        if in_use > 0 {
            out(&format!(
                "{} more than was wanted stay: the cache is in use, and a build may need them; trim again later",
                bytes(in_use)
            ));
        }
    }
    let usage = cache.usage();
    out(&format!("{}  {}", bytes(usage.bytes()), cache.root().display()));
    for section in &usage.sections {
        let files = format!("{} file{}", count(section.files), if section.files == 1 { "" } else { "s" });
        out(&format!("{:>10}  {files:>13}  {}", bytes(section.bytes), section.title));
    }
    Ok(())
}

/// A number of bytes with an optional unit: `10GB` counts by thousands, `10GiB` and `10G` by 1024.
fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let factor: u64 = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn sizes_are_read_in_both_conventions() {
        assert_eq!(parse_size("10GB"), Some(10_000_000_000));
        assert_eq!(parse_size("10 GiB"), Some(10 << 30));
        assert_eq!(parse_size("0"), Some(0));
        for text in ["", "GB", "-1", "1.5GB", "99999999999TB"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }
}
