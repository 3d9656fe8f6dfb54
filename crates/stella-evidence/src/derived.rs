//! What is stored as derived from a document, compared with what is derived from it now.

use std::collections::BTreeMap;

use stella_api::TenantId;
use stella_api::evidence::EvidenceKind;
use stella_formats::Document;
use stella_storage::{StoreError, Tx};

use crate::derive::Matched;
use crate::moment::Moment;
use crate::store::{self, Index, Key};
use crate::{Evidence, EvidenceError};

/// What of it does not fit, a table each: the first row of it.
#[derive(Debug, Default)]
pub(crate) struct Mismatch {
    /// Of the index of ids, packages and components.
    pub(crate) index: Vec<String>,
    /// Of the head and the findings.
    pub(crate) matched: Option<String>,
}

impl Evidence {
    /// Compares, in a snapshot, what stands in the derived tables with what a document says. The
    /// index is compared for each document, head and findings for the newest revision of an
    /// advisory alone: no finding is another document's. What waits to be derived from is left out,
    /// which is worked off before.
    pub(crate) async fn mismatch(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        key: &Key,
        document: &Document,
    ) -> Result<Mismatch, EvidenceError> {
        let derived = Index::of(&key.digest, document)?;
        let stored = store::indexed(tx, tenant, &key.digest).await?;
        let index = [
            differs("names", &derived.names, &stored.names),
            differs("packages", &derived.packages, &stored.packages),
            differs("components", &derived.components, &stored.components),
        ];
        Ok(Mismatch {
            index: index.into_iter().flatten().collect(),
            matched: self.mismatched(tx, tenant, key).await?,
        })
    }

    async fn mismatched(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        key: &Key,
    ) -> Result<Option<String>, EvidenceError> {
        if key.kind == EvidenceKind::Sbom || store::is_any_due(tx, tenant, key).await? {
            return Ok(None);
        }
        let newest = store::newest(tx, tenant, key, Moment::NOW).await?;
        if newest.as_ref() != Some(&key.digest) {
            return Ok(None);
        }
        let head = store::head(tx, tenant, key).await?;
        if head != newest {
            let head = head.unwrap_or_else(|| "nothing".to_owned());
            return Ok(Some(format!(
                "heads: {head} stands for its newest revision"
            )));
        }
        if key.kind != EvidenceKind::Advisory {
            return Ok(None);
        }
        let stored = store::findings_of(tx, tenant, &key.publisher, &key.upstream_id).await?;
        let mut stored: Matched = (stored.into_iter())
            .map(|row| (row.id.clone(), row))
            .collect();
        let mut derived = match self
            .findings_by(tx, tenant, std::slice::from_ref(key))
            .await
        {
            Ok(derived) => derived,
            // It is derived from rows of the index, which somebody may have edited.
            Err(EvidenceError::Store(error @ StoreError::Unreadable { .. })) => {
                return Ok(Some(error.to_string()));
            }
            Err(error) => return Err(error),
        };
        if stored.is_empty() && derived.is_empty() {
            return Ok(None);
        }
        for due in store::due_of(tx, tenant).await? {
            derived.retain(|_, row| row.sbom != due.digest);
            stored.retain(|_, row| row.sbom != due.digest);
        }
        Ok(differs("findings", &derived, &stored))
    }
}

/// The first row that the two have not the same.
fn differs<T: PartialEq>(
    table: &str,
    derived: &BTreeMap<String, T>,
    stored: &BTreeMap<String, T>,
) -> Option<String> {
    let first = derived
        .iter()
        .find(|(name, row)| stored.get(*name) != Some(*row));
    let first = first.map(|(name, _)| match stored.contains_key(name) {
        true => (name, "was changed"),
        false => (name, "is not there"),
    });
    let more = || stored.keys().find(|name| !derived.contains_key(*name));
    let (name, what) = first.or_else(|| more().map(|name| (name, "does not follow from it")))?;
    Some(format!("{table}: `{name}` {what}"))
}
