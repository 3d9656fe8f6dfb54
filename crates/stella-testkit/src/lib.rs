//! What tests of services share: a PostgreSQL cluster, an S3 server, and the check of every answer against
//! the OpenAPI document.
#![allow(clippy::expect_used, clippy::panic)] // a test kit fails by panicking

pub mod contract;
pub mod postgres;
pub mod s3;

pub use contract::Contract;
pub use s3::S3Server;
