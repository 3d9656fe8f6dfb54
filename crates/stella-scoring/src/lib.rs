//! Scores a vulnerability in a component from signals, by a profile: pure, in integers, explained
//! by a ledger that adds up.

pub mod cvss;
