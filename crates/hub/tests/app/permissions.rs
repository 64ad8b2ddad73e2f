//! The table of permissions, as the documents have it.

use imagewright_hub::access::markdown;

/// Where the table stands in `ARCHITECTURE.md`.
const BEGIN: &str = "<!-- permissions -->\n\n";
const END: &str = "\n<!-- end of permissions -->";

/// `IMAGEWRIGHT_UPDATE_DOCUMENTS=1` writes it there.
#[test]
fn the_documents_have_the_table_of_permissions() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("a place for the table");
    let (table, after) = rest.split_once(END).expect("the end of the table");
    if std::env::var_os("IMAGEWRIGHT_UPDATE_DOCUMENTS").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", markdown())).unwrap();
    } else {
        assert_eq!(table, markdown(), "run this test with IMAGEWRIGHT_UPDATE_DOCUMENTS=1");
    }
}
