//! Events of a build as lines of its log.

use imagewright_engine::event::Event;
use imagewright_engine::words;

/// The lines that tell of an event; none for what is only for progress bars.
pub(super) fn lines_of(event: &Event) -> Vec<String> {
    match event {
        Event::StepStarted { step, platform: None } => vec![format!("==> {}", step.title())],
        Event::StepStarted { step, platform: Some(platform) } => {
            vec![format!("==> {} ({platform})", step.title())]
        }
        Event::StepFinished { step, seconds, detail } => {
            vec![format!("    {}: {detail} ({seconds:.1} s)", step.title())]
        }
        Event::Progress { .. } | Event::PublishRequested => Vec::new(),
        Event::Log { line } | Event::Output { line } => vec![format!("    {line}")],
        Event::Warning { message } => vec![format!("warning: {message}")],
        Event::Result(summary) => {
            let mut lines = vec![format!("pushed {} as {}", summary.reference, summary.digest)];
            lines.extend(summary.gpu.iter().map(|gpu| format!("pushed {} as {}", gpu.reference, gpu.digest)));
            lines.push(format!(
                "done in {:.1} s, {} uploaded",
                summary.seconds,
                words::bytes(summary.transfer.uploaded_bytes)
            ));
            lines
        }
        Event::Error { message, explanation, next_step, .. } => {
            let mut lines = vec![format!("error: {message}")];
            lines.extend(explanation.iter().flat_map(|text| text.lines()).map(|line| format!("  {line}")));
            lines.extend(next_step.iter().map(|next| format!("next: {next}")));
            lines
        }
    }
}
