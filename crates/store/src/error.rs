//! What can go wrong with the database.

use sea_orm::{DbErr, SqlErr};

/// A failed query.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A name, or another value that is there only once, is there already.
    #[error("it exists already")]
    Taken,
    /// Something else refers to the row, or it refers to what is not there.
    #[error("something else refers to it, or it refers to what does not exist")]
    Referred,
    /// The database does not answer, or refuses.
    #[error("the database does not work")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row says what no version of ours has written.
    #[error("the table `{table}` has a row that cannot be understood: {problem}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The tables are of a newer version of Imagewright.
    #[error("the database was made by a newer version of Imagewright, which knows the migration `{0}`")]
    Newer(String),
    /// The address is none of a database that is supported.
    #[error("{0}")]
    Address(String),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Taken,
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Self::Referred,
            _ => Self::Database(Box::new(error)),
        }
    }
}

/// Reads a column that holds JSON.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(
    table: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Damaged { table, problem: error.to_string() })
}

/// Reads a column that holds the text of a type.
pub(crate) fn from_text<T: std::str::FromStr>(table: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged { table, problem: format!("{text:?} is of no known form") })
}

/// Writes a column that holds JSON.
pub(crate) fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
