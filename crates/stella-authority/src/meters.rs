//! What is counted of tokens that are asked for.

use stella_api::authority::TokenAnswer;
use stella_telemetry::{Counter, KeyValue, Metrics};

use crate::token::Refusal;

/// The instruments of a process.
#[derive(Clone, Debug)]
pub(crate) struct Meters {
    tokens: Counter<u64>,
}

impl Meters {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let about = "Tokens that were asked for";
        Self {
            tokens: metrics.counter("stella.authority.tokens", about),
        }
    }

    /// Counts a request with how it ended. Whoever asks needs no token: every label is one of ours.
    pub(crate) fn asked(&self, grant_type: &'static str, answer: &Result<TokenAnswer, Refusal>) {
        let (outcome, reason) = match answer {
            Ok(_) => ("given", None),
            Err(Refusal::OAuth(error, _)) => ("refused", Some(*error)),
            Err(Refusal::Failed(_)) => ("failed", None),
        };
        let mut labels = vec![
            KeyValue::new("grant_type", grant_type),
            KeyValue::new("outcome", outcome),
        ];
        labels.extend(reason.map(|reason| KeyValue::new("reason", reason)));
        self.tokens.add(1, &labels);
    }
}
