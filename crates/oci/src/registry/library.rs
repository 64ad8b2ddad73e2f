//! The client library (`oci-client`), which moves the bytes of blobs and lists tags.
//!
//! It is given one authorization per request and never looks for its own.

use oci_client::Reference;
use oci_client::client::{Certificate, CertificateEncoding, Client, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::token_cache::{RegistryOperation, RegistryToken, RegistryTokenType};
use secrecy::ExposeSecret as _;

use super::authentication::{Access, Authorization, Scope};
use super::client::RegistryClient;
use super::config::RegistryClientConfig;
use super::endpoint::api_host;
use super::error::{Attempt, RegistryError};
use super::http::USER_AGENT;
use super::retry::Failure;
use super::tls;

/// One library client per scheme: whether a registry speaks TLS is known only when it has answered,
/// and the library wants to know when its client is made.
pub(super) struct Library {
    encrypted: Client,
    plain: Client,
}

impl Library {
    pub(super) fn new(
        config: &RegistryClientConfig,
        certificates: &[Vec<u8>],
    ) -> Result<Self, RegistryError> {
        tls::install_tls_provider();
        let client = |protocol| {
            Client::try_from(ClientConfig {
                protocol,
                use_monolithic_push: true,
                extra_root_certificates: certificates
                    .iter()
                    .map(|der| Certificate { encoding: CertificateEncoding::Der, data: der.clone() })
                    .collect(),
                connect_timeout: Some(config.timeouts.connect),
                // Its read timeout runs from the start of a request, so that a long upload would
                // fail: the callers watch for stalls themselves.
                read_timeout: None,
                user_agent: USER_AGENT,
                ..ClientConfig::default()
            })
        };
        let failed = |error: OciDistributionError| {
            RegistryError::Setup(format!("the registry client cannot be set up: {error}"))
        };
        Ok(Self {
            encrypted: client(ClientProtocol::Https).map_err(failed)?,
            plain: client(ClientProtocol::Http).map_err(failed)?,
        })
    }
}

impl RegistryClient {
    /// The library's client and its name for the repository of `attempt`, ready to be used once.
    pub(super) async fn library(
        &self,
        attempt: &Attempt,
        access: Access,
    ) -> Result<(&Client, Reference), Failure> {
        let scopes = [Scope { repository: attempt.repository(), access }];
        let (endpoint, authorization) = self.enter(attempt, &scopes).await?;
        let library = &self.shared.library;
        let client = if endpoint.base.scheme() == "http" { &library.plain } else { &library.encrypted };
        let host = api_host(attempt.repository().registry()).to_owned();
        let repository = attempt.repository().repository().to_owned();
        // The library's references have a tag or digest; its calls for blobs do not look at it.
        let reference = Reference::with_tag(host, repository, "latest".to_owned());
        let token = match authorization {
            // With no entry at all the library sends its requests as they are. With an empty one it
            // would ask the registry for a challenge before each of them.
            Authorization::None => return Ok((client, reference)),
            Authorization::Basic { username, password } => {
                RegistryTokenType::Basic(username, password.expose_secret().to_owned())
            }
            Authorization::Bearer(token) => {
                RegistryTokenType::Bearer(RegistryToken::Token { token: token.expose_secret().to_owned() })
            }
        };
        let operation = match access {
            Access::Pull => RegistryOperation::Pull,
            Access::Push | Access::Delete => RegistryOperation::Push,
        };
        client.store_auth_if_needed(reference.resolve_registry(), &RegistryAuth::Anonymous).await;
        client.tokens.insert(&reference, operation, token).await;
        Ok((client, reference))
    }
}
