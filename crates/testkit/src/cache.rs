//! What takes long to make is made once per machine, whichever test needs it first.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::digest::HashingWriter;
use crate::image::Encoder;
use crate::{Compression, Layer};

/// `$IMAGEWRIGHT_TESTKIT_CACHE`, or `target/testkit` of this workspace.
pub(crate) fn folder() -> PathBuf {
    let folder = env::var_os("IMAGEWRIGHT_TESTKIT_CACHE")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/testkit"), PathBuf::from);
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("cannot create {}: {error}", folder.display()));
    folder.canonicalize().expect("the folder just made")
}

/// Holds the lock of this name, among all processes, while the function runs. The kernel gives it back when a
/// process dies, so a killed test blocks nobody.
pub(crate) fn locked<T>(name: &str, function: impl FnOnce() -> T) -> T {
    let path = folder().join(format!("{name}.lock"));
    let file =
        File::create(&path).unwrap_or_else(|error| panic!("cannot create {}: {error}", path.display()));
    file.lock().unwrap_or_else(|error| panic!("cannot lock {}: {error}", path.display()));
    function()
}

/// A gzip layer from the cache. When it is not there, the function writes its archive to the path it is given.
pub(crate) fn layer(name: &str, make_archive: impl FnOnce(&Path)) -> Layer {
    let blob = folder().join(format!("{name}.tar.gz"));
    let description = folder().join(format!("{name}.json"));
    locked(name, || {
        // The description is written last: where it is, the blob is whole.
        if !description.is_file() {
            let archive = folder().join(format!("{name}.tar"));
            make_archive(&archive);
            let text = compress(&archive, &blob).expect("a compressed layer in the cache").to_string();
            fs::remove_file(&archive).expect("the archive just compressed");
            fs::write(&description, text).expect("the description of a cached layer");
        }
    });
    let text = fs::read(&description).expect("the description of a cached layer");
    let description: Value = serde_json::from_slice(&text).expect("a description in JSON");
    let text = |key: &str| description[key].as_str().unwrap_or_default().to_owned();
    let size = description["size"].as_u64().unwrap_or_default();
    Layer::from_file(&blob, Compression::Gzip, &text("digest"), size, &text("diff_id"))
}

fn compress(archive: &Path, blob: &Path) -> io::Result<Value> {
    let output = HashingWriter::new(BufWriter::new(File::create(blob)?));
    let mut input = HashingWriter::new(Encoder::new(Compression::Gzip, output)?);
    io::copy(&mut BufReader::with_capacity(1 << 20, File::open(archive)?), &mut input)?;
    let (encoder, diff_id, _) = input.finish();
    let (output, digest, size) = encoder.finish()?.finish();
    output.into_inner()?.sync_all()?;
    Ok(json!({ "digest": digest, "size": size, "diff_id": diff_id }))
}
