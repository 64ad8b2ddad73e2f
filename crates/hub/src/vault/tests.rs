use std::os::unix::fs::{PermissionsExt as _, chown};

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::*;

fn vault() -> (TempDir, Vault) {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path().join("secrets.key")).unwrap();
    (folder, vault)
}

fn opened(vault: &Vault, record: &str, sealed: &str) -> String {
    vault.open_sealed(record, sealed).unwrap().expose_secret().to_owned()
}

#[test]
fn a_sealed_secret_opens_for_its_own_record_alone() {
    let (_folder, vault) = vault();
    let secret = SecretString::from("canary");
    let sealed = vault.seal("secrets/1/password", &secret).unwrap();
    assert_eq!(opened(&vault, "secrets/1/password", &sealed), "canary");
    assert!(!sealed.contains("canary"));
    assert_ne!(sealed, vault.seal("secrets/1/password", &secret).unwrap(), "nonces are drawn anew");
    for other in ["secrets/2/password", "secrets/1/user", ""] {
        let error = vault.open_sealed(other, &sealed).unwrap_err();
        assert!(matches!(error, VaultError::Damaged { .. }), "{error}");
    }
}

#[test]
fn what_was_changed_or_is_nothing_sealed_does_not_open() {
    let (_folder, vault) = vault();
    let sealed = vault.seal("r", &SecretString::from("secret")).unwrap();
    let start = sealed.rfind('.').unwrap() + 1;
    for position in start..sealed.len() {
        let other = if sealed.as_bytes()[position] == b'A' { "B" } else { "A" };
        let mut changed = sealed.clone();
        changed.replace_range(position..=position, other);
        vault.open_sealed("r", &changed).unwrap_err();
    }
    let id = cipher::key_of(&sealed).unwrap();
    for text in [
        "",
        "v1",
        "v1..",
        "secret",
        "v2.a.b",
        &format!("v1.{id}."),
        &format!("v1.{id}.AAAA"),
        &sealed[..start + 8],
    ] {
        let error = vault.open_sealed("r", text).unwrap_err();
        assert!(matches!(error, VaultError::NotSealed | VaultError::UnknownKey { .. }), "{text}: {error}");
    }
}

#[test]
fn the_key_file_is_the_owners_alone_and_is_kept() {
    let (folder, vault) = vault();
    let path = folder.path().join("secrets.key");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let sealed = vault.seal("r", &SecretString::from("secret")).unwrap();
    assert_eq!(opened(&Vault::open(&path).unwrap(), "r", &sealed), "secret");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    assert!(matches!(Vault::open_existing(folder.path().join("other")), Err(VaultError::Io { .. })));
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let (folder, _vault) = vault();
    let path = folder.path().join("secrets.key");
    for mode in [0o640, 0o604, 0o620, 0o677] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = Vault::open(&path).unwrap_err();
        assert!(matches!(error, VaultError::Mode { .. }), "{error}");
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    Vault::open(&path).unwrap();
}

#[test]
fn a_key_file_of_another_account_is_refused() {
    let (folder, _vault) = vault();
    let path = folder.path().join("secrets.key");
    if !rustix::process::geteuid().is_root() {
        // Only root can give a file away; elsewhere there is a file of root's to try.
        return;
    }
    chown(&path, Some(65534), None).unwrap();
    let error = Vault::open(&path).unwrap_err();
    assert!(matches!(error, VaultError::Owner { owner: 65534, .. }), "{error}");
}

#[test]
fn a_damaged_key_file_is_never_replaced() {
    let (folder, vault) = vault();
    let path = folder.path().join("secrets.key");
    for text in ["", "# nothing\n", "abc\n", "id not-base64!\n", "id AAAA\n"] {
        std::fs::write(&path, text).unwrap();
        assert!(matches!(Vault::open(&path), Err(VaultError::Malformed { .. })), "{text}");
        assert!(matches!(vault.rotate(), Err(VaultError::Malformed { .. })), "{text}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn keys_are_rotated_and_old_ones_dropped() {
    let (_folder, vault) = vault();
    let secret = SecretString::from("secret");
    let old = vault.seal("r", &secret).unwrap();
    assert!(!vault.needs_resealing(&old));

    vault.rotate().unwrap();
    assert!(vault.needs_resealing(&old));
    assert_eq!(opened(&vault, "r", &old), "secret");
    let new = vault.seal("r", &vault.open_sealed("r", &old).unwrap()).unwrap();
    assert!(!vault.needs_resealing(&new));

    vault.drop_old_keys().unwrap();
    assert_eq!(opened(&vault, "r", &new), "secret");
    let error = vault.open_sealed("r", &old).unwrap_err();
    assert!(matches!(error, VaultError::UnknownKey { .. }), "{error}");
}

#[test]
fn a_running_hub_notices_that_keys_were_rotated_by_another_process() {
    let (folder, hub) = vault();
    let command = Vault::open(folder.path().join("secrets.key")).unwrap();
    let secret = SecretString::from("secret");
    let old = hub.seal("r", &secret).unwrap();

    command.rotate().unwrap();
    let other = command.seal("r", &secret).unwrap();
    assert_eq!(opened(&hub, "r", &other), "secret");
    command.rotate().unwrap();
    let own = hub.seal("r", &secret).unwrap();
    assert!(!command.needs_resealing(&own), "the hub seals with the newest key");
    assert!(hub.needs_resealing(&other) && hub.needs_resealing(&old));
}

#[test]
fn many_at_once_make_one_key_file_and_lose_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets.key");
    let secret = SecretString::from("secret");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let vault = Vault::open(&path).unwrap();
                let sealed = vault.seal("r", &secret).unwrap();
                vault.rotate().unwrap();
                assert_eq!(opened(&vault, "r", &sealed), "secret");
            });
        }
    });
    let vault = Vault::open(&path).unwrap();
    assert_eq!(vault.read().newest_first.len(), 9);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn nothing_of_a_vault_shows_its_keys() {
    let (folder, vault) = vault();
    let text = std::fs::read_to_string(folder.path().join("secrets.key")).unwrap();
    let key = text.lines().last().unwrap().split_once(' ').unwrap().1;
    assert_eq!(key.len(), 44);
    assert!(!format!("{vault:?} {vault:#?}").contains(key));
}

proptest! {
    #[test]
    fn every_text_comes_back(text in ".*", record in ".*") {
        let (_folder, vault) = vault();
        let sealed = vault.seal(&record, &SecretString::from(text.clone())).unwrap();
        prop_assert_eq!(opened(&vault, &record, &sealed), text);
        prop_assert!(sealed.is_ascii());
    }

    #[test]
    fn no_text_makes_it_panic(text in ".*") {
        let (_folder, vault) = vault();
        prop_assert!(vault.open_sealed("r", &text).is_err());
    }
}
