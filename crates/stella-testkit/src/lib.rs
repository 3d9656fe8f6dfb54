//! What tests of services share: a PostgreSQL cluster, and the check of every answer against
//! the OpenAPI document.
#![allow(clippy::expect_used, clippy::panic)] // a test kit fails by panicking

pub mod contract;
pub mod postgres;

pub use contract::Contract;
