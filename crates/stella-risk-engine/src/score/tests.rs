//! Evaluation and reading back, on every storage driver, with neighbours that are made up.

mod driver;
mod neighbours;

use stella_api::Code;
use stella_api::explain::EvaluateRequest;

use super::*;
use driver::{Driver, on_every_driver};
use neighbours::{Neighbours, operation};

fn request(finding: &str) -> EvaluateRequest {
    EvaluateRequest {
        finding_id: finding.to_owned(),
        profile: None,
    }
}

fn begun(neighbours: &Neighbours) -> (OpContext, &RiskEngine) {
    let op = operation("acme", "2026-01-01T00:00:00Z");
    (op, neighbours.engine())
}

async fn evaluated(neighbours: &Neighbours, op: &OpContext) -> (bool, ScoreResult) {
    let asked = request(&neighbours.finding);
    neighbours.engine().evaluate(op, &asked).await.unwrap()
}

fn everything() -> Paging<(i64, String)> {
    Paging::read(LIST, None, None).unwrap()
}

async fn listed(engine: &RiskEngine, op: &OpContext) -> Vec<String> {
    let (filter, paging) = (ScoreFilter::default(), everything());
    let items = engine.scores(op, &filter, &paging).await.unwrap().items;
    items.into_iter().map(|score| score.score_id).collect()
}

on_every_driver! {
    async fn a_score_is_given_once_and_stays_as_it_was(driver) {
        let neighbours = Neighbours::open(driver).await;
        let (op, engine) = begun(&neighbours);
        let (new, first) = evaluated(&neighbours, &op).await;
        assert!(new);
        assert_eq!(first.score_bps, Some(9_800));
        let later = operation("acme", "2026-02-01T00:00:00Z");
        let (new, again) = evaluated(&neighbours, &later).await;
        assert!(!new);
        assert_eq!(again, first);
        assert_eq!(listed(engine, &op).await, [first.score_id]);
    }

    async fn many_who_ask_at_once_get_one_score(driver) {
        let neighbours = Neighbours::open(driver).await;
        let (op, engine) = begun(&neighbours);
        let finding = request(&neighbours.finding);
        let asked = (0..8).map(|_| engine.evaluate(&op, &finding));
        let answers = futures_util::future::try_join_all(asked).await.unwrap();
        assert_eq!(answers.iter().filter(|(new, _)| *new).count(), 1);
        assert!(answers.iter().all(|(_, score)| *score == answers[0].1));
        assert_eq!(listed(engine, &op).await.len(), 1);
    }

    async fn an_earlier_score_can_become_the_latest_again(driver) {
        let neighbours = Neighbours::open(driver).await;
        // One time for all: the order does not come from the clock.
        let (op, engine) = begun(&neighbours);
        let finding = request(&neighbours.finding);
        let (_, before) = engine.evaluate(&op, &finding).await.unwrap();
        neighbours.trust(&["vendor"]);
        let (new, trusted) = engine.evaluate(&op, &finding).await.unwrap();
        assert!(new && trusted.score_id != before.score_id);
        assert_eq!(trusted.score_bps, Some(0));
        assert_eq!(listed(engine, &op).await, [trusted.score_id.as_str()]);
        neighbours.trust(&[]);
        let (new, after) = engine.evaluate(&op, &finding).await.unwrap();
        assert!(!new);
        assert_eq!(after, before);
        assert_eq!(listed(engine, &op).await, [before.score_id.as_str()]);
        let latest = engine.score(&op, &neighbours.finding).await.unwrap();
        assert_eq!(latest.result.score_id, before.score_id);
    }

    async fn ids_and_prefixes_of_scores_and_findings_lead_to_the_score(driver) {
        let neighbours = Neighbours::open(driver).await;
        let (op, engine) = begun(&neighbours);
        let (_, score) = evaluated(&neighbours, &op).await;
        for id in [&score.score_id, &neighbours.finding] {
            let (hex, prefix) = (&id[7..], &id[7..15]);
            for asked in [id.as_str(), hex, prefix] {
                assert_eq!(engine.score(&op, asked).await.unwrap().result, score);
            }
        }
        let refused = engine.score(&op, &score.score_id[7..14]).await.unwrap_err();
        assert_eq!(refused.code(), Code::RequestInvalid);
        let other = operation("other", "2026-01-01T00:00:00Z");
        let refused = engine.score(&other, &score.score_id).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        assert_eq!(listed(engine, &other).await, [] as [String; 0]);
    }

    async fn a_proof_holds_all_that_went_in(driver) {
        let neighbours = Neighbours::open(driver).await;
        let (op, engine) = begun(&neighbours);
        neighbours.trust(&["vendor", "another"]);
        let (_, score) = evaluated(&neighbours, &op).await;
        let proof = engine.proof(&op, &score.score_id).await.unwrap();
        assert_eq!(proof.result, score);
        assert_eq!(proof.component_pointer, "/components/0");
        assert_eq!(proof.trusted_vex_publishers, ["another", "vendor"]);
        let roles: Vec<_> = proof.inputs.iter().map(|input| input.role).collect();
        let mut sorted = roles.clone();
        sorted.sort();
        assert_eq!(roles, sorted);
        // The VEX document is told twice, under two names; its bytes went in once.
        assert_eq!(roles.len(), 3);
    }

    async fn an_edited_row_is_never_told_as_it_stands(driver) {
        let places = [
            ("score_bps = 100", "/scoreBps"),
            ("band = 'Low'", "/band"),
            ("rank = 0", "/rank"),
            (
                "result = replace(result, '\"scoreBps\":9800', '\"scoreBps\":100')",
                "/steps",
            ),
            (
                "result = replace(result, 'cvss-kev-v1', 'ews-v1')",
                "/profile/id",
            ),
            (
                "result = replace(result, '2026-01-01', '2025-01-01')",
                "/evaluatedAt",
            ),
            ("result = 'x'", ""),
            ("policy = '{\"vexPublishers\":[\"x\"]}'", ""),
            ("inputs = '[]'", ""),
            ("component_pointer = '/components/1'", ""),
            ("sbom = 'sha256:00'", ""),
            ("finding_id = 'sha256:00'", "/subject/findingId"),
        ];
        for (edit, pointer) in places {
            let neighbours = Neighbours::open(driver).await;
            let (op, engine) = begun(&neighbours);
            let (_, score) = evaluated(&neighbours, &op).await;
            neighbours.edit(edit).await;
            let range = IdRange::read(&score.score_id).unwrap();
            let mut tx = engine.db.read(&op).await.unwrap();
            let mut rows = store::scores_between(&mut tx, op.tenant(), &range)
                .await
                .unwrap();
            let refused = Stored::checked(rows.remove(0)).unwrap_err();
            assert!(
                matches!(&refused, RiskError::ScoreCorrupt { pointer: at, .. } if at == pointer),
                "{edit}: {refused}"
            );
            assert_eq!(refused.into_failure().code(), Code::ScoreCorrupt);
        }
    }

    async fn stored_scores_refuse_to_change(driver) {
        let neighbours = Neighbours::open(driver).await;
        let (op, _) = begun(&neighbours);
        evaluated(&neighbours, &op).await;
        for statement in [
            "UPDATE riskengine.risk_score_results SET band = 'Low'",
            "DELETE FROM riskengine.risk_score_results",
            "UPDATE riskengine.evaluations SET position = 9",
            "DELETE FROM riskengine.evaluations",
            // Each engine has its own way around an UPDATE.
            match driver {
                Driver::Postgres => "TRUNCATE riskengine.evaluations",
                _ => "INSERT OR REPLACE INTO riskengine.evaluations \
                      SELECT * FROM riskengine.evaluations",
            },
        ] {
            let refused = neighbours.run(statement).await.unwrap_err();
            assert!(refused.to_string().contains("never change"), "{statement}");
        }
    }

    async fn what_cannot_be_scored_is_refused_and_nothing_is_kept(driver) {
        let neighbours = Neighbours::open(driver).await;
        let (op, engine) = begun(&neighbours);
        let ask = |finding: &str, profile: Option<&str>| {
            let request = EvaluateRequest {
                finding_id: finding.to_owned(),
                profile: profile.map(str::to_owned),
            };
            let op = op.clone();
            async move { engine.evaluate(&op, &request).await.unwrap_err().code() }
        };
        let unknown = format!("sha256:{}", "0".repeat(64));
        assert_eq!(ask(&unknown, None).await, Code::NotFound);
        assert_eq!(
            ask(&neighbours.finding[..15], None).await,
            Code::RequestInvalid
        );
        assert_eq!(
            ask(&neighbours.finding, Some("none")).await,
            Code::ProfileUnknown
        );
        let informational = neighbours.informational.clone();
        assert_eq!(ask(&informational, None).await, Code::ScoreNotApplicable);
        neighbours.corrupt();
        assert_eq!(ask(&neighbours.finding, None).await, Code::EvidenceCorrupt);
        assert_eq!(listed(engine, &op).await, [] as [String; 0]);
    }

    async fn pages_cover_the_list_in_its_order(driver) {
        let neighbours = Neighbours::open(driver).await;
        let (op, engine) = begun(&neighbours);
        for finding in [
            &neighbours.finding,
            &neighbours.unscored,
            &neighbours.medium,
        ] {
            engine.evaluate(&op, &request(finding)).await.unwrap();
        }
        let (mut seen, mut token) = (vec![], None);
        loop {
            let paging = Paging::read(LIST, Some("1"), token.as_deref()).unwrap();
            let page = engine
                .scores(&op, &ScoreFilter::default(), &paging)
                .await
                .unwrap();
            seen.extend(page.items.into_iter().map(|score| score.score_bps));
            token = page.next_page_token;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, [None, Some(9_800), Some(5_500)]);
        let filter = ScoreFilter {
            band: Some("Unknown".to_owned()),
            ..ScoreFilter::default()
        };
        let unknown = engine.scores(&op, &filter, &everything()).await.unwrap();
        assert_eq!(unknown.items.len(), 1);
    }

    /// What one token's scopes let in may not be told to a token that lacks them.
    async fn kept_documents_are_for_those_who_may_read_them(driver) {
        let neighbours = Neighbours::open(driver).await;
        let (op, engine) = begun(&neighbours);
        let finding = request(&neighbours.finding);
        engine.evaluate(&op, &finding).await.unwrap();
        let asked = neighbours.documents_asked();
        engine.evaluate(&op, &finding).await.unwrap();
        assert_eq!(neighbours.documents_asked(), asked, "read once, then kept");
        let narrow = neighbours::with_scopes("acme", &[]);
        engine.evaluate(&narrow, &finding).await.unwrap();
        assert_eq!(neighbours.documents_asked(), asked + 3, "Evidence decides");
    }
}
