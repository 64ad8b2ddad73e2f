//! Bytecode for Python files that are not installed yet, made by an interpreter of the host.
//!
//! A `.pyc` file is only as good as the interpreter that wrote it: other releases of the same minor version
//! write other bytes, and one with another magic number writes files that are never read. So it has to be of
//! exactly the version in the image. It must be the host's own: an interpreter out of an image is hostile code.
//! Compiling runs nothing of the source.

mod compiler;
mod interpreter;
mod process;

pub use compiler::BytecodeCompiler;
pub(crate) use compiler::{Source, bytecode_path};
pub use interpreter::{Interpreter, InterpreterSearch};
