//! The doors of the hub: they find out who asks and what for, call one app function, and put what it gives into
//! words of HTTP and GraphQL. Nothing is decided here.

pub mod graphql;
pub mod http;
mod limits;
#[cfg(test)]
mod tests;

pub use limits::ApiLimits;
