//! Reading documents back: records and exact bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use stella_api::evidence::{DocumentRecord, EvidenceKind};
use stella_api::{Page, TenantId};
use stella_canonical::Digest;
use stella_context::OpContext;
use stella_service::Paging;

use crate::moment::Moment;
use crate::store::{self, DocumentFilter};
use crate::{BUCKET, Evidence, EvidenceError};

pub(crate) const LIST: &str = "documents";

/// The exact bytes of a document.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) digest: String,
    pub(crate) sha256_base64: String,
    pub(crate) media_type: String,
    pub(crate) bytes: Vec<u8>,
}

/// The kinds that the operation's scopes show; what the others would show is not there.
pub(crate) fn visible(op: &OpContext) -> Vec<EvidenceKind> {
    let kinds = EvidenceKind::ALL.iter().copied();
    kinds.filter(|kind| op.permits(kind.read_scope())).collect()
}

impl Evidence {
    /// The records of documents, by digest, publisher and stream.
    pub(crate) async fn documents(
        &self,
        op: &OpContext,
        filter: DocumentFilter,
        paging: &Paging<(String, String, String)>,
    ) -> Result<Page<DocumentRecord>, EvidenceError> {
        let mut tx = self.db.read(op).await?;
        // Of all kinds: a filter that nothing fits is no empty store, also where the token shows
        // but the kinds of the filter.
        if !store::has_documents(&mut tx, op.tenant()).await? {
            return Err(EvidenceError::NoData(LIST));
        }
        let mut rows = store::documents(&mut tx, op.tenant(), &filter, paging).await?;
        store::tell_sightings(&mut tx, op.tenant(), &mut rows, filter.at).await?;
        tx.commit().await?;
        Ok(paging.page(&filter.at.list(LIST), rows, store::origin))
    }

    /// The record of one document.
    pub(crate) async fn record(
        &self,
        op: &OpContext,
        id: &str,
    ) -> Result<DocumentRecord, EvidenceError> {
        let mut tx = self.db.read(op).await?;
        let mut record = store::record(&mut tx, op.tenant(), id).await?;
        store::tell_sightings(&mut tx, op.tenant(), record.as_mut_slice(), Moment::NOW).await?;
        tx.commit().await?;
        let shown = record.filter(|record| visible(op).contains(&record.kind));
        shown.ok_or_else(|| unknown(id))
    }

    /// The bytes of one document, exactly as they came: never others.
    pub(crate) async fn raw(&self, op: &OpContext, id: &str) -> Result<Raw, EvidenceError> {
        let digest: Digest = id.parse().map_err(|_| unknown(id))?;
        let mut tx = self.db.read(op).await?;
        let row = store::raw(&mut tx, op.tenant(), id).await?;
        let record = store::record(&mut tx, op.tenant(), id).await?;
        tx.commit().await?;
        let shown = record.filter(|record| visible(op).contains(&record.kind));
        let (Some(row), Some(record)) = (row, shown) else {
            return Err(unknown(id));
        };
        let bytes = self.bytes(op.tenant(), &digest, row.bytes).await?;
        Ok(Raw {
            digest: digest.to_string(),
            sha256_base64: STANDARD.encode(digest.as_bytes()),
            media_type: record.content.media_type,
            bytes,
        })
    }
}

impl Evidence {
    /// The stored bytes of a document, those of its row, else the object store's: never others
    /// than came.
    pub(crate) async fn bytes(
        &self,
        tenant: &TenantId,
        digest: &Digest,
        inline: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, EvidenceError> {
        match inline {
            Some(bytes) => match Digest::of(&bytes) {
                actual if actual == *digest => Ok(bytes),
                actual => Err(EvidenceError::other_bytes(digest, &actual)),
            },
            None => Ok(self.objects.get(BUCKET, tenant, digest).await?),
        }
    }
}

fn unknown(id: &str) -> EvidenceError {
    EvidenceError::Unknown(format!("document {id}"))
}
