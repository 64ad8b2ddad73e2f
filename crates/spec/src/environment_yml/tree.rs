//! YAML as a tree of text whose every node knows its place. No types: `3.10` stays `3.10`.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::error::{SpecError, SpecErrors};
use crate::problem::Problem;

const LARGEST: usize = 1 << 20;
const DEEPEST: usize = 8;
const MOST_NODES: usize = 20_000;

/// A value with the line and column (in characters, both from 1) where its text starts.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) content: Content,
}

/// What a node holds.
#[derive(Debug)]
pub(super) enum Content {
    Text(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A collection that is still open; a mapping holds its keys and values in turn.
struct Open {
    line: usize,
    column: usize,
    is_mapping: bool,
    nodes: Vec<Node>,
}

/// Reads the one document of a text.
pub(super) fn read_tree(source: &str, text: &str) -> Result<Node, SpecErrors> {
    let refuse = |line: usize, column: usize, message: &str, suggestion: &str| {
        let excerpt = text.lines().nth(line - 1).unwrap_or_default();
        SpecErrors::one(SpecError::new(source, line, excerpt, Problem::at(column, message, suggestion)))
    };
    if text.len() > LARGEST {
        return Err(refuse(1, 1, "the file is larger than 1 MiB", "write a shorter one"));
    }
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    let mut count = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let message = format!("this is not YAML: {}", error.info());
            refuse(
                error.marker().line().max(1),
                error.marker().col() + 1,
                &message,
                "check the indentation and the quotes",
            )
        })?;
        let (line, column) = place(span);
        let finished = match event {
            Event::Scalar(value, style, ..) => {
                let is_null = style == ScalarStyle::Plain && matches!(value.as_ref(), "~" | "null");
                let column = column
                    + usize::from(matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted));
                let text = if is_null { String::new() } else { value.into_owned() };
                // The text of a block starts on the line after its `|`.
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                Node {
                    line: line + usize::from(is_block),
                    column: if is_block { 1 } else { column },
                    content: Content::Text(text),
                }
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                if open.len() >= DEEPEST {
                    return Err(refuse(
                        line,
                        column,
                        "the file is nested too deeply",
                        "write a flat list of packages",
                    ));
                }
                let is_mapping = matches!(event, Event::MappingStart(..));
                open.push(Open { line, column, is_mapping, nodes: Vec::new() });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(collection) => close(collection),
                None => continue,
            },
            // An alias could make a small file very large.
            Event::Alias(_) => {
                return Err(refuse(line, column, "aliases (`*name`) are not read", "write the value itself"));
            }
            Event::DocumentStart(_) if root.is_some() => {
                return Err(refuse(
                    line,
                    column,
                    "the file has a second document",
                    "write one environment per file",
                ));
            }
            _ => continue,
        };
        count += 1;
        if count > MOST_NODES {
            return Err(refuse(line, column, "the file has too many entries", "write a shorter one"));
        }
        match open.last_mut() {
            Some(collection) => collection.nodes.push(finished),
            None => root = Some(finished),
        }
    }
    Ok(root.unwrap_or(Node { line: 1, column: 1, content: Content::Mapping(Vec::new()) }))
}

fn close(collection: Open) -> Node {
    let content = if collection.is_mapping {
        let mut entries = Vec::new();
        let mut nodes = collection.nodes.into_iter();
        while let (Some(key), Some(value)) = (nodes.next(), nodes.next()) {
            entries.push((key, value));
        }
        Content::Mapping(entries)
    } else {
        Content::Sequence(collection.nodes)
    };
    Node { line: collection.line, column: collection.column, content }
}

fn place(span: Span) -> (usize, usize) {
    (span.start.line().max(1), span.start.col() + 1)
}
