//! `.pth` files: more folders for `sys.path`.

use std::collections::BTreeSet;

use imagewright_oci::layer::path::join;
use imagewright_oci::tree::ImageTree;

use crate::python::environment::lexically_normalised;
use crate::python::target::SiteFolder;

/// The most folders that path files may add: a real image has a handful.
const MAXIMUM_ADDED: usize = 200;

/// Appends the folders that `.pth` files of the site folders name. Their `import` lines are programs and are
/// not followed; nor are `.pth` files in added folders, as Python has it.
pub(in crate::python) fn add_path_files(tree: &ImageTree, folders: &mut Vec<SiteFolder>) {
    let mut known: BTreeSet<String> =
        folders.iter().filter_map(|folder| tree.real_folder(&folder.path).ok()).collect();
    let mut added = Vec::new();
    for site in folders.iter() {
        let Ok(real) = tree.real_folder(&site.path) else { continue };
        for (name, _) in tree.children(&real).filter(|(name, _)| is_path_file(name)) {
            let Some(text) = tree.text(&join(&real, name)) else { continue };
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            for line in lines.filter(|line| !line.starts_with("import ") && !line.starts_with("import\t")) {
                let Some(path) = lexically_normalised(line, &real) else { continue };
                let Ok(Some(found)) = tree.resolve(&path) else { continue };
                if found.node.is_directory() && added.len() < MAXIMUM_ADDED && known.insert(found.path) {
                    added.push(SiteFolder { path, system: site.system });
                }
            }
        }
    }
    folders.extend(added);
}

fn is_path_file(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "pth")
        && !name.starts_with('.')
}
