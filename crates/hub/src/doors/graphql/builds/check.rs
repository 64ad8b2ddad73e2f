//! Reading package lines without a build.

use async_graphql::{InputObject, SimpleObject};

use super::super::images::ImageSpecInput;
use crate::error::{FieldProblem, HubError, Kind, Result};

/// What is to be read, and for which image.
#[derive(InputObject)]
pub(super) struct ImageSpecCheckInput {
    /// What would be built.
    pub(super) image_spec: ImageSpecInput,
    /// For which machines: `cpu`, `gpu` or `both`, which is the default.
    pub(super) r#type: Option<String>,
    /// The name of the group that the image would belong to; a system image without.
    pub(super) group_name: Option<String>,
}

/// What came of reading it.
#[derive(SimpleObject)]
pub(super) struct ImageSpecCheck {
    /// Whether it could be built, as far as that can be told without resolving anything.
    ok: bool,
    /// What is wrong, line by line.
    problems: Vec<SpecProblem>,
}

/// What is wrong with a line.
#[derive(SimpleObject)]
pub(super) struct SpecProblem {
    /// The field: `imageSpec.packages.pip`.
    field: &'static str,
    /// The line in it, from 1.
    line: Option<usize>,
    /// The column in the line, from 1.
    column: Option<usize>,
    /// What is wrong.
    message: String,
    /// What to write instead, or nothing.
    suggestion: String,
}

impl ImageSpecCheck {
    /// Problems of fields are the answer here; other errors stay errors.
    pub(super) fn of(outcome: Result<()>) -> Result<Self> {
        let error = match outcome {
            Ok(()) => return Ok(Self { ok: true, problems: Vec::new() }),
            Err(error) if error.kind() == Kind::Invalid => error,
            Err(error) => return Err(error),
        };
        Ok(Self { ok: false, problems: problems_of(&error) })
    }
}

fn problems_of(error: &HubError) -> Vec<SpecProblem> {
    if error.problems().is_empty() {
        let problem = FieldProblem::new("imageSpec", error.message(), error.hint().unwrap_or_default());
        return vec![SpecProblem::from(&problem)];
    }
    error.problems().iter().map(SpecProblem::from).collect()
}

impl From<&FieldProblem> for SpecProblem {
    fn from(problem: &FieldProblem) -> Self {
        let FieldProblem { field, line, column, message, suggestion } = problem.clone();
        Self { field, line, column, message, suggestion }
    }
}
