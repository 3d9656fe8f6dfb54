//! Findings as they are told, with every document that speaks to them.

use std::collections::BTreeSet;

use stella_api::TenantId;
use stella_api::evidence::EvidenceKind;
use stella_api::findings::{
    Finding, FindingComponent, FindingPage, FindingSource, Match, SourceRole, Verdict,
};
use stella_canonical::{Digest, DigestError};
use stella_context::OpContext;
use stella_matching::Coordinates;
use stella_service::{Failure, IdRange, Paging};
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
        asked: &Asked,
        paging: &Paging<String>,
    ) -> Result<FindingPage, EvidenceError> {
        let mut tx = self.db.read(op).await?;
        let (pending, stuck) = self.pending(&mut tx, op.tenant()).await?;
        if pending == 0 && !store::has_ground(&mut tx, op.tenant()).await? {
            return Err(EvidenceError::NoData(LIST));
        }
        let filter = asked.narrow(&mut tx, op.tenant()).await?;
        let rows = store::findings(&mut tx, op.tenant(), &filter, paging).await?;
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
    pub(crate) async fn finding(&self, op: &OpContext, id: &str) -> Result<Finding, EvidenceError> {
        let range = IdRange::read(id)?;
        let mut tx = self.db.read(op).await?;
        let row = range.one(store::findings_between(&mut tx, op.tenant(), &range).await?)?;
        let finding = told(&mut tx, op, row).await?;
        tx.commit().await?;
        Ok(finding)
    }
}

/// Which findings are asked for, as people name things; what is not said does not narrow it.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) sbom: Option<IdRange>,
    pub(crate) vulnerability: Option<String>,
    pub(crate) component: Option<Coordinates>,
}

impl Asked {
    /// Reads the parameters of a list.
    pub(crate) fn read(
        sbom: Option<&str>,
        vulnerability: Option<String>,
        purl: Option<&str>,
    ) -> Result<Self, Failure> {
        let sbom = sbom.map(|text| IdRange::read_at("query:sbom", text));
        let component = purl.map(|text| {
            Coordinates::from_purl(text).map_err(|error| Failure::invalid("query:purl", error))
        });
        Ok(Self {
            sbom: sbom.transpose()?,
            vulnerability,
            component: component.transpose()?,
        })
    }

    /// What these names stand for here. One that stands for nothing is told: an empty list would
    /// say that what was meant is not affected.
    async fn narrow(&self, tx: &mut Tx, tenant: &TenantId) -> Result<FindingFilter, EvidenceError> {
        let mut filter = FindingFilter::default();
        if let Some(range) = &self.sbom {
            filter.sbom = Some(range.one(store::sboms_between(tx, tenant, range).await?)?);
        }
        if let Some(id) = &self.vulnerability {
            if !store::has_advisory_on(tx, tenant, id).await? {
                return Err(EvidenceError::Unknown(format!("advisory that names {id}")));
            }
            filter.vulnerability = Some(id.to_ascii_lowercase());
        }
        if let Some(component) = &self.component {
            let meant = spellings(tx, tenant, component).await?;
            if meant.is_empty() {
                return Err(EvidenceError::Unknown(format!(
                    "component {}",
                    component.purl
                )));
            }
            filter.components = Some(meant);
        }
        Ok(filter)
    }
}

/// How SBOMs write what a package URL speaks of: package URL, and the version beside it.
async fn spellings(
    tx: &mut Tx,
    tenant: &TenantId,
    asked: &Coordinates,
) -> Result<Vec<(String, String)>, EvidenceError> {
    let mut meant = Vec::new();
    for package in asked.package_keys() {
        let package = (asked.ecosystem.as_str().to_owned(), package);
        for (purl, version) in store::purls_of(tx, tenant, &package).await? {
            let read = stella_assess::coordinates(&purl, Some(&version))
                .map_err(|error| EvidenceError::unreadable(format!("component {purl}"), error))?;
            if asked.speaks_of(&read) {
                meant.push((purl, version));
            }
        }
    }
    Ok(meant)
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
