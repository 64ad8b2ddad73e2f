//! `-f FILE`: requirements.txt, environment.yml and image.toml, told apart by their names.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use imagewright_engine::error::{BuildError, ErrorKind};
use imagewright_spec::{
    CondaPolicy, IncludeError, PackageRequest, PipPolicy, RelativePath, SpecErrors, parse_environment_yml,
    parse_image_toml, parse_requirements,
};

/// Largest file that is read, in bytes.
const FILE_SIZE_LIMIT: u64 = 4 << 20;

/// Reads one file with everything that it includes from its own folder.
///
/// # Errors
/// A file that cannot be read. What is wrong inside is the inner error.
pub(crate) fn read(path: &Path) -> Result<Result<PackageRequest, SpecErrors>, BuildError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let text = read_text(path).map_err(|reason| unreadable(path, &reason))?;
    let file: RelativePath = name.parse().map_err(|_| unreadable(path, "it has no usable name"))?;
    let mut includes = folder_reader(folder).map_err(|reason| unreadable(path, &reason))?;
    let (pip, conda) = (PipPolicy::OPEN, CondaPolicy::OPEN);
    let extension = Path::new(&name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    Ok(match extension.to_ascii_lowercase().as_str() {
        "toml" => parse_image_toml(&name, &text, pip, conda),
        "yml" | "yaml" => parse_environment_yml(&file, &text, pip, conda, &mut includes),
        _ => parse_requirements(&file, &text, pip, &mut includes)
            .map(|pip| PackageRequest { pip, ..PackageRequest::default() }),
    })
}

/// Reads files of one folder: a link that leads out of it is refused, as is anything but a regular file.
fn folder_reader(folder: &Path) -> Result<impl FnMut(&RelativePath) -> Result<String, IncludeError>, String> {
    let folder: PathBuf = folder.canonicalize().map_err(|error| error.to_string())?;
    Ok(move |path: &RelativePath| {
        let found = folder
            .join(path.as_path())
            .canonicalize()
            .map_err(|error| IncludeError::new(error.to_string()))?;
        if !found.starts_with(&folder) {
            return Err(IncludeError::new("it is a link that leads out of the folder"));
        }
        read_text(&found).map_err(IncludeError::new)
    })
}

fn read_text(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if metadata.len() > FILE_SIZE_LIMIT {
        return Err(format!("it has more than {FILE_SIZE_LIMIT} bytes"));
    }
    let mut text = String::new();
    file.take(FILE_SIZE_LIMIT).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}

fn unreadable(path: &Path, reason: &str) -> BuildError {
    BuildError::new(ErrorKind::SpecInvalid, format!("{} cannot be read: {reason}", path.display()))
        .with_next_step("pass the path of a requirements.txt, an environment.yml or an image.toml")
}
