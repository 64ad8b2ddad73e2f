//! Searching text alike on both databases.

use sea_orm::sea_query::{Expr, ExprTrait as _, Func, LikeExpr, SimpleExpr};

/// Stands between the parts of a text that is searched: nobody can type it into a field.
const SEPARATOR: char = '\u{1}';

/// What a search looks through: everything that is shown, in lower case. Databases fold case differently, so that is
/// done here.
pub(crate) fn search_text(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push(SEPARATOR);
        text.push_str(&part.to_lowercase());
    }
    text
}

/// The text has the keyword in it, whatever its case.
pub(crate) fn found(search_column: SimpleExpr, keyword: &str) -> SimpleExpr {
    let mut pattern = String::from("%");
    for character in keyword.trim().to_lowercase().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    search_column.like(LikeExpr::new(pattern).escape('\\'))
}

/// The column has exactly this text in it, case included. Never true for null.
pub(crate) fn contains(column: SimpleExpr, part: &str, postgresql: bool) -> SimpleExpr {
    let name = if postgresql { "strpos" } else { "instr" };
    Func::cust(name).arg(column).arg(Expr::val(part)).gt(0)
}
