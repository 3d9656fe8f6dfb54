//! How much this process kept, by which plans that PostgreSQL keeps are too old.
//!
//! It plans a statement once and for all from its fifth run on, by how large tables are then. Beside a
//! few rows any index is as good as another, and the one that was taken may go through a whole tenant
//! until the first `ANALYZE`, a minute later: at hundreds of documents a second that is late.

use std::sync::atomic::{AtomicU64, Ordering};

use stella_context::OpContext;
use stella_storage::{StoreError, Tx};

use crate::Evidence;

/// From so many documents on, `ANALYZE` has been there.
const GROWN: u64 = 1 << 16;

/// The documents that this process kept.
#[derive(Debug, Default)]
pub(crate) struct Growth(AtomicU64);

impl Growth {
    pub(crate) fn add(&self, documents: usize) {
        self.0.fetch_add(documents as u64, Ordering::Relaxed);
    }

    /// Each time that they have doubled: for a while, so that it reaches every connection.
    fn doubled(&self) -> bool {
        let kept = self.0.load(Ordering::Relaxed);
        let power = kept.checked_ilog2().unwrap_or_default();
        kept < GROWN && kept - (kept >> power << power) <= kept >> 4
    }
}

impl Evidence {
    /// Begins to write; `many` where statements are over many rows.
    pub(crate) async fn begin(&self, op: &OpContext, many: bool) -> Result<Tx, StoreError> {
        let mut tx = self.db.write(op).await?;
        if many {
            tx.plan_anew().await?;
        } else if self.growth.doubled() {
            tx.forget_plans().await?;
        }
        Ok(tx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_forgotten_each_time_the_documents_double() {
        let growth = Growth::default();
        let (mut begins, mut before) = (Vec::new(), false);
        for kept in 1..2 * GROWN {
            growth.add(1);
            let doubled = growth.doubled();
            if doubled && !before {
                begins.push(kept);
            }
            before = doubled;
        }
        // One and two follow one another.
        let powers = [0].into_iter().chain(2..16).map(|power| 1 << power);
        assert_eq!(begins, powers.collect::<Vec<u64>>());
        assert!(!before);
    }
}
