//! What packages and channels are, seen by others than those that made them.

mod archives;
mod channels;
