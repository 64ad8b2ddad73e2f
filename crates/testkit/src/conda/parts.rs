//! What packages may have beside plain files: scripts that run, texts that shells read, words of the record.

use super::package::CondaPackageBuilder;

impl CondaPackageBuilder {
    /// Sets the licence.
    #[must_use]
    pub fn licence(self, expression: &str) -> Self {
        self.field("license", expression)
    }

    /// Sets when it was built, in milliseconds since 1970.
    #[must_use]
    pub fn timestamp(self, milliseconds: u64) -> Self {
        self.field("timestamp", milliseconds)
    }

    /// Sets the features it brings, separated by spaces: solvers prefer packages without.
    #[must_use]
    pub fn track_features(self, features: &str) -> Self {
        self.field("track_features", features)
    }

    /// Adds the script that conda runs once the package is linked, with `PREFIX` set.
    #[must_use]
    pub fn post_link(self, script: &str) -> Self {
        self.script("post-link", script)
    }

    /// Adds the script that conda runs before it removes the package.
    #[must_use]
    pub fn pre_unlink(self, script: &str) -> Self {
        self.script("pre-unlink", script)
    }

    fn script(self, moment: &str, script: &str) -> Self {
        let path = format!("bin/.{}-{moment}.sh", self.name());
        self.program(&path, script)
    }

    /// Adds what a shell reads when the environment is activated.
    #[must_use]
    pub fn activation(self, script: &str) -> Self {
        let path = format!("etc/conda/activate.d/{}.sh", self.name());
        self.file(&path, script)
    }

    /// Adds what a shell reads when the environment is deactivated.
    #[must_use]
    pub fn deactivation(self, script: &str) -> Self {
        let path = format!("etc/conda/deactivate.d/{}.sh", self.name());
        self.file(&path, script)
    }

    /// Adds variables of the environment, a JSON object of texts.
    #[must_use]
    pub fn environment_variables(self, variables: &serde_json::Value) -> Self {
        let path = format!("etc/conda/env_vars.d/{}.json", self.name());
        self.file(&path, variables.to_string())
    }

    /// The name the record has.
    pub(super) fn name(&self) -> String {
        self.index["name"].as_str().expect("a package has a name").to_owned()
    }
}
