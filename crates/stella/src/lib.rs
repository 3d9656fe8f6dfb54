//! The binary's parts: configuration is read once, services are wired, the command line is run.

pub mod commands;
pub mod configuration;
pub mod platform;

pub use platform::{Databases, Platform, Setup};
