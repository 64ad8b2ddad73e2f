//! From the text of a file to keys with values and lines.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place, Wrong};
use super::keys::{Assignment, Kind, kind};
use super::value::Value;

/// All keys of a text.
///
/// # Errors
/// Text that is no TOML; keys that there are not; sections that are none.
pub(super) fn assignments(
    text: &str,
    place: &dyn Fn(Option<usize>) -> Place,
) -> Result<Vec<Assignment>, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        Wrong::new(format!("this is not valid TOML: {}", error.message().trim()), "correct the line")
            .at(place(line))
    })?;
    let mut reader = Reader { text, place, found: Vec::new() };
    reader.table(table.get_ref(), &[])?;
    Ok(reader.found)
}

/// Where a file's lines are.
pub(super) fn place_in(path: &Path) -> impl Fn(Option<usize>) -> Place + '_ {
    move |line| Place::File { path: path.to_owned(), line }
}

struct Reader<'a> {
    text: &'a str,
    place: &'a dyn Fn(Option<usize>) -> Place,
    found: Vec<Assignment>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, above: &[String]) -> Result<(), ConfigError> {
        for (key, value) in table {
            let place = (self.place)(Some(line_of(self.text, key.span().start)));
            let mut path = above.to_vec();
            path.push(key.get_ref().clone().into_owned());
            match kind(&path).map_err(|wrong| wrong.at(place.clone()))? {
                Kind::Key => self.found.push(Assignment { path, place, value: converted(value) }),
                Kind::Section => {
                    let below =
                        value.get_ref().as_table().ok_or_else(|| not_a_section(&path, false).at(place))?;
                    self.table(below, &path)?;
                }
                Kind::List => {
                    let refuse = || not_a_section(&path, true).at(place.clone());
                    for (index, entry) in value.get_ref().as_array().ok_or_else(refuse)?.iter().enumerate() {
                        let entry = entry.get_ref().as_table().ok_or_else(refuse)?;
                        let mut path = path.clone();
                        path.push(index.to_string());
                        self.table(entry, &path)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn not_a_section(path: &[String], is_list: bool) -> Wrong {
    let path = path.join(".");
    let (what, header) = if is_list {
        ("a list of sections", format!("[[{path}]]"))
    } else {
        ("a section", format!("[{path}]"))
    };
    Wrong::new(
        format!("`{path}` is {what}"),
        format!("write {header} on a line of its own and its keys below"),
    )
}

fn converted(value: &Spanned<DeValue<'_>>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("a number that is too large"), Value::Integer),
        DeValue::Array(values) => Value::List(values.iter().map(converted).collect()),
        DeValue::Table(_) => Value::Other("a section"),
        DeValue::Float(_) => Value::Other("a number with a point"),
        DeValue::Datetime(_) => Value::Other("a date"),
    }
}

/// The line of a byte, from 1.
fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}
