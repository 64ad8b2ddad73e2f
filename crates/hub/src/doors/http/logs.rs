//! Logs of builds: the whole file, its last lines, or what comes as it comes.

use std::convert::Infallible;
use std::io;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use imagewright_store::BuildId;
use imagewright_store::builds::{Build, Subject};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use super::around::About;
use super::{Doors, answer, asker};
use crate::access::Actor;
use crate::error::{HubError, Kind, Result};

/// With how many lines of what was before a log is followed, unless somebody asks for more or fewer.
const FOLLOWED_LINES: usize = 2000;
/// The most lines that are looked for from the end.
const MOST_LINES: usize = 100_000;
/// Keeps proxies from holding lines back.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The log of an image: that of its latest build.
pub(super) async fn of_image(
    State(doors): State<Doors>,
    Extension(about): Extension<About>,
    Path(image): Path<String>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let found = async |actor: Actor| doors.hub.latest_image_build(&actor, &image).await;
    serve(&doors, &about, &parts, found).await
}

/// The log of a build.
pub(super) async fn of_build(
    State(doors): State<Doors>,
    Extension(about): Extension<About>,
    Path(build): Path<String>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let found = async |actor: Actor| doors.hub.build(&actor, &BuildId::new(build.as_str())).await;
    serve(&doors, &about, &parts, found).await
}

/// The log of a job of the Image Builder. PrimeHub has the namespace of its cluster in the path; any will do.
pub(super) async fn of_job(
    State(doors): State<Doors>,
    Extension(about): Extension<About>,
    Path((_, job)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let found = async |actor: Actor| {
        let build = doors.hub.build(&actor, &BuildId::new(job.as_str())).await?;
        match build.subject {
            Subject::Spec(_) => Ok(build),
            Subject::Image(_) => Err(HubError::not_found("build", &job)),
        }
    };
    serve(&doors, &about, &parts, found).await
}

async fn serve(
    doors: &Doors,
    about: &About,
    parts: &Parts,
    found: impl AsyncFnOnce(Actor) -> Result<Build>,
) -> Response {
    let answered = async {
        let asked = Asked::read(parts.uri.query().unwrap_or_default())?;
        let build = found(asker::actor(doors, &parts.headers, about).await?).await?;
        match asked {
            Asked::Followed(lines) => followed(doors, build, lines).await,
            Asked::Tail(lines) => tail(doors, build, lines).await,
            Asked::Whole => whole(doors, build).await,
        }
    };
    answered.await.unwrap_or_else(|error| answer::plain(&error, &about.id))
}

/// What the query of the address says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The last lines and whatever comes.
    Followed(usize),
    /// The last lines.
    Tail(usize),
    /// The file.
    Whole,
}

impl Asked {
    fn read(query: &str) -> Result<Self> {
        let wrong = |name: &str, value: &str, hint: &str| {
            HubError::new(Kind::Invalid, format!("`{name}` cannot be `{value}`")).with_hint(hint)
        };
        let (mut is_followed, mut lines) = (false, None);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "follow" => {
                    is_followed = match &*value {
                        "true" | "1" => true,
                        "false" | "0" | "" => false,
                        other => return Err(wrong("follow", other, "write `true` or `false`")),
                    }
                }
                "tailLines" if !value.is_empty() => {
                    let number = value.parse::<usize>();
                    let number = number.map_err(|_| wrong("tailLines", &value, "write a number"))?;
                    lines = Some(number.min(MOST_LINES));
                }
                _ => {}
            }
        }
        Ok(match (is_followed, lines) {
            (true, lines) => Self::Followed(lines.unwrap_or(FOLLOWED_LINES)),
            (false, Some(lines)) => Self::Tail(lines),
            (false, None) => Self::Whole,
        })
    }
}

async fn followed(doors: &Doors, build: Build, lines: usize) -> Result<Response> {
    let logs = doors.logs.clone();
    let stream = apart(move || logs.follow(&build.id, Some(lines), build.status.is_final())).await?;
    let mut headers = text();
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok((headers, Body::from_stream(stream.map(Ok::<_, Infallible>))).into_response())
}

async fn tail(doors: &Doors, build: Build, lines: usize) -> Result<Response> {
    let logs = doors.logs.clone();
    let read = apart(move || logs.tail(&build.id, lines)).await?;
    Ok((text(), read).into_response())
}

async fn whole(doors: &Doors, build: Build) -> Result<Response> {
    let name = format!("{}-{}.log", build.subject.name(), build.number);
    let (logs, id) = (doors.logs.clone(), build.id.clone());
    let found = apart(move || logs.whole(&id)).await?;
    let mut headers = text();
    // Names of images and specs have no characters that mean anything here.
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    let Some((file, length)) = found else { return Ok((headers, Body::empty()).into_response()) };
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    // It may grow meanwhile; what was promised is what is sent.
    let file = tokio::fs::File::from_std(file).take(length);
    Ok((headers, Body::from_stream(ReaderStream::new(file))).into_response())
}

fn text() -> HeaderMap {
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ])
}

/// Files are read on threads that may wait.
async fn apart<T: Send + 'static>(read: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    let read = tokio::task::spawn_blocking(read).await.map_err(HubError::internal)?;
    read.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => HubError::new(Kind::NotFound, "There is no such log"),
        _ => HubError::internal(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_file_unless_lines_are_asked_for() {
        let read = |query| Asked::read(query).unwrap();
        assert_eq!(read(""), Asked::Whole);
        assert_eq!(read("follow=false"), Asked::Whole);
        assert_eq!(read("follow=false&tailLines=10"), Asked::Tail(10));
        assert_eq!(read("follow=true"), Asked::Followed(2000));
        assert_eq!(read("follow=true&tailLines=5"), Asked::Followed(5));
        assert_eq!(read("tailLines=99999999"), Asked::Tail(MOST_LINES));
        assert!(Asked::read("tailLines=-1").is_err());
        assert!(Asked::read("follow=maybe").is_err());
    }
}
