//! All processes of a build are of one session, which begins with its own: so they are found, whatever groups they
//! make, when it is gone and they are not.

use rustix::process::{Pid, Signal};

/// How often the processes are looked for: one that is just starting another may be missed once.
const LOOKS: usize = 20;

/// The session of a build. What is left of it is ended with this value.
#[derive(Debug)]
pub(super) struct Session(Option<Pid>);

impl Session {
    /// The session that begins with this process.
    pub(super) fn of(process: Option<u32>) -> Self {
        Self(process.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// Tells the build itself, which tells its own.
    pub(super) fn tell_to_end(&self) {
        if let Some(first) = self.0 {
            // It has ended already.
            let _ = rustix::process::kill_process(first, Signal::TERM);
        }
    }

    /// Ends all of it at once.
    pub(super) fn kill(&self) {
        let Some(first) = self.0 else { return };
        for _ in 0..LOOKS {
            let members = members(first);
            if members.is_empty() {
                return;
            }
            for member in members {
                let _ = rustix::process::kill_process(member, Signal::KILL);
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The living processes of a session.
fn members(session: Pid) -> Vec<Pid> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|process| process.file_name().to_str()?.parse::<i32>().ok());
    ids.filter(|id| {
        let Ok(text) = std::fs::read_to_string(format!("/proc/{id}/stat")) else { return false };
        // The name stands in brackets and may have some of its own: what follows the last one is
        // `state parent group session …`.
        let Some((_, rest)) = text.rsplit_once(')') else { return false };
        let mut fields = rest.split_whitespace();
        let is_alive = fields.next().is_some_and(|state| state != "Z" && state != "X");
        is_alive && fields.nth(2).and_then(|field| field.parse().ok()) == Some(session.as_raw_nonzero().get())
    })
    .filter_map(Pid::from_raw)
    .collect()
}
