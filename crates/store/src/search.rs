//! Searching text alike on both databases.

use sea_orm::sea_query::{Expr, ExprTrait as _, Func, SimpleExpr};

/// Stands between the parts of a text that is searched: a keyword with it is in none of them.
const SEPARATOR: char = '\u{1}';

/// What a search looks through: everything that is shown, without the difference of cases. Databases fold case
/// differently, so that is done here.
pub(crate) fn search_text(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push(SEPARATOR);
        text.push_str(&folded(part));
    }
    text
}

/// The text has the keyword in it, whatever its case.
pub(crate) fn found(search_column: SimpleExpr, keyword: &str, postgresql: bool) -> SimpleExpr {
    if keyword.contains(SEPARATOR) {
        return never();
    }
    contains(search_column, &folded(keyword.trim()), postgresql)
}

/// The column has exactly this text in it, case included. Never true for null.
pub(crate) fn contains(column: SimpleExpr, part: &str, postgresql: bool) -> SimpleExpr {
    // No text has it, and PostgreSQL does not even listen.
    if part.contains('\0') {
        return never();
    }
    let name = if postgresql { "strpos" } else { "instr" };
    Func::cust(name).arg(column).arg(Expr::val(part)).gt(0)
}

/// A condition that no row meets.
pub(crate) fn never() -> SimpleExpr {
    Expr::val(1).eq(0)
}

/// A condition that every row meets. (One without parts is left out of what it is part of.)
pub(crate) fn always() -> SimpleExpr {
    Expr::val(1).eq(1)
}

/// Character by character: the sigma at the end of a word is written otherwise, and a keyword may end where the word
/// does not.
fn folded(text: &str) -> String {
    let lower = text.chars().flat_map(char::to_lowercase);
    lower.map(|character| if character == 'ς' { 'σ' } else { character }).collect()
}
