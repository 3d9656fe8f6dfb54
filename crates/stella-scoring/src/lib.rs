//! Scores a vulnerability in a component from signals, by a profile: pure, in integers, explained
//! by a ledger that adds up.
//!
//! [`evaluate()`] is the one way to a score, for evaluation, simulation, replay and the CLI alike.
//! [`verify_result`] checks a stored one against itself. [`cvss`] reads and scores vectors.

pub mod band;
pub mod cvss;
mod digest;
mod error;
mod evaluate;
mod explain;
mod profile;
mod reason;
mod signals;
mod verify;

pub use digest::{output_digest_of, score_id_of};
pub use error::ScoringError;
pub use evaluate::{Evaluation, Observed, evaluate, input_digest};
pub use explain::{Argument, arguments};
pub use profile::{
    Bound, GateCondition, GateRule, Profile, SEMANTICS, Threshold, Transform, WeightedSignal,
};
pub use reason::{ReasonCode, label_key};
pub use signals::{CvssSignal, KevSignal, Signals, Source, Subject, TrustPolicy, VexSignal};
pub use verify::{verify_ledger, verify_result};

/// Feeds any bytes to the parser of CVSS vectors and asserts its laws.
///
/// # Panics
/// Where a law does not hold.
pub fn fuzz(data: &[u8]) {
    cvss::fuzz(data);
}
