//! The form that dpkg and apk keep their records in: paragraphs of fields, parted by empty lines.

/// One package's fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Paragraph<'text> {
    fields: Vec<(&'text str, &'text str)>,
}

impl<'text> Paragraph<'text> {
    /// The value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&'text str> {
        self.fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// The paragraphs of a text. Continued lines, which start with a blank, are left out: nothing that is read here
/// has any.
pub(crate) fn paragraphs(text: &str) -> impl Iterator<Item = Paragraph<'_>> {
    text.split("\n\n").map(paragraph).filter(|paragraph| !paragraph.fields.is_empty())
}

fn paragraph(text: &str) -> Paragraph<'_> {
    let fields = text
        .lines()
        .filter(|line| !line.starts_with([' ', '\t']))
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name, value.trim()));
    Paragraph { fields: fields.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_and_continued_lines_are_not_taken_for_some() {
        let text = "Package: a\nDescription: x\n Version: no\nVersion: 1:2-3\n\n\nPackage: b\n";
        let found: Vec<_> = paragraphs(text).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].field("Version"), Some("1:2-3"));
        assert_eq!(found[1].field("Version"), None);
    }
}
