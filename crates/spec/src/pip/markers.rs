//! Environment markers are checked before `pep508_rs` reads them.
//!
//! That parser panics on `sys_platform ~= "x"` while it holds a lock of the whole process, so that one hostile
//! line would end every later build of a server; it recurses at each parenthesis; and it keeps decision diagrams
//! that can grow exponentially. Here a marker is bounded, and each comparison is one that has a meaning.

use crate::problem::{Problem, quote};

const LONGEST: usize = 1000;
const DEEPEST: usize = 16;
const MOST_COMPARISONS: usize = 32;

const VERSION_VARIABLES: [&str; 3] = ["python_version", "python_full_version", "implementation_version"];
const TEXT_VARIABLES: [&str; 15] = [
    "implementation_name",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "sys_platform",
    // Spellings from before PEP 508.
    "os.name",
    "platform.machine",
    "platform.python_implementation",
    "platform.version",
    "python_implementation",
    "sys.platform",
    "platform.system",
];
const ADVICE: &str = "write a condition as in `python_version < \"3.12\"` or `sys_platform == \"linux\"`";

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Joiner,
    Operator(String),
    Variable(String),
    Text(String),
}

/// Checks the marker that starts with the `;` at byte `start` of a line, if there is one.
pub(super) fn check(line: &str, start: usize) -> Result<(), Problem> {
    let Some(marker) = line[start..].strip_prefix(';') else { return Ok(()) };
    let before = line[..=start].chars().count();
    if marker.chars().count() > LONGEST {
        let message = format!("a condition has at most {LONGEST} characters");
        return Err(Problem::at(before + 1, message, "write a simpler condition, or leave it out"));
    }
    let tokens = read_tokens(marker).map_err(|problem| problem.shifted(before))?;
    check_shape(&tokens).map_err(|problem| problem.shifted(before))
}

/// Splits a marker into tokens with their columns.
fn read_tokens(marker: &str) -> Result<Vec<(usize, Token)>, Problem> {
    let characters: Vec<char> = marker.chars().collect();
    let mut tokens = Vec::new();
    let mut index = 0;
    while index < characters.len() {
        let start = index;
        let take_while = |accept: fn(char) -> bool| {
            characters[start..].iter().take_while(|character| accept(**character)).collect::<String>()
        };
        let token = match characters[index] {
            ' ' => {
                index += 1;
                continue;
            }
            '(' => Token::Open,
            ')' => Token::Close,
            quote @ ('"' | '\'') => {
                let text: String =
                    characters[index + 1..].iter().take_while(|character| **character != quote).collect();
                index += text.chars().count() + 1;
                if index >= characters.len() {
                    return Err(Problem::at(start + 1, "the quote is not closed", ADVICE));
                }
                Token::Text(text)
            }
            '<' | '>' | '=' | '!' | '~' => {
                let operator = take_while(|character| matches!(character, '<' | '>' | '=' | '!' | '~'));
                index += operator.len() - 1;
                Token::Operator(operator)
            }
            _ => {
                let word = take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
                if word.is_empty() {
                    return Err(Problem::at(start + 1, "this cannot stand in a condition", ADVICE));
                }
                index += word.len() - 1;
                match word.as_str() {
                    "and" | "or" => Token::Joiner,
                    "in" => match tokens.last_mut() {
                        Some((_, Token::Operator(not))) if not == "not" => {
                            "not in".clone_into(not);
                            index += 1;
                            continue;
                        }
                        _ => Token::Operator(word),
                    },
                    "not" => Token::Operator(word),
                    _ => Token::Variable(word),
                }
            }
        };
        tokens.push((start + 1, token));
        index += 1;
    }
    Ok(tokens)
}

/// Checks that comparisons are joined by `and`, `or` and balanced parentheses, within the limits.
fn check_shape(tokens: &[(usize, Token)]) -> Result<(), Problem> {
    let (mut depth, mut comparisons, mut expects_operand) = (0_usize, 0, true);
    let mut index = 0;
    while let Some((column, token)) = tokens.get(index) {
        match (token, expects_operand) {
            (Token::Open, true) => depth += 1,
            (Token::Close, false) if depth > 0 => depth -= 1,
            (Token::Joiner, false) => expects_operand = true,
            (Token::Variable(_) | Token::Text(_), true) => {
                let comparison = tokens.get(index..index + 3).unwrap_or_default();
                let [(_, left), (_, Token::Operator(operator)), (_, right)] = comparison else {
                    return Err(Problem::at(*column, "a comparison is not complete", ADVICE));
                };
                check_comparison(*column, left, operator, right)?;
                comparisons += 1;
                expects_operand = false;
                index += 2;
            }
            _ => return Err(Problem::at(*column, "this cannot stand here in a condition", ADVICE)),
        }
        if depth > DEEPEST || comparisons > MOST_COMPARISONS {
            return Err(Problem::at(
                *column,
                format!(
                    "a condition has at most {MOST_COMPARISONS} comparisons and {DEEPEST} nested parentheses"
                ),
                "write a simpler condition, or leave it out",
            ));
        }
        index += 1;
    }
    if expects_operand || depth > 0 {
        return Err(Problem::at(1, "the condition is not complete", ADVICE));
    }
    Ok(())
}

/// Checks one comparison: a variable with a quoted value.
fn check_comparison(column: usize, left: &Token, operator: &str, right: &Token) -> Result<(), Problem> {
    let ((Token::Variable(variable), Token::Text(value)) | (Token::Text(value), Token::Variable(variable))) =
        (left, right)
    else {
        return Err(Problem::at(column, "a condition compares a marker with a value in quotes", ADVICE));
    };
    if variable == "extra" {
        return Err(Problem::at(column, "`extra` has no meaning here", "ask for extras as in `name[extra]`"));
    }
    let is_version = VERSION_VARIABLES.contains(&variable.as_str());
    if !is_version && !TEXT_VARIABLES.contains(&variable.as_str()) {
        return Err(Problem::at(column, format!("{} is not a marker", quote(variable)), ADVICE));
    }
    let known = match operator {
        "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in" => true,
        "~=" => is_version,
        _ => false,
    };
    if !known {
        return Err(Problem::at(
            column,
            format!("{} cannot be compared with {}", quote(variable), quote(operator)),
            ADVICE,
        ));
    }
    if is_version && !is_version_value(operator, value) {
        return Err(Problem::at(
            column,
            format!("{} is not a version to compare with", quote(value)),
            format!("write plain versions, as in `{variable} >= \"3.10\"`"),
        ));
    }
    if !value.chars().all(|character| character == ' ' || character.is_ascii_graphic()) {
        return Err(Problem::at(column, "a value in a condition has plain ASCII characters", ADVICE));
    }
    Ok(())
}

/// Whether a value is a plain version such as `3.10`, a list of them for `in`, or `3.*` for `==` and `!=`.
fn is_version_value(operator: &str, value: &str) -> bool {
    let is_plain = |version: &str| {
        let parts: Vec<&str> = version.split('.').collect();
        parts.len() <= 4
            && parts
                .iter()
                .all(|part| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match operator {
        "in" | "not in" => {
            let versions: Vec<&str> = value.split([' ', ',']).filter(|version| !version.is_empty()).collect();
            (1..=MOST_COMPARISONS).contains(&versions.len()) && versions.into_iter().all(is_plain)
        }
        "==" | "!=" => is_plain(value.strip_suffix(".*").unwrap_or(value)),
        "~=" => value.contains('.') && is_plain(value),
        _ => is_plain(value),
    }
}
