//! The whole house driven over HTTP, on every storage driver. One binary, so that it links once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub
)]

mod affected;
mod audit;
mod authority;
mod away;
mod backfill;
mod bad_input;
mod batch;
mod by_hand;
mod changes;
mod cli;
mod clock;
mod collector;
mod config;
mod coverage;
mod derived;
mod dice;
mod enrolment;
mod evidence;
mod exports;
mod fixtures;
mod formats;
mod frozen;
mod history;
mod hostile;
mod idempotency;
mod journey;
mod killed;
mod kills;
mod kit;
mod link;
mod master_key;
mod past;
mod plans;
mod process;
mod production;
mod proxies;
mod published;
mod rebuild;
mod releases;
mod schemathesis;
mod scopes;
mod scores;
mod sealed;
mod serve;
mod signed;
mod slow;
mod stop;
mod storage;
mod tamper;
mod telemetry;
mod tenancy;
mod terminal;
mod tls;
mod topics;
mod unreadable;
mod up;
mod verdicts;
mod verify;
mod wire;
mod world;
