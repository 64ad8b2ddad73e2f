//! The image's configuration: the base's JSON with our layers, history and labels added, and nothing else
//! touched. Typed models of it drop fields that they do not know (`Healthcheck`, `OnBuild`, vendors' own).

use imagewright_oci::digest::Digest;
use serde_json::{Map, Value, json};

use crate::error::{BuildError, ErrorKind};

/// What stands in `created_by` of our layers: by it they are told from the base's.
pub const CREATED_BY: &str = "imagewright";

/// The time of images whose base has none.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

/// A layer that is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedLayer {
    /// Digest of its uncompressed tar.
    pub diff_id: Digest,
    /// What it holds, for `docker history`: `pip: numpy 2.2.6, six 1.17.0`.
    pub description: String,
}

/// Adds layers and labels to a configuration.
///
/// The time stays the base's: the same inputs give the same image.
///
/// # Errors
/// A configuration whose parts are not of the types that they must be.
pub fn edit(
    base: &Value,
    base_layers: usize,
    added: &[AddedLayer],
    labels: &[(&str, String)],
) -> Result<Value, BuildError> {
    let mut config = base.clone();
    let root = config.as_object_mut().ok_or_else(|| malformed("the configuration"))?;
    let created = root.get("created").and_then(Value::as_str).unwrap_or(NO_TIME).to_owned();

    let diff_ids = root
        .get_mut("rootfs")
        .and_then(|rootfs| rootfs.get_mut("diff_ids"))
        .and_then(Value::as_array_mut)
        .ok_or_else(|| malformed("rootfs.diff_ids"))?;
    diff_ids.truncate(base_layers);
    diff_ids.extend(added.iter().map(|layer| json!(layer.diff_id)));

    let mut history = matching_history(root.get("history"), base_layers, &created);
    history.extend(added.iter().map(
        |layer| json!({"created": created, "created_by": format!("{CREATED_BY} {}", layer.description)}),
    ));
    root.insert("history".to_owned(), Value::Array(history));

    if !labels.is_empty() {
        let run = object_at(root, "config")?;
        let target = object_at(run, "Labels")?;
        for (name, value) in labels {
            target.insert((*name).to_owned(), Value::String(value.clone()));
        }
    }
    Ok(config)
}

/// The base's history with exactly one entry a layer. Docker refuses to show an image whose history and layers
/// differ in number; a base's own that does not match is replaced by entries that say nothing.
fn matching_history(history: Option<&Value>, layers: usize, created: &str) -> Vec<Value> {
    let entries = history.and_then(Value::as_array).cloned().unwrap_or_default();
    let makes_layer = |entry: &&Value| !entry.get("empty_layer").and_then(Value::as_bool).unwrap_or(false);
    let mut kept = Vec::new();
    let mut counted = 0;
    // An image of ours used as a base comes with our entries behind those of its own base.
    for entry in entries {
        if makes_layer(&&entry) {
            if counted == layers {
                break;
            }
            counted += 1;
        }
        kept.push(entry);
    }
    if counted == layers {
        return kept;
    }
    (0..layers).map(|_| json!({"created": created, "created_by": "the base image"})).collect()
}

/// The object at a key, made where there is none or `null`.
fn object_at<'value>(
    parent: &'value mut Map<String, Value>,
    key: &'static str,
) -> Result<&'value mut Map<String, Value>, BuildError> {
    let slot = parent.entry(key).or_insert(Value::Null);
    if slot.is_null() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut().ok_or_else(|| malformed(key))
}

fn malformed(what: &str) -> BuildError {
    BuildError::new(
        ErrorKind::Unsupported,
        format!("the configuration of the base is malformed: {what} is not what it must be"),
    )
    .with_next_step("push the base again with a current tool")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added() -> Vec<AddedLayer> {
        vec![AddedLayer { diff_id: Digest::of(b"new"), description: "pip: six 1.17.0".into() }]
    }

    #[test]
    fn everything_of_the_base_survives() {
        let base = json!({
            "vendor.unknown": {"kept": true},
            "created": "2026-01-02T03:04:05Z",
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "User": "1000", "Env": ["PATH=/opt/conda/bin"], "Entrypoint": ["tini", "--"], "Cmd": ["start.sh"],
                "WorkingDir": "/home/jovyan", "Labels": {"z": "1", "a": "2"},
                "Healthcheck": {"Test": ["CMD", "curl"]}, "OnBuild": ["RUN x"]
            },
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(b"base").to_string()]},
            "history": [{"created_by": "ADD file"}, {"created_by": "ENV x", "empty_layer": true}]
        });
        let edited = edit(&base, 1, &added(), &[("io.imagewright.revision", "sha256:1".into())]).unwrap();
        insta::assert_json_snapshot!(edited);
    }

    #[test]
    fn a_history_that_does_not_match_is_replaced() {
        let base =
            json!({"rootfs": {"diff_ids": ["sha256:a", "sha256:b"]}, "history": [{"created_by": "one"}]});
        let edited = edit(&base, 2, &added(), &[]).unwrap();
        assert_eq!(edited["history"].as_array().unwrap().len(), 3);
        assert_eq!(edited["rootfs"]["diff_ids"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn labels_that_are_null_become_an_object() {
        let base = json!({"config": {"Labels": null}, "rootfs": {"diff_ids": []}});
        let edited = edit(&base, 0, &[], &[("a", "b".into())]).unwrap();
        assert_eq!(edited["config"]["Labels"], json!({"a": "b"}));
    }

    #[test]
    fn a_configuration_of_the_wrong_shape_is_refused() {
        for base in [json!([]), json!({}), json!({"rootfs": {"diff_ids": "x"}})] {
            assert_eq!(edit(&base, 0, &[], &[]).unwrap_err().kind(), ErrorKind::Unsupported);
        }
    }
}
