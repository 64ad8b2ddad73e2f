//! A token server, as Distribution's token specification wants it: it hands out signed tokens for scopes.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Request, Response, StatusCode};
use rcgen::{CertificateParams, KeyPair};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

use crate::server::{Body, Server, full};

const ISSUER: &str = "imagewright-testkit";
const SERVICE: &str = "test-registry";
const LIFETIME_SECONDS: u64 = 300;

/// Who may do what: the users of a registry with tokens. Without any user, nobody gets in.
#[derive(Debug, Clone, Default)]
pub struct TokenAuth {
    users: Vec<User>,
    anonymous: Vec<Grant>,
}

#[derive(Debug, Clone)]
struct User {
    name: String,
    password: String,
    grants: Vec<Grant>,
}

/// Actions on the repositories whose names start with a prefix.
#[derive(Debug, Clone)]
pub struct Grant {
    prefix: String,
    actions: &'static [&'static str],
}

impl Grant {
    /// Everything on every repository.
    pub fn all() -> Self {
        Self { prefix: String::new(), actions: &["pull", "push", "delete", "*"] }
    }

    /// Only pulling, from every repository.
    pub fn pull_only() -> Self {
        Self { prefix: String::new(), actions: &["pull"] }
    }

    /// The same, but only on repositories whose name starts with this.
    #[must_use]
    pub fn on(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }
}

impl TokenAuth {
    /// One user who may do everything.
    pub fn single(name: &str, password: &str) -> Self {
        Self::default().user(name, password, [Grant::all()])
    }

    /// Adds a user with what they may do.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str, grants: impl IntoIterator<Item = Grant>) -> Self {
        let grants = grants.into_iter().collect();
        self.users.push(User { name: name.to_owned(), password: password.to_owned(), grants });
        self
    }

    /// What those may do who do not say who they are.
    #[must_use]
    pub fn anonymous(mut self, grants: impl IntoIterator<Item = Grant>) -> Self {
        self.anonymous = grants.into_iter().collect();
        self
    }

    pub(super) fn first_user(&self) -> Option<(String, String)> {
        self.users.first().map(|user| (user.name.clone(), user.password.clone()))
    }
}

/// A request for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// Who asked; `None` for nobody in particular, or a wrong password.
    pub user: Option<String>,
    /// The scopes asked for, such as `repository:team/image:pull,push`, one for each `scope` parameter.
    pub scopes: Vec<String>,
    /// The scopes granted, in the same form; those with no action left are missing.
    pub granted: Vec<String>,
}

pub(super) struct TokenServer {
    server: Server,
    state: Arc<State>,
}

struct State {
    auth: TokenAuth,
    signer: Signer,
    requests: Mutex<Vec<TokenRequest>>,
}

impl TokenServer {
    pub(super) fn start(auth: TokenAuth) -> Self {
        let state = Arc::new(State { auth, signer: Signer::create(), requests: Mutex::default() });
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| {
            let answer = shared.answer(&request);
            async move { Ok(answer) }
        });
        Self { server, state }
    }

    pub(super) fn requests(&self) -> Vec<TokenRequest> {
        self.state.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The `auth` part of the registry's configuration.
    pub(super) fn registry_configuration(&self, folder: &Path) -> Value {
        let bundle = folder.join("token.crt");
        fs::write(&bundle, &self.state.signer.certificate_pem)
            .expect("the certificate that tokens are checked with");
        json!({ "token": {
            "realm": format!("http://{}/token", self.server.host()),
            "service": SERVICE,
            "issuer": ISSUER,
            "rootcertbundle": bundle,
        } })
    }

    /// A token for the test kit's own requests, which are not recorded.
    pub(super) fn token_for(&self, repositories: &[&str]) -> String {
        let access: Vec<Value> = repositories
            .iter()
            .map(|name| json!({ "type": "repository", "name": name, "actions": ["pull", "push", "delete"] }))
            .collect();
        self.state.signer.sign("testkit", &access)
    }
}

impl State {
    fn answer(&self, request: &Request<Body>) -> Response<Body> {
        let credentials = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let user = credentials.and_then(|header| self.user(header));
        let scopes = scopes(request.uri().query().unwrap_or_default());
        let grants = user.map_or(&self.auth.anonymous, |user| &user.grants);
        let granted: Vec<Value> = scopes.iter().filter_map(|scope| granted(scope, grants)).collect();
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(TokenRequest {
            user: user.map(|user| user.name.clone()),
            granted: granted.iter().map(scope_of).collect(),
            scopes,
        });

        // Wrong credentials are an error, while too wide a scope only yields a token that allows less.
        if credentials.is_some() && user.is_none() {
            let body = json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "wrong user or password" }] });
            return answer_json(StatusCode::UNAUTHORIZED, &body);
        }
        let token = self.signer.sign(user.map_or("", |user| &user.name), &granted);
        answer_json(StatusCode::OK, &json!({ "token": token, "expires_in": LIFETIME_SECONDS }))
    }

    /// The user whose name and password stand in an `Authorization: Basic …` header.
    fn user(&self, header: &str) -> Option<&User> {
        let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
        let (name, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        self.auth.users.iter().find(|user| user.name == name && user.password == password)
    }
}

fn answer_json(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(full(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    response
}

/// The `scope` parameters of a query, each of which may hold several scopes.
fn scopes(query: &str) -> Vec<String> {
    let url =
        reqwest::Url::parse(&format!("http://localhost/?{query}")).expect("a query out of a valid request");
    url.query_pairs()
        .filter(|(name, _)| name == "scope")
        .flat_map(|(_, value)| value.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// What the grants leave of a scope `repository:NAME:ACTION,ACTION`, as an entry of a token's `access`.
fn granted(scope: &str, grants: &[Grant]) -> Option<Value> {
    let (name, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
    let allowed: Vec<&str> = actions
        .split(',')
        .filter(|action| {
            grants.iter().any(|grant| name.starts_with(&grant.prefix) && grant.actions.contains(action))
        })
        .collect();
    (!allowed.is_empty()).then(|| json!({ "type": "repository", "name": name, "actions": allowed }))
}

fn scope_of(access: &Value) -> String {
    let actions: Vec<&str> =
        access["actions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    format!("repository:{}:{}", access["name"].as_str().unwrap_or_default(), actions.join(","))
}

/// Signs tokens with a key whose self-made certificate the registry is told to trust.
struct Signer {
    key: EcdsaKeyPair,
    certificate_pem: String,
    certificate_der: Vec<u8>,
}

impl Signer {
    fn create() -> Self {
        let key = KeyPair::generate().expect("a key for tokens");
        let parameters = CertificateParams::new([ISSUER.to_owned()]).expect("parameters of a certificate");
        let certificate = parameters.self_signed(&key).expect("a certificate for tokens");
        // JSON Web Signatures hold the two numbers of a signature at fixed widths, not in ASN.1.
        let signing = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &key.serialize_der(),
            &SystemRandom::new(),
        );
        Self {
            key: signing.expect("the same key, for signing"),
            certificate_pem: certificate.pem(),
            certificate_der: certificate.der().to_vec(),
        }
    }

    fn sign(&self, subject: &str, access: &[Value]) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
        let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [STANDARD.encode(&self.certificate_der)] });
        let claims = json!({
            "iss": ISSUER, "sub": subject, "aud": SERVICE, "access": access, "jti": format!("{now}"),
            // The registry's clock is ours, but its arithmetic rounds.
            "iat": now - 10, "nbf": now - 10, "exp": now + LIFETIME_SECONDS,
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).expect("a signature");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
