use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use bytes::Bytes;
use imagewright_oci::credential::{Credential, CredentialSource};
use imagewright_oci::registry::{Registry as _, RegistryClient, RegistryClientConfig, RepositoryReference};
use imagewright_testkit::require_tool;
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const DEADLINE: Duration = Duration::from_secs(30);
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn search_path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap()
}

async fn start(folder: &Path) -> ManagedRegistry {
    let registry = ManagedRegistry::start(folder, &search_path()).await.unwrap();
    registry.wait_until_ready(DEADLINE).await.unwrap();
    registry
}

async fn started() -> (TempDir, ManagedRegistry) {
    let folder = tempfile::tempdir().unwrap();
    let registry = start(folder.path()).await;
    (folder, registry)
}

/// A client that asks for tokens as Docker does.
struct Client<'a> {
    registry: &'a ManagedRegistry,
    user: Option<(String, String)>,
}

impl<'a> Client<'a> {
    fn of(registry: &'a ManagedRegistry, credentials: &Credentials) -> Self {
        let password = credentials.password.expose_secret().to_owned();
        Self { registry, user: Some((credentials.user.clone(), password)) }
    }

    fn pusher(registry: &'a ManagedRegistry) -> Self {
        Self::of(registry, registry.push_credentials())
    }

    async fn token(&self, scope: &str) -> Option<String> {
        let url = format!("{}?service=imagewright-registry&scope={scope}", self.registry.health.realm);
        let request = self.registry.health.client.get(url);
        let request = match &self.user {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        };
        let answer = request.send().await.unwrap();
        if answer.status() != StatusCode::OK {
            return None;
        }
        Some(answer.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned())
    }

    async fn request(&self, method: Method, repository: &str, rest: &str, body: Bytes) -> reqwest::Response {
        let actions = if method == Method::GET { "pull" } else { "pull,push,delete" };
        let token = self.token(&format!("repository:{repository}:{actions}")).await;
        let url = if rest.starts_with("http") {
            rest.to_owned()
        } else {
            format!("http://{}/v2/{repository}/{rest}", self.registry.host())
        };
        let request = self.registry.health.client.request(method, url).body(body);
        let request = request.header("content-type", MANIFEST).header("accept", MANIFEST);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.unwrap()
    }

    async fn get(&self, repository: &str, rest: &str) -> StatusCode {
        self.request(Method::GET, repository, rest, Bytes::new()).await.status()
    }

    /// Pushes a blob; gives its digest, or what the registry says to the upload.
    async fn push_blob(&self, repository: &str, content: &str) -> Result<String, StatusCode> {
        let answer = self.request(Method::POST, repository, "blobs/uploads/", Bytes::new()).await;
        if answer.status() != StatusCode::ACCEPTED {
            return Err(answer.status());
        }
        let digest = imagewright_testkit::sha256(content.as_bytes());
        let location = answer.headers()["location"].to_str().unwrap();
        let location = format!("{location}&digest={digest}");
        let answer = self.request(Method::PUT, repository, &location, content.to_owned().into()).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        Ok(digest)
    }

    /// Pushes an image of one layer; gives the digest of that.
    async fn push_image(&self, repository: &str, tag: &str, content: &str) -> String {
        let layer = self.push_blob(repository, content).await.unwrap();
        let config = self.push_blob(repository, "{}").await.unwrap();
        let descriptor = |kind: &str, digest: &str, size: usize| json!({ "mediaType": format!("application/vnd.oci.image.{kind}"), "digest": digest, "size": size });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor("config.v1+json", &config, 2),
            "layers": [descriptor("layer.v1.tar+gzip", &layer, content.len())],
        });
        let body = Bytes::from(manifest.to_string());
        let answer = self.request(Method::PUT, repository, &format!("manifests/{tag}"), body).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        layer
    }
}

#[tokio::test]
async fn who_pushes_pulls_and_who_does_neither_is_refused() {
    require_tool!("docker-registry", "setpriv");
    let (_folder, registry) = started().await;
    let pusher = Client::pusher(&registry);
    let puller = Client::of(&registry, registry.pull_credentials());
    let layer = pusher.push_image("images/a", "1", "content").await;
    pusher.push_image("layers", "1", "content").await;

    assert_eq!(puller.get("images/a", "manifests/1").await, StatusCode::OK);
    assert_eq!(puller.get("images/a", &format!("blobs/{layer}")).await, StatusCode::OK);
    assert_eq!(puller.push_blob("images/a", "other").await, Err(StatusCode::UNAUTHORIZED));
    assert_eq!(puller.get("layers", "manifests/1").await, StatusCode::UNAUTHORIZED);

    let anonymous = Client { registry: &registry, user: None };
    assert_eq!(anonymous.get("images/a", "manifests/1").await, StatusCode::UNAUTHORIZED);
    assert_eq!(anonymous.push_blob("images/a", "other").await, Err(StatusCode::UNAUTHORIZED));
    let user = (registry.push_credentials().user.clone(), "wrong".to_owned());
    let stranger = Client { registry: &registry, user: Some(user) };
    assert_eq!(stranger.token("repository:images/a:pull").await, None);
}

#[tokio::test]
async fn our_own_client_finds_its_way_with_what_is_configured() {
    require_tool!("docker-registry", "setpriv");
    let (folder, registry) = started().await;
    let mut config = HubConfig::load(None, [("", ""); 0]).unwrap();
    assert!(configure_as_kept(folder.path(), &mut config).unwrap());
    assert_eq!(config.registry.destination().unwrap().to_string(), registry.host());
    let elsewhere = tempfile::tempdir().unwrap();
    assert!(!configure_as_kept(elsewhere.path(), &mut config).unwrap());
    let mut config = HubConfig::load(None, [("", ""); 0]).unwrap();
    registry.configure(&mut config);
    config.address_rule().check(&registry.host(), &crate::config::SystemResolver).await.unwrap();
    let section = config.registry;
    assert!(section.layer_repository().is_some());
    let destination = section.destination().unwrap();
    let image = destination.image(crate::config::Purpose::Images, "a", "h-1").unwrap();
    let layer = Client::pusher(&registry).push_image("images/a", "h-1", "content").await;
    let client = RegistryClient::new(RegistryClientConfig {
        credentials: CredentialSource::Registry {
            registry: registry.host(),
            credential: Credential::Password {
                username: section.push_user.unwrap(),
                password: section.push_password.unwrap(),
            },
        },
        ..RegistryClientConfig::default()
    })
    .unwrap();

    let repository: &RepositoryReference = image.repository_reference();
    assert_eq!(client.list_tags(repository).await.unwrap(), ["h-1"]);
    let other: RepositoryReference = format!("{}/images/b", registry.host()).parse().unwrap();
    let digest = layer.parse().unwrap();
    client.mount_blob(&other, repository, &digest).await.unwrap();
    assert_eq!(client.head_blob(&other, &digest).await.unwrap(), Some(7));
}

#[tokio::test]
async fn everything_stays_after_a_restart_and_is_private() {
    require_tool!("docker-registry", "setpriv");
    let (folder, registry) = started().await;
    let (host, user) = (registry.host(), Client::pusher(&registry).user);
    Client::pusher(&registry).push_image("images/a", "1", "content").await;
    registry.stop().await;

    let registry = start(folder.path()).await;
    assert_eq!(registry.host(), host);
    assert_eq!(Client::pusher(&registry).user, user);
    assert_eq!(Client::pusher(&registry).get("images/a", "manifests/1").await, StatusCode::OK);
    for file in ["credentials.json", "configuration.json"] {
        let mode = std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let shown = format!("{registry:?} {:?}", registry.push_credentials());
    assert!(!shown.contains(&user.unwrap().1));
}

#[tokio::test]
async fn garbage_is_collected_and_everything_works_after() {
    require_tool!("docker-registry", "setpriv");
    let (_folder, registry) = started().await;
    assert_eq!(registry.collect_garbage().await.unwrap(), Collected::default());
    let pusher = Client::pusher(&registry);
    let kept = pusher.push_image("images/a", "1", "kept").await;
    let lost = pusher.push_blob("images/a", "lost").await.unwrap();
    assert_eq!(pusher.get("images/a", &format!("blobs/{lost}")).await, StatusCode::OK);

    assert_eq!(registry.collect_garbage().await.unwrap(), Collected { blobs: 1 });

    assert_eq!(pusher.get("images/a", &format!("blobs/{lost}")).await, StatusCode::NOT_FOUND);
    assert_eq!(pusher.get("images/a", &format!("blobs/{kept}")).await, StatusCode::OK);
    pusher.push_image("images/a", "2", "new").await;
    // What was deleted by its digest goes too.
    let manifest = pusher.request(Method::GET, "images/a", "manifests/1", Bytes::new()).await;
    let digest = manifest.headers()["docker-content-digest"].to_str().unwrap().to_owned();
    let answer =
        pusher.request(Method::DELETE, "images/a", &format!("manifests/{digest}"), Bytes::new()).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    // The manifest and its layer; the configuration is that of the other image.
    assert_eq!(registry.collect_garbage().await.unwrap(), Collected { blobs: 2 });
    assert_eq!(pusher.get("images/a", &format!("blobs/{kept}")).await, StatusCode::NOT_FOUND);
    assert_eq!(pusher.get("images/a", "manifests/2").await, StatusCode::OK);
    assert_eq!(pusher.push_blob("images/a", "kept").await.unwrap(), kept);
}

#[tokio::test]
async fn nothing_is_taken_while_garbage_is_collected() {
    require_tool!("docker-registry", "setpriv");
    let folder = tempfile::tempdir().unwrap();
    let real = imagewright_testkit::tool("docker-registry").unwrap();
    // Stands in front of the real one and keeps what is configured while that collects.
    let seen = folder.path().join("seen.json");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = garbage-collect ] && /bin/cp \"$2\" {}\nexec {} \"$@\"\n",
        seen.display(),
        real.display()
    );
    let path = with_program(folder.path(), &script);
    let registry = ManagedRegistry::start(&folder.path().join("registry"), &path).await.unwrap();
    registry.wait_until_ready(DEADLINE).await.unwrap();
    Client::pusher(&registry).push_image("images/a", "1", "content").await;
    let is_read_only = |file: &Path| {
        let configuration: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        configuration["storage"]["maintenance"]["readonly"]["enabled"].as_bool().unwrap()
    };

    registry.collect_garbage().await.unwrap();

    assert!(is_read_only(&seen));
    assert!(!is_read_only(&folder.path().join("registry/configuration.json")));
    Client::pusher(&registry).push_image("images/a", "2", "more").await;
}

#[tokio::test]
async fn other_clients_understand_its_tokens() {
    require_tool!("docker-registry", "setpriv", "skopeo");
    let (_folder, registry) = started().await;
    Client::pusher(&registry).push_image("images/a", "1", "content").await;
    let credentials = registry.pull_credentials();
    let mut command = std::process::Command::new("skopeo");
    command.arg("list-tags").arg("--tls-verify=false");
    command.arg(format!("--creds={}:{}", credentials.user, credentials.password.expose_secret()));
    let output = command.arg(format!("docker://{}/images/a", registry.host())).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tags: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(tags["Tags"], json!(["1"]));
}

#[tokio::test]
async fn a_registry_that_is_killed_comes_back() {
    require_tool!("docker-registry", "setpriv");
    let (folder, registry) = started().await;
    let configuration = folder.path().canonicalize().unwrap().join("configuration.json");
    let before = processes(&configuration);
    assert_eq!(before.len(), 1);
    // The very thing that is done with one that has lost its hub.
    orphans::end(&configuration).await;
    assert_gone(&before[0]);
    registry.wait_until_ready(DEADLINE).await.unwrap();
    let after = processes(&configuration);
    assert!(after.len() == 1 && after != before);
    drop(registry);
    assert_gone(&after[0]);
}

#[tokio::test]
async fn two_hubs_do_not_share_a_folder() {
    require_tool!("docker-registry", "setpriv");
    let (folder, registry) = started().await;
    let error = ManagedRegistry::start(folder.path(), &search_path()).await.unwrap_err();
    assert!(matches!(error, ManagedRegistryError::InUse { .. }), "{error}");
    assert!(registry.is_ready().await);
}

#[tokio::test]
async fn a_port_that_somebody_else_has_is_named() {
    require_tool!("docker-registry", "setpriv");
    let folder = tempfile::tempdir().unwrap();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    std::fs::write(folder.path().join("port"), port.to_string()).unwrap();
    let error = ManagedRegistry::start(folder.path(), &search_path()).await.unwrap_err();
    assert!(matches!(error, ManagedRegistryError::PortTaken { .. }), "{error}");
    assert!(error.to_string().contains(&port.to_string()));
    drop(other);
    assert_eq!(start(folder.path()).await.host(), format!("127.0.0.1:{port}"));
}

#[tokio::test]
async fn a_missing_program_is_named_with_its_package() {
    let folder = tempfile::tempdir().unwrap();
    let error = ManagedRegistry::start(folder.path(), folder.path().as_os_str()).await.unwrap_err();
    assert!(error.to_string().contains("apt-get install docker-registry"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_registry_that_does_not_start_is_told_with_its_last_words() {
    require_tool!("docker-registry", "setpriv");
    let folder = tempfile::tempdir().unwrap();
    // A program of that name which says something and ends.
    let path = with_program(folder.path(), "#!/bin/sh\necho 'panic: no such thing' >&2\nexit 1\n");
    let registry = ManagedRegistry::start(&folder.path().join("registry"), &path).await.unwrap();
    let error = registry.wait_until_ready(Duration::from_secs(1)).await.unwrap_err();
    assert!(error.to_string().contains("no such thing"), "{error}");
}

const DIES: &str = "IMAGEWRIGHT_HUB_TEST_DIES";

/// Not a test but the process that [`it_ends_with_a_hub_that_is_killed`] kills.
#[tokio::test]
async fn process_to_be_killed() {
    if let Some(folder) = std::env::var_os(DIES) {
        let _registry = start(Path::new(&folder)).await;
        println!("the registry runs.");
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn it_ends_with_a_hub_that_is_killed() {
    require_tool!("docker-registry", "setpriv");
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "registry::managed::tests::process_to_be_killed", "--nocapture"]);
    let mut hub = command.env(DIES, folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(hub.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("the registry runs.")));
    let configuration = folder.path().canonicalize().unwrap().join("configuration.json");
    let running = processes(&configuration);
    assert_eq!(running.len(), 1);

    hub.kill().unwrap();
    hub.wait().unwrap();

    assert_gone(&running[0]);
    start(folder.path()).await;
}

/// The search path with a script in front that is called like the registry.
fn with_program(folder: &Path, script: &str) -> std::ffi::OsString {
    let program = folder.join("docker-registry");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let others = search_path();
    std::env::join_paths(std::iter::once(folder.to_owned()).chain(std::env::split_paths(&others))).unwrap()
}

/// The processes that were started with this configuration.
fn processes(configuration: &Path) -> Vec<String> {
    let is_one = |process: &std::fs::DirEntry| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(configuration.to_str().unwrap())
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten().filter(is_one);
    processes.map(|process| process.file_name().into_string().unwrap()).collect()
}

/// Waits until a process is gone. One that nobody has asked for its exit code yet has no command line any more.
fn assert_gone(id: &str) {
    let deadline = std::time::Instant::now() + DEADLINE;
    let command_line = Path::new("/proc").join(id).join("cmdline");
    while std::fs::read(&command_line).is_ok_and(|line| !line.is_empty()) {
        assert!(std::time::Instant::now() < deadline, "process {id} lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
}
