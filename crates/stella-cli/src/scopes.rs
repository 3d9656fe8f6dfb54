//! What each verb asks a token for: never more than it needs.

use stella_api::Scope;
use stella_api::evidence::EvidenceKind;

/// To take evidence in.
pub const INGEST: &[Scope] = &[
    Scope::AdvisoryIngest,
    Scope::VexIngest,
    Scope::SbomIngest,
    Scope::SignalsWrite,
];

/// To see findings.
pub const FINDINGS: &[Scope] = &[Scope::FindingsRead];

/// To see evidence of every kind.
pub const EVIDENCE: &[Scope] = &[
    Scope::AdvisoryRead,
    Scope::VexRead,
    Scope::SbomRead,
    Scope::SignalsRead,
    Scope::AocVerify,
];

/// To verify what is stored.
pub const VERIFY: &[Scope] = &[Scope::AocVerify];

/// To have what is derived derived again.
pub const REBUILD: &[Scope] = &[Scope::EvidenceAdmin];

/// To see who did what.
pub const AUDIT: &[Scope] = &[Scope::AuthorityAuditRead];

/// These scopes and those that show evidence: the services read it with the rights of whoever
/// asks.
macro_rules! beside_evidence {
    ($($scope:ident),+) => {
        &[
            $(Scope::$scope,)+
            Scope::AdvisoryRead,
            Scope::VexRead,
            Scope::SbomRead,
            Scope::SignalsRead,
            Scope::AocVerify,
        ]
    };
}

/// To evaluate scores.
pub const EVALUATE: &[Scope] = beside_evidence![RiskEvaluate, FindingsRead];

/// To give an answer again: of findings a replay reads none.
pub const REPLAY: &[Scope] = beside_evidence![ReplayRun, RiskRead];

/// To evaluate scores and read them.
pub const SCORE: &[Scope] = beside_evidence![RiskEvaluate, RiskRead, FindingsRead];

/// To evaluate scores, explain them and give their replay tokens; what `up` reports with.
pub const EXPLAIN: &[Scope] = beside_evidence![RiskEvaluate, RiskRead, ReplayRun, FindingsRead];

/// To see evidence of one kind.
pub(crate) fn reading(kind: EvidenceKind) -> &'static [Scope] {
    match kind {
        EvidenceKind::Advisory => &[Scope::AdvisoryRead, Scope::AocVerify],
        EvidenceKind::Vex => &[Scope::VexRead, Scope::AocVerify],
        EvidenceKind::Sbom => &[Scope::SbomRead],
        EvidenceKind::Signal => &[Scope::SignalsRead],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_can_be_granted() {
        let sets = [
            INGEST, FINDINGS, EVIDENCE, VERIFY, REBUILD, AUDIT, EVALUATE, REPLAY, SCORE, EXPLAIN,
        ];
        let kinds = EvidenceKind::ALL.iter().map(|kind| reading(*kind));
        for set in sets.into_iter().chain(kinds) {
            for scope in set {
                assert!(scope.paired_with().is_none_or(|other| set.contains(&other)));
                assert!(!set.iter().any(|other| scope.forbidden_with(*other)));
            }
        }
    }
}
