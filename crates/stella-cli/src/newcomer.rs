//! What `stella up` ends with: the findings, why the first one is first, and what to do next.

use stella_api::Code;
use stella_api::findings::Finding;
use stella_client::Client;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::findings::{Filter, Scored, listed, ranked};
use crate::id::short;
use crate::label::{filled, label};
use crate::pages::{self, Listed};
use crate::replays::replay_token;
use crate::scores::{Scoring, evaluate_all, explain, explained};
use crate::session::Session;

/// More than a newcomer reads; the report says that there are more.
const SHOWN: usize = 50;

/// Findings with their scores, the explanation of the highest one, its replay token, and what
/// to do next. Drawn as text unless a format was asked for. The client needs
/// [`crate::scopes::EXPLAIN`].
///
/// # Errors
/// Those of the server; a store without evidence is none.
pub async fn newcomer_report(client: &Client, session: &mut Session) -> Result<Answer, Failure> {
    let path = "/api/v1/findings";
    let found = pages::list::<Finding>(client, path, &Filter::default(), Some(SHOWN)).await;
    let found = match found {
        Err(failure) if failure.code == Code::NoData.as_str() => return nothing_yet(),
        found => found?,
    };
    let total = found.items.len();
    let scorings = evaluate_all(client, &found.items, |asked| {
        session.progress_scores(asked, total);
    })
    .await?;
    session.progress_over("");
    let items = ranked(found.items.into_iter().zip(scorings).collect());
    let Some(score_id) = top(&items).map(|scored| scored.0.to_owned()) else {
        return without_explanation(&Listed {
            items,
            more: found.more,
        });
    };
    let explanation = explain(client, &score_id).await?;
    let replay = replay_token(client, &score_id).await?;
    let found = Listed {
        items,
        more: found.more,
    };
    report(&found, &explanation, &replay)
}

/// The score with the most points and its finding; an unknown one is none.
fn top(ranked: &[Scored]) -> Option<(&str, &Finding)> {
    ranked.iter().find_map(|(finding, scoring)| match scoring {
        Scoring::Scored(result) if result.score_bps.is_some() => {
            Some((result.score_id.as_str(), finding))
        }
        _ => None,
    })
}

fn report(
    found: &Listed<Scored>,
    explanation: &stella_api::explain::Explanation,
    replay: &stella_api::replay::ManifestAnswer,
) -> Result<Answer, Failure> {
    let findings = listed(found)?;
    let explanation_drawn = explained(explanation, replay)?;
    let value = serde_json::json!({
        "findings": findings.value(),
        "explanation": explanation,
        "replay": replay,
    });
    let id = top(&found.items).map_or("", |(_, finding)| short(&finding.id));
    let next = filled(
        "newcomer-next",
        &[("id", id.into()), ("token", replay.token.as_str().into())],
    );
    let answer = Answer::new(&value)?
        .exit(findings.exit_code())
        .below(findings)
        .line("")
        .below(explanation_drawn)
        .line("");
    Ok(lines(answer, &next).text())
}

fn without_explanation(found: &Listed<Scored>) -> Result<Answer, Failure> {
    let findings = listed(found)?;
    let answer = Answer::new(&serde_json::json!({ "findings": findings.value() }))?
        .exit(findings.exit_code())
        .below(findings)
        .line("");
    Ok(lines(answer, &label("newcomer-next-unscored")).text())
}

fn nothing_yet() -> Result<Answer, Failure> {
    let value = serde_json::json!({ "findings": null });
    Ok(lines(Answer::new(&value)?, &label("newcomer-nothing-yet")).text())
}

/// A label of several lines, each on its own.
fn lines(answer: Answer, text: &str) -> Answer {
    text.lines().fold(answer, |answer, line| answer.line(line))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scores::made_up;
    use crate::{Format, style::Style};

    fn text(answer: &Answer) -> String {
        assert!(answer.is_text());
        answer.render(Format::Table, Style::default()).unwrap()
    }

    #[test]
    fn the_report_of_a_sample() {
        let found = Listed {
            items: ranked(made_up::evaluated()),
            more: false,
        };
        assert_eq!(top(&found.items).unwrap().0, made_up::critical().score_id);
        let answer = report(&found, &made_up::explanation(), &made_up::manifest()).unwrap();
        insta::assert_snapshot!(text(&answer));
    }

    #[test]
    fn an_empty_store_says_what_to_do() {
        insta::assert_snapshot!(text(&nothing_yet().unwrap()));
    }

    #[test]
    fn only_unknown_scores_explain_none() {
        let mut items = made_up::evaluated();
        items.remove(1);
        let found = Listed { items, more: true };
        assert!(top(&found.items).is_none());
        insta::assert_snapshot!(text(&without_explanation(&found).unwrap()));
    }
}
