//! What is asked of RiskEngine.

use futures_util::{StreamExt as _, stream};
use stella_api::Code;
use stella_api::explain::{EvaluateRequest, Explanation};
use stella_api::findings::Finding;
use stella_api::score::ScoreResult;
use stella_client::Client;

use crate::failure::Failure;
use crate::findings;
use crate::id::Id;
use crate::problem::of_code;
use crate::progress::Progress;
use crate::session::Session;

/// How many scores one call asks for: few enough to see that it goes on.
const BATCH: usize = 100;
/// How many calls are under way: the server reads one while it keeps the other's.
const AT_ONCE: usize = 2;

/// What came of asking for a finding's score.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scoring {
    /// A score, which may be an unknown one.
    Scored(Box<ScoreResult>),
    /// It tells of no vulnerability, so it has none.
    Informational(String),
    /// Nobody asked.
    NotAsked,
    /// It could not be computed.
    Failed(Failure),
}

impl Scoring {
    /// The score, where there is a result.
    pub(crate) fn result(&self) -> Option<&ScoreResult> {
        match self {
            Self::Scored(result) => Some(result),
            _ => None,
        }
    }
}

/// Evaluates the score of a finding by its whole id.
pub(crate) async fn evaluate(client: &Client, finding_id: &str) -> Result<ScoreResult, Failure> {
    let request = request(finding_id.to_owned());
    Ok(client.post("/api/v1/score/evaluate", &request).await?)
}

fn request(finding_id: String) -> EvaluateRequest {
    EvaluateRequest {
        finding_id,
        profile: None,
    }
}

/// Evaluates the scores of findings, in their order.
///
/// # Errors
/// What would fail for every finding; a failure of one stands in its place.
pub(crate) async fn evaluate_all(
    client: &Client,
    session: &Session,
    findings: Vec<Finding>,
) -> Result<Vec<(Finding, Scoring)>, Failure> {
    let total = Some(findings.len() as u64);
    let progress = Progress::begin(session, "progress-scores", total);
    let asked = findings.iter().filter(|one| one.informational.is_none());
    let asked: Vec<EvaluateRequest> = asked.map(|one| request(one.id.clone())).collect();
    let not_asked = findings.len() - asked.len();
    // Owned batches: what is borrowed for every lifetime is no future that another thread can run.
    let batches: Vec<Vec<EvaluateRequest>> = asked.chunks(BATCH).map(<[_]>::to_vec).collect();
    let scored = stream::iter(batches).map(|batch| async move {
        let path = "/api/v1/score/evaluate/batch";
        client.post_each(path, &batch).await
    });
    let mut scored = scored.buffered(AT_ONCE);
    let mut scores = Vec::with_capacity(asked.len());
    while let Some(batch) = scored.next().await {
        for one in batch? {
            scores.push(scoring(one.map_err(Failure::from))?);
        }
        progress.at((not_asked + scores.len()) as u64);
    }
    let mut scores = scores.into_iter();
    let each = findings.into_iter().filter_map(|one| {
        let scoring = match &one.informational {
            Some(class) => Scoring::Informational(class.clone()),
            None => scores.next()?,
        };
        Some((one, scoring))
    });
    Ok(each.collect())
}

fn scoring(result: Result<ScoreResult, Failure>) -> Result<Scoring, Failure> {
    match result {
        Ok(result) => Ok(Scoring::Scored(Box::new(result))),
        Err(failure) if failure.code == Code::ScoreNotApplicable.as_str() => {
            Ok(Scoring::Informational(failure.message.clone()))
        }
        Err(failure) if failure.stops_all() => Err(failure),
        Err(failure) => Ok(Scoring::Failed(failure)),
    }
}

/// The explanation of a score by its whole id.
pub(crate) async fn explain(client: &Client, score_id: &str) -> Result<Explanation, Failure> {
    let path = format!("/api/v1/score/{score_id}/explain?lang=en");
    Ok(client.get(&path).await?)
}

/// The score that an id or prefix names, or the one of the finding that it names, evaluated now.
pub(crate) async fn of_finding_or_score(client: &Client, id: &Id) -> Result<ScoreResult, Failure> {
    let finding = findings::one(client, id).await;
    let score = client
        .get::<ScoreResult>(&format!("/api/v1/score/{id}"))
        .await;
    match named(id, finding, score.map_err(Failure::from))? {
        Named::Finding(finding) => evaluate(client, &finding.id).await,
        Named::Score(score) => Ok(*score),
    }
}

#[derive(Debug)]
enum Named {
    Finding(Box<Finding>),
    Score(Box<ScoreResult>),
}

/// Which of the two an id means. Only "there is none" lets the other one decide.
fn named(
    id: &Id,
    finding: Result<Finding, Failure>,
    score: Result<ScoreResult, Failure>,
) -> Result<Named, Failure> {
    let absent = |failure: &Failure| {
        [Code::NotFound, Code::NoData]
            .iter()
            .any(|code| failure.code == code.as_str())
    };
    match (finding, score) {
        // Asked for by its finding, the server gives the latest score.
        (Ok(finding), Ok(score)) if score.subject.finding_id.as_ref() == Some(&finding.id) => {
            Ok(Named::Finding(Box::new(finding)))
        }
        (Ok(_), Ok(_)) => Err(of_code(
            Code::IdAmbiguous,
            crate::label::filled("id-names-both", &[("id", id.to_string().into())]),
        )),
        (Ok(finding), Err(failure)) if absent(&failure) => Ok(Named::Finding(Box::new(finding))),
        (Err(failure), Ok(score)) if absent(&failure) => Ok(Named::Score(Box::new(score))),
        // What the finding says comes first: an empty store has no scores either.
        (Err(finding), Err(score)) if absent(&finding) && !absent(&score) => Err(score),
        (Err(failure), _) | (_, Err(failure)) => Err(failure),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::made_up;
    use super::*;

    fn id() -> Id {
        "01234567".parse().unwrap()
    }

    fn told(code: Code) -> Failure {
        of_code(code, "told")
    }

    #[test]
    fn an_id_names_a_finding_or_a_score_but_not_both() {
        let (finding, score) = (made_up::finding("a", "1"), made_up::critical());
        let ask = |finding, score| named(&id(), finding, score);
        let none = || told(Code::NotFound);
        assert!(matches!(
            ask(Ok(finding.clone()), Err(none())).unwrap(),
            Named::Finding(_)
        ));
        assert!(matches!(
            ask(Err(none()), Ok(score.clone())).unwrap(),
            Named::Score(_)
        ));
        assert_eq!(
            ask(Ok(finding), Ok(score.clone())).unwrap_err().code,
            "ID_AMBIGUOUS"
        );
        let its_own = made_up::finding("libwebp-sys", "0.9.2");
        assert!(matches!(
            ask(Ok(its_own), Ok(score)).unwrap(),
            Named::Finding(_)
        ));
    }

    #[test]
    fn what_is_wrong_with_one_is_not_hidden_by_the_other() {
        let ask = |finding, score| named(&id(), Err(told(finding)), Err(told(score)));
        let code = |finding, score| ask(finding, score).unwrap_err().code.to_string();
        assert_eq!(code(Code::NoData, Code::NotFound), "NO_DATA");
        assert_eq!(code(Code::NotFound, Code::ScoreCorrupt), "SCORE_CORRUPT");
        assert_eq!(code(Code::IdAmbiguous, Code::NotFound), "ID_AMBIGUOUS");
        let corrupt = named(
            &id(),
            Ok(made_up::finding("a", "1")),
            Err(told(Code::ScoreCorrupt)),
        );
        assert_eq!(corrupt.unwrap_err().code, "SCORE_CORRUPT");
    }

    #[test]
    fn one_failure_stands_in_its_place() {
        assert!(matches!(
            scoring(Err(told(Code::EvidenceCorrupt))).unwrap(),
            Scoring::Failed(_)
        ));
        assert!(matches!(
            scoring(Err(told(Code::ScoreNotApplicable))).unwrap(),
            Scoring::Informational(_)
        ));
        assert!(scoring(Err(told(Code::Unavailable))).is_err());
    }
}
