//! Steps that run what the base brings along: what it cannot do, what people are told, and that nothing is left.

mod ends;
mod hostile;
mod ordinary_user;
mod packages;
mod scene;
mod sources;
