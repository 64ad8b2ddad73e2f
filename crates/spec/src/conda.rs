//! conda's match specs and channels.

use std::fmt;
use std::str::FromStr;

use rattler_conda_types::{MatchSpec, PackageNameMatcher, ParseMatchSpecOptions};
use url::Url;

use crate::index_url::check_url_characters;
use crate::problem::{Problem, has_credentials, quote, show};
use crate::string_type::string_type;

/// The longest match spec, in characters.
const LONGEST: usize = 2048;

/// One match spec: `(channel(/subdir):(namespace):)name(version(build))[key=value,…]`, with an exact name.
///
/// `Display` is the canonical bracket form, such as `numpy[version="1.17.*",channel="conda-forge"]`, which
/// means the same to every reader and parses to the same value.
#[derive(Debug, Clone)]
pub struct CondaSpec {
    spec: MatchSpec,
    canonical: String,
}

impl CondaSpec {
    /// The spec as the solver takes it. A channel named in it points to Anaconda's server unless it was written
    /// as an address; who uses a mirror has to map it by its name.
    pub fn match_spec(&self) -> &MatchSpec {
        &self.spec
    }

    /// The package's name, in lower case.
    pub fn name(&self) -> &str {
        match &self.spec.name {
            PackageNameMatcher::Exact(name) => name.as_normalized(),
            // Only exact names are parsed.
            PackageNameMatcher::Glob(_) | PackageNameMatcher::Regex(_) => "*",
        }
    }

    /// The channel that the spec itself names.
    pub fn channel(&self) -> Option<CondaChannel> {
        CondaChannel::of(&self.spec)
    }

    /// Whether the spec fetches from an address: the package's own or a channel's.
    pub fn names_url(&self) -> bool {
        self.spec.url.is_some() || self.channel().is_some_and(|channel| channel.url().is_some())
    }
}

impl PartialEq for CondaSpec {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for CondaSpec {}

impl PartialOrd for CondaSpec {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for CondaSpec {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.canonical.cmp(&other.canonical)
    }
}

impl fmt::Display for CondaSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.canonical)
    }
}

impl FromStr for CondaSpec {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        check_before(text)?;
        let refuse = |message: String| {
            Problem::at(
                1,
                message,
                "write it as in `numpy`, `numpy=1.26`, `numpy>=1.24,<2` or `conda-forge::numpy=1.26=py312*`",
            )
        };
        let spec = with_digest(text).unwrap_or_else(|| {
            MatchSpec::from_str(text, ParseMatchSpecOptions::lenient()).map_err(|error| error.to_string())
        });
        let spec = spec.map_err(|error| refuse(format!("{} is not a match spec: {error}", quote(text))))?;
        check_after(&spec)?;
        let canonical = spec
            .to_canonical_string()
            .map_err(|error| refuse(format!("{} cannot be stored: {error}", quote(text))))?;
        // What is stored has to mean what was asked for.
        let again = MatchSpec::from_str(&canonical, ParseMatchSpecOptions::lenient());
        if canonical.starts_with('-') || again.as_ref().ok() != Some(&spec) {
            return Err(refuse(format!("{} cannot be stored without changing it", quote(text))));
        }
        Ok(Self { spec, canonical })
    }
}

string_type!(CondaSpec);

/// Refuses what the match spec parser would read as something else: paths, addresses that are not of the web,
/// credentials, and options.
fn check_before(text: &str) -> Result<(), Problem> {
    if let Some((index, character)) =
        text.chars().enumerate().find(|(_, c)| c.is_control() || !(c.is_ascii() || c.is_alphanumeric()))
    {
        return Err(Problem::at(
            index + 1,
            format!("a package cannot contain {}", show(character)),
            "use plain ASCII characters",
        ));
    }
    if has_credentials(text) {
        return Err(credentials_refused());
    }
    if text.trim_start().starts_with('-') {
        return Err(Problem::at(
            1,
            format!("{} is an option, not a package", quote(text)),
            "write package names only",
        ));
    }
    if text.chars().count() > LONGEST {
        return Err(Problem::at(
            1,
            format!("a package line has at most {LONGEST} characters"),
            "write one package per line",
        ));
    }
    // `$` ends a pattern for builds, `^py.*$`; in front of these it is the shell's.
    let shell = ["`", "$(", "${", "&", "\\"].iter().filter_map(|word| text.find(word)).min();
    let outside_brackets = text.find(';').filter(|at| !text[..*at].contains('['));
    if let Some(at) = shell.or(outside_brackets) {
        let character = text[at..].chars().next().unwrap_or(' ');
        return Err(Problem::at_byte(
            text,
            at,
            format!("a package cannot contain {}", show(character)),
            "write the package alone",
        ));
    }
    let start = text.trim_start();
    let is_path = start.starts_with(['.', '/', '~']) || text.contains("file:") || has_windows_drive(start);
    if is_path {
        return Err(Problem::at(
            1,
            format!("{} is a file or folder, and nothing from your computer can be installed", quote(text)),
            "write the package's name, with its channel as in `conda-forge::numpy`",
        ));
    }
    Ok(())
}

/// An address with the digest of what is there, `https://…/six-1.16.0-py_0.conda#c2f4…`, as conda's explicit lists have
/// them. The match spec parser would take the digest for a comment.
fn with_digest(text: &str) -> Option<Result<MatchSpec, String>> {
    let text = text.trim();
    let (address, digest) = text.split_once('#')?;
    let is_address = address.starts_with("https://") || address.starts_with("http://");
    (is_address && !address.contains(['[', ' ']) && !digest.is_empty()).then(|| {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        MatchSpec::try_from(url).map_err(|error| error.to_string())
    })
}

fn has_windows_drive(text: &str) -> bool {
    let mut characters = text.chars();
    matches!(
        (characters.next(), characters.next(), characters.next()),
        (Some(drive), Some(':'), Some('\\' | '/')) if drive.is_ascii_alphabetic()
    )
}

/// Checks the parts that the parser takes as they are.
fn check_after(spec: &MatchSpec) -> Result<(), Problem> {
    let PackageNameMatcher::Exact(name) = &spec.name else {
        return Err(Problem::at(1, "a package has an exact name", "write the whole name"));
    };
    let name = name.as_normalized();
    let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'));
    if !is_name {
        return Err(Problem::at(
            1,
            format!("{} is not a package name", quote(name)),
            "a name has letters, digits, `-`, `_` and `.`, as in `ca-certificates`",
        ));
    }
    if name.starts_with("__") {
        return Err(Problem::at(
            1,
            format!("{} describes the machine and cannot be installed", quote(name)),
            "leave it out",
        ));
    }
    if name.contains('.') && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(Problem::at(
            1,
            format!("{} is a version, not a package", quote(name)),
            format!("write it behind its package, as in {}", quote(&format!("name={name}"))),
        ));
    }
    if let Some(build) =
        spec.build.as_ref().map(ToString::to_string).filter(|build| build.contains(char::is_whitespace))
    {
        return Err(Problem::at(
            1,
            format!("the build {} contains a space", quote(&build)),
            "write one package per line",
        ));
    }
    for (part, text) in [("namespace", &spec.namespace), ("subdir", &spec.subdir), ("fn", &spec.file_name)] {
        let is_plain = |text: &String| {
            text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '!'))
        };
        if text.as_ref().is_some_and(|text| !is_plain(text)) {
            return Err(Problem::at(
                1,
                format!("the {part} has characters that none can have"),
                "leave it out",
            ));
        }
    }
    if spec.channel.as_ref().is_some_and(|channel| channel.platforms.is_some()) {
        return Err(Problem::at(1, "a channel has no platforms here", CHANNEL_ADVICE));
    }
    if let Some(channel) = CondaChannel::of(spec) {
        channel.as_str().parse::<CondaChannel>()?;
    }
    if let Some(url) = &spec.url {
        check_web_address(url)?;
    }
    Ok(())
}

const CHANNEL_ADVICE: &str = "write a channel's name such as `conda-forge`, or its address such as `https://conda.example.com/channel`";

/// A channel: its name on the configured server (`conda-forge`, `nvidia/label/cuda-12.4.0`), or its address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CondaChannel(String);

impl CondaChannel {
    /// The channel that a match spec names, not checked: by its name if it is on Anaconda's server, else its address.
    pub fn of(spec: &MatchSpec) -> Option<Self> {
        spec.channel.as_ref().map(|channel| match &channel.name {
            Some(name) if channel.base_url.as_str().starts_with("https://conda.anaconda.org/") => {
                Self(name.clone())
            }
            _ => Self(channel.base_url.as_str().trim_end_matches('/').to_owned()),
        })
    }

    /// The name or address, without a `/` at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address, if it was written as one.
    pub fn url(&self) -> Option<Url> {
        self.0.contains("://").then(|| Url::parse(&self.0).ok()).flatten()
    }
}

impl fmt::Display for CondaChannel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for CondaChannel {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let text = text.trim_end_matches('/');
        if text.contains("://") {
            check_url_characters(text)?;
            let url = Url::parse(text).map_err(|error| {
                Problem::at(1, format!("this is not an address: {error}"), CHANNEL_ADVICE)
            })?;
            check_web_address(&url)?;
            if url.query().is_some() || url.fragment().is_some() {
                return Err(Problem::at(
                    1,
                    "a channel's address ends with its path",
                    "leave out the part from `?` or `#` on",
                ));
            }
            return Ok(Self(url.as_str().trim_end_matches('/').to_owned()));
        }
        check_channel_name(text)?;
        Ok(Self(text.to_owned()))
    }
}

string_type!(CondaChannel);

fn check_channel_name(name: &str) -> Result<(), Problem> {
    if let Some((index, character)) = name
        .chars()
        .enumerate()
        .find(|(_, c)| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/')))
    {
        return Err(Problem::at(
            index + 1,
            format!("a channel cannot contain {}", show(character)),
            CHANNEL_ADVICE,
        ));
    }
    let has_bad_part =
        name.split('/').any(|part| !part.starts_with(|first: char| first.is_ascii_alphanumeric()));
    if has_bad_part || name.len() > 255 {
        return Err(Problem::at(1, format!("{} is not a channel", quote(name)), CHANNEL_ADVICE));
    }
    Ok(())
}

/// Addresses are stored and shown, so they cannot hold credentials; conda's are `user:password@` and `/t/token/`.
fn check_web_address(url: &Url) -> Result<(), Problem> {
    if !matches!(url.scheme(), "https" | "http") {
        return Err(Problem::at(
            1,
            format!("channels cannot be reached by {}", quote(url.scheme())),
            CHANNEL_ADVICE,
        ));
    }
    let has_token = url.path_segments().is_some_and(|mut segments| segments.next() == Some("t"));
    if !url.username().is_empty() || url.password().is_some() || has_token {
        return Err(credentials_refused());
    }
    Ok(())
}

fn credentials_refused() -> Problem {
    Problem::at(
        1,
        "an address cannot hold a user, password or token, because it is stored and shown",
        "leave them out, and give the credentials as a secret",
    )
}

#[cfg(test)]
mod tests;
