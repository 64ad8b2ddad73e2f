//! Letting uv trust an index's pages for some minutes.
//!
//! Many indexes and mirrors send no `Cache-Control`, and uv then asks again for every page at every resolution:
//! some two hundred requests, which are most of the time of a build that has everything else at hand. The public
//! index itself allows ten minutes; the same is taken for all. Files never change under their name and digest.

use std::path::Path;

use imagewright_spec::IndexUrl;
use toml::Value;

/// The public index, where none is given.
const PUBLIC_INDEX: &str = "https://pypi.org/simple";
/// Ten minutes, as the public index has it.
const PAGES: &str = "max-age=600";
/// A year, as the public index has it.
const FILES: &str = "max-age=31536000, immutable";

/// The text of a configuration file for uv with the indexes in their order: further ones first, the default last.
pub(super) fn configuration(default_index: Option<&IndexUrl>, extra_indexes: &[IndexUrl]) -> String {
    let default = default_index.map_or_else(|| PUBLIC_INDEX.to_owned(), |index| index.url().to_string());
    let extra = extra_indexes.iter().enumerate().map(|(at, index)| (at + 1, index.url().to_string(), false));
    let tables: Vec<String> = extra
        .chain([(0, default, true)])
        .map(|(number, url, is_default)| {
            // Quoted by the library: an address may hold anything.
            let url = Value::String(url);
            format!(
                "[[index]]\nname = \"index{number}\"\nurl = {url}\ndefault = {is_default}\n\
                 cache-control = {{ api = \"{PAGES}\", files = \"{FILES}\" }}\n"
            )
        })
        .collect();
    tables.join("\n")
}

/// Name of the file in the work folder.
pub(super) const FILE: &str = "uv.toml";

/// Where it is.
pub(super) fn path(work: &Path) -> std::path::PathBuf {
    work.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::configuration;

    #[test]
    fn indexes_keep_their_order_and_lose_their_credentials() {
        let extra = [
            "https://user:secret@one.example/simple".parse().unwrap(),
            "https://two.example/s".parse().unwrap(),
        ];
        let text = configuration(None, &extra);
        assert!(!text.contains("secret"));
        let parsed: toml::Table = text.parse().unwrap();
        let urls: Vec<&str> =
            parsed["index"].as_array().unwrap().iter().map(|index| index["url"].as_str().unwrap()).collect();
        assert_eq!(urls, ["https://one.example/simple", "https://two.example/s", "https://pypi.org/simple"]);
    }
}
