//! Credential helpers: programs called `docker-credential-<name>` that keep secrets for others.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::source::CredentialError;
use super::{Credential, FoundCredential};

/// Some helpers ask a person or a cloud; none needs longer than this.
const TIME_LIMIT: Duration = Duration::from_secs(30);
const OUTPUT_LIMIT: u64 = 64 * 1024;

/// What every helper answers for a server it does not know.
const NOT_FOUND: &str = "credentials not found";

/// The user name that marks an identity token.
const TOKEN_USERNAME: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Asks `docker-credential-<name>` for the credential of `server`.
pub(super) async fn ask(name: &str, server: &str) -> Result<Option<FoundCredential>, CredentialError> {
    let helper = format!("docker-credential-{name}");
    let failed = |reason: String| CredentialError::Helper { helper: helper.clone(), reason };
    // The name comes from a file: it must stay a name and not become a path.
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if name.is_empty() || !is_name {
        return Err(failed("its name has characters that a helper's name cannot have".to_owned()));
    }
    let child = Command::new(&helper)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("it could not be started ({error}); is it installed?")))?;
    let (successful, output) = tokio::time::timeout(TIME_LIMIT, converse(child, server))
        .await
        .map_err(|_| failed(format!("no answer within {} seconds", TIME_LIMIT.as_secs())))?
        .map_err(|error| failed(error.to_string()))?;
    if !successful {
        if String::from_utf8_lossy(&output).contains(NOT_FOUND) {
            return Ok(None);
        }
        return Err(failed(format!("run “{helper} get” and type “{server}” to see why")));
    }
    let answer: Answer = serde_json::from_slice(&output)
        .map_err(|_| failed("its answer is not what the helper protocol says".to_owned()))?;
    let secret = SecretString::from(answer.secret);
    let credential = if answer.username == TOKEN_USERNAME {
        Credential::IdentityToken(secret)
    } else {
        Credential::Password { username: answer.username, password: secret }
    };
    Ok(Some(FoundCredential { credential, origin: helper }))
}

/// Writes the server's name and reads the answer: whether the helper succeeded, and its output.
async fn converse(mut child: Child, server: &str) -> io::Result<(bool, Vec<u8>)> {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("its input and output are not connected"));
    };
    match stdin.write_all(server.as_bytes()).await {
        // A helper may know the answer without reading the question.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
        _ => drop(stdin),
    }
    let mut output = Vec::new();
    stdout.take(OUTPUT_LIMIT).read_to_end(&mut output).await?;
    Ok((child.wait().await?.success(), output))
}
