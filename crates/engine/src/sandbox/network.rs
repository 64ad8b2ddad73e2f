//! The way out of a sandbox: slirp4netns, which makes connections in this machine's name, but none to the machine
//! itself and none to addresses that only machines should ask.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdin};

use super::SandboxSettings;
use super::holder::{Holder, command, unavailable};
use super::process_guard::ProcessGuard;
use crate::cancel::{CancellationToken, unless_cancelled};
use crate::error::BuildError;

/// How long the way out may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// How often it is looked whether it is open.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The name server that slirp4netns is to those inside; it asks those of this machine.
pub(super) const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 3);

/// Networks that lead nowhere: link-local ones with the metadata services of clouds, those services' other
/// addresses (Alibaba, Azure, Oracle), this host's own, and what is no host.
const CLOSED: [&str; 7] = [
    "169.254.0.0/16",
    "100.100.100.200/32",
    "168.63.129.16/32",
    "192.0.0.192/32",
    "127.0.0.0/8",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// A running slirp4netns. It ends when this value, or this process, does.
#[derive(Debug)]
pub(super) struct Network {
    _guard: Option<ProcessGuard>,
    child: Child,
    _pipe: ChildStdin,
}

impl Network {
    /// Connects a holder's network.
    pub(super) async fn connect(
        holder: &Holder,
        settings: &SandboxSettings,
        cancellation: &CancellationToken,
    ) -> Result<Self, BuildError> {
        let process = holder.process();
        // As root, it sets itself up with root's rights and gives them up. As an ordinary user, it has to be root of
        // the namespace first.
        let (mut arguments, namespace) = if holder.identities().is_root() {
            (Vec::new(), Some(format!("--userns-path=/proc/{process}/ns/user")))
        } else {
            (holder.entry(false), None)
        };
        arguments.push("slirp4netns".into());
        let mut child = command(&arguments[0], holder.folder())
            .args(&arguments[1..])
            .args(["--configure", "--mtu=65520", "--disable-host-loopback", "--enable-sandbox"])
            .args(["--enable-seccomp", "--exit-fd=0", "--netns-type=path"])
            .args(namespace)
            .args([format!("/proc/{process}/ns/net"), "tap0".to_owned()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| unavailable("slirp4netns cannot be started").with_source(error))?;
        let pipe = child.stdin.take().ok_or_else(|| BuildError::internal("a process has no pipe"))?;
        let guard = child.id().and_then(ProcessGuard::of);
        let mut network = Self { _guard: guard, child, _pipe: pipe };
        unless_cancelled(cancellation, network.wait_until_open(process)).await?;
        let routes = closed_routes(&own_addresses(holder.folder()).await, &settings.reachable);
        holder.in_network(&["ip", "-batch", "-"], routes.as_bytes()).await?;
        Ok(network)
    }

    async fn wait_until_open(&mut self, process: u32) -> Result<(), BuildError> {
        let started = Instant::now();
        let routes = format!("/proc/{process}/net/route");
        // A line for the way to everywhere: its destination is zero.
        let is_open = || {
            let routes = std::fs::read_to_string(&routes).unwrap_or_default();
            routes.lines().any(|line| line.starts_with("tap0\t00000000\t"))
        };
        while !is_open() {
            if let Ok(Some(status)) = self.child.try_wait() {
                let mut words = String::new();
                if let Some(errors) = self.child.stderr.take() {
                    let _ = errors.take(2000).read_to_string(&mut words).await;
                }
                return Err(unavailable(&format!("slirp4netns gave up ({status})"))
                    .with_explanation(words.trim().to_owned()));
            }
            if started.elapsed() > CONNECT_TIMEOUT {
                return Err(unavailable("slirp4netns gave no network in time"));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }
}

/// Commands of `ip -batch` that close what must not be reached.
fn closed_routes(own: &[Ipv4Addr], reachable: &[Ipv4Addr]) -> String {
    let mut commands = String::new();
    for network in CLOSED {
        let _ = writeln!(commands, "route add blackhole {network}");
    }
    for address in own.iter().filter(|address| !address.is_loopback() && !reachable.contains(address)) {
        let _ = writeln!(commands, "route replace blackhole {address}/32");
    }
    for address in reachable {
        // slirp4netns' own gateway; the narrowest route wins over a closed network.
        let _ = writeln!(commands, "route replace {address}/32 via 10.0.2.2");
    }
    commands
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    local: Option<Ipv4Addr>,
}

/// The addresses of this machine's own network cards: servers that listen on all of them are not meant for tenants.
async fn own_addresses(folder: &std::path::Path) -> Vec<Ipv4Addr> {
    let asked =
        command("ip", folder).args(["-json", "-4", "address", "show"]).stdin(Stdio::null()).output().await;
    let links: Vec<Link> =
        asked.ok().and_then(|output| serde_json::from_slice(&output.stdout).ok()).unwrap_or_default();
    let slirp = |address: &Ipv4Addr| address.octets()[..3] == NAME_SERVER.octets()[..3];
    let all = links.into_iter().flat_map(|link| link.addr_info).filter_map(|address| address.local);
    all.filter(|address| !slirp(address)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_closed_unless_the_operator_opens_an_address() {
        let own = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(192, 168, 1, 5), Ipv4Addr::new(192, 168, 1, 6)];
        let routes = closed_routes(&own, &[Ipv4Addr::new(192, 168, 1, 6)]);
        assert!(routes.contains("blackhole 169.254.0.0/16\n"));
        assert!(routes.contains("blackhole 192.168.1.5/32\n"));
        assert!(!routes.contains("blackhole 192.168.1.6/32\n"));
        assert!(routes.contains("192.168.1.6/32 via 10.0.2.2\n"));
    }
}
