//! What `inspect` found, for people.

use imagewright_engine::inspect::{ImageReport, InterpreterReport, LayerReport, OwnReport, PackageReport};

use super::amount::{bytes, count, counted};
use super::escape::one_line;
use super::screen::Screen;

/// Packages of a list that are shown unless all are asked for: the largest.
const SHOWN: usize = 10;

/// Columns of the labels at the left.
const LABEL_WIDTH: usize = 13;

/// The lines of a report; `all` lists every package, by name.
pub(crate) fn lines(report: &ImageReport, all: bool, screen: Screen) -> Vec<String> {
    let view = View { screen, all };
    let mut lines = vec![screen.style.bold(&one_line(&report.reference))];
    lines.extend(view.image(report));
    lines.push(String::new());
    lines.extend(view.process(report));
    for interpreter in &report.interpreters {
        lines.push(String::new());
        lines.extend(view.interpreter(interpreter));
    }
    if let Some(reason) = &report.python_missing {
        lines.push(String::new());
        lines.push(view.labelled("Python", reason));
    }
    for set in &report.packages {
        lines.push(String::new());
        let place = set.prefix.as_ref().map(|prefix| format!(" in {}", one_line(prefix))).unwrap_or_default();
        lines.push(view.heading(&format!("{}{place}", set.manager), &totals(&set.packages)));
        lines.extend(view.packages(&set.packages));
    }
    lines.push(String::new());
    lines.push(view.heading("Layers", &counted(report.layers.len(), "layer")));
    lines.extend(report.layers.iter().enumerate().map(|(number, layer)| view.layer(number + 1, layer)));
    if let Some(own) = &report.built_by_imagewright {
        lines.push(String::new());
        lines.extend(view.own(own));
    }
    lines
}

/// How a report is looked at.
#[derive(Clone, Copy)]
struct View {
    screen: Screen,
    all: bool,
}

impl View {
    fn image(self, report: &ImageReport) -> Vec<String> {
        let unpacked = report.layers.iter().map(|layer| layer.uncompressed_size).fold(0, u64::saturating_add);
        let size = format!("{} compressed, {} unpacked", bytes(report.compressed_size), bytes(unpacked));
        let system = match (&report.operating_system, &report.libc) {
            (Some(system), Some(libc)) => format!("{}, {libc}", system.name),
            (Some(system), None) => system.name.clone(),
            (None, Some(libc)) => libc.clone(),
            (None, None) => "not known: the image has no os-release".to_owned(),
        };
        let mut lines = vec![self.labelled("digest", &report.digest.to_string())];
        if let Some(index) = report.index_digest {
            lines.push(self.labelled("index", &index.to_string()));
        }
        let platform = match report.platforms.as_slice() {
            [] => report.platform.clone(),
            several => format!("{} (of {})", report.platform, several.join(", ")),
        };
        lines.push(self.labelled("platform", &platform));
        lines.push(self.labelled("type", &report.media_type));
        lines.push(self.labelled("system", &system));
        lines.push(self.labelled("size", &size));
        lines
    }

    fn process(self, report: &ImageReport) -> Vec<String> {
        let process = &report.process;
        let or = |text: &str, absent: &str| if text.is_empty() { absent.to_owned() } else { text.to_owned() };
        vec![
            self.labelled("user", &or(&process.user, "root")),
            self.labelled("entrypoint", &or(&words(&process.entrypoint), "none")),
            self.labelled("command", &or(&words(&process.command), "none")),
            self.labelled("folder", &or(&process.working_folder, "/")),
            self.labelled("PATH", process.path.as_deref().unwrap_or("not set")),
        ]
    }

    fn interpreter(self, interpreter: &InterpreterReport) -> Vec<String> {
        let kind = match interpreter.kind {
            "debian" => "Debian's own",
            "red_hat" => "the distribution's own",
            "virtual_environment" => "a virtual environment",
            "conda" => "conda's",
            "pyenv" => "pyenv's",
            _ => "in a prefix of its own",
        };
        let heading = format!("Python {}", one_line(&interpreter.version));
        let default = if interpreter.default { ", the default" } else { "" };
        let about = format!("{}, {kind}{default}", one_line(&interpreter.executable));
        let mut lines = vec![self.heading(&heading, &about)];
        lines.push(self.labelled("  prefix", &interpreter.prefix));
        lines.push(self.labelled("  installs to", &interpreter.install_folder));
        lines.push(self.labelled("  looks in", &interpreter.site_folders.join(", ")));
        lines.push(self.labelled("  packages", &totals(&interpreter.packages)));
        lines.extend(self.packages(&interpreter.packages));
        lines.extend(
            interpreter
                .warnings
                .iter()
                .map(|warning| self.screen.style.yellow(&self.labelled_plain("  warning", warning))),
        );
        lines
    }

    fn packages(self, packages: &[PackageReport]) -> Vec<String> {
        let mut shown: Vec<&PackageReport> = packages.iter().collect();
        if !self.all {
            // Equal sizes stay in the order of their names.
            shown.sort_by_key(|package| std::cmp::Reverse(package.size));
            shown.truncate(SHOWN);
        }
        let name_width = shown.iter().map(|package| package.name.chars().count()).max().unwrap_or_default();
        let name_width = name_width.min(40);
        let mut lines: Vec<String> = shown
            .iter()
            .map(|package| {
                let size = package.size.map_or_else(|| "unknown".to_owned(), bytes);
                let installer = package.installer.as_deref().filter(|name| *name != "pip");
                let installer = installer.map(|name| format!("  by {}", one_line(name))).unwrap_or_default();
                let line = format!(
                    "  {size:>8}  {:<name_width$}  {}{installer}",
                    one_line(&package.name),
                    one_line(&package.version)
                );
                self.screen.cut(&line, 0)
            })
            .collect();
        let more = packages.len() - shown.len();
        if more > 0 {
            let rest = format!("  {:>8}  and {} more; --all lists them", "…", count(more as u64));
            lines.push(self.screen.style.dim(&rest));
        }
        lines
    }

    fn layer(self, number: usize, layer: &LayerReport) -> String {
        let made = match &layer.holds {
            Some(holds) => one_line(holds),
            None => one_line(layer.created_by.as_deref().unwrap_or("no history")),
        };
        let mark = if layer.ours { self.screen.style.green("+") } else { " ".to_owned() };
        let hex = layer.digest.hex();
        let head = format!("  {number:>3} ");
        let sizes = format!(
            " {}  {:>8} → {:>8}  ",
            &hex[..12],
            bytes(layer.compressed_size),
            bytes(layer.uncompressed_size)
        );
        let taken = console::measure_text_width(&head) + 1 + console::measure_text_width(&sizes);
        format!("{head}{mark}{}{}", self.screen.style.dim(&sizes), self.screen.cut(&made, taken))
    }

    fn own(self, own: &OwnReport) -> Vec<String> {
        let lock = &own.lock;
        let asked: Vec<String> = lock
            .pip
            .iter()
            .filter(|package| package.requested)
            .map(|package| format!("{} {}", package.name, package.version))
            .collect();
        let mut lines = vec![
            self.heading("Built by Imagewright", &counted(lock.pip.len(), "package")),
            self.labelled("  base", &own.base),
            self.labelled("", &own.base_digest.to_string()),
            self.labelled("  revision", &own.revision),
            self.labelled("  spec hash", own.spec_hash.as_deref().unwrap_or("unknown")),
            self.labelled("  asked for", &asked.join(", ")),
        ];
        for replaced in &lock.replaced {
            let text = format!("{} {} → {}", replaced.name, replaced.old, replaced.new);
            lines.push(self.labelled("  replaced", &text));
        }
        if !lock.kept.is_empty() {
            lines.push(self.labelled("  kept", &lock.kept.join(", ")));
        }
        lines
    }

    fn heading(self, heading: &str, about: &str) -> String {
        format!("{}  {about}", self.screen.style.bold(heading))
    }

    fn labelled(self, label: &str, text: &str) -> String {
        let text = self.screen.wrap(&one_line(text), LABEL_WIDTH + 1);
        format!("{} {text}", self.screen.style.dim(&format!("{label:<LABEL_WIDTH$}"))).trim_end().to_owned()
    }

    fn labelled_plain(self, label: &str, text: &str) -> String {
        format!("{label:<LABEL_WIDTH$} {}", self.screen.wrap(&one_line(text), LABEL_WIDTH + 1))
    }
}

fn totals(packages: &[PackageReport]) -> String {
    let size = packages.iter().filter_map(|package| package.size).fold(0, u64::saturating_add);
    if packages.iter().any(|package| package.size.is_some()) {
        format!("{}, {}", counted(packages.len(), "package"), bytes(size))
    } else {
        counted(packages.len(), "package")
    }
}

/// A command line as the image has it: words with blanks in them in quotes.
fn words(words: &[String]) -> String {
    let shown = words.iter().map(|word| {
        let plain = !word.is_empty()
            && !word.contains(|character: char| character.is_whitespace() || character == '"');
        if plain { word.clone() } else { format!("{word:?}") }
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
