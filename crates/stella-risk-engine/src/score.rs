//! Reading scores back: each is checked against itself before it is told.

use stella_api::Page;
use stella_api::replay::ScoreProof;
use stella_api::score::ScoreResult;
use stella_context::OpContext;
use stella_service::{Failure, IdRange, IntoFailure as _, Paging};

use crate::store::{self, ScoreFilter};
use crate::stored::Stored;
use crate::{RiskEngine, RiskError};

pub(crate) const LIST: &str = "scores";

impl RiskEngine {
    /// The latest score of each finding: unknown ones first, then the highest.
    pub(crate) async fn scores(
        &self,
        op: &OpContext,
        filter: &ScoreFilter,
        paging: &Paging<(i64, String)>,
    ) -> Result<Page<ScoreResult>, RiskError> {
        let mut tx = self.db.read(op).await?;
        let rows = store::latest(&mut tx, op.tenant(), filter, paging).await?;
        tx.commit().await?;
        let page = paging.page(LIST, rows, |row| (row.rank, row.score_id.clone()));
        let told = page.items.into_iter().map(Stored::checked);
        Ok(Page {
            items: told
                .map(|stored| Ok(stored?.result))
                .collect::<Result<_, RiskError>>()?,
            next_page_token: page.next_page_token,
        })
    }

    /// The score of an id, or the latest of a finding's id, whole or by an unambiguous prefix.
    pub(crate) async fn score(&self, op: &OpContext, id: &str) -> Result<Stored, Failure> {
        let range = IdRange::read(id)?;
        let rows = async {
            let mut tx = self.db.read(op).await?;
            let mut rows = store::scores_between(&mut tx, op.tenant(), &range).await?;
            rows.extend(store::latest_between(&mut tx, op.tenant(), &range).await?);
            tx.commit().await?;
            Ok::<_, RiskError>(rows)
        };
        let row = range.one(rows.await.map_err(RiskError::into_failure)?)?;
        Stored::checked(row).map_err(RiskError::into_failure)
    }

    /// A score with all that it was computed from.
    pub(crate) async fn proof(&self, op: &OpContext, id: &str) -> Result<ScoreProof, Failure> {
        Ok(self.score(op, id).await?.proof())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
