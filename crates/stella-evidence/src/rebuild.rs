//! Deriving again from the kept documents what does not follow from them.

use std::time::Duration;

use stella_api::audit::AuditOutcome;
use stella_api::findings::Stuck;
use stella_api::rebuild::RebuildAnswer;
use stella_canonical::{Digest, DigestError};
use stella_context::OpContext;
use stella_service::{Act, IntoFailure as _};
use tokio::time::Instant;

use crate::change::LOG;
use crate::store::{self, Index};
use crate::{Evidence, EvidenceError};

/// How many documents are looked up at a time.
const TOGETHER: u32 = 500;
/// How many that could not be derived from are told.
const EXAMPLES: usize = 10;

impl Evidence {
    /// Compares what is derived with the documents behind one, by digest, and derives again where
    /// it does not fit. Of two that are matched with one another, whichever comes later sees the
    /// other mended: once over all of them is enough, after what is no document's is dropped. One
    /// that cannot be matched before another is mended stays due, and its turn comes at the end.
    pub(crate) async fn rebuild(
        &self,
        op: &OpContext,
        after: Option<String>,
        time: Duration,
    ) -> Result<RebuildAnswer, EvidenceError> {
        let over = Instant::now() + time;
        let mut answer = RebuildAnswer::default();
        // First: deriving would take them for a document's.
        if after.is_none() {
            let mut tx = self.db.write(op).await?;
            answer.dropped = store::drop_strays(&mut tx, op.tenant()).await?;
            tx.commit().await?;
        }
        let mut after = after.unwrap_or_default();
        'all: loop {
            let mut tx = self.db.read(op).await?;
            let digests = store::digests_behind(&mut tx, op.tenant(), &after, TOGETHER).await?;
            tx.commit().await?;
            if digests.is_empty() {
                self.mend_rest(op, &mut answer).await?;
                break;
            }
            for digest in digests {
                answer.compared += 1;
                match self.rebuild_one(op, &digest).await {
                    Ok(mended) => answer.mended += u64::from(mended),
                    Err(error) => note(&mut answer, &digest, error)?,
                }
                after = digest;
                if Instant::now() > over {
                    answer.next = Some(after);
                    break 'all;
                }
            }
        }
        let mut act = Act::done("evidence.derived.rebuilt", op.tenant())
            .with("compared", answer.compared)
            .with("mended", answer.mended)
            .with("dropped", answer.dropped);
        if let Some(first) = answer.examples.first() {
            act = act.ended(AuditOutcome::Failure, &first.code);
        }
        self.logs.audit_alone(op, act).await?;
        Ok(answer)
    }

    /// What is still due, and what the end of the log keeps.
    async fn mend_rest(
        &self,
        op: &OpContext,
        answer: &mut RebuildAnswer,
    ) -> Result<(), EvidenceError> {
        let mut tx = self.db.read(op).await?;
        let due = store::due_of(&mut tx, op.tenant()).await?;
        tx.commit().await?;
        for (key, failure) in self.derive_due(op, due).await {
            note(answer, &key.digest, failure.into())?;
        }
        self.logs.mend(op, LOG).await?;
        Ok(())
    }

    /// Whether something had to be mended.
    async fn rebuild_one(&self, op: &OpContext, digest: &str) -> Result<bool, EvidenceError> {
        let tenant = op.tenant();
        let mut tx = self.db.read(op).await?;
        let keys = store::keys_of(&mut tx, tenant, digest).await?;
        let inline = store::raw(&mut tx, tenant, digest).await?;
        tx.commit().await?;
        let unreadable = |reason: &dyn ToString| {
            EvidenceError::unreadable(format!("document {digest}"), reason.to_string())
        };
        let name: Digest = digest
            .parse()
            .map_err(|error: DigestError| unreadable(&error))?;
        let inline = inline.and_then(|row| row.bytes);
        let bytes = self.bytes(tenant, &name, inline).await?;
        let document = stella_formats::read(&bytes).map_err(|error| unreadable(&error))?;
        let (mut index, mut all) = (false, true);
        let mut tx = self.db.snapshot(op).await?;
        for key in &keys {
            let mismatch = self.mismatch(&mut tx, tenant, key, &document).await?;
            index |= !mismatch.index.is_empty();
            all &= mismatch.matched.is_none();
        }
        tx.commit().await?;
        if all && !index {
            return Ok(false);
        }
        let mut tx = self.db.write(op).await?;
        if index {
            store::drop_index(&mut tx, tenant, digest).await?;
            let index = Index::of(digest, &document)?;
            store::add_index(&mut tx, tenant, &[(digest, index)]).await?;
            // Also of advisories that only a row spoke to which is gone now.
            store::drop_findings_of_sbom(&mut tx, tenant, digest).await?;
        }
        store::mark_due(&mut tx, op, &keys).await?;
        tx.commit().await?;
        let failed = self.derive_due(op, keys.into_iter().collect()).await;
        match failed
            .into_values()
            .find(|failure| failure.code().retryable())
        {
            Some(failure) => Err(failure.into()),
            None => Ok(true),
        }
    }
}

/// A document that cannot be derived from keeps none of the others waiting.
fn note(
    answer: &mut RebuildAnswer,
    digest: &str,
    error: EvidenceError,
) -> Result<(), EvidenceError> {
    let failure = error.into_failure();
    if failure.code().retryable() {
        return Err(failure.into());
    }
    answer.failed += 1;
    if answer.examples.len() < EXAMPLES {
        answer.examples.push(Stuck {
            document: digest.to_owned(),
            code: failure.code().to_string(),
            detail: failure.detail(),
        });
    }
    Ok(())
}
