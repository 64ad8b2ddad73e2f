//! The image selection, for programs that start notebooks.

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::around::About;
use super::{Doors, answer, asker};
use crate::app::selection::Choice;
use crate::error::{HubError, Kind, Result};

/// The images for a notebook of a group, as JSON of ours, or as KubeSpawner's `profile_list`.
pub(super) async fn selection(
    State(doors): State<Doors>,
    Extension(about): Extension<About>,
    Path(group): Path<String>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let answered = async {
        let asked = Asked::read(parts.uri.query().unwrap_or_default())?;
        let actor = asker::actor(&doors, &parts.headers, &about).await?;
        let choices = doors.hub.selection(&actor, &group, asked.has_gpu).await?;
        Ok(if asked.is_for_kubespawner { profile_list(&choices) } else { plain(&choices) })
    };
    let answered = tokio::time::timeout(doors.limits.time, answered).await;
    let answered =
        answered.unwrap_or_else(|_| Err(HubError::new(Kind::Timeout, "The request took too long")));
    match answered {
        Ok(body) => answer::json_with(StatusCode::OK, &body),
        Err(error) => answer::plain(&error, &about.id),
    }
}

/// What the query of the address says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    has_gpu: bool,
    is_for_kubespawner: bool,
}

impl Asked {
    fn read(query: &str) -> Result<Self> {
        let mut asked = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match (&*name, &*value) {
                ("gpu", "true" | "1") => asked.has_gpu = true,
                ("gpu", "false" | "0" | "") => asked.has_gpu = false,
                ("format", "kubespawner") => asked.is_for_kubespawner = true,
                ("format", "json" | "") => asked.is_for_kubespawner = false,
                ("gpu" | "format", other) => {
                    let message = format!("`{name}` cannot be `{other}`");
                    let hint = "write `gpu=true` or `gpu=false`, and `format=kubespawner` or no format";
                    return Err(HubError::new(Kind::Invalid, message).with_hint(hint));
                }
                _ => {}
            }
        }
        Ok(asked)
    }
}

fn plain(choices: &[Choice]) -> Value {
    let images: Vec<Value> = choices
        .iter()
        .map(|choice| {
            json!({
                "name": choice.name,
                "label": choice.label,
                "hint": choice.hint,
                "type": choice.kind,
                "description": choice.description,
                "url": choice.url,
                "pullSecret": choice.pull_secret,
                "enabled": choice.disabled.is_none(),
                "reason": choice.disabled,
            })
        })
        .collect();
    json!({ "images": images })
}

/// KubeSpawner has no profiles that cannot be chosen: they are left out.
fn profile_list(choices: &[Choice]) -> Value {
    let mut profiles = Vec::new();
    for choice in choices.iter().filter(|choice| choice.disabled.is_none()) {
        let Some(url) = &choice.url else { continue };
        let mut overrides = json!({ "image": url, "image_pull_policy": "IfNotPresent" });
        if let Some(secret) = &choice.pull_secret {
            overrides["image_pull_secrets"] = json!([secret]);
        }
        let description = if choice.description.is_empty() {
            choice.hint.clone()
        } else {
            format!("{} ({})", choice.description, choice.hint)
        };
        let mut profile = json!({
            "display_name": choice.label,
            "slug": choice.name,
            "description": description,
            "kubespawner_override": overrides,
        });
        if profiles.is_empty() {
            profile["default"] = json!(true);
        }
        profiles.push(profile);
    }
    Value::Array(profiles)
}

#[cfg(test)]
mod tests {
    use imagewright_store::SecretId;

    use super::*;

    fn choice(name: &str, disabled: Option<&'static str>) -> Choice {
        Choice {
            name: name.parse().unwrap(),
            label: name.to_uppercase(),
            hint: "System / CPU".to_owned(),
            is_group_image: false,
            kind: "CPU",
            description: String::new(),
            url: disabled.is_none().then(|| format!("registry.example/{name}:1").parse().unwrap()),
            pull_secret: (name == "b").then(|| SecretId::new("image-r")),
            disabled,
        }
    }

    #[test]
    fn profiles_are_what_can_be_chosen_and_the_first_is_the_default() {
        let choices = [choice("a", Some("not ready")), choice("b", None), choice("c", None)];
        let profiles = profile_list(&choices);
        assert_eq!(
            profiles[0]["kubespawner_override"],
            json!({
                "image": "registry.example/b:1", "image_pull_policy": "IfNotPresent", "image_pull_secrets": ["image-r"],
            })
        );
        assert_eq!((&profiles[0]["slug"], &profiles[0]["default"]), (&json!("b"), &json!(true)));
        assert_eq!(profiles[1]["default"], Value::Null);
        assert_eq!(profiles.as_array().map(Vec::len), Some(2));
        let images = plain(&choices);
        assert_eq!(images["images"][0]["reason"], "not ready");
        assert_eq!(images["images"][1]["enabled"], true);
    }

    #[test]
    fn what_is_asked_for_is_read_strictly() {
        let asked = Asked::read("gpu=true&format=kubespawner").unwrap();
        assert!(asked.has_gpu && asked.is_for_kubespawner);
        assert_eq!(Asked::read("").unwrap(), Asked::default());
        assert!(Asked::read("gpu=yes").is_err());
    }
}
