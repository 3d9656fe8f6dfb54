//! The KEV floor and the VEX cap.

use std::collections::{BTreeMap, BTreeSet};

use stella_api::score::{Conflict, ConflictValue, SourceRef};

use super::ledger::{Ledger, Stated};
use crate::profile::GateRule;
use crate::reason::ReasonCode;
use crate::signals::{KevSignal, Source, TrustPolicy, VexSignal};
use stella_api::VexStatus;

/// Applies the floor for each listing, the earliest first; says so where there is none.
pub(super) fn kev(ledger: &mut Ledger, gate: &GateRule, listings: Option<&[KevSignal]>) {
    let Some(listings) = listings else {
        return ledger.undecided(gate.id, gate.bound, ReasonCode::KevNoCatalogue);
    };
    let mut entries: BTreeMap<(&str, &str), BTreeSet<&Source>> = BTreeMap::new();
    for listing in listings {
        entries
            .entry((&listing.date_added, &listing.cve))
            .or_default()
            .insert(&listing.source);
    }
    if entries.is_empty() {
        return ledger.idle(gate.id, ReasonCode::KevNotListed);
    }
    for ((date, cve), sources) in entries {
        let stated = Stated {
            signal: "kev",
            raw: format!("{cve} {date}"),
            by: None,
            sources: refs(&sources),
        };
        let reasons = [ReasonCode::KevFloor, ReasonCode::KevAboveFloor];
        ledger.bound(gate.id, gate.bound, reasons, stated);
    }
}

/// One VEX statement with all documents that make it; statements of trusted publishers sort
/// first, `not_affected` before all other statuses.
type Statement<'a> = (bool, VexStatus, &'a str, Option<&'a str>);

/// Applies the cap for each `not_affected` of a trusted publisher who does not also say that it is
/// affected or looked into; shows all other statements.
pub(super) fn vex(
    ledger: &mut Ledger,
    gate: &GateRule,
    signals: &[VexSignal],
    policy: &TrustPolicy,
) -> Option<Conflict> {
    let statements = statements(signals, policy);
    for (&(untrusted, status, publisher, justification), sources) in &statements {
        let raw = match justification {
            Some(justification) => format!("{status} {justification}"),
            None => status.to_string(),
        };
        let by = Some(publisher.to_owned());
        let stated = Stated {
            signal: "vex",
            raw,
            by,
            sources: refs(sources),
        };
        match (status, untrusted) {
            (VexStatus::NotAffected, false) if contradicted(publisher, &statements) => {
                ledger.unheeded(Some(gate.id), ReasonCode::VexSelfContradicted, stated);
            }
            (VexStatus::NotAffected, false) => {
                let reason = ReasonCode::VexTrustedNotAffected;
                ledger.bound(gate.id, gate.bound, [reason, reason], stated);
            }
            (VexStatus::NotAffected, true) => {
                ledger.unheeded(Some(gate.id), ReasonCode::VexUntrustedNotAffected, stated);
            }
            _ => ledger.unheeded(None, ReasonCode::VexStatementNoted, stated),
        }
    }
    conflict(&statements)
}

/// Whether a publisher's `not_affected` stands beside another word of the same publisher, so that
/// nobody can tell which one holds.
fn contradicted(publisher: &str, statements: &BTreeMap<Statement<'_>, BTreeSet<&Source>>) -> bool {
    let open = [VexStatus::Affected, VexStatus::UnderInvestigation];
    statements
        .keys()
        .any(|&(_, status, by, _)| by == publisher && open.contains(&status))
}

fn statements<'a>(
    signals: &'a [VexSignal],
    policy: &TrustPolicy,
) -> BTreeMap<Statement<'a>, BTreeSet<&'a Source>> {
    let mut statements: BTreeMap<Statement<'a>, BTreeSet<&Source>> = BTreeMap::new();
    for signal in signals {
        let untrusted = !policy.vex_publishers.contains(&signal.publisher);
        let key = (
            untrusted,
            signal.status,
            signal.publisher.as_str(),
            signal.justification.as_deref(),
        );
        statements.entry(key).or_default().insert(&signal.source);
    }
    statements
}

/// Statements of more than one status contradict each other.
fn conflict(statements: &BTreeMap<Statement<'_>, BTreeSet<&Source>>) -> Option<Conflict> {
    let mut statuses: BTreeMap<VexStatus, BTreeSet<&Source>> = BTreeMap::new();
    for (&(_, status, _, _), sources) in statements {
        statuses.entry(status).or_default().extend(sources);
    }
    if statuses.len() < 2 {
        return None;
    }
    let trusted = |one: &&Statement<'_>| !one.0 && one.1 == VexStatus::NotAffected;
    let capped = statements
        .keys()
        .filter(trusted)
        .any(|one| !contradicted(one.2, statements));
    let resolution = if capped {
        ReasonCode::VexTrustedNotAffected
    } else if statements.keys().any(|one| trusted(&one)) {
        ReasonCode::VexSelfContradicted
    } else if statuses.contains_key(&VexStatus::NotAffected) {
        ReasonCode::VexUntrustedNotAffected
    } else {
        ReasonCode::VexStatementNoted
    };
    // `not_affected` orders first, so that the value that is used stands first.
    let values = statuses.iter().map(|(status, sources)| ConflictValue {
        raw: status.to_string(),
        normalized: None,
        used: capped && *status == VexStatus::NotAffected,
        error: None,
        misstated: Vec::new(),
        sources: refs(sources),
    });
    Some(Conflict {
        signal: "vex".to_owned(),
        values: values.collect(),
        resolution: resolution.as_str().to_owned(),
    })
}

fn refs(sources: &BTreeSet<&Source>) -> Vec<SourceRef> {
    sources
        .iter()
        .map(|source| SourceRef::from(*source))
        .collect()
}
