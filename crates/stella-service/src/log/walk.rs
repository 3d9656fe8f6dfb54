//! Verifying a log: from its first entry to its signed end, some at a time.

use stella_api::Code;
use stella_api::dsse::Envelope;
use stella_api::log::Checkpoint;
use stella_attest::{Chain, PublicKey, signed_end};
use stella_canonical::Digest;
use stella_context::{Clock, OpContext, SystemContext};
use stella_storage::StoreError;

use super::pause::Standing;
use super::store::{Head, Row};
use super::{Logs, Sealed, checkpoint};
use crate::{Failure, IntoFailure as _};

/// How many positions are read at a time.
const TOGETHER: u32 = 500;

/// What is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A position does not hold what was sealed there.
    Entry {
        /// Which.
        position: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// What its head keeps to go on by is not what its entries give.
    Head,
    /// The signature of its end does not hold, or not for these entries.
    Unsigned {
        /// Why.
        reason: String,
    },
    /// An earlier checkpoint says something else of its past.
    Rewritten {
        /// Up to which position.
        size: u64,
        /// What is wrong.
        reason: String,
    },
    /// Something that was added has no position and waits for none.
    Lost {
        /// What it is about; nothing where the entry itself is gone.
        subject: String,
    },
}

impl Fault {
    /// The fault of a log as an error that can be told.
    #[must_use]
    pub fn failure(&self, log: &str) -> Failure {
        match self {
            Self::Entry { position, reason } => Failure::new(Code::LogCorrupt)
                .with("what", format!("{log} entry {position}"))
                .with("reason", reason),
            Self::Head => Failure::new(Code::LogCorrupt)
                .with("what", format!("{log} head"))
                .with(
                    "reason",
                    "it keeps other hashes than its entries give; whoever seals next mends it",
                ),
            Self::Unsigned { reason } => Failure::new(Code::LogUnsigned).with("reason", reason),
            Self::Rewritten { size, reason } => Failure::new(Code::LogRewritten)
                .with("size", size)
                .with("reason", reason),
            Self::Lost { subject } => Failure::new(Code::LogCorrupt)
                .with("what", format!("{log} entry of {subject}"))
                .with("reason", "it has no place in the log and waits for none"),
        }
    }
}

/// A log on its way to be verified. What is added meanwhile is not looked at.
#[derive(Debug)]
pub struct Walk {
    log: &'static str,
    /// Of the entries that are there.
    chain: Chain,
    position: u64,
    /// Where it ends, as its head says.
    size: u64,
    head: Option<Head>,
    unsealed: u64,
    keys: Vec<PublicKey>,
    earlier: Option<Checkpoint>,
    /// The root of that one, also when it was compared.
    compared: Option<String>,
    faults: Vec<Fault>,
    /// Where it goes on from, if it is paused, and how many faults there were.
    settled: (Standing, usize),
}

impl Logs {
    /// Begins at the first entry of a log, or where a walk was paused; with a checkpoint that was
    /// kept elsewhere, which must turn out to be of its past.
    ///
    /// # Errors
    /// The database is away, or no walk over this log with this checkpoint was paused there.
    pub async fn walk(
        &self,
        op: &OpContext,
        log: &'static str,
        earlier: Option<&Envelope>,
        resume: Option<&Envelope>,
    ) -> Result<Walk, Failure> {
        let mut walk = self
            .begin(op, log)
            .await
            .map_err(StoreError::into_failure)?;
        if let Some(envelope) = resume {
            let odd = |reason: String| Failure::invalid("/resume", reason);
            let read = Standing::read(envelope, &walk.keys, walk.chain.of());
            let (standing, chain) = read.map_err(odd)?;
            // What there was to say of the whole was said before.
            walk.faults.clear();
            walk.position = standing.position;
            walk.chain = chain;
            walk.go_on_with(&standing, earlier).map_err(odd)?;
        } else {
            walk.compare_with(earlier);
        }
        walk.settle();
        Ok(walk)
    }

    async fn begin(&self, op: &OpContext, log: &'static str) -> Result<Walk, StoreError> {
        let keys = self.public_keys().await?;
        let mut tx = self.db.read(op).await?;
        let (size, last, unsealed) = self.ends(&mut tx, op.tenant(), log).await?;
        let head = self.head(&mut tx, op.tenant(), log).await?;
        tx.commit().await?;
        let chain = Chain::new(self.name(op.tenant(), log));
        let whole =
            |number: Option<i64>| u64::try_from(number.unwrap_or_default()).unwrap_or_default();
        let mut walk = Walk {
            log,
            settled: (Standing::of(&chain, 0, None), 0),
            chain,
            position: 0,
            size: whole(head.as_ref().map(|head| head.size)),
            head,
            unsealed: whole(Some(unsealed)),
            keys,
            earlier: None,
            compared: None,
            faults: Vec::new(),
        };
        if last > size {
            let reason = format!("it ends at {} and has entries behind that", whole(size));
            walk.faults.push(Fault::Unsigned { reason });
        }
        Ok(walk)
    }

    /// The next entries that are there, in order; none at the end. What is wrong with them is
    /// noted.
    ///
    /// # Errors
    /// The database is away.
    pub async fn walk_on(
        &self,
        op: &OpContext,
        walk: &mut Walk,
    ) -> Result<Option<Vec<Sealed>>, StoreError> {
        let mut tx = self.db.read(op).await?;
        let span = (walk.position(), walk.size);
        let rows = self
            .rows(&mut tx, op.tenant(), walk.log, span, TOGETHER)
            .await?;
        tx.commit().await?;
        if rows.is_empty() {
            return Ok(None);
        }
        Ok(Some(rows.iter().filter_map(|row| walk.pass(row)).collect()))
    }

    /// Where a walk is to go on that has no more time, signed, and what was wrong up to there.
    ///
    /// # Errors
    /// It cannot be signed.
    pub async fn pause(&self, walk: Walk) -> Result<(Envelope, Vec<Fault>), StoreError> {
        let (standing, faults) = walk.settled;
        let system = SystemContext::new("walks", Clock::System);
        let envelope = standing.signed(&self.key(&system).await?)?;
        Ok((envelope, walk.faults.into_iter().take(faults).collect()))
    }

    /// What is wrong with a log that was walked to its end.
    ///
    /// # Errors
    /// The database is away.
    pub async fn walked(
        &self,
        op: &OpContext,
        mut walk: Walk,
        limit: usize,
    ) -> Result<Vec<Fault>, StoreError> {
        let mut tx = self.db.read(op).await?;
        let lost = self.lost(&mut tx, op.tenant(), walk.log, limit).await?;
        tx.commit().await?;
        walk.end();
        let lost = lost.into_iter().map(|subject| Fault::Lost { subject });
        walk.faults.extend(lost);
        Ok(walk.faults)
    }
}

impl Walk {
    /// The last position that was looked at.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How many entries it has, as its head says.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of what was looked at.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.chain.tree().root()
    }

    /// How many entries waited when it began.
    #[must_use]
    pub fn unsealed(&self) -> u64 {
        self.unsealed
    }

    /// All that was given out so far is dealt with: a pause goes on behind it.
    pub fn settle(&mut self) {
        let compared = self.compared.clone();
        let standing = Standing::of(&self.chain, self.position, compared);
        self.settled = (standing, self.faults.len());
    }

    /// The earlier checkpoint must be that which the walk began with.
    fn go_on_with(
        &mut self,
        standing: &Standing,
        earlier: Option<&Envelope>,
    ) -> Result<(), String> {
        let read = earlier.and_then(|earlier| signed_end(earlier, &self.keys).ok());
        let root = read.as_ref().map(|earlier| earlier.root.clone());
        if root != standing.earlier {
            return Err("it is of a walk with another checkpoint".to_owned());
        }
        self.compared = root;
        self.earlier = read.filter(|earlier| earlier.size > standing.position);
        Ok(())
    }

    fn compare_with(&mut self, earlier: Option<&Envelope>) {
        let Some(envelope) = earlier else { return };
        let read = signed_end(envelope, &self.keys);
        self.compared = read.as_ref().ok().map(|earlier| earlier.root.clone());
        let (size, reason) = match read {
            Ok(earlier) if !self.chain.of().is_of(&earlier) => (
                earlier.size,
                "it is the checkpoint of another log".to_owned(),
            ),
            Ok(earlier) if earlier.size > self.size => {
                let reason = format!("the log had {} entries and has {}", earlier.size, self.size);
                (earlier.size, reason)
            }
            Ok(earlier) => {
                self.earlier = Some(earlier);
                self.compare();
                return;
            }
            Err(reason) => (0, reason),
        };
        self.faults.push(Fault::Rewritten { size, reason });
    }

    /// At the size of the earlier checkpoint the root must be its root.
    fn compare(&mut self) {
        let here = (self.position(), self.root().to_string());
        if let Some(earlier) = self.earlier.take_if(|earlier| earlier.size <= here.0)
            && (earlier.size, &earlier.root) != (here.0, &here.1)
        {
            let reason = format!("the root was {} and is {}", earlier.root, here.1);
            let size = earlier.size;
            self.faults.push(Fault::Rewritten { size, reason });
        }
    }

    /// Goes over a position. A fault is told where it is and not at all that follows: from there
    /// on it goes by the stored hashes, and whether they are the signed ones is seen at the end.
    fn pass(&mut self, row: &Row) -> Option<Sealed> {
        let expected = self.position() + 1;
        if row.position > expected {
            self.wrong(
                expected,
                match row.position - expected {
                    1 => "it is not there".to_owned(),
                    more => format!("it and the {} behind it are not there", more - 1),
                },
            );
        }
        let entry = row.sealed();
        let stored: Option<Digest> = row.hash.parse().ok();
        let found = entry
            .as_ref()
            .ok()
            .and_then(|entry| entry.hash(&self.chain).ok());
        match (&entry, stored, found) {
            (Err(reason), _, _) => self.wrong(row.position, reason.clone()),
            (_, Some(stored), Some(found)) if stored == found => {}
            _ => self.wrong(row.position, "it is not what was sealed there".to_owned()),
        }
        self.position = row.position;
        if let Some(hash) = stored.or(found) {
            self.chain.follow(hash);
        }
        self.compare();
        entry.ok()
    }

    /// Whether the head keeps the very chain that was walked.
    fn is_kept(&self) -> bool {
        let of = self.chain.of().clone();
        let kept = self.head.as_ref().and_then(|head| head.kept(of));
        kept.is_some_and(|kept| kept == self.chain)
    }

    fn wrong(&mut self, position: u64, reason: String) {
        self.faults.push(Fault::Entry { position, reason });
    }

    fn end(&mut self) {
        let passed = self.position();
        if passed < self.size {
            let reason = format!("it and all behind it, up to {}, are not there", self.size);
            self.wrong(passed + 1, reason);
        }
        self.compare();
        let envelope = self.head.as_mut().and_then(|head| head.envelope.take());
        let signed = match envelope {
            None if self.size == 0 => return,
            None => Err("no checkpoint is there".to_owned()),
            Some(envelope) => checkpoint::stored(&envelope, &self.keys),
        };
        let found = self.chain.end();
        let reason = match signed {
            Ok((signed, _)) if self.chain.ends_at(&signed) => {
                if passed == self.size && !self.is_kept() {
                    self.faults.push(Fault::Head);
                }
                return;
            }
            Ok((signed, _)) => {
                let (size, root) = (signed.size, signed.root);
                format!(
                    "signed are {size} entries with the root {root}, found {} with {}",
                    found.size, found.root
                )
            }
            Err(reason) => reason,
        };
        self.faults.push(Fault::Unsigned { reason });
    }
}
