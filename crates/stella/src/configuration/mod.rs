//! Configuration: one pure function from raw keys with their sources to settings, or to all
//! the problems at once (page 02).

mod export;
mod keys;
mod problem;
mod raw;
mod resolve;
mod secrets;
mod settings;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use export::read as export;
pub use keys::{KEYS, Key, ServiceName};
pub use problem::{Problem, Problems};
pub use raw::{Raw, SourceOf};
pub use resolve::{Environment, resolve};
pub use settings::{Gathered, Objects, ServiceStorage, Settings};
