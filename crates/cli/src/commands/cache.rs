//! `imagewright cache`.

use std::process::ExitCode;

use imagewright_engine::cache::{Cache, Trimmed};
use imagewright_engine::error::{BuildError, ErrorKind};
use imagewright_spec::parse_size;

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
