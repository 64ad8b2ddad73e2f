//! Compiles the modules of one package in one process.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::interpreter::Interpreter;
use super::process::{self, ProcessFailure};
use crate::wheel::error::WheelProblem;
use crate::wheel::package::StagedRange;

/// The program that the interpreter runs.
const DRIVER: &str = include_str!("driver.py");

/// Longest line of the driver's answer: a size in decimal.
const LONGEST_LINE: u64 = 21;

/// Makes bytecode with one interpreter of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BytecodeCompiler {
    interpreter: Interpreter,
    timeout: Duration,
}

/// A Python file to compile.
#[derive(Debug)]
pub(crate) struct Source {
    /// Where it begins in the file of contents.
    pub offset: u64,
    /// Its length in bytes.
    pub size: u64,
    /// The time it will have in the image: stands in the bytecode, and tells Python whether that is current.
    pub mtime: i64,
    /// Its path in the image: shown in tracebacks.
    pub path: String,
}

/// Bytecode of one source.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub range: StagedRange,
    pub size: u64,
}

impl BytecodeCompiler {
    /// A compiler that gives up on a package after ten minutes (the largest take half a minute).
    pub fn new(interpreter: Interpreter) -> Self {
        Self { interpreter, timeout: Duration::from_mins(10) }
    }

    /// Gives up on a package after `timeout`.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The interpreter in use. Its version and magic number belong into the key of the layer.
    pub fn interpreter(&self) -> &Interpreter {
        &self.interpreter
    }

    /// Compiles the sources, which are parts of the file `contents`, into the new file `output`.
    ///
    /// Returns one item per source, `None` for what does not compile.
    pub(crate) fn compile(
        &self,
        cache_tag: &str,
        sources: &[Source],
        contents: &Path,
        output: &Path,
        cancel: &AtomicBool,
    ) -> Result<Vec<Option<Compiled>>, WheelProblem> {
        if self.interpreter.cache_tag != cache_tag {
            let made = &self.interpreter.cache_tag;
            return Err(self.failure(format!("would make files for {made}, and the image has {cache_tag}")));
        }
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let mut request = String::new();
        for Source { offset, size, mtime, path } in sources {
            // Writing to a string does not fail.
            let _ = write!(request, "{offset}\0{size}\0{mtime}\0{path}\0");
        }
        let longest = LONGEST_LINE * sources.len() as u64;
        let answer =
            process::run(self.command(contents, output), request.as_bytes(), longest, self.timeout, cancel)
                .map_err(|failure| match failure {
                ProcessFailure::Cancelled => WheelProblem::Cancelled,
                other => self.failure(other.to_string()),
            })?;
        read_answer(&answer, sources.len(), output)
            .ok_or_else(|| self.failure("gave an answer that makes no sense".to_owned()))
    }

    /// The same process on every machine: no environment but ours, no user or site packages, fixed hashes (they
    /// order the constants of sets).
    fn command(&self, contents: &Path, output: &Path) -> Command {
        let mut command = Command::new(&self.interpreter.path);
        command
            .args(["-s", "-S", "-B", "-W", "ignore", "-c", DRIVER])
            .args([contents, output])
            .env_clear()
            .env("PYTHONHASHSEED", "0")
            .env("LC_ALL", "C.UTF-8")
            .current_dir("/");
        command
    }

    fn failure(&self, reason: String) -> WheelProblem {
        WheelProblem::Bytecode { interpreter: self.interpreter.path.clone(), reason }
    }
}

/// Reads the driver's answer: sizes of pieces that stand one behind the other.
fn read_answer(answer: &[u8], expected: usize, output: &Path) -> Option<Vec<Option<Compiled>>> {
    let file: Arc<Path> = output.into();
    let mut offset = 0_u64;
    let mut compiled = Vec::with_capacity(expected);
    for line in str::from_utf8(answer).ok()?.lines() {
        if line == "-" {
            compiled.push(None);
            continue;
        }
        let size = line.parse().ok()?;
        compiled.push(Some(Compiled { range: StagedRange { file: Arc::clone(&file), offset }, size }));
        offset = offset.checked_add(size)?;
    }
    (compiled.len() == expected).then_some(compiled)
}

/// Where Python looks for the bytecode of a source: `a/b.py` → `a/__pycache__/b.cpython-311.pyc`.
pub(crate) fn bytecode_path(source: &str, cache_tag: &str) -> String {
    let (folder, name) = source.rsplit_once('/').unwrap_or(("", source));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    format!("{folder}/__pycache__/{stem}.{cache_tag}.pyc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytecode_stands_where_python_looks() {
        assert_eq!(bytecode_path("/a/b.c.py", "cpython-311"), "/a/__pycache__/b.c.cpython-311.pyc");
    }

    #[test]
    fn answers_are_not_believed_blindly() {
        let output = Path::new("/out");
        let compiled = read_answer(b"3\n-\n4\n", 3, output).unwrap();
        assert!(compiled[1].is_none());
        let last = compiled[2].as_ref().unwrap();
        assert_eq!((last.range.offset, last.size), (3, 4));
        for nonsense in ["3\n", "a\n1\n1\n", "1\n1\n1\n1\n", "18446744073709551615\n1\n1\n"] {
            assert!(read_answer(nonsense.as_bytes(), 3, output).is_none(), "{nonsense}");
        }
    }
}
