//! The sealer: gives what was committed its place.
//!
//! Whoever seals a log holds the row of its head for one transaction; others pass on. All that the
//! sealer knows is read within that transaction, so that nothing is left to be lost with a lease:
//! a process that dies, or that PostgreSQL gives up on, has written nothing.

use stella_api::{Code, TenantId};
use stella_attest::{Chain, PublicKey};
use stella_canonical::Digest;
use stella_canonical::merkle::Frontier;
use stella_context::SystemContext;
use stella_signing::SigningKey;
use stella_storage::StoreError;

use super::store::{Head, Numbered};
use super::{Logs, checkpoint, unreadable};
use crate::{KeyStoreError, fault};

/// So many entries are sealed in one transaction, and signed.
const TOGETHER: usize = 1000;
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
            StoreError::Unavailable(_) => Code::Unavailable,
            StoreError::Unreadable { .. } => Code::LogCorrupt,
            _ => Code::Internal,
        });
        *self.stuck() = code;
        if !matches!(round, Ok(0)) {
            self.sealed.send_modify(|rounds| *rounds += 1);
        }
        round
    }

    async fn round(&self, system: &SystemContext) -> Result<usize, StoreError> {
        let waiting = self.unsealed(system).await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let keys = self.keys.public(system).await?;
        let key = self
            .keys
            .active(system)
            .await
            .map_err(|error| match error {
                KeyStoreError::Store(error) => error,
                KeyStoreError::Key(error) => unreadable("signing key", error),
            })?;
        let (mut sealed, mut failed) = (0, None);
        for (tenant, log) in waiting {
            loop {
                match self.seal_some(system, (&tenant, &log), &keys, &key).await {
                    Ok(0) => break,
                    Ok(some) => sealed += some,
                    Err(away @ StoreError::Unavailable(_)) => return Err(away),
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
        let Some(head) = self.take_head(&mut tx, tenant, log, PATIENCE).await? else {
            return Ok(0);
        };
        let waiting = self.waiting(&mut tx, tenant, log, TOGETHER).await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let mut chain = head.chain(tenant, log, keys)?;
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

impl Head {
    /// The chain that ends here, as we signed it: nobody else's end is built upon.
    pub(super) fn chain(
        &self,
        tenant: &TenantId,
        log: &str,
        keys: &[PublicKey],
    ) -> Result<Chain, StoreError> {
        let odd = |reason: String| unreadable(&format!("{log} head"), reason);
        let size = u64::try_from(self.size).map_err(|error| odd(error.to_string()))?;
        let subtrees: Vec<Digest> =
            serde_json::from_str(&self.subtrees).map_err(|error| odd(error.to_string()))?;
        let tree = Frontier::of(size, subtrees);
        let tree = tree.ok_or_else(|| odd("no tree has these subtrees".to_owned()))?;
        let last = self.last.as_deref().map(str::parse).transpose();
        let last = last.map_err(|_| odd("its last hash is none".to_owned()))?;
        let chain = Chain::at(tenant, log, tree, last);
        match &self.envelope {
            None if size == 0 => Ok(chain),
            None => Err(odd("it is not signed".to_owned())),
            Some(envelope) => {
                let (signed, _) = checkpoint::stored(envelope, keys).map_err(odd)?;
                match signed == chain.end() {
                    true => Ok(chain),
                    false => Err(odd("it is not what was signed".to_owned())),
                }
            }
        }
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
