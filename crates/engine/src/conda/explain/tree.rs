//! The tree that the solver prints, read back.

/// A line with the lines below it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Node {
    /// The text without the branches drawn in front of it.
    pub(super) text: String,
    /// What hangs below.
    pub(super) children: Vec<Node>,
}

/// Most lines that are read; a solver may tell of tens of thousands of versions.
const MOST_LINES: usize = 20_000;

/// Reads the tree. Lines without a branch are roots.
pub(super) fn parse(told: &str) -> Vec<Node> {
    let lines: Vec<(usize, &str)> = told.lines().take(MOST_LINES).filter_map(line).collect();
    let mut at = 0;
    below(&lines, &mut at, 0)
}

/// Depth and text of a line: each level is drawn with three characters.
fn line(line: &str) -> Option<(usize, &str)> {
    let is_drawing = |c: char| matches!(c, '│' | '├' | '└' | '─' | ' ');
    let text = line.trim_start_matches(is_drawing).trim_end();
    let drawn = line.chars().take_while(|c| is_drawing(*c)).count();
    (!text.is_empty()).then_some((drawn.div_ceil(3), text))
}

/// All nodes of one depth from a line on, with what is below them.
fn below(lines: &[(usize, &str)], at: &mut usize, depth: usize) -> Vec<Node> {
    let mut nodes = Vec::new();
    while let Some((found, text)) = lines.get(*at) {
        if *found < depth {
            break;
        }
        *at += 1;
        let children = below(lines, at, found + 1);
        nodes.push(Node { text: (*text).to_owned(), children });
    }
    nodes
}
