//! Both forms of a package's archive.

use std::io::{Cursor, Write as _};

use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::package::{Content, File, PLACEHOLDER, TIME};
use crate::sha256;

/// The members of `info/`.
pub(super) fn information(index: &Value, files: &[File], entry_points: &[String]) -> Vec<(String, Vec<u8>)> {
    let paths: Vec<Value> = files.iter().map(|file| path_entry(file, files)).collect();
    let list: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let pretty = |value: &Value| serde_json::to_vec_pretty(value).expect("JSON");
    let mut members = vec![
        ("info/index.json", pretty(index)),
        ("info/paths.json", pretty(&json!({"paths": paths, "paths_version": 1}))),
        ("info/files", format!("{}\n", list.join("\n")).into_bytes()),
        ("info/about.json", pretty(&json!({"license": index["license"], "summary": "made for tests"}))),
        ("info/hash_input.json", b"{}".to_vec()),
    ];
    if let Some(text) = has_prefix(files) {
        members.push(("info/has_prefix", text.into_bytes()));
    }
    if let Some(noarch) = index.get("noarch") {
        let mut link = json!({"noarch": {"type": noarch}, "package_metadata_version": 1});
        if noarch == "python" {
            link["noarch"]["entry_points"] = json!(entry_points);
        }
        members.push(("info/link.json", pretty(&link)));
    }
    members.into_iter().map(|(path, content)| (path.to_owned(), content)).collect()
}

/// The older list of the files that the prefix is in.
fn has_prefix(files: &[File]) -> Option<String> {
    let lines = files.iter().filter_map(|file| {
        let mode = file.prefix?;
        Some(format!("\"{PLACEHOLDER}\" {mode} \"{}\"\n", file.path))
    });
    Some(lines.collect::<String>()).filter(|text| !text.is_empty())
}

/// A link's digest is that of what it leads to, if that is in the package, and otherwise that of nothing.
fn link_target<'files>(path: &str, target: &str, files: &'files [File]) -> &'files [u8] {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        if part == ".." {
            parts.pop();
        } else if part != "." {
            parts.push(part);
        }
    }
    let target = parts.join("/");
    files.iter().find(|file| file.path == target).map_or(b"", |file| match &file.content {
        Content::Bytes(bytes) => bytes,
        Content::Symlink(_) => b"",
    })
}

fn path_entry(file: &File, files: &[File]) -> Value {
    let hash = |bytes: &[u8]| sha256(bytes).replacen("sha256:", "", 1);
    let mut entry = match &file.content {
        Content::Bytes(bytes) => json!({
            "_path": file.path, "path_type": "hardlink", "sha256": hash(bytes), "size_in_bytes": bytes.len(),
        }),
        Content::Symlink(target) => json!({
            "_path": file.path, "path_type": "softlink", "size_in_bytes": target.len(),
            "sha256": hash(link_target(&file.path, target, files)),
        }),
    };
    if let Some(mode) = file.prefix {
        entry["file_mode"] = json!(mode);
        entry["prefix_placeholder"] = json!(PLACEHOLDER);
    }
    entry
}

/// The form of today: a ZIP archive of two compressed tars.
pub(super) fn conda(stem: &str, information: &[(String, Vec<u8>)], files: &[File]) -> Vec<u8> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let mut member = |name: String, bytes: &[u8]| {
        archive.start_file(name, options).expect("a member");
        archive.write_all(bytes).expect("a member in memory");
    };
    member("metadata.json".to_owned(), br#"{"conda_pkg_format_version": 2}"#);
    member(format!("pkg-{stem}.tar.zst"), &zstd(&tar(&[], files)));
    member(format!("info-{stem}.tar.zst"), &zstd(&tar(information, &[])));
    archive.finish().expect("an archive in memory").into_inner()
}

/// The form of old.
pub(super) fn tar_bz2(information: &[(String, Vec<u8>)], files: &[File]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(&tar(information, files)).expect("an archive in memory");
    encoder.finish().expect("an archive in memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("an archive in memory")
}

fn tar(information: &[(String, Vec<u8>)], files: &[File]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let header = |mode: u32, size: usize, kind: tar::EntryType| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_size(size as u64);
        header.set_mtime(TIME);
        header.set_uid(0);
        header.set_gid(0);
        header.set_entry_type(kind);
        header
    };
    for (path, content) in information {
        let mut header = header(0o644, content.len(), tar::EntryType::Regular);
        archive.append_data(&mut header, path, &content[..]).expect("an archive in memory");
    }
    for file in files {
        match &file.content {
            Content::Bytes(bytes) => {
                let mut header = header(file.mode, bytes.len(), tar::EntryType::Regular);
                append(&mut archive, &mut header, &file.path, bytes);
            }
            Content::Symlink(target) => {
                let mut header = header(file.mode, 0, tar::EntryType::Symlink);
                archive.append_link(&mut header, &file.path, target).expect("an archive in memory");
            }
        }
    }
    archive.into_inner().expect("an archive in memory")
}

/// Appends a file under whatever name: hostile ones have `..` in them, which the library refuses to write.
fn append(archive: &mut tar::Builder<Vec<u8>>, header: &mut tar::Header, path: &str, bytes: &[u8]) {
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        let name = &mut header.as_old_mut().name;
        name.fill(0);
        name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        archive.append(header, bytes).expect("an archive in memory");
        return;
    }
    archive.append_data(header, path, bytes).expect("an archive in memory");
}
