//! The sealer: gives what was committed its place.
//!
//! Whoever seals a log holds the row of its head for one transaction; others pass on. All that the
//! sealer knows is read within that transaction, so that nothing is left to be lost with a lease:
//! a process that dies, or that PostgreSQL gives up on, has written nothing.

use stella_api::{Code, TenantId};
use stella_attest::{Chain, LogName, PublicKey};
use stella_canonical::Digest;
use stella_canonical::merkle::Frontier;
use stella_context::{OpContext, SystemContext};
use stella_signing::SigningKey;
use stella_storage::{StoreError, Tx};

use super::store::{Head, Numbered};
use super::{Logs, checkpoint, unreadable};
use crate::audit::{self, Act};
use crate::fault;

/// So many entries are sealed in one transaction, and signed.
const TOGETHER: usize = 1000;
/// How many positions are read at a time.
const ROWS: u32 = 1000;
/// How long PostgreSQL waits for the next statement of a sealer, in milliseconds.
const PATIENCE: u32 = 10_000;

impl Logs {
    /// Seals what waits in the logs of every tenant; says how many entries. A log that is not as
    /// it was signed is not built upon, and keeps no other waiting.
    ///
    /// # Errors
    /// The database is away, or a log could not be sealed.
    pub async fn seal(&self, system: &SystemContext) -> Result<usize, StoreError> {
        let round = self.round(system).await;
        let code = round.as_ref().err().map(|error| match error {
            away if away.is_away() => Code::Unavailable,
            StoreError::Unreadable { .. } => Code::LogCorrupt,
            StoreError::Sealed(_) => Code::SigningKeyUnusable,
            _ => Code::Internal,
        });
        *self.stuck() = code;
        if !matches!(round, Ok(0)) {
            self.sealed.send_modify(|rounds| *rounds += 1);
        }
        self.count_waits().await;
        round
    }

    async fn round(&self, system: &SystemContext) -> Result<usize, StoreError> {
        let waiting = self.unsealed(system).await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let keys = self.keys.public(system).await?;
        let key = self.key(system).await?;
        let (mut sealed, mut failed) = (0, None);
        for (tenant, log) in waiting {
            loop {
                match self.seal_some(system, (&tenant, &log), &keys, &key).await {
                    Ok(0) => break,
                    Ok(some) => sealed += some,
                    Err(away) if away.is_away() => return Err(away),
                    Err(error) => {
                        tracing::error!(%tenant, log, %error, "cannot seal");
                        failed = Some(error);
                        break;
                    }
                }
            }
        }
        failed.map_or(Ok(sealed), Err)
    }

    /// Seals some of a log, and signs where it ends then; none where nothing waits or somebody
    /// else is at it.
    async fn seal_some(
        &self,
        system: &SystemContext,
        (tenant, log): (&TenantId, &str),
        keys: &[PublicKey],
        key: &SigningKey,
    ) -> Result<usize, StoreError> {
        let mut tx = self.db.system_in(system, tenant).await?;
        tx.plan_anew().await?;
        let Some(head) = self.take_head(&mut tx, tenant, log, PATIENCE).await? else {
            return Ok(0);
        };
        let waiting = self.waiting(&mut tx, tenant, log, TOGETHER).await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let (mut chain, mended) = self.chain(&mut tx, (tenant, log), &head, keys).await?;
        if mended {
            audit::record(&mut tx, (self.schema, tenant), system, self.act_of(log)).await?;
        }
        let mut numbered = Vec::with_capacity(waiting.len());
        for row in &waiting {
            let position = chain.tree().size() + 1;
            let entry = row.at(position).map_err(|reason| unreadable(log, reason))?;
            let hash = entry.hash(&chain).map_err(|error| unreadable(log, error))?;
            chain.follow(hash);
            let id = row.id;
            numbered.push(Numbered { position, id, hash });
        }
        self.number(&mut tx, tenant, log, &numbered).await?;
        fault::point("log-numbered");
        let signed = checkpoint::sign(key, &chain.end())?;
        let moved = (head.size, &Head::of(&chain, signed)?);
        if !self.move_head(&mut tx, tenant, log, moved).await? {
            return Err(unreadable(log, "its end moved under the lock"));
        }
        fault::point("log-written");
        tx.commit().await?;
        fault::point("log-sealed");
        Ok(waiting.len())
    }
}

impl Logs {
    /// The chain that ends at a head, as we signed it: nobody else's end is built upon. What the
    /// head keeps besides the signature serves to go on without reading the log again: where it
    /// is not what was signed, it is made again of the stored hashes, and that is told.
    async fn chain(
        &self,
        tx: &mut Tx,
        (tenant, log): (&TenantId, &str),
        head: &Head,
        keys: &[PublicKey],
    ) -> Result<(Chain, bool), StoreError> {
        let odd = |reason: String| unreadable(&format!("{log} head"), reason);
        let kept = head.kept(self.name(tenant, log));
        let Some(envelope) = &head.envelope else {
            return match kept {
                Some(chain) if chain.tree().size() == 0 => Ok((chain, false)),
                _ => Err(odd("it is not signed".to_owned())),
            };
        };
        let (signed, _) = checkpoint::stored(envelope, keys).map_err(odd)?;
        if let Some(chain) = kept.filter(|chain| chain.ends_at(&signed)) {
            return Ok((chain, false));
        }
        let mut chain = Chain::new(self.name(tenant, log));
        while chain.tree().size() < signed.size {
            let span = (chain.tree().size(), signed.size);
            let rows = self.rows(tx, tenant, log, span, ROWS).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let hash: Result<Digest, _> = row.hash.parse();
                chain.follow(hash.map_err(|_| odd("a hash of it is none".to_owned()))?);
            }
        }
        if !chain.ends_at(&signed) {
            return Err(odd("it is not what was signed".to_owned()));
        }
        tracing::error!(%tenant, log, "the head of a log was edited; it is made again");
        Ok((chain, true))
    }

    /// Makes again what the head of a log keeps, where it is not what was signed; says whether it
    /// was.
    ///
    /// # Errors
    /// The database is away, or the log is not what was signed.
    pub async fn mend(&self, op: &OpContext, log: &str) -> Result<bool, StoreError> {
        let keys = self.public_keys().await?;
        let tenant = op.tenant();
        let mut tx = self.db.write(op).await?;
        let Some(head) = self.take_head(&mut tx, tenant, log, PATIENCE).await? else {
            // The sealer has it, and does so itself.
            return Ok(false);
        };
        let (chain, mended) = self.chain(&mut tx, (tenant, log), &head, &keys).await?;
        if mended && let Some(envelope) = head.envelope {
            let moved = (head.size, &Head::of(&chain, envelope)?);
            self.move_head(&mut tx, tenant, log, moved).await?;
            self.audit(&mut tx, op, self.act_of(log)).await?;
            tx.commit().await?;
            self.committed();
        }
        Ok(mended)
    }

    fn act_of(&self, log: &str) -> Act {
        Act::done(format!("{}.log.mended", self.schema), log)
    }
}

impl Head {
    /// The chain that it keeps, where that can be one.
    pub(super) fn kept(&self, of: LogName) -> Option<Chain> {
        let size = u64::try_from(self.size).ok()?;
        let subtrees: Vec<Digest> = serde_json::from_str(&self.subtrees).ok()?;
        let tree = Frontier::of(size, subtrees)?;
        let last = self.last.as_deref().map(str::parse).transpose().ok()?;
        Some(Chain::at(of, tree, last))
    }

    fn of(chain: &Chain, envelope: String) -> Result<Self, StoreError> {
        let tree = chain.tree();
        let subtrees = serde_json::to_string(tree.subtrees());
        Ok(Self {
            size: i64::try_from(tree.size()).unwrap_or(i64::MAX),
            last: chain.last().map(|last| last.to_string()),
            subtrees: subtrees.map_err(|error| unreadable("head", error))?,
            envelope: Some(envelope),
        })
    }
}
