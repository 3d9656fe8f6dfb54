//! What `stella up` ends with: the findings, why the first one is first, and what to do next.

use stella_api::Code;
use stella_client::Client;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::findings::{self, Filter, Found, View};
use crate::id::short;
use crate::label::{filled, label};
use crate::replays::replay_token;
use crate::scores::{explain, explained};
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
    let view = View {
        limit: Some(SHOWN),
        ..View::default()
    };
    let found = findings::scored(client, session, &Filter::default(), &view).await;
    let found = match found {
        Err(failure) if failure.code == Code::NoData.as_str() => return nothing_yet(),
        found => found?,
    };
    let Some((score_id, _)) = found.top() else {
        return without_explanation(&found);
    };
    let explanation = explain(client, score_id).await?;
    let replay = replay_token(client, score_id).await?;
    report(&found, &explanation, &replay)
}

fn report(
    found: &Found,
    explanation: &stella_api::explain::Explanation,
    replay: &stella_api::replay::ManifestAnswer,
) -> Result<Answer, Failure> {
    let findings = findings::listed(found)?;
    let explanation_drawn = explained(explanation, replay)?;
    let value = serde_json::json!({
        "findings": findings.value(),
        "explanation": explanation,
        "replay": replay,
    });
    let id = found.top().map_or("", |(_, finding)| short(&finding.id));
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

fn without_explanation(found: &Found) -> Result<Answer, Failure> {
    let findings = findings::listed(found)?;
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
        let found = Found::ranked(made_up::evaluated(), Some(SHOWN));
        assert_eq!(found.top().unwrap().0, made_up::critical().score_id);
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
        let found = Found::ranked(items, Some(2));
        assert!(found.top().is_none());
        insta::assert_snapshot!(text(&without_explanation(&found).unwrap()));
    }
}
