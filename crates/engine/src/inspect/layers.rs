//! The layers of an image, with what made them.

use serde_json::Value;

use super::report::LayerReport;
use crate::assemble::config::CREATED_BY;
use crate::base::{Base, OwnImage};

/// Every layer, from the bottom.
pub(super) fn all(base: &Base, own: Option<&OwnImage>) -> Vec<LayerReport> {
    let layers = &base.image.manifest.layers;
    let history = history(&base.config, layers.len());
    let base_layers = own.map_or(usize::MAX, |own| own.base_layers);
    layers
        .iter()
        .zip(&base.foundation.diff_ids)
        .zip(&base.uncompressed_sizes)
        .enumerate()
        .map(|(number, ((layer, diff_id), uncompressed_size))| {
            let created_by = history.get(number).cloned().flatten();
            let ours = number >= base_layers;
            let holds = created_by
                .as_deref()
                .filter(|_| ours)
                .and_then(|made| made.strip_prefix(CREATED_BY).map(|holds| holds.trim().to_owned()));
            LayerReport {
                digest: layer.digest,
                diff_id: *diff_id,
                media_type: layer.media_type.clone(),
                compressed_size: layer.size,
                uncompressed_size: *uncompressed_size,
                created_by,
                ours,
                holds,
            }
        })
        .collect()
}

/// What made each layer; nothing where the history does not match the layers.
fn history(config: &Value, layers: usize) -> Vec<Option<String>> {
    let entries = config["history"].as_array().map(Vec::as_slice).unwrap_or_default();
    let made: Vec<Option<String>> = entries
        .iter()
        .filter(|entry| entry["empty_layer"].as_bool() != Some(true))
        .map(|entry| entry["created_by"].as_str().filter(|text| !text.is_empty()).map(str::to_owned))
        .collect();
    if made.len() == layers { made } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::history;

    #[test]
    fn steps_without_a_layer_are_not_counted_and_a_history_that_does_not_fit_is_not_guessed_at() {
        let config = json!({"history": [
            {"created_by": "ADD rootfs"},
            {"created_by": "ENV X=1", "empty_layer": true},
            {"comment": "no words"},
        ]});
        assert_eq!(history(&config, 2), [Some("ADD rootfs".to_owned()), None]);
        assert!(history(&config, 3).is_empty());
        assert!(history(&json!({}), 1).is_empty());
    }
}
