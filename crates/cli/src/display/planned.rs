//! What a dry run found, as a table.

use imagewright_engine::build::{PlannedImage, PlannedPackage};

use super::amount::{bytes, counted};
use super::escape;

/// The lines of all platforms.
pub(crate) fn lines(images: &[PlannedImage]) -> Vec<String> {
    let mut lines: Vec<String> = images.iter().flat_map(image).collect();
    lines.push("This was a dry run: nothing was pushed.".to_owned());
    lines
}

fn image(image: &PlannedImage) -> Vec<String> {
    let mut lines =
        vec![format!("{}  base {}", escape::one_line(&image.platform), image.base_digest), String::new()];
    lines.extend(table(&image.packages));
    lines.push(String::new());
    let lists = [
        ("system", &image.system),
        ("conda", &image.conda),
        ("replaced", &image.replaced),
        ("kept", &image.kept),
    ];
    for (label, list) in lists {
        lines.extend(list.iter().map(|one| format!("{label:<10}{}", escape::one_line(one))));
    }
    lines.push(format!("{:<10}{}", "total", totals(&image.packages)));
    lines.push(String::new());
    lines
}

fn table(packages: &[PlannedPackage]) -> Vec<String> {
    let mut rows = vec![["package", "version", "size", ""].map(str::to_owned)];
    rows.extend(packages.iter().map(|package| {
        [
            escape::one_line(&package.name),
            escape::one_line(&package.version),
            package.size.map_or_else(|| "unknown".to_owned(), bytes),
            if package.new { "new" } else { "cached" }.to_owned(),
        ]
    }));
    if packages.is_empty() {
        return vec!["no packages are added".to_owned()];
    }
    let width = |column: usize| {
        rows.iter().map(|row| console::measure_text_width(&row[column])).max().unwrap_or_default()
    };
    let widths = [width(0), width(1), width(2)];
    let pad = |text: &str, width: usize| " ".repeat(width - console::measure_text_width(text));
    rows.iter()
        .map(|[name, version, size, state]| {
            let line = format!(
                "{name}{}  {version}{}  {}{size}  {state}",
                pad(name, widths[0]),
                pad(version, widths[1]),
                pad(size, widths[2])
            );
            line.trim_end().to_owned()
        })
        .collect()
}

fn totals(packages: &[PlannedPackage]) -> String {
    let (new, cached): (Vec<_>, Vec<_>) = packages.iter().partition(|package| package.new);
    let mut parts = vec![counted(packages.len(), "package")];
    if !new.is_empty() {
        parts.push(format!("{} to download ({})", new.len(), total(&new)));
    }
    if !cached.is_empty() {
        parts.push(format!("{} cached ({})", cached.len(), total(&cached)));
    }
    parts.join(", ")
}

/// The size of some packages, as far as it is known.
fn total(packages: &[&PlannedPackage]) -> String {
    let size: u64 = packages.iter().filter_map(|package| package.size).fold(0, u64::saturating_add);
    let unknown = packages.iter().filter(|package| package.size.is_none()).count();
    match unknown {
        0 => bytes(size),
        all if all == packages.len() => "of unknown size".to_owned(),
        _ => format!("at least {}", bytes(size)),
    }
}

#[cfg(test)]
mod tests {
    use imagewright_oci::digest::Digest;

    use super::*;

    #[test]
    fn a_dry_run_shows_every_package() {
        let package = |name: &str, version: &str, size, new| PlannedPackage {
            name: name.to_owned(),
            version: version.to_owned(),
            file: format!("{name}-{version}-py3-none-any.whl"),
            size,
            new,
        };
        let planned = PlannedImage {
            platform: "linux/amd64".to_owned(),
            base_digest: Digest::of(b"base"),
            packages: vec![
                package("numpy", "2.2.6", Some(16_800_000), true),
                package("python-dateutil", "2.9.0.post0", Some(229_892), false),
                package("six\u{1b}[1m", "1.17.0", None, true),
            ],
            conda: Vec::new(),
            system: vec!["jq 1.6-2.1+deb12u3".to_owned()],
            replaced: vec!["numpy 1.24.2 → 2.2.6".to_owned()],
            kept: vec!["pip==23.0.1".to_owned()],
        };
        let empty = PlannedImage {
            platform: "linux/arm64".to_owned(),
            system: Vec::new(),
            packages: Vec::new(),
            replaced: Vec::new(),
            kept: Vec::new(),
            ..planned.clone()
        };
        insta::assert_snapshot!(lines(&[planned, empty]).join("\n"));
    }
}
