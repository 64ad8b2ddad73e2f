use std::collections::BTreeSet;

use secrecy::ExposeSecret as _;

use super::settings::SETTINGS;
use super::*;

/// Reads a file with this text, and these variables.
fn load(text: &str, variables: &[(&str, &str)]) -> Result<HubConfig, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.toml");
    std::fs::write(&path, text).unwrap();
    HubConfig::load(Some(&path), variables.iter().copied())
}

/// The line or variable of a mistake, and its text.
fn mistake(text: &str, variables: &[(&str, &str)]) -> (String, String) {
    let error = load(text, variables).expect_err(text);
    let place = match &error.place {
        Place::File { line, .. } => line.map_or_else(|| "file".to_owned(), |line| line.to_string()),
        Place::Variable(name) => name.clone(),
        Place::Default => "default".to_owned(),
    };
    (place, format!("{}; {}", error.message, error.fix))
}

#[test]
fn the_defaults_are_what_the_documentation_says() {
    let config = HubConfig::load(None, [("", ""); 0]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.data_dir, Path::new("./data"));
    assert_eq!(config.builder, BuilderKind::Process);
    assert!(config.database_url.is_none());
    assert_eq!(config.database_file(), Path::new("./data/hub.db"));
    assert!(config.registry.destination().is_none());
    assert!(config.registry.layers);
    assert_eq!((config.limits.builds, config.limits.builds_per_group), (2, 1));
    assert_eq!(config.limits.of_group("any").storage, None);
    assert_eq!(config.login.token_days, None);
    assert_eq!(config.logs.maximum_bytes, 256 << 20);
    assert_eq!(config.api.body_bytes, 1 << 20);
    assert_eq!(config.sources.pip_policy(), imagewright_spec::PipPolicy::INDEX_ONLY);
}

#[test]
fn every_key_stands_in_the_default_configuration() {
    let assignments = file::assignments(DEFAULT, &|_| Place::Default).unwrap();
    let given: BTreeSet<String> = assignments.iter().map(|one| one.path.join(".")).collect();
    for setting in SETTINGS {
        if setting.path.contains('*') {
            let key = setting.path.rsplit('.').find(|part| *part != "*").unwrap();
            assert!(DEFAULT.contains(key), "{}", setting.path);
        } else {
            assert!(given.contains(setting.path), "{}", setting.path);
        }
    }
    assert_eq!(given.len(), assignments.len());
}

#[test]
fn the_examples_in_the_default_configuration_are_right() {
    let is_example = |line: &str| {
        line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains([' ', '`']))
    };
    let examples: String = DEFAULT
        .lines()
        .filter_map(|line| line.strip_prefix("# ").filter(|line| is_example(line)))
        .flat_map(|line| [line, "\n"])
        .collect();
    let config = load(&examples, &[]).unwrap();
    assert_eq!(config.limits.of_group("research").storage, Some(500_000_000_000));
    assert_eq!(config.limits.of_group("research").queue, 50);
    assert_eq!(config.sources.index_credentials.len(), 1);
    assert_eq!(config.sources.channel_credentials.len(), 1);
    assert_eq!(config.sources.conda_settings().mirrors["conda-forge"].len(), 1);
}

#[test]
fn variables_win_over_the_file_and_the_file_over_the_defaults() {
    let text = "builder = \"off\"\n[registry]\nprefix = \"registry.example/team\"\n[limits]\nbuilds = 5\n";
    let variables = [
        ("IMAGEWRIGHT_REGISTRY__PREFIX", "other.example/team"),
        ("IMAGEWRIGHT_REGISTRY__INSECURE", "true"),
        ("IMAGEWRIGHT_LIMITS__GROUPS__RESEARCH__STORAGE", "1GiB"),
        ("IMAGEWRIGHT_SOURCES__CONDA_CHANNELS", "bioconda, conda-forge"),
        ("IMAGEWRIGHT_TRUSTED_PROXIES", "10.0.0.1,192.168.0.0/16"),
        ("IMAGEWRIGHT_SOURCES__INDEX_CREDENTIALS__0__URL", "https://pypi.example/simple"),
        ("IMAGEWRIGHT_SOURCES__INDEX_CREDENTIALS__0__USER", "hub"),
        ("IMAGEWRIGHT_SOURCES__INDEX_CREDENTIALS__0__PASSWORD", "secret"),
        // These are no keys.
        ("IMAGEWRIGHT_CACHE", "/var/cache"),
        ("IMAGEWRIGHT_LOG", "debug"),
        ("IMAGEWRIGHT_INDEX_URL", "https://pypi.example"),
        ("PATH", "/usr/bin"),
    ];
    let config = load(text, &variables).unwrap();
    assert_eq!(config.builder, BuilderKind::Off);
    assert_eq!(config.registry.destination().unwrap().to_string(), "other.example/team");
    assert!(config.registry.insecure);
    assert_eq!((config.limits.builds, config.limits.builds_per_group), (5, 1));
    assert_eq!(config.limits.of_group("research").storage, Some(1 << 30));
    assert_eq!(config.limits.of_group("other").storage, None);
    assert_eq!(config.sources.conda_channels[0].as_str(), "bioconda");
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.sources.index_credentials[0].username, "hub");
}

#[test]
fn a_key_that_there_is_not_is_told_with_its_line_and_the_nearest() {
    let (line, text) = mistake("\n[registry]\nprefx = \"a.example/b\"\n", &[]);
    assert_eq!(line, "3");
    assert_eq!(text, "there is no key `prefx` in [registry]; write `prefix`");
    let (line, text) = mistake("[registri]\nprefix = \"a.example/b\"\n", &[]);
    assert_eq!((line.as_str(), text.as_str()), ("1", "there is no key `registri`; write `registry`"));
    let (line, text) = mistake("[limits.groups.a]\nbuild = 1\n", &[]);
    assert_eq!(
        (line.as_str(), text.as_str()),
        ("2", "there is no key `build` in [limits.groups.a]; write `builds`")
    );
    let (_, text) = mistake("[[sources.index_credentials]]\nusername = \"x\"\n", &[]);
    assert!(text.ends_with("write `user`") || text.contains("`password_file`"), "{text}");
}

#[test]
fn a_variable_that_is_misspelt_is_refused() {
    let (place, text) = mistake("", &[("IMAGEWRIGHT_REGISTRY__PREFX", "a.example/b")]);
    assert_eq!(place, "IMAGEWRIGHT_REGISTRY__PREFX");
    assert_eq!(text, "there is no key `prefx` in [registry]; set IMAGEWRIGHT_REGISTRY__PREFIX");
    let (_, text) = mistake("", &[("IMAGEWRIGHT_REGISTY__PREFIX", "a.example/b")]);
    assert_eq!(text, "there is no section [registy]; begin it with IMAGEWRIGHT_REGISTRY");
    let (_, text) = mistake("", &[("IMAGEWRIGHT_REGISTRY", "a.example/b")]);
    assert_eq!(text, "`registry` is a section; name a key in it, for example IMAGEWRIGHT_REGISTRY__PREFIX");
    let (_, text) = mistake("", &[("IMAGEWRIGHT_BUILDER__PREFIX", "x")]);
    assert_eq!(text, "the key `builder` has nothing below it; set IMAGEWRIGHT_BUILDER");
    let (place, _) = mistake("", &[("IMAGEWRIGHT_REGISTRY__INSECURE", "perhaps")]);
    assert_eq!(place, "IMAGEWRIGHT_REGISTRY__INSECURE");
}

#[test]
fn a_value_that_a_key_does_not_take_is_told_with_its_line() {
    for (text, line, says) in [
        ("listen = \"8080\"", "1", "is no address with a port"),
        ("\n\nbuilder = \"kubernetes\"", "3", "write \"process\" or \"off\""),
        ("introspection = \"yes\"", "1", "true or false"),
        ("[limits]\nbuilds = 0", "2", "from 1 to 1000"),
        ("[limits]\nbuilds = 1.5", "2", "a number with a point"),
        ("[limits]\nstorage_per_group = \"lots\"", "2", "is no size"),
        ("[registry]\nprefix = \"team\"", "2", "the registry is missing"),
        ("[registry]\nca_bundle = \"/nowhere.pem\"", "2", "there is no file /nowhere.pem"),
        ("[registry]\npush_user = \"a\"\npush_password_file = \"/nowhere\"", "3", "cannot be read"),
        ("[sources]\nhttp_proxy = \"http://me:pw@proxy.example\"", "2", "would be shown"),
        ("[sources]\nreachable = [\"https://x\"]", "2", "is no host, address or network"),
        ("[sources]\nconda_channels = [\"a b\"]", "2", "cannot contain a space"),
        ("[sources]\nallowed_registries = [\"registry.example/team\"]", "2", "has a path"),
        ("registry = \"x\"", "1", "`registry` is a section"),
        ("[sources.index_credentials]\nurl = \"https://x\"", "1", "[[sources.index_credentials]]"),
        ("database_url = \"mysql://canary\"", "1", "no address of a PostgreSQL database"),
        ("listen = ", "1", "not valid TOML"),
        ("[api]\nbody_bytes = 1", "2", "write at least 1024"),
    ] {
        let (place, message) = mistake(text, &[]);
        assert_eq!(place, line, "{text}: {message}");
        assert!(message.contains(says), "{text}: {message}");
        assert!(!message.contains("canary"), "{message}");
    }
}

#[test]
fn keys_that_do_not_go_together_are_refused() {
    let both = "[registry]\nprefix = \"a.example/b\"\nrepository = \"a.example/b\"";
    assert_eq!(mistake(both, &[]).0, "3");
    let both = "[registry]\nprefix = \"a.example/b\"";
    let variable = ("IMAGEWRIGHT_REGISTRY__REPOSITORY", "a.example/b");
    assert_eq!(mistake(both, &[variable]).0, "IMAGEWRIGHT_REGISTRY__REPOSITORY");
    load(both, &[variable, ("IMAGEWRIGHT_REGISTRY__PREFIX", "")]).unwrap();

    assert_eq!(mistake("[registry]\nprefix = \"a.example/b\"\npush_user = \"x\"", &[]).0, "3");
    let alone = "[registry]\npush_user = \"x\"\npush_password = \"y\"";
    assert!(mistake(alone, &[]).1.contains("no registry"));
    let channels = "[sources]\nallowed_conda_channels = [\"bioconda\"]";
    assert!(mistake(channels, &[]).1.contains("has conda-forge"));
    let entry = "[[sources.channel_credentials]]\nurl = \"https://x.example\"\ntoken = \"t\"\nbearer = \"b\"";
    assert!(mistake(entry, &[]).1.contains("of two kinds"));
}

#[test]
fn secrets_come_from_files_too_and_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "canary-file\n").unwrap();
    let text = format!(
        "database_url = \"postgres://hub:canary-database@db/hub\"\n\
         [registry]\nprefix = \"a.example/b\"\npush_user = \"pusher\"\npush_password_file = {file:?}\n\
         [sources]\nindex_url = \"https://me:canary-index@pypi.example/simple\"\n\
         [[sources.index_credentials]]\nurl = \"https://x.example\"\nuser = \"u\"\npassword = \"canary-one\"\n\
         [[sources.channel_credentials]]\nurl = \"https://y.example\"\ntoken = \"canary-two\"\n"
    );
    let config = load(&text, &[]).unwrap();
    assert_eq!(config.registry.push_password.as_ref().unwrap().expose_secret(), "canary-file");
    assert_eq!(
        config.database_url.as_ref().unwrap().expose_secret(),
        "postgres://hub:canary-database@db/hub"
    );
    let shown = format!("{config:?} {config:#?}");
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("pusher") && shown.contains("pypi.example"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = HubConfig::load(Some(Path::new("/nowhere/hub.toml")), [("", ""); 0]).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("the configuration file /nowhere/hub.toml: it cannot be read"), "{text}");
}
