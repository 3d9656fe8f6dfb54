//! The words people see: Fluent labels from `locales/<tag>/*.ftl`, compiled in.
//!
//! Only English so far; a language is a folder beside `locales/en` and a list of its files
//! beside `english.rs`.

mod english;
mod labels;

pub use labels::{Labels, Value};
