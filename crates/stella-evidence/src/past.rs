//! Findings at a moment of the past, matched again from the documents that stood then.
//!
//! What is derived is kept of now alone. An answer costs what its SBOM does when it is taken in: a
//! look at each advisory that names a package of it, and a reading of those that cover one. A page
//! costs the same as the whole.

use std::collections::{BTreeMap, BTreeSet};

use stella_api::TenantId;
use stella_service::Paging;
use stella_storage::Tx;

use crate::derive::{AT_ONCE, Matched, packages};
use crate::finding::Speaking;
use crate::moment::Moment;
use crate::store::{self, FindingFilter, FindingRow};
use crate::{Evidence, EvidenceError};

impl Evidence {
    /// Findings in an SBOM by id, as a list of now gives them.
    pub(crate) async fn findings_then(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        filter: &FindingFilter,
        at: Moment,
        paging: &Paging<String>,
    ) -> Result<Vec<FindingRow>, EvidenceError> {
        let sbom = filter.sbom.as_deref().unwrap_or_default();
        let naming = match &filter.vulnerability {
            Some(id) => Some(store::naming(tx, tenant, id).await?),
            None => None,
        };
        let components = store::components_by_package(tx, tenant, sbom).await?;
        let mut found = Matched::new();
        let mut advisories = store::advisories_then(tx, tenant, sbom, at).await?;
        advisories
            .retain(|one| (naming.as_ref()).is_none_or(|naming| naming.contains(&one.digest)));
        for advisories in advisories.chunks(AT_ONCE) {
            let packages = packages(tx, tenant, advisories).await?;
            let matched = self.matched(tx, tenant, (advisories, &packages), &components);
            found.extend(matched.await?);
        }
        let behind = |id: &String| (paging.after.as_ref()).is_none_or(|after| id > after);
        found.retain(|id, row| behind(id) && filter.admits(row));
        let limit = usize::try_from(paging.limit()).unwrap_or(usize::MAX);
        Ok(found.into_values().take(limit).collect())
    }
}

impl Speaking {
    /// The documents that spoke to some findings then.
    pub(crate) async fn then(
        tx: &mut Tx,
        tenant: &TenantId,
        findings: &[(FindingRow, Vec<String>)],
        at: Moment,
    ) -> Result<Self, EvidenceError> {
        let sboms: BTreeSet<&String> = findings.iter().map(|(row, _)| &row.sbom).collect();
        let identifiers = findings.iter().flat_map(|(_, ids)| ids.clone()).collect();
        let mut speaking = Self {
            sboms: BTreeMap::new(),
            naming: store::speaking_then(tx, tenant, &identifiers, at).await?,
            catalogues: store::catalogues_then(tx, tenant, at).await?,
        };
        for sbom in sboms {
            let records = store::provenance_then(tx, tenant, sbom, at).await?;
            let first = records.into_iter().next();
            speaking
                .sboms
                .extend(first.map(|record| (sbom.clone(), record)));
        }
        Ok(speaking)
    }
}
