//! What `diff` found, for people.

use imagewright_engine::inspect::{ChangedPackage, ImageDifference, PackageChanges, PackageReport};

use super::amount::{bytes, counted};
use super::escape::one_line;
use super::screen::Screen;

/// Columns of the labels at the left.
const LABEL_WIDTH: usize = 10;

/// Widest column of names.
const WIDEST_NAME: usize = 40;

/// The lines of a difference.
pub(crate) fn lines(difference: &ImageDifference, screen: Screen) -> Vec<String> {
    let style = screen.style;
    let labelled =
        |label: &str, text: &str| format!("{}{text}", style.dim(&format!("{label:<LABEL_WIDTH$}")));
    let mut lines = Vec::new();
    for (label, image) in [("from", &difference.from), ("to", &difference.to)] {
        lines.push(labelled(label, &style.bold(&one_line(&image.reference))));
        let size = bytes(image.compressed_size);
        lines.push(labelled("", &format!("{}  {}  {size}", image.digest, one_line(&image.platform))));
    }
    lines.push(String::new());
    if difference.identical {
        lines.push("They are the very same image.".to_owned());
        return lines;
    }
    for changes in &difference.packages {
        lines.extend(section(changes, screen));
        lines.push(String::new());
    }
    if difference.packages.is_empty() {
        lines.push("Both have the same packages at the same versions.".to_owned());
        lines.push(String::new());
    }
    let layers = difference.layers;
    let text = format!(
        "{} only in the first, {} only in the second, {} in both",
        bytes(layers.removed),
        bytes(layers.added),
        bytes(layers.shared)
    );
    lines.push(labelled("layers", &screen.wrap(&text, LABEL_WIDTH)));
    lines
}

fn section(changes: &PackageChanges, screen: Screen) -> Vec<String> {
    let style = screen.style;
    let PackageChanges { added, removed, changed, .. } = changes;
    let counts = [(added.len(), "added"), (removed.len(), "removed"), (changed.len(), "changed")];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{} {word}", counted(number, "package")))
        .collect();
    let place = changes.prefix.as_ref().map(|prefix| format!(" in {}", one_line(prefix))).unwrap_or_default();
    let mut lines = vec![format!(
        "{}  {}",
        style.bold(&format!("{}{place}", one_line(&changes.manager))),
        counts.join(", ")
    )];
    let names =
        added.iter().chain(removed).map(|package| &package.name).chain(changed.iter().map(|one| &one.name));
    let width = names.map(|name| name.chars().count()).max().unwrap_or_default().min(WIDEST_NAME);
    let one = |sign: &str, package: &PackageReport| {
        let size = package.size.map(|size| format!("  {}", bytes(size))).unwrap_or_default();
        let name = one_line(&package.name);
        screen.cut(&format!("  {sign} {name:<width$}  {}{size}", one_line(&package.version)), 0)
    };
    lines.extend(removed.iter().map(|package| style.red(&one("-", package))));
    lines.extend(added.iter().map(|package| style.green(&one("+", package))));
    lines.extend(changed.iter().map(|package| style.yellow(&screen.cut(&change(package, width), 0))));
    lines
}

fn change(package: &ChangedPackage, width: usize) -> String {
    let ChangedPackage { name, from, to, from_size, to_size } = package;
    let size = match (from_size, to_size) {
        (Some(from), Some(to)) if from != to => format!("  {} → {}", bytes(*from), bytes(*to)),
        _ => String::new(),
    };
    format!("  ~ {:<width$}  {} → {}{size}", one_line(name), one_line(from), one_line(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use imagewright_engine::inspect::{ComparedImage, LayerBytes};
    use imagewright_oci::digest::Digest;

    fn package(name: &str, version: &str, size: Option<u64>) -> PackageReport {
        PackageReport {
            name: name.to_owned(),
            version: version.to_owned(),
            size,
            build: None,
            installer: None,
        }
    }

    fn image(reference: &str) -> ComparedImage {
        ComparedImage {
            reference: reference.to_owned(),
            digest: Digest::of(reference.as_bytes()),
            platform: "linux/amd64".to_owned(),
            compressed_size: 250_000_000,
        }
    }

    #[test]
    fn changes_are_listed_by_manager() {
        let difference = ImageDifference {
            from: image("registry.example/team/image:1"),
            to: image("registry.example/team/image:2"),
            identical: false,
            packages: vec![PackageChanges {
                manager: "conda".to_owned(),
                prefix: Some("/opt/conda".to_owned()),
                added: vec![package("gdal", "3.9.0", Some(20_000_000)), package("evil\u{1b}[2J", "1", None)],
                removed: vec![package("intheway", "1.0", Some(1_000))],
                changed: vec![ChangedPackage {
                    name: "numpy".to_owned(),
                    from: "1.26.4".to_owned(),
                    to: "2.2.6".to_owned(),
                    from_size: Some(36_000_000),
                    to_size: Some(37_000_000),
                }],
            }],
            layers: LayerBytes { removed: 12_000_000, added: 31_000_000, shared: 219_000_000 },
        };
        insta::assert_snapshot!(lines(&difference, Screen::PLAIN).join("\n"));
    }
}
