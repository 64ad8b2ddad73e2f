//! A machine with something to hide, and a base whose `apt-get` looks for it.

use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use imagewright_testkit::{Entry, ImageBuilder, LayerBuilder, PushedImage, Registry, bases};
use serde_json::json;

use crate::support::{Build, Outcome, Workshop};

/// What must not be found: in a file of the machine, in the build's environment, in its credentials.
pub(super) const SECRET: &str = "a-secret-that-no-step-may-see";

/// A machine with something to hide.
pub(super) struct Scene {
    pub(super) registry: Registry,
    pub(super) workshop: Workshop,
    pub(super) victim: Child,
    /// Listens on all addresses.
    _server: TcpListener,
    base: PushedImage,
}

impl Scene {
    pub(super) async fn new() -> Self {
        let registry = Registry::new();
        let workshop = Workshop::new();
        let host_file = workshop.root().join("secret");
        std::fs::write(&host_file, SECRET).unwrap();
        let server = TcpListener::bind("0.0.0.0:0").unwrap();
        let victim_mark = "1000.0625";
        let victim = Command::new("sleep").arg(victim_mark).stdin(Stdio::null()).spawn().unwrap();
        let settings = json!({
            "secret": SECRET,
            "host_file": host_file,
            "disk": disk(),
            "victim": victim.id(),
            "victim_mark": victim_mark,
            "port": server.local_addr().unwrap().port(),
            "host_address": own_address(),
            "mark": workshop.root(),
        });
        let script = include_str!("hostile.py").replace("@SETTINGS@", &settings.to_string());
        let debian = bases::debian_python(&registry).await;
        let layer = LayerBuilder::new().add(Entry::file("usr/bin/apt-get", script).mode(0o755)).build();
        let base = ImageBuilder::from_image(&debian).layer(layer).push(&registry, "bases/hostile:1").await;
        Self { registry, workshop, victim, _server: server, base }
    }

    /// A build whose `apt-get` does this deed.
    pub(super) fn build(&self, deed: &str) -> Build {
        let to = format!("{}/team/image:1", self.registry.host());
        self.workshop.command(["build", "--base", &self.base.reference, "--apt", deed, "--to", &to])
    }

    /// The same with a section `[sandbox]` of the configuration file.
    pub(super) fn build_with(&self, deed: &str, sandbox: &str) -> Build {
        let path = self.workshop.root().join("work/config.toml");
        std::fs::write(&path, format!("[sandbox]\n{sandbox}\n")).unwrap();
        self.build(deed).options(["--config".as_ref(), path.as_os_str()])
    }

    /// Says so if anything is left of the steps of a build.
    pub(super) fn assert_nothing_is_left(&self, build: &Outcome) {
        assert_eq!(self.workshop.processes(), [""; 0]);
        std::fs::remove_file(self.workshop.root().join("secret")).unwrap();
        let _ = std::fs::remove_file(self.workshop.root().join("work/config.toml"));
        assert_eq!(self.workshop.leftovers(), [""; 0]);
        assert_eq!(groups_of(build.process), [""; 0], "control groups");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // It may have been killed, which is what a test says then.
        let _ = self.victim.kill();
        let _ = self.victim.wait();
    }
}

/// Control groups of a process.
fn groups_of(process: u32) -> Vec<String> {
    let folders = ["", "memory", "pids"].map(|name| Path::new("/sys/fs/cgroup").join(name));
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(&format!("imagewright-{process}-"))).collect()
}

/// What `apt-get` found out, a line a probe.
pub(super) fn probes(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.events.iter().filter_map(|event| event["line"].as_str());
    lines.filter_map(|line| line.strip_prefix("PROBE ")).map(str::to_owned).collect()
}

/// Major and minor number of a disk of this machine, or those of the first SCSI disk.
fn disk() -> (u32, u32) {
    let numbers = std::fs::read_to_string("/proc/partitions").unwrap_or_default();
    let first = numbers.lines().skip(2).find_map(|line| {
        let mut fields = line.split_whitespace().map(str::parse);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    });
    first.unwrap_or((8, 0))
}

/// The address of this machine's network card; nothing is sent to find it out.
fn own_address() -> String {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let connected = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr());
    connected.map_or_else(|_| "127.0.0.1".to_owned(), |address| address.ip().to_string())
}
