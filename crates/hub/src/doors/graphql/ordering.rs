//! `orderBy`: an object of which the first field decides.

use std::borrow::Cow;
use std::cmp::Ordering;

use async_graphql::registry::Registry;
use async_graphql::{InputType, InputValueError, InputValueResult, Value};

/// The first field of an order, with its direction.
///
/// Objects of input types have no order of their own in this library, so the first one is taken from the value.
#[derive(Debug)]
pub(super) struct OrderBy<T> {
    fields: T,
    first: Option<(String, bool)>,
}

impl<T> OrderBy<T> {
    /// The name of the field and whether the order is from the end; nothing for an order without a field.
    pub(super) fn first(&self) -> Option<(&str, bool)> {
        self.first.as_ref().map(|(field, is_descending)| (field.as_str(), *is_descending))
    }
}

/// Sorts rows that are all there by the texts of a field; those that are alike stay as they were.
pub(super) fn sort_by_text<R>(rows: &mut [R], is_descending: bool, text: impl Fn(&R) -> String) {
    rows.sort_by_cached_key(|row| text(row).to_lowercase());
    if is_descending {
        rows.reverse();
    }
}

/// The same for numbers and the like; nothing comes first.
pub(super) fn sort_by<R>(rows: &mut [R], is_descending: bool, compare: impl Fn(&R, &R) -> Ordering) {
    rows.sort_by(|one, other| {
        let ordering = compare(one, other);
        if is_descending { ordering.reverse() } else { ordering }
    });
}

impl<T: InputType> InputType for OrderBy<T> {
    type RawValueType = T::RawValueType;

    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let first = match &value {
            Some(Value::Object(fields)) => fields.iter().find(|(_, direction)| **direction != Value::Null),
            _ => None,
        };
        let first = match first {
            None => None,
            Some((field, direction)) => {
                let direction = match direction {
                    Value::String(text) => text.as_str(),
                    Value::Enum(name) => name.as_str(),
                    _ => "",
                };
                let is_descending = match direction {
                    "asc" => false,
                    "desc" => true,
                    _ => return Err(InputValueError::custom("an order is `asc` or `desc`")),
                };
                Some((field.to_string(), is_descending))
            }
        };
        let fields = T::parse(value).map_err(InputValueError::propagate)?;
        Ok(Self { fields, first })
    }

    fn to_value(&self) -> Value {
        self.fields.to_value()
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        self.fields.as_raw_value()
    }
}
