//! Which error of ours an error of uv is.

use super::error::PipError;
use super::explain::Explanation;

/// What a failed run of uv means.
#[derive(Debug)]
pub(super) enum Failure {
    /// A package has to be built: `name`, and the version when uv says it.
    NeedsBuild {
        /// Normalised or not, as uv writes it.
        name: String,
        /// The version.
        version: Option<String>,
    },
    /// Anything else.
    Other(PipError),
}

/// Reads the standard error of a failed run. `python` and `target` describe the target in words:
/// `3.11.2`, `CPython 3.11 on x86_64 with glibc 2.36`.
pub(super) fn classify(errors: &str, python: &str, target: &str) -> Failure {
    let explanation = Explanation::read(errors);
    disk_full(&explanation)
        .map(Failure::Other)
        .or_else(|| needs_build(&explanation))
        .or_else(|| access(&explanation).map(Failure::Other))
        .or_else(|| no_solution(&explanation, python, target).map(Failure::Other))
        .or_else(|| fetching(&explanation).map(Failure::Other))
        .unwrap_or_else(|| Failure::Other(PipError::Unexpected { explanation: explanation.everything() }))
}

/// What the system says when nothing can be written, in uv's words about whatever it was writing.
fn disk_full(explanation: &Explanation) -> Option<PipError> {
    let words = explanation.everything();
    let full = words.contains("No space left on device") || words.contains("Disk quota exceeded");
    full.then_some(PipError::DiskFull { explanation: words })
}

/// ``Failed to build `seqeval==1.2.2` ``, ``Failed to download and build `six @ git+https://…` ``.
fn needs_build(explanation: &Explanation) -> Option<Failure> {
    let headline = explanation.headline.as_str();
    let quoted = headline
        .strip_prefix("Failed to build `")
        .or_else(|| headline.strip_prefix("Failed to download and build `"))?
        .split('`')
        .next()?;
    // Fetching the source failed, or it is refused: that is no lack of a wheel.
    if explanation.causes.iter().any(|cause| cause.starts_with("Failed to fetch")) {
        return None;
    }
    let (name, version) = match quoted.split_once("==") {
        Some((name, version)) => (name, Some(version.to_owned())),
        None => (quoted.split(" @ ").next()?, None),
    };
    Some(Failure::NeedsBuild { name: name.trim().to_owned(), version })
}

/// 401 and 403, in a hint to a package that was "not found" or as the cause of a failed request.
fn access(explanation: &Explanation) -> Option<PipError> {
    let hint = explanation
        .hints
        .iter()
        .find(|hint| hint.contains("401 Unauthorized") || hint.contains("403 Forbidden"));
    if let Some(hint) = hint {
        let index = hint.split_once('(').and_then(|(_, rest)| rest.split(')').next());
        let index =
            index.filter(|address| address.starts_with("http")).unwrap_or("that was given").to_owned();
        return Some(PipError::Unauthorized { index, explanation: hint.clone() });
    }
    let cause = explanation
        .causes
        .iter()
        .find(|cause| cause.contains("(401 Unauthorized)") || cause.contains("(403 Forbidden)"))?;
    let address = address(explanation).unwrap_or_else(|| "that was given".to_owned());
    Some(PipError::Unauthorized { index: address, explanation: cause.clone() })
}

fn no_solution(explanation: &Explanation, python: &str, target: &str) -> Option<PipError> {
    if !explanation.headline.starts_with("No solution found") {
        return None;
    }
    let cause = explanation.causes.join("\n");
    let words = explanation.shown();
    let subject = |before: &str, after: &str| {
        let end = cause.find(after)?;
        let start = cause[..end].rfind(before)? + before.len();
        let subject = cause[start..end].trim().trim_start_matches("all versions of ");
        Some(subject.to_owned()).filter(|subject| !subject.is_empty() && !subject.contains('\n'))
    };
    // One derivation step has one reason; several steps are a contradiction between packages.
    let steps = cause.matches("And because").count();
    if let Some(name) = ["ecause ", " and "]
        .iter()
        .filter_map(|before| subject(before, " was not found in the package registry"))
        .min_by_key(String::len)
    {
        return Some(PipError::NotFound { name, explanation: words });
    }
    if let Some(name) = subject("ecause ", " was yanked").or_else(|| subject("ecause ", " were yanked")) {
        return Some(PipError::Yanked { name: bare_name(&name), explanation: words });
    }
    let python_only = steps <= 1 && cause.contains("current Python version");
    if let Some(name) = subject(" and ", " depends on Python").filter(|_| python_only) {
        return Some(PipError::RequiresPython { name, python: python.to_owned(), explanation: words });
    }
    let no_wheel = " has no wheels with a matching";
    let no_wheels = " have no wheels with a matching";
    if let Some(name) = subject("ecause ", no_wheel).or_else(|| subject("ecause ", no_wheels)) {
        return Some(PipError::NoMatchingWheel {
            name: bare_name(&name),
            target: target.to_owned(),
            available: available_platforms(explanation),
            explanation: words,
        });
    }
    if steps == 0 {
        // `Because only gamma==0.3 is available and you require gamma>=7, we can conclude …`
        let wanted = subject(" and you require ", ", we can conclude");
        if let Some(name) = wanted.filter(|_| cause.starts_with("Because only ")) {
            return Some(PipError::NotFound { name, explanation: words });
        }
        let missing =
            cause.split_once("there is no version of ").or(cause.split_once("there are no versions of "));
        if let Some(name) = missing.and_then(|(_, rest)| rest.split(" and ").next()) {
            return Some(PipError::NotFound { name: name.to_owned(), explanation: words });
        }
    }
    Some(PipError::Conflict { explanation: words })
}

/// `win32, win_amd64` of a hint such as ``Wheels are available for `pywin32` (v312) on the following platforms:
/// `win32`, `win_amd64` ``.
fn available_platforms(explanation: &Explanation) -> Option<String> {
    let hint = explanation.hints.iter().find_map(|hint| hint.split_once("on the following platforms: "))?;
    Some(hint.1.replace('`', "").replace('\n', " "))
}

/// Requests that failed for reasons of the network.
fn fetching(explanation: &Explanation) -> Option<PipError> {
    let address = address(explanation)?;
    let reason = explanation.causes.last().cloned().unwrap_or_default();
    if explanation.causes.iter().any(|cause| cause.contains("(404 Not Found)")) {
        return Some(PipError::NotFound { name: address, explanation: reason });
    }
    Some(PipError::Unreachable { address, explanation: reason })
}

/// The address behind `Failed to fetch:`, without credentials and query.
fn address(explanation: &Explanation) -> Option<String> {
    let everything = explanation.everything();
    let rest = ["Failed to fetch: ", "Failed to fetch `", "Request failed for url (", "for url ("]
        .iter()
        .find_map(|before| everything.split_once(before))?
        .1;
    let written = rest.split(['\n', '`', ')', ' ']).next()?;
    let url = url::Url::parse(written).ok()?;
    Some(super::resolution::FileUrl::new(url).to_string())
}

/// The name of `six==99` or `torch>=2,<3`.
fn bare_name(subject: &str) -> String {
    let end = subject.find(['=', '<', '>', '!', '~', '[', ' ']).unwrap_or(subject.len());
    subject[..end].to_owned()
}
