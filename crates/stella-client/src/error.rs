//! What can go wrong with a call.

use std::fmt::Display;

use stella_api::{Code, Problem};

/// A call that brought no answer of the expected shape.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The service answered with a problem.
    #[error("{}: {}", .0.code, .0.detail)]
    Problem(Box<Problem>),
    /// Nothing answers there.
    #[error("no server answers at {server}: {reason}")]
    Unreachable {
        /// The address.
        server: String,
        /// Why.
        reason: String,
    },
    /// Somebody answers there with a certificate that is not trusted here.
    #[error("the certificate of {server} is not trusted: {reason}")]
    CertificateUntrusted {
        /// The address.
        server: String,
        /// Why.
        reason: String,
    },
    /// No answer came in time.
    #[error("{server} did not answer within {seconds} s")]
    TimedOut {
        /// The address.
        server: String,
        /// How long was waited.
        seconds: u64,
    },
    /// Authority gave no token.
    #[error("{server} refused a token: {error}: {description}")]
    TokenRefused {
        /// The address.
        server: String,
        /// The code of RFC 6749.
        error: String,
        /// What Authority says.
        description: String,
    },
    /// The answer does not follow the contract.
    #[error("the answer to {path} is not what the contract says: {reason}")]
    Answer {
        /// What was asked.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A key that cannot sign.
    #[error(transparent)]
    Key(#[from] stella_signing::KeyError),
}

impl ClientError {
    /// An answer that does not follow the contract.
    #[must_use]
    pub fn answer(path: &str, reason: &dyn Display) -> Self {
        Self::Answer {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }

    /// The code, where it is one of this version.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Problem(problem) => problem.code.parse().ok(),
            Self::Unreachable { .. } => Some(Code::ServerUnreachable),
            Self::CertificateUntrusted { .. } => Some(Code::ServerCertificateUntrusted),
            Self::TimedOut { .. } => Some(Code::Timeout),
            Self::TokenRefused { .. } => Some(Code::TokenRefused),
            Self::Answer { .. } => Some(Code::ServerAnswerInvalid),
            Self::Key(_) => None,
        }
    }
}
