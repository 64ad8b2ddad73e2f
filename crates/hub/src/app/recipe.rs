//! Reading what people type about a custom image, before anything is stored or queued.

use imagewright_spec::{
    BuildSpec, CondaPolicy, ImageKind, ImageReference, PipPolicy, SpecErrors, parse_apt, parse_conda,
    parse_pip,
};
use imagewright_store::images::Recipe;

use super::images::RecipeInput;
use crate::error::{FieldProblem, HubError, Result};

const BASE: &str = "imageSpec.baseImage";
const APT: &str = "imageSpec.packages.apt";
const CONDA: &str = "imageSpec.packages.conda";
const PIP: &str = "imageSpec.packages.pip";

/// What the operator allows in a recipe.
#[derive(Debug, Clone, Copy)]
pub struct RecipeRules {
    /// In lines of conda packages.
    pub conda: CondaPolicy,
    /// In lines of pip packages.
    pub pip: PipPolicy,
    /// Most packages.
    pub most_packages: usize,
}

/// Reads a recipe. What people typed is kept line by line; blank lines and ends of lines are not.
///
/// # Errors
/// Everything that is wrong, line by line; no package at all; more of them than allowed.
pub fn read_recipe(input: &RecipeInput, kind: ImageKind, rules: RecipeRules) -> Result<(Recipe, BuildSpec)> {
    let mut problems = Vec::new();
    let base = match input.base.trim().parse::<ImageReference>() {
        Ok(base) => Some(base),
        Err(problem) => {
            problems.push(FieldProblem::of(BASE, &problem));
            None
        }
    };
    let (apt, conda, pip) = (lines(&input.apt), lines(&input.conda), lines(&input.pip));
    for (field, lines) in [(APT, &apt), (CONDA, &conda), (PIP, &pip)] {
        problems.extend(credentials_in(field, lines));
    }
    let read_apt = kept(&mut problems, APT, parse_apt("APT packages", &apt.join("\n")));
    let read_conda =
        kept(&mut problems, CONDA, parse_conda("conda packages", &conda.join("\n"), rules.conda));
    let read_pip = kept(&mut problems, PIP, parse_pip("pip packages", &pip.join("\n"), rules.pip));
    let (Some(base), true) = (base, problems.is_empty()) else {
        return Err(HubError::invalid_fields(problems));
    };
    let mut spec = BuildSpec::new(base.clone());
    spec.kind = kind;
    spec.apt = read_apt.unwrap_or_default();
    spec.conda = read_conda.unwrap_or_default();
    spec.pip = read_pip.unwrap_or_default();
    if spec.is_empty() {
        let problem = FieldProblem::new(
            "imageSpec.packages",
            "there is no package",
            "write at least one APT, conda or pip package",
        );
        return Err(HubError::invalid(problem));
    }
    let count = spec.apt.len() + spec.conda.specs.len() + spec.pip.requirements.len();
    if count > rules.most_packages {
        let message = format!("there are {count} packages, and {} are allowed", rules.most_packages);
        let suggestion = "leave out what others need anyway, or make two images";
        return Err(HubError::invalid(FieldProblem::new("imageSpec.packages", message, suggestion)));
    }
    Ok((Recipe { kind, base, apt, conda, pip }, spec))
}

/// The lines of a field, however a client sends them: one text, or one a line.
fn lines(texts: &[String]) -> Vec<String> {
    let lines = texts.iter().flat_map(|text| text.lines());
    lines.map(|line| line.trim_end().to_owned()).filter(|line| !line.trim().is_empty()).collect()
}

/// Recipes are stored and shown: a password in one would be seen by everybody who may see the image.
fn credentials_in(field: &'static str, lines: &[String]) -> Vec<FieldProblem> {
    let has_some = |line: &str| {
        line.split("://").skip(1).any(|rest| {
            let authority = rest.split(['/', '?', '#', ' ', '"', '\'']).next().unwrap_or_default();
            authority.contains('@')
        })
    };
    let found = lines.iter().enumerate().filter(|(_, line)| has_some(line));
    found
        .map(|(index, _)| FieldProblem {
            line: Some(index + 1),
            ..FieldProblem::new(
                field,
                "an address with a user or a password cannot be used here: who may see the image would see it",
                "leave them out, and ask an admin to configure the index or channel with its credentials",
            )
        })
        .collect()
}

fn kept<T>(
    problems: &mut Vec<FieldProblem>,
    field: &'static str,
    found: std::result::Result<T, SpecErrors>,
) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(errors) => {
            problems.extend(errors.0.iter().map(|error| FieldProblem::of_line(field, error)));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: RecipeRules =
        RecipeRules { conda: CondaPolicy::NAMED_CHANNELS_ONLY, pip: PipPolicy::INDEX_ONLY, most_packages: 3 };

    fn input(apt: &str, conda: &str, pip: &str) -> RecipeInput {
        let field = |text: &str| vec![text.to_owned()];
        RecipeInput {
            base: "python:3.12".to_owned(),
            pull_secret: None,
            apt: field(apt),
            conda: field(conda),
            pip: field(pip),
        }
    }

    #[test]
    fn lines_are_kept_as_they_were_typed() {
        let (recipe, spec) =
            read_recipe(&input("curl\n\n", "-c conda-forge::numpy==1.17*", ""), ImageKind::Gpu, RULES)
                .unwrap();
        assert_eq!((recipe.apt, recipe.conda.len(), recipe.pip.len()), (vec!["curl".to_owned()], 1, 0));
        assert_eq!((spec.kind, spec.conda.specs.len()), (ImageKind::Gpu, 1));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let mut bad = input("curl\n-y", "numpy", "numpy=1.26\n--index-url https://me:hunter2@h/s");
        bad.base = "https://x".to_owned();
        let error = read_recipe(&bad, ImageKind::Cpu, RULES).unwrap_err();
        let places: Vec<_> = error.problems().iter().map(|problem| (problem.field, problem.line)).collect();
        assert!(places.contains(&(BASE, None)), "{places:?}");
        assert!(places.contains(&(APT, Some(2))), "{places:?}");
        assert!(places.contains(&(PIP, Some(1))) && places.contains(&(PIP, Some(2))), "{places:?}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }

    #[test]
    fn there_is_at_least_one_package_and_not_too_many() {
        let none = read_recipe(&input("", " \n", ""), ImageKind::Cpu, RULES).unwrap_err();
        assert!(none.message().contains("there is no package"), "{none}");
        let four = read_recipe(&input("a1 b1", "c", "d"), ImageKind::Cpu, RULES).unwrap_err();
        assert!(four.message().contains("4 packages, and 3 are allowed"), "{four}");
    }
}
