//! The whole house driven over HTTP, on every storage driver. One binary, so that it links once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub
)]

mod authority;
mod coverage;
mod evidence;
mod fixtures;
mod killed;
mod kit;
mod process;
mod published;
mod scores;
mod tamper;
mod tenancy;
mod up;
mod world;
