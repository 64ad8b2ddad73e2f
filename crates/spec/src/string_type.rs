//! One way in and out for types that are written as a string: `Display`, `FromStr`, and serde through both.

/// Implements `Serialize`, `Deserialize` and `TryFrom<String>` for types with `Display` and `FromStr`, so
/// that no value can come in except through its grammar.
macro_rules! string_type {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use string_type;
