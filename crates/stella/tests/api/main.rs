//! The whole house driven over HTTP, on every storage driver. One binary, so that it links once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub
)]

mod authority;
mod away;
mod bad_input;
mod batch;
mod by_hand;
mod cli;
mod collector;
mod config;
mod coverage;
mod evidence;
mod fixtures;
mod frozen;
mod idempotency;
mod journey;
mod killed;
mod kit;
mod link;
mod process;
mod published;
mod scopes;
mod scores;
mod serve;
mod signed;
mod stop;
mod storage;
mod tamper;
mod telemetry;
mod tenancy;
mod unreadable;
mod up;
mod verdicts;
mod wire;
mod world;
