//! `--lock FILE`: from the locks of an earlier build to a plan, and `--mirror`.

use std::io::Read as _;
use std::path::Path;

use imagewright_engine::error::{BuildError, ErrorKind};
use imagewright_engine::lock::{LOCK_SIZE_LIMIT, Lock};
use imagewright_engine::plan::{BuildPlan, Mirror};
use imagewright_spec::BuildSpec;
use url::Url;

use crate::arguments::BuildArguments;

/// The plan that builds exactly what locks name.
///
/// # Errors
/// Files that are no locks, and locks that do not go together.
pub(super) fn plan(arguments: &BuildArguments) -> Result<BuildPlan, BuildError> {
    let locks = arguments.lock.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let wrong = |message: &str, next: &str| {
        Err(BuildError::new(ErrorKind::SpecInvalid, format!("--lock: {message}"))
            .with_next_step(next.to_owned()))
    };
    let Some(first) = locks.first() else { return Err(BuildError::internal("there is no lock")) };
    if locks
        .iter()
        .any(|lock| lock.base.reference != first.base.reference || lock.compression != first.compression)
    {
        return wrong("the locks are of different images", "pass the locks of the platforms of one image");
    }
    let base = match &arguments.base {
        Some(base) => base.clone(),
        None => first.base.reference.parse().map_err(|problem: imagewright_spec::Problem| {
            BuildError::new(ErrorKind::SpecInvalid, format!("--lock: {}", problem.message))
        })?,
    };
    let Some(to) = arguments.to.clone() else {
        return wrong("nothing says where to push the image", "pass --to REF");
    };
    let platforms = locks.iter().map(|lock| lock.platform.parse()).collect::<Result<Vec<_>, _>>();
    let mut plan = BuildPlan::new(BuildSpec::new(base), to);
    plan.platforms = platforms.map_err(|problem: imagewright_spec::Problem| {
        BuildError::new(ErrorKind::SpecInvalid, format!("--lock: {}", problem.message))
            .with_next_step("pass the lock as `imagewright inspect --lock` prints it")
    })?;
    if !arguments.platform.is_empty() {
        plan.platforms.clone_from(&arguments.platform);
    }
    plan.compression = first.compression;
    plan.locks = locks;
    super::common(&mut plan, arguments)?;
    // Nothing is asked of an index: its credentials open the addresses that the lock has.
    for index in super::indexes(arguments)? {
        plan.index_credentials.extend(index.credentials());
    }
    Ok(plan)
}

fn read(path: &Path) -> Result<Lock, BuildError> {
    let unreadable = |error: std::io::Error| {
        BuildError::new(
            ErrorKind::SpecInvalid,
            format!("the lock {} cannot be read: {error}", path.display()),
        )
        .with_next_step("pass a file that `imagewright inspect --lock REF` has printed")
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(LOCK_SIZE_LIMIT).read_to_end(&mut bytes).map_err(unreadable)?;
    Lock::from_bytes(&bytes)
}

/// The addresses of `--mirror`.
///
/// # Errors
/// Text that is not two addresses.
pub(super) fn mirrors(arguments: &BuildArguments) -> Result<Vec<Mirror>, BuildError> {
    let mirror = |text: &String| {
        let wrong = || {
            BuildError::new(ErrorKind::SpecInvalid, format!("--mirror: {text:?} is not two addresses"))
                .with_next_step(
                    "write it as in --mirror https://files.pythonhosted.org/=https://mirror.example/pypi/",
                )
        };
        let address = |text: &str| {
            Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http")).ok_or_else(wrong)
        };
        // Addresses may have `=` in them: the second one begins at the last that an address follows.
        let at = text.rfind("=http").ok_or_else(wrong)?;
        Ok(Mirror { from: address(&text[..at])?, to: address(&text[at + 1..])? })
    };
    arguments.mirror.iter().map(mirror).collect()
}
