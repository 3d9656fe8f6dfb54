//! Findings as they are told, with every document that speaks to them.

use std::collections::{BTreeMap, BTreeSet};

use stella_api::TenantId;
use stella_api::evidence::EvidenceKind;
use stella_api::findings::{
    Finding, FindingComponent, FindingPage, FindingRef, FindingSource, Match, SourceRole, Verdict,
};
use stella_canonical::{Digest, DigestError};
use stella_context::OpContext;
use stella_locale::Labels;
use stella_matching::Coordinates;
use stella_service::{Chunk, Failure, IdRange, IntoFailure as _, Line, Paging};
use stella_storage::{StoreError, Tx};

use crate::moment::Moment;
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
        let (tenant, at) = (op.tenant(), asked.at);
        let past = at != Moment::NOW;
        let mut tx = self.db.snapshot(op).await?;
        tx.plan_anew().await?;
        // Those of the past are matched here and now.
        let (pending, stuck) = match past {
            true => (0, None),
            false => self.pending(&mut tx, tenant).await?,
        };
        if pending == 0 && !store::has_ground(&mut tx, tenant, at).await? {
            return Err(EvidenceError::NoData(LIST));
        }
        let filter = asked.narrow(&mut tx, tenant).await?;
        let rows = match past {
            true => {
                self.findings_then(&mut tx, tenant, &filter, at, paging)
                    .await?
            }
            false => store::findings(&mut tx, tenant, &filter, paging).await?,
        };
        let page = paging.page(&at.list(LIST), rows, |row| row.id.clone());
        let items = told(&mut tx, tenant, page.items, at).await?;
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
        let found = told(&mut tx, op.tenant(), vec![row], Moment::NOW).await?;
        tx.commit().await?;
        let found = found.into_iter().next();
        found.ok_or_else(|| EvidenceError::Unknown(id.to_owned()))
    }
}

impl Evidence {
    /// The finding that each line names, for whoever needs many.
    pub(crate) async fn named(&self, op: &OpContext, lines: &[Line]) -> Chunk<Finding> {
        let asked: Vec<Result<String, Failure>> = lines.iter().map(asked_id).collect();
        let ids = asked.iter().flatten().cloned().collect();
        let found = async {
            let mut tx = self.db.read(op).await?;
            tx.plan_anew().await?;
            let rows = store::findings_named(&mut tx, op.tenant(), &ids).await?;
            let found = told(&mut tx, op.tenant(), rows, Moment::NOW).await?;
            tx.commit().await?;
            Ok::<_, EvidenceError>(found)
        };
        let found = found
            .await
            .map_err(EvidenceError::into_failure)?
            .into_iter();
        let found: BTreeMap<String, Finding> =
            found.map(|finding| (finding.id.clone(), finding)).collect();
        let each = asked.into_iter().map(|asked| {
            let id = asked?;
            let finding = found.get(&id).cloned();
            finding.ok_or_else(|| EvidenceError::Unknown(id).into_failure())
        });
        Ok(each.collect())
    }
}

fn asked_id(line: &Line) -> Result<String, Failure> {
    let FindingRef { finding_id } = line.object()?;
    match finding_id.parse::<Digest>() {
        Ok(_) => Ok(finding_id),
        Err(error) => Err(Failure::invalid("/findingId", error)),
    }
}

/// Which findings are asked for, as people name things; what is not said does not narrow it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) at: Moment,
    pub(crate) sbom: Option<IdRange>,
    pub(crate) vulnerability: Option<String>,
    pub(crate) component: Option<Coordinates>,
    pub(crate) publisher: Option<String>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) fixable: Option<bool>,
}

impl Asked {
    /// Reads the parameters of a list. What is asked of the past is matched for the answer: of one
    /// SBOM, for of all there would be no bound.
    pub(crate) fn read(
        at: Moment,
        sbom: Option<&str>,
        vulnerability: Option<String>,
        purl: Option<&str>,
    ) -> Result<Self, Failure> {
        if at != Moment::NOW && sbom.is_none() {
            let reason = Labels::english().text("refused-past-of-all");
            return Err(Failure::invalid("query:sbom", reason));
        }
        let sbom = sbom.map(|text| IdRange::read_at("query:sbom", text));
        let component = purl.map(|text| {
            Coordinates::from_purl(text).map_err(|error| Failure::invalid("query:purl", error))
        });
        Ok(Self {
            at,
            sbom: sbom.transpose()?,
            vulnerability,
            component: component.transpose()?,
            publisher: None,
            verdict: None,
            fixable: None,
        })
    }

    /// What these names stand for here. One that stands for nothing is told: an empty list would
    /// say that what was meant is not affected.
    async fn narrow(&self, tx: &mut Tx, tenant: &TenantId) -> Result<FindingFilter, EvidenceError> {
        let mut filter = FindingFilter {
            publisher: self.publisher.clone(),
            verdict: self.verdict.map(Verdict::as_str),
            fixable: self.fixable,
            ..FindingFilter::default()
        };
        if let Some(range) = &self.sbom {
            filter.sbom = Some(range.one(store::sboms_between(tx, tenant, range, self.at).await?)?);
        }
        if let Some(id) = &self.vulnerability {
            if !store::has_advisory_on(tx, tenant, id, self.at).await? {
                return Err(EvidenceError::Unknown(format!("advisory that names {id}")));
            }
            filter.vulnerability = Some(id.to_ascii_lowercase());
        }
        if let Some(component) = &self.component {
            let meant = spellings(tx, tenant, component, self.at).await?;
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
    at: Moment,
) -> Result<Vec<(String, String)>, EvidenceError> {
    let mut meant = Vec::new();
    for package in asked.package_keys() {
        let package = (asked.ecosystem.family().to_owned(), package);
        for (purl, version) in store::purls_of(tx, tenant, &package, at).await? {
            let read = stella_assess::coordinates(&purl, Some(&version))
                .map_err(|error| EvidenceError::unreadable(format!("component {purl}"), error))?;
            if asked.speaks_of(&read) {
                meant.push((purl, version));
            }
        }
    }
    Ok(meant)
}

/// Findings as they are told. However many they are, their documents are looked for together.
async fn told(
    tx: &mut Tx,
    tenant: &TenantId,
    rows: Vec<FindingRow>,
    at: Moment,
) -> Result<Vec<Finding>, EvidenceError> {
    let mut read = Vec::with_capacity(rows.len());
    for row in rows {
        let identifiers = row.list("identifiers", &row.identifiers)?;
        read.push((row, identifiers));
    }
    let speaking = match at == Moment::NOW {
        true => Speaking::to(tx, tenant, &read).await?,
        false => Speaking::then(tx, tenant, &read, at).await?,
    };
    let read = read.into_iter();
    read.map(|(row, identifiers)| finding(row, identifiers, &speaking))
        .collect()
}

fn finding(
    row: FindingRow,
    identifiers: Vec<String>,
    speaking: &Speaking,
) -> Result<Finding, EvidenceError> {
    let fixed_versions = row.list("fixed_versions", &row.fixed_versions)?;
    let verdict = match row.verdict.as_str() {
        "affected" => Verdict::Affected,
        "undetermined" => Verdict::Undetermined,
        other => {
            return Err(row
                .unreadable("verdict", format!("`{other}` is none"))
                .into());
        }
    };
    let sources = speaking.sources(&row, &identifiers)?;
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

/// The documents that speak to some findings.
pub(crate) struct Speaking {
    /// The first record of each SBOM.
    pub(crate) sboms: BTreeMap<String, SourceRow>,
    /// Advisories and VEX, by the id that they name.
    pub(crate) naming: BTreeMap<String, Vec<SourceRow>>,
    pub(crate) catalogues: Vec<SourceRow>,
}

impl Speaking {
    async fn to(
        tx: &mut Tx,
        tenant: &TenantId,
        findings: &[(FindingRow, Vec<String>)],
    ) -> Result<Self, StoreError> {
        let sboms = findings.iter().map(|(row, _)| row.sbom.clone()).collect();
        let identifiers = findings.iter().flat_map(|(_, ids)| ids.clone()).collect();
        let mut speaking = Self {
            sboms: BTreeMap::new(),
            catalogues: store::catalogue_heads(tx, tenant).await?,
            naming: store::speaking_of(tx, tenant, &identifiers).await?,
        };
        for record in store::provenance_of(tx, tenant, &sboms).await? {
            speaking
                .sboms
                .entry(record.digest.clone())
                .or_insert(record);
        }
        Ok(speaking)
    }

    /// Ordered by role, then document: the order enters digests, so it is part of the contract.
    fn sources(
        &self,
        row: &FindingRow,
        identifiers: &[String],
    ) -> Result<Vec<FindingSource>, EvidenceError> {
        let mut found = BTreeSet::new();
        if let Some(sbom) = self.sboms.get(&row.sbom) {
            found.insert((SourceRole::Sbom, ordered(sbom)));
        }
        let naming = identifiers.iter().filter_map(|id| self.naming.get(id));
        for source in naming.flatten() {
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
        let catalogues = self.catalogues.iter();
        found.extend(catalogues.map(|source| (SourceRole::Kev, ordered(source))));
        found
            .into_iter()
            .map(|(role, source)| shaped(role, source))
            .collect()
    }
}

type Ordered = (String, String, String, String);

fn ordered(row: &SourceRow) -> Ordered {
    let SourceRow {
        kind,
        digest,
        publisher,
        upstream_id,
    } = row.clone();
    (digest, publisher, upstream_id, kind)
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
