//! What is said of a finished build.

use imagewright_engine::summary::{BuildSummary, PlatformImage, StepSeconds, Transfer};
use imagewright_spec::ImageReference;

use super::amount::{bytes, count, seconds};
use super::escape;
use super::screen::Screen;

/// Packages of a list that are named.
const NAMED: usize = 6;

/// Columns of the labels at the left.
const LABEL_WIDTH: usize = 10;

/// Columns of the numbers behind them.
const NUMBER_WIDTH: usize = 5;

/// The image as every tool can name it: repository and digest, without the tag, which some tools refuse beside
/// a digest.
pub(crate) fn pinned(summary: &BuildSummary) -> String {
    let repository = summary.reference.parse::<ImageReference>().map_or_else(
        |_| escape::one_line(&summary.reference),
        |reference| reference.repository_reference().to_string(),
    );
    format!("{repository}@{}", summary.digest)
}

/// The closing lines of a build.
pub(crate) fn lines(summary: &BuildSummary, screen: Screen) -> Vec<String> {
    let style = screen.style;
    let pinned = pinned(summary);
    let outcome = if summary.unchanged { "Unchanged" } else { "Pushed" };
    let reference = style.bold(&escape::one_line(&summary.reference));
    let mut lines = vec![
        String::new(),
        format!("{}{} {reference}", style.green(outcome), " ".repeat(LABEL_WIDTH - 1 - outcome.len())),
        labelled("digest", &summary.digest.to_string(), screen),
    ];
    if summary.unchanged {
        let note = "the same plan was built before, and every part of it is still in the registry";
        lines.push(labelled("", &style.dim(&screen.wrap(note, LABEL_WIDTH)), screen));
    }
    for image in &summary.images {
        lines.push(String::new());
        if summary.images.len() > 1 {
            lines.push(labelled("platform", &escape::one_line(&image.platform), screen));
        }
        lines.extend(packages(image, screen));
    }
    if let Some(gpu) = &summary.gpu {
        lines.push(String::new());
        lines.push(labelled("gpu", &style.bold(&escape::one_line(&gpu.reference)), screen));
        lines.push(labelled("digest", &gpu.digest.to_string(), screen));
        for image in &gpu.images {
            lines.extend(packages(image, screen));
        }
    }
    lines.push(String::new());
    lines.push(labelled("bytes", &screen.wrap(&transfer(summary.transfer), LABEL_WIDTH), screen));
    lines.push(labelled("time", &seconds(summary.seconds), screen));
    lines.extend(times(&summary.steps, screen));
    lines.push(String::new());
    lines.push(labelled("run", &style.cyan(&format!("docker run --rm -it {pinned}")), screen));
    lines.push(labelled("pull", &style.cyan(&format!("docker pull {pinned}")), screen));
    lines
}

fn labelled(label: &str, text: &str, screen: Screen) -> String {
    format!("{}{text}", screen.style.dim(&format!("{label:<LABEL_WIDTH$}")))
}

fn packages(image: &PlatformImage, screen: Screen) -> Vec<String> {
    let groups = [
        ("system", &image.system),
        ("conda", &image.conda),
        ("added", &image.added),
        ("replaced", &image.replaced),
        ("kept", &image.kept),
    ];
    let mut lines: Vec<String> = groups
        .into_iter()
        // An image to which pip adds nothing says so, unless something else was added.
        .filter(|(label, packages)| (*label == "added" && image.conda.is_empty()) || !packages.is_empty())
        .map(|(label, packages)| {
            let names = screen.wrap(&named(packages), LABEL_WIDTH + NUMBER_WIDTH + 2);
            let text = format!("{:>NUMBER_WIDTH$}  {names}", count(packages.len() as u64));
            labelled(label, text.trim_end(), screen)
        })
        .collect();
    lines.push(labelled("layers", &format!("{:>NUMBER_WIDTH$}", image.layers), screen));
    lines
}

/// The first packages of a list, and how many more there are.
fn named(packages: &[String]) -> String {
    let mut names: Vec<String> =
        packages.iter().take(NAMED).map(|package| escape::one_line(package)).collect();
    // The last of seven takes no more room than “… and 1 more”.
    match packages.len() - names.len() {
        0 => {}
        1 => names.push(escape::one_line(&packages[NAMED])),
        more => names.push(format!("… and {} more", count(more as u64))),
    }
    names.join(", ")
}

fn transfer(transfer: Transfer) -> String {
    let Transfer { new_layer_bytes, reused_layer_bytes, uploaded_bytes, read_bytes } = transfer;
    format!(
        "{} new, {} reused, {} uploaded, {} of the base read",
        bytes(new_layer_bytes),
        bytes(reused_layer_bytes),
        bytes(uploaded_bytes),
        bytes(read_bytes)
    )
}

/// A bar for each step, as long as its share of the longest.
fn times(steps: &[StepSeconds], screen: Screen) -> Vec<String> {
    let columns = if screen.width.is_some_and(|width| width < 80) { 12 } else { 24 };
    let longest = steps.iter().map(|step| step.seconds).fold(f64::EPSILON, f64::max);
    let line = |step: &StepSeconds| {
        let bar = bar(step.seconds / longest, columns);
        let blanks = " ".repeat(columns - bar.chars().count());
        let bar = screen.style.cyan(&bar);
        labelled("", &format!("{:<20} {bar}{blanks} {:>7}", step.step.title(), seconds(step.seconds)), screen)
    };
    steps.iter().map(line).collect()
}

/// A bar of up to `columns` columns, fine to an eighth of one. What took time at all is seen.
fn bar(share: f64, columns: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of some hundred eighths"
    )]
    let eighths = ((share.clamp(0.0, 1.0) * (columns * 8) as f64).round() as usize).max(1);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use imagewright_engine::event::Step;
    use imagewright_oci::digest::Digest;

    use super::*;

    fn summary() -> BuildSummary {
        let added = (0..98).map(|number| format!("package-{number:02} 1.{number}.0")).collect();
        let step = |step, seconds| StepSeconds { step, seconds };
        BuildSummary {
            reference: "registry.example/team/analysis:1".to_owned(),
            digest: Digest::of(b"image"),
            images: vec![PlatformImage {
                system: Vec::new(),
                platform: "linux/amd64".to_owned(),
                digest: Digest::of(b"image"),
                base_digest: Digest::of(b"base"),
                revision: Digest::of(b"lock").to_string(),
                size: 220_100_000,
                layers: 14,
                conda: Vec::new(),
                added,
                replaced: vec!["numpy 1.24.2 → 2.2.6".to_owned()],
                kept: vec!["pip 23.0.1".to_owned(), "evil\u{1b}[2J 1".to_owned()],
            }],
            gpu: None,
            spec_hash: "7ddacd5d".to_owned(),
            seconds: 10.04,
            steps: vec![
                step(Step::Base, 1.24),
                step(Step::Resolve, 0.0),
                step(Step::Packages, 6.1),
                step(Step::Layers, 0.02),
                step(Step::Push, 1.8),
            ],
            transfer: Transfer {
                new_layer_bytes: 130_900_000,
                reused_layer_bytes: 89_200_000,
                uploaded_bytes: 131_000_000,
                read_bytes: 0,
            },
            unchanged: false,
        }
    }

    #[test]
    fn a_finished_build_says_what_it_made_and_what_to_do_with_it() {
        let shown = lines(&summary(), Screen::PLAIN);
        assert!(!shown.concat().chars().any(char::is_control));
        insta::assert_snapshot!("plain", shown.join("\n"));
        let narrow = Screen { width: Some(60), ..Screen::PLAIN };
        insta::assert_snapshot!("narrow", lines(&summary(), narrow).join("\n"));
    }

    #[test]
    fn an_unchanged_image_and_several_platforms_are_told() {
        let mut summary = summary();
        summary.unchanged = true;
        summary.images[0].added.truncate(7);
        let second = PlatformImage {
            platform: "linux/arm64".to_owned(),
            conda: Vec::new(),
            added: Vec::new(),
            replaced: Vec::new(),
            kept: Vec::new(),
            ..summary.images[0].clone()
        };
        summary.images.push(second);
        insta::assert_snapshot!(lines(&summary, Screen::PLAIN).join("\n"));
    }

    #[test]
    fn the_image_is_named_by_its_digest_alone() {
        let digest = Digest::of(b"image");
        assert_eq!(pinned(&summary()), format!("registry.example/team/analysis@{digest}"));
    }

    #[test]
    fn bars_are_fine_and_never_empty() {
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(0.5, 3), "█▌");
        assert_eq!(bar(0.0, 4), "▏");
    }
}
