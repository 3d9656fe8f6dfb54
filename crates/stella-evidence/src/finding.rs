//! Findings as they are told, with every document that speaks to them.

use std::collections::BTreeSet;

use stella_api::evidence::EvidenceKind;
use stella_api::findings::{
    Finding, FindingComponent, FindingPage, FindingSource, Match, SourceRole, Verdict,
};
use stella_canonical::{Digest, DigestError};
use stella_context::OpContext;
use stella_service::{Failure, IdRange, IntoFailure as _, Paging};
use stella_storage::Tx;

use crate::store::{self, FindingFilter, FindingRow, SourceRow};
use crate::{Evidence, EvidenceError};

pub(crate) const LIST: &str = "findings";

impl Evidence {
    /// Findings by id. Where documents wait to be derived from, an empty list is no answer yet:
    /// it says so.
    pub(crate) async fn findings(
        &self,
        op: &OpContext,
        filter: &FindingFilter,
        paging: &Paging<String>,
    ) -> Result<FindingPage, EvidenceError> {
        let mut tx = self.db.read(op).await?;
        let (pending, stuck) = self.pending(&mut tx, op.tenant()).await?;
        if pending == 0 && !store::has_ground(&mut tx, op.tenant()).await? {
            return Err(EvidenceError::NoData(LIST));
        }
        let rows = store::findings(&mut tx, op.tenant(), filter, paging).await?;
        let page = paging.page(LIST, rows, |row| row.id.clone());
        let mut items = Vec::with_capacity(page.items.len());
        for row in page.items {
            items.push(told(&mut tx, op, row).await?);
        }
        tx.commit().await?;
        Ok(FindingPage {
            items,
            next_page_token: page.next_page_token,
            pending,
            stuck,
        })
    }

    /// The finding of an id, or of an unambiguous prefix.
    pub(crate) async fn finding(&self, op: &OpContext, id: &str) -> Result<Finding, Failure> {
        let range = IdRange::read(id)?;
        let told = async {
            let mut tx = self.db.read(op).await?;
            let rows = store::findings_between(&mut tx, op.tenant(), &range).await?;
            let mut items = Vec::with_capacity(rows.len());
            for row in rows {
                items.push(told(&mut tx, op, row).await?);
            }
            tx.commit().await?;
            Ok::<_, EvidenceError>(items)
        };
        range.one(told.await.map_err(EvidenceError::into_failure)?)
    }
}

async fn told(tx: &mut Tx, op: &OpContext, row: FindingRow) -> Result<Finding, EvidenceError> {
    let list = |column, text: &str| {
        serde_json::from_str::<Vec<String>>(text).map_err(|error| row.unreadable(column, error))
    };
    let identifiers = list("identifiers", &row.identifiers)?;
    let fixed_versions = list("fixed_versions", &row.fixed_versions)?;
    let verdict = match row.verdict.as_str() {
        "affected" => Verdict::Affected,
        "undetermined" => Verdict::Undetermined,
        other => {
            return Err(row
                .unreadable("verdict", format!("`{other}` is none"))
                .into());
        }
    };
    let sources = sources(tx, op, &row, &identifiers).await?;
    Ok(Finding {
        id: row.id,
        component: FindingComponent {
            sbom: row.sbom,
            bom_ref: row.bom_ref,
            pointer: row.pointer,
            purl: row.purl,
            name: row.name,
            version: row.version,
        },
        vulnerability: row.upstream_id,
        publisher: row.publisher,
        vulnerability_ids: identifiers,
        summary: row.summary,
        matched: Match {
            verdict,
            rule: row.rule,
            range: row.range,
            document: row.advisory,
            pointer: row.advisory_pointer,
        },
        fixed_versions,
        informational: row.informational,
        sources,
    })
}

/// Ordered by role, then document: the order enters digests, so it is part of the contract.
async fn sources(
    tx: &mut Tx,
    op: &OpContext,
    row: &FindingRow,
    identifiers: &[String],
) -> Result<Vec<FindingSource>, EvidenceError> {
    let mut found = BTreeSet::new();
    if let Some(sbom) = store::provenance_of(tx, op.tenant(), &row.sbom).await? {
        found.insert((SourceRole::Sbom, ordered(sbom)));
    }
    for identifier in identifiers {
        for source in store::speaking_of(tx, op.tenant(), identifier).await? {
            let own = source.digest == row.advisory
                && source.publisher == row.publisher
                && source.upstream_id == row.upstream_id;
            let role = match source.kind.as_str() {
                "vex" => SourceRole::Vex,
                _ if own => SourceRole::Advisory,
                _ => SourceRole::Alias,
            };
            found.insert((role, ordered(source)));
        }
    }
    for source in store::signal_heads(tx, op.tenant()).await? {
        found.insert((SourceRole::Kev, ordered(source)));
    }
    found
        .into_iter()
        .map(|(role, source)| shaped(role, source))
        .collect()
}

type Ordered = (String, String, String, String);

fn ordered(row: SourceRow) -> Ordered {
    (row.digest, row.publisher, row.upstream_id, row.kind)
}

fn shaped(
    role: SourceRole,
    (document, publisher, upstream_id, kind): Ordered,
) -> Result<FindingSource, EvidenceError> {
    let unreadable = |reason: &dyn ToString| {
        let what = format!("head of {publisher} {upstream_id}");
        EvidenceError::unreadable(what, reason.to_string())
    };
    let kind: EvidenceKind = kind.parse().map_err(|error: String| unreadable(&error))?;
    // Whoever scores the finding asks for the document by it.
    let _: Digest = document
        .parse()
        .map_err(|error: DigestError| unreadable(&error))?;
    Ok(FindingSource {
        role,
        kind,
        document,
        publisher,
        upstream_id,
    })
}
