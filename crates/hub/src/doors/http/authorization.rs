//! Signing in from PrimeHub's client: a browser shows a code, and the client takes it once for a token.

use std::fmt::Write as _;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::around::About;
use super::{Doors, answer, asker, body};
use crate::error::{HubError, Kind, Result};

/// The largest form that is read: there is a code in it.
const FORM_BYTES: usize = 16 * 1024;

/// Leads a browser to the page with the code. The client looks for the status, to know whether it has found a hub.
pub(super) async fn request() -> Response {
    (StatusCode::FOUND, [(LOCATION, "/oidc/auth-flow/code")]).into_response()
}

/// Asks the browser for name and password, and shows a code.
pub(super) async fn code(
    State(doors): State<Doors>,
    Extension(about): Extension<About>,
    headers: HeaderMap,
) -> Response {
    let Some((username, password)) = asker::basic(&headers) else {
        return page(StatusCode::UNAUTHORIZED, "Sign in", "Sign in with your name and your password.", None);
    };
    let made = async {
        let actor = doors.hub.sign_in(&username, &password, about.client.address.clone()).await?;
        doors.hub.create_authorization_code(&actor).await
    };
    match made.await {
        Ok(code) => {
            let words = "Give this code to the client. It is good once, for some minutes.";
            page(StatusCode::OK, "Authorization code", words, Some(code.expose_secret()))
        }
        Err(error) => {
            crate::doors::graphql::errors::log(&error, &about.id);
            page(answer::status_of(error.kind()), "Not signed in", error.message(), None)
        }
    }
}

/// Gives the client a token for a code, and the address of the API.
pub(super) async fn exchange(
    State(doors): State<Doors>,
    Extension(about): Extension<About>,
    request: Request,
) -> Response {
    let exchanged = async {
        let sent = body::read(request.into_body(), FORM_BYTES).await?;
        let code = url::form_urlencoded::parse(&sent).find(|(field, _)| field == "code");
        let (_, code) = code.ok_or_else(|| HubError::new(Kind::Invalid, "there is no code"))?;
        doors.hub.exchange_authorization_code(&code, about.client.address.clone()).await
    };
    let outcome: Result<_> = exchanged.await;
    match outcome {
        Ok(token) => {
            let origin = about.client.origin.clone().unwrap_or_default();
            let endpoint = format!("{origin}/api/graphql");
            answer::json_with(
                StatusCode::OK,
                &json!({ "api-token": token.expose_secret(), "endpoint": endpoint }),
            )
        }
        // The client knows these two words.
        Err(error) if matches!(error.kind(), Kind::NotAuthenticated | Kind::Invalid | Kind::TooLarge) => {
            (StatusCode::BAD_REQUEST, "Bad Request").into_response()
        }
        Err(error) => answer::plain(&error, &about.id),
    }
}

/// A page with nothing but words: no script, no style, nothing from elsewhere, in nobody's frame.
fn page(status: StatusCode, title: &str, words: &str, code: Option<&str>) -> Response {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<h1>{title}</h1>\n\
         <p>{words}</p>\n",
        title = escaped(title),
        words = escaped(words),
    );
    if let Some(code) = code {
        let _ = writeln!(html, "<p><code>{}</code></p>", escaped(code));
    }
    let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ]);
    if status == StatusCode::UNAUTHORIZED {
        let challenge = "Basic realm=\"Imagewright\", charset=\"UTF-8\"";
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    (status, headers, html).into_response()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_no_markup() {
        assert_eq!(escaped("<b>&\"'"), "&lt;b&gt;&amp;&quot;&#39;");
    }
}
