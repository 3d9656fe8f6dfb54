//! The closed list of reasons: every step, contribution, gate and missing signal has one.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, contributes: $contributes:literal;)+) => {
        /// Why something in a score is as it is. Each has a stable code and a label in every
        /// locale.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ReasonCode { $($(#[$doc])* $name,)+ }

        impl ReasonCode {
            /// Every reason, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable code, such as `KEV_FLOOR`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// Whether a step with this reason has a contribution; the n-th such step of a
            /// ledger belongs to the n-th contribution.
            #[must_use]
            pub const fn contributes(self) -> bool {
                match self { $(Self::$name => $contributes,)+ }
            }
        }
    };
}

reasons! {
    /// The matched advisory's own vector of the newest CVSS version was taken.
    CvssOwnNewest = "CVSS_OWN_NEWEST", contributes: true;
    /// The matched advisory has no usable vector; the highest among documents that share an
    /// alias was taken.
    CvssAliasHighest = "CVSS_ALIAS_HIGHEST", contributes: true;
    /// The transformed CVSS score entered with its weight.
    CvssWeighted = "CVSS_WEIGHTED", contributes: false;
    /// No document states a vector.
    CvssNoPublishedSeverity = "CVSS_NO_PUBLISHED_SEVERITY", contributes: false;
    /// Documents state vectors, and none can be read.
    CvssAllInvalid = "CVSS_ALL_INVALID", contributes: false;
    /// A listing in the KEV catalogue raised the score to the floor.
    KevFloor = "KEV_FLOOR", contributes: true;
    /// A listing in the KEV catalogue changed nothing: the score is at the floor or above.
    KevAboveFloor = "KEV_ABOVE_FLOOR", contributes: true;
    /// A whole KEV catalogue was there and does not list the vulnerability.
    KevNotListed = "KEV_NOT_LISTED", contributes: false;
    /// No whole KEV catalogue was there: none at all, or an extract that does not list it.
    KevNoCatalogue = "KEV_NO_CATALOGUE", contributes: false;
    /// A publisher in the tenant's trust policy says `not_affected`.
    VexTrustedNotAffected = "VEX_TRUSTED_NOT_AFFECTED", contributes: true;
    /// A publisher outside the tenant's trust policy says `not_affected`; it has no effect.
    VexUntrustedNotAffected = "VEX_UNTRUSTED_NOT_AFFECTED", contributes: true;
    /// A publisher in the tenant's trust policy says `not_affected`, and at the same time that it
    /// is affected or looked into; it has no effect.
    VexSelfContradicted = "VEX_SELF_CONTRADICTED", contributes: true;
    /// A VEX statement of another status is shown; it has no effect.
    VexStatementNoted = "VEX_STATEMENT_NOTED", contributes: true;
}

impl ReasonCode {
    /// The key of the label, such as `reason-kev-floor`.
    #[must_use]
    pub fn label_key(self) -> String {
        label_key(self.as_str())
    }

    /// The reason with the given code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.as_str() == code)
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The label key of a reason code or of a CVSS error code: `reason-` and the code in kebab case.
#[must_use]
pub fn label_key(code: &str) -> String {
    let kebab = code.to_ascii_lowercase().replace('_', "-");
    format!("reason-{kebab}")
}
