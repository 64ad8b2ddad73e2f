//! Layers that somebody made to hurt whoever reads them, or that a disk has damaged: each ends in an index that says
//! what a puller would unpack, or in a clear error; never in a panic, a large allocation or a written file.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is how a failure is told")]

mod hostile_layers;
