//! The one table of scopes, and what a route asks for.

use std::fmt;
use std::str::FromStr;

/// What a route demands of a token: any one of these scopes. Implemented by the marker types
/// of this module, so that the scope stands in the handler's signature.
pub trait Permit: Send + Sync + 'static {
    /// The scopes of which one must be in the token; sorted as in the table.
    const ANY_OF: &'static [Scope];
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// A permission that a token can carry.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope { $(#[doc = concat!("`", $text, "`")] $name),* }

        impl Scope {
            /// Every scope there is.
            pub const ALL: &'static [Scope] = &[$(Scope::$name),*];

            /// The scope as it stands in a token.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Scope::$name => $text),* }
            }
        }

        $(
            #[doc = concat!("Marks a route that demands `", $text, "`.")]
            #[derive(Clone, Copy, Debug)]
            pub struct $name;
            impl Permit for $name { const ANY_OF: &'static [Scope] = &[Scope::$name]; }
        )*
    };
}

scopes! {
    AdvisoryIngest = "advisory:ingest",
    AdvisoryRead = "advisory:read",
    VexIngest = "vex:ingest",
    VexRead = "vex:read",
    SbomIngest = "sbom:ingest",
    SbomRead = "sbom:read",
    SignalsWrite = "signals:write",
    SignalsRead = "signals:read",
    FindingsRead = "findings:read",
    EvidenceAdmin = "evidence:admin",
    AocVerify = "aoc:verify",
    RiskEvaluate = "risk:evaluate",
    RiskRead = "risk:read",
    RiskProfiles = "risk:profiles",
    ReplayRead = "replay:read",
    ReplayRun = "replay:run",
    AuthorityAuditRead = "authority:audit.read",
}

/// Marks a route that any reader of evidence may call; what the other scopes would show is 404.
#[derive(Clone, Copy, Debug)]
pub struct AnyEvidenceRead;

impl Permit for AnyEvidenceRead {
    const ANY_OF: &'static [Scope] = &[
        Scope::AdvisoryRead,
        Scope::VexRead,
        Scope::SbomRead,
        Scope::SignalsRead,
    ];
}

/// Marks a route that every token of a tenant may call.
#[derive(Clone, Copy, Debug)]
pub struct AnyScope;

impl Permit for AnyScope {
    const ANY_OF: &'static [Scope] = Scope::ALL;
}

impl Scope {
    /// The scopes one of which must be in the same token (page 04, `pairedWith`).
    #[must_use]
    pub fn paired_with(self) -> Option<Scope> {
        matches!(self, Scope::AdvisoryRead | Scope::VexRead).then_some(Scope::AocVerify)
    }

    /// Whether the two may not be in one token (page 04, `forbiddenWith`).
    #[must_use]
    pub fn forbidden_with(self, other: Scope) -> bool {
        (self.ingests() && other.decides()) || (other.ingests() && self.decides())
    }

    fn ingests(self) -> bool {
        matches!(
            self,
            Scope::AdvisoryIngest | Scope::VexIngest | Scope::SbomIngest
        )
    }

    fn decides(self) -> bool {
        matches!(self, Scope::RiskProfiles | Scope::EvidenceAdmin)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no scope")]
pub struct UnknownScope(pub String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Scope::ALL.iter().find(|scope| scope.as_str() == text);
        known.copied().ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// A built-in role: a named set of scopes (page 04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Brings evidence in.
    Ingester,
    /// Reads evidence and findings, evaluates scores, replays answers.
    Analyst,
    /// Reads everything, and who did what.
    Auditor,
    /// Reads evidence and findings, and has what is derived derived again.
    Operator,
}

impl Role {
    /// Every built-in role that exists so far.
    pub const ALL: &'static [Role] =
        &[Role::Ingester, Role::Analyst, Role::Auditor, Role::Operator];

    /// The role as it stands in a token.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Ingester => "ingester",
            Role::Analyst => "analyst",
            Role::Auditor => "auditor",
            Role::Operator => "operator",
        }
    }

    /// The scopes that holders of the role may ask for.
    #[must_use]
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Role::Ingester => &[
                Scope::AdvisoryIngest,
                Scope::VexIngest,
                Scope::SbomIngest,
                Scope::SignalsWrite,
            ],
            Role::Analyst => &[
                Scope::AdvisoryRead,
                Scope::VexRead,
                Scope::SbomRead,
                Scope::SignalsRead,
                Scope::FindingsRead,
                Scope::AocVerify,
                Scope::RiskEvaluate,
                Scope::RiskRead,
                Scope::ReplayRead,
                Scope::ReplayRun,
            ],
            Role::Auditor => &[
                Scope::AdvisoryRead,
                Scope::VexRead,
                Scope::SbomRead,
                Scope::SignalsRead,
                Scope::FindingsRead,
                Scope::AocVerify,
                Scope::RiskRead,
                Scope::ReplayRead,
                Scope::AuthorityAuditRead,
            ],
            Role::Operator => &[
                Scope::AdvisoryRead,
                Scope::VexRead,
                Scope::SbomRead,
                Scope::SignalsRead,
                Scope::FindingsRead,
                Scope::AocVerify,
                Scope::EvidenceAdmin,
            ],
        }
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role: there are {all}", all = all())]
pub struct UnknownRole(pub String);

fn all() -> String {
    let names: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
    names.join(", ")
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Role::ALL.iter().find(|role| role.as_str() == text);
        known.copied().ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Role, Scope};

    #[test]
    fn names_read_back() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse::<Scope>().unwrap(), *scope);
        }
        assert!("advisory:Read".parse::<Scope>().is_err());
    }

    #[test]
    fn a_role_alone_breaks_no_condition() {
        for role in Role::ALL {
            for a in role.scopes() {
                assert!(
                    a.paired_with().is_none_or(|b| role.scopes().contains(&b)),
                    "{a}"
                );
                assert!(role.scopes().iter().all(|b| !a.forbidden_with(*b)), "{a}");
            }
        }
    }
}
