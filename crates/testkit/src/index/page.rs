//! The index's pages, in both formats.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{File, normalised};
use crate::sha256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Html,
    Json,
}

impl Format {
    /// JSON for a client that can read it, even if it would take HTML as well.
    pub(super) fn best(accept: &str) -> Self {
        if accept.contains(Self::Json.media_type()) { Self::Json } else { Self::Html }
    }

    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Json => "application/vnd.pypi.simple.v1+json",
        }
    }
}

/// The page of all projects.
pub(super) fn projects<'a>(format: Format, names: impl Iterator<Item = &'a String>) -> String {
    match format {
        Format::Html => names
            .map(|name| format!("<a href=\"/simple/{name}/\">{name}</a><br>\n"))
            .collect::<Vec<_>>()
            .concat(),
        Format::Json => {
            let names: Vec<Value> = names.map(|name| json!({ "name": name })).collect();
            json!({ "meta": { "api-version": "1.0" }, "projects": names }).to_string()
        }
    }
}

/// The page of one project.
pub(super) fn files(format: Format, project: &str, files: &BTreeMap<String, File>) -> String {
    match format {
        Format::Html => {
            let links: String = files.iter().map(|(name, file)| link(name, file)).collect();
            format!("<!DOCTYPE html>\n<html><body>\n{links}</body></html>\n")
        }
        Format::Json => {
            let files: Vec<Value> = files.iter().map(|(name, file)| entry(name, file)).collect();
            let meta = json!({ "api-version": "1.0" });
            json!({ "meta": meta, "name": normalised(project), "files": files }).to_string()
        }
    }
}

fn link(name: &str, file: &File) -> String {
    let mut attributes = Vec::new();
    if let Some(range) = &file.requires_python {
        attributes.push(format!(" data-requires-python=\"{}\"", escaped(range)));
    }
    if let Some(hash) = metadata_hash(file) {
        attributes
            .push(format!(" data-core-metadata=\"sha256={hash}\" data-dist-info-metadata=\"sha256={hash}\""));
    }
    if let Some(reason) = &file.yanked {
        attributes.push(format!(" data-yanked=\"{}\"", escaped(reason)));
    }
    let attributes = attributes.concat();
    format!("<a href=\"/files/{name}#sha256={}\"{attributes}>{name}</a><br>\n", file.sha256)
}

fn entry(name: &str, file: &File) -> Value {
    let metadata = metadata_hash(file).map_or(Value::Bool(false), |hash| json!({ "sha256": hash }));
    json!({
        "filename": name,
        "url": format!("/files/{name}"),
        "hashes": { "sha256": file.sha256 },
        "requires-python": file.requires_python,
        // Not under its older name too: pip 23.0 fails on a table there.
        "core-metadata": metadata,
        "yanked": file.yanked.clone().map_or(Value::Bool(false), Value::String),
    })
}

/// The hash, in hexadecimal, of metadata that is served on its own.
fn metadata_hash(file: &File) -> Option<String> {
    file.metadata.as_ref().map(|metadata| sha256(metadata).replacen("sha256:", "", 1))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
