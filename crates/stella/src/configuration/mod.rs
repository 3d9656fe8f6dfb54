//! Configuration: one pure function from raw keys with their sources to settings, or to all
//! the problems at once (page 02).

mod raw;
mod settings;

pub use raw::{Raw, SourceOf};
pub use settings::{Environment, Problem, Settings, resolve};
