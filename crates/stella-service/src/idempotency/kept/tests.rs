use std::collections::BTreeSet;

use stella_context::{Actor, Clock, TraceId};
use stella_storage::DataFolder;

use super::*;

const LEASE: SignedDuration = SignedDuration::from_secs(90);

const TABLE: &str = include_str!(
    "../../../../stella-evidence/migrations/sqlite/0002_idempotency_keys_tolerates_1.sql"
);

async fn answers() -> FirstAnswers {
    let folder = DataFolder::temporary().unwrap();
    let db = Db::sqlite(&folder, "evidence").await.unwrap();
    let mut tx = db.write(&op()).await.unwrap();
    let Tx::Sqlite(made) = &mut tx else {
        panic!("a SQLite database")
    };
    sqlx::raw_sql(TABLE).execute(&mut **made).await.unwrap();
    tx.commit().await.unwrap();
    FirstAnswers::new(db, "evidence")
}

fn op() -> OpContext {
    let actor = Actor {
        client_id: "client".to_owned(),
        subject: "client".to_owned(),
        roles: vec![],
    };
    let tenant = "acme".parse().unwrap();
    OpContext::verified(
        tenant,
        actor,
        BTreeSet::new(),
        TraceId::generate(),
        Clock::System,
    )
}

async fn ask(answers: &FirstAnswers, seconds: i64) -> Found {
    let asked = Asked {
        route: "POST /".to_owned(),
        key: "1".to_owned(),
        request: "sha256:00".to_owned(),
        lease: LEASE,
    };
    let now = Timestamp::from_second(seconds).unwrap();
    answers.reserve(&op(), asked, now).await.unwrap()
}

fn taken(found: Found) -> Reservation {
    match found {
        Found::Nothing(reservation) => *reservation,
        other => panic!("the key is not free: {other:?}"),
    }
}

fn kept(body: &str) -> Kept {
    Kept {
        status: 201,
        headers: vec![],
        body: body.into(),
    }
}

/// As where the caller hung up: the next request need not wait for the lease to end.
#[tokio::test]
async fn a_key_whose_request_was_dropped_is_let_go() {
    let answers = answers().await;
    drop(taken(ask(&answers, 0).await));
    // In this process at once, in others when the row is gone.
    taken(ask(&answers, 1).await).let_go().await.unwrap();
    drop(taken(ask(&answers, 2).await));
    let another = FirstAnswers::new(answers.db.clone(), answers.schema);
    while let Found::InProgress(_) = ask(&another, 3).await {
        tokio::task::yield_now().await;
    }
    while !answers.left().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_outlived_the_lease_overwrites_nothing() {
    let answers = answers().await;
    let first = taken(ask(&answers, 0).await);
    assert!(matches!(
        ask(&answers, LEASE.as_secs()).await,
        Found::InProgress(_)
    ));
    let second = taken(ask(&answers, LEASE.as_secs() + 1).await);
    first.keep(&kept("first")).await.unwrap();
    assert!(matches!(
        ask(&answers, LEASE.as_secs() + 2).await,
        Found::InProgress(_)
    ));
    second.keep(&kept("second")).await.unwrap();
    let found = ask(&answers, LEASE.as_secs() + 3).await;
    assert!(matches!(found, Found::Answered(kept) if kept.body == b"second"));
}

/// The process died, and the clock was put back: nobody waits until it has caught up.
#[tokio::test]
async fn a_key_taken_ahead_of_now_is_held_for_no_more_than_a_lease() {
    let answers = answers().await;
    let _left = taken(ask(&answers, 3600).await);
    let ahead = ask(&answers, 3600 - LEASE.as_secs()).await;
    assert!(matches!(ahead, Found::InProgress(_)));
    let again = taken(ask(&answers, 0).await);
    again.keep(&kept("again")).await.unwrap();
    let found = ask(&answers, 3600).await;
    assert!(matches!(found, Found::Answered(kept) if kept.body == b"again"));
    assert!(matches!(ask(&answers, 0).await, Found::Answered(_)));
}

#[tokio::test]
async fn an_answer_is_given_again_for_a_day() {
    let answers = answers().await;
    taken(ask(&answers, 0).await)
        .keep(&kept("first"))
        .await
        .unwrap();
    assert!(matches!(
        ask(&answers, KEPT.as_secs()).await,
        Found::Answered(_)
    ));
    assert!(matches!(
        ask(&answers, KEPT.as_secs() + 1).await,
        Found::Nothing(_)
    ));
}
