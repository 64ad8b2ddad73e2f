//! A registry, a cache and the real command: what every test of this suite starts from.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use imagewright_testkit::conda::Channels;
use imagewright_testkit::{Entry, LayerBuilder, PackageIndex, Registry, Runner, Wheel, WheelBuilder, tool};
use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_imagewright");

/// How long one build may take before it counts as hanging; most take less than a second.
const BUILD_DEADLINE: &str = "180";

/// Where `sudo pip install` puts packages on Debian 12.
pub(crate) const DIST_PACKAGES: &str = "/usr/local/lib/python3.11/dist-packages";

/// A registry of its own and a machine with an empty cache. Both go with this value.
pub(crate) struct Workshop {
    pub(crate) registry: Registry,
    pub(crate) folder: TempDir,
}

impl Workshop {
    /// An open registry, and a cache that holds nothing but the indexes of base layers.
    pub(crate) fn new() -> Self {
        let workshop = Self { registry: Registry::new(), folder: temporary_folder() };
        fs::create_dir(workshop.cache()).expect("the folder of a cache");
        // Reading the 240 MB of Debian takes each test most of its time, and gives each the same index.
        symlink(shared("index"), workshop.cache().join("index")).expect("a link to the shared indexes");
        workshop
    }

    /// The folder that builds of this workshop keep their work in.
    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// The full reference of an image of this workshop's registry.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.registry.host())
    }

    /// A build upon `base`, a full reference, to `to`, such as `team/image:1`.
    pub(crate) fn build(&self, base: &str, to: &str) -> Build {
        let mut build = self.bare_build();
        build.arguments.extend(["--base".to_owned(), base.to_owned(), "--to".to_owned(), self.reference(to)]);
        build
    }

    /// A build that says everything itself.
    pub(crate) fn bare_build(&self) -> Build {
        Build {
            wrapper: Vec::new(),
            arguments: Vec::new(),
            cache: self.cache(),
            home: self.folder.path().to_owned(),
            environment: Vec::new(),
            working_directory: self.folder.path().to_owned(),
        }
    }

    /// Runs another command of the program, which must succeed. Gives what it printed.
    pub(crate) fn command(&self, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new(PROGRAM)
            .args(arguments)
            .env("IMAGEWRIGHT_CACHE", self.cache())
            .env("HOME", self.folder.path())
            .output()
            .expect("the program");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        output.stdout
    }

    /// A container of an image of this workshop's registry.
    pub(crate) fn run(&self, name: &str) -> Runner {
        Runner::start(&self.registry, &self.reference(name))
    }
}

/// One run of `imagewright build`.
#[derive(Debug, Clone)]
pub(crate) struct Build {
    wrapper: Vec<String>,
    arguments: Vec<String>,
    cache: PathBuf,
    home: PathBuf,
    environment: Vec<(String, String)>,
    working_directory: PathBuf,
}

impl Build {
    /// Asks for a Python package.
    pub(crate) fn pip(self, requirement: &str) -> Self {
        self.arguments(&["--pip", requirement])
    }

    /// Asks for a conda package.
    pub(crate) fn conda(self, spec: &str) -> Self {
        self.arguments(&["--conda", spec])
    }

    /// Finds conda channels on this server.
    pub(crate) fn channels(self, channels: &Channels) -> Self {
        self.arguments(&["--channel-alias", &channels.url()])
    }

    /// Asks this index instead of the public one.
    pub(crate) fn index(self, index: &PackageIndex) -> Self {
        self.arguments(&["--index-url", &index.url()])
    }

    /// Asks the public index, and keeps what it answers for the other tests that do.
    pub(crate) fn asking_pypi(self) -> Self {
        for kept in ["wheels", "owners/default/uv"] {
            let place = self.cache.join(kept);
            fs::create_dir_all(place.parent().expect("a folder")).expect("the folder of an owner");
            if !place.exists() {
                symlink(shared(kept), place).expect("a link to the shared downloads");
            }
        }
        self
    }

    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// Runs the command by way of another, such as `taskset`.
    pub(crate) fn through(mut self, wrapper: &[&str]) -> Self {
        self.wrapper.extend(wrapper.iter().map(|&word| word.to_owned()));
        self
    }

    pub(crate) fn cache(mut self, cache: &Path) -> Self {
        cache.clone_into(&mut self.cache);
        self
    }

    pub(crate) fn home(mut self, home: &Path) -> Self {
        home.clone_into(&mut self.home);
        self
    }

    pub(crate) fn working_directory(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.working_directory);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs it; the image must be built.
    pub(crate) fn succeed(self) -> Outcome {
        let outcome = self.run();
        assert_eq!(outcome.status, Some(0), "{outcome:#?}");
        outcome
    }

    /// Runs it; it must fail. Gives its last event.
    pub(crate) fn fail(self) -> Failure {
        let outcome = self.run();
        let event = outcome.events.last().filter(|event| event["event"] == "error");
        let event = event.unwrap_or_else(|| panic!("a build that should have failed: {outcome:#?}"));
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        Failure {
            status: outcome.status,
            kind: text("kind"),
            message: text("message"),
            explanation: text("explanation"),
            next_step: text("next_step"),
        }
    }

    fn run(self) -> Outcome {
        let mut words = self.wrapper;
        // A build that hangs fails its test instead of the whole run.
        words.extend(["timeout", "--kill-after=5", BUILD_DEADLINE, PROGRAM].map(str::to_owned));
        words.extend(["build", "--events", "json"].map(str::to_owned));
        words.extend(self.arguments);
        let uv = tool("uv").expect("uv, which the test has asked for");
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env("IMAGEWRIGHT_CACHE", &self.cache)
            .env("IMAGEWRIGHT_UV", uv)
            .env("HOME", &self.home)
            .envs(self.environment)
            .current_dir(self.working_directory);
        let output = command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let stdout = String::from_utf8_lossy(&output.stdout);
        let event = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("no event: {line}"));
        Outcome {
            status: output.status.code(),
            events: stdout.lines().map(event).collect(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// What a build said.
#[derive(Debug)]
pub(crate) struct Outcome {
    status: Option<i32>,
    events: Vec<Value>,
    #[expect(dead_code, reason = "shown when a test fails")]
    errors: String,
}

/// How a build failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Option<i32>,
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) explanation: String,
    pub(crate) next_step: String,
}

impl Outcome {
    /// The closing summary.
    pub(crate) fn summary(&self) -> &Value {
        self.events.iter().find(|event| event["event"] == "result").expect("a result")
    }

    /// The summary's part on the only platform.
    pub(crate) fn image(&self) -> &Value {
        &self.summary()["images"][0]
    }

    pub(crate) fn digest(&self) -> &str {
        self.summary()["digest"].as_str().expect("a digest")
    }

    pub(crate) fn uploaded_bytes(&self) -> u64 {
        self.summary()["transfer"]["uploaded_bytes"].as_u64().expect("a number of bytes")
    }

    /// Packages that were added, as `name version`.
    pub(crate) fn added(&self) -> Vec<String> {
        strings(&self.image()["added"])
    }

    /// conda packages that were put in, as `name version`.
    pub(crate) fn conda(&self) -> Vec<String> {
        strings(&self.image()["conda"])
    }

    /// Packages that were replaced, as `name old → new`, by name.
    pub(crate) fn replaced(&self) -> Vec<String> {
        let mut replaced = strings(&self.image()["replaced"]);
        replaced.sort();
        replaced
    }

    /// All lines of the log and all warnings.
    pub(crate) fn said(&self) -> Vec<&str> {
        let texts = |event: &'_ Value| event["line"].as_str().or(event["message"].as_str()).is_some();
        let lines = self.events.iter().filter(|event| texts(event));
        lines.filter_map(|event| event["line"].as_str().or(event["message"].as_str())).collect()
    }

    /// Whether a line of the log or a warning has all of these words.
    pub(crate) fn says(&self, words: &[&str]) -> bool {
        self.said().iter().any(|line| words.iter().all(|word| line.contains(word)))
    }
}

/// The texts of a JSON array.
pub(crate) fn strings(array: &Value) -> Vec<String> {
    let texts = array.as_array().into_iter().flatten();
    texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
}

/// A package with one module that knows its own version and can be started as a command.
pub(crate) fn demo(name: &str, version: &str) -> WheelBuilder {
    let module = name.replace('-', "_");
    WheelBuilder::new(name, version)
        .file(
            &format!("{module}/__init__.py"),
            format!("VERSION = '{version}'\n\ndef main():\n    print('{name}', VERSION)\n"),
        )
        .script(name, &format!("{module}:main"))
}

/// The same, finished.
pub(crate) fn demo_wheel(name: &str, version: &str) -> Wheel {
    demo(name, version).build()
}

/// A layer that holds one file below folders that Debian has.
pub(crate) fn file_layer(path: &str, content: &str) -> LayerBuilder {
    LayerBuilder::new().add(Entry::file(path, content))
}

/// A new folder for what one test needs.
pub(crate) fn temporary_folder() -> TempDir {
    tempfile::Builder::new().prefix("images-").tempdir().expect("a temporary folder")
}

/// A folder that the tests of this suite share. It belongs to this very build of the program, so that no test
/// is served by what an older one made.
fn shared(name: &str) -> PathBuf {
    let built = fs::metadata(PROGRAM).and_then(|metadata| metadata.modified()).expect("the program");
    let built = built.duration_since(UNIX_EPOCH).expect("a time after 1970").as_nanos();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{SHARED}{built}"));
    if !folder.exists() {
        remove_abandoned();
    }
    fs::create_dir_all(folder.join(name)).expect("a shared folder");
    folder.join(name)
}

/// How the names of shared folders begin.
const SHARED: &str = "images-";

/// Nothing runs for so long.
const ABANDONED: Duration = Duration::from_hours(1);

/// Removes the shared folders of programs that were built anew since. Other tests may do the same at this moment, so
/// what cannot be removed is passed over.
fn remove_abandoned() {
    for entry in fs::read_dir(env!("CARGO_TARGET_TMPDIR")).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|modified| modified.elapsed().ok());
        let is_ours = entry.file_name().to_string_lossy().starts_with(SHARED);
        if is_ours && age.is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
