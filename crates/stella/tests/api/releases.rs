//! Two releases beside each other: the tables of the next one come while this one serves, and
//! until a later release takes something away, both serve.

use futures_util::{StreamExt as _, stream};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};
use stella_api::Page;
use stella_api::evidence::{DocumentRecord, Outcome};
use stella_api::findings::Finding;
use stella_client::{Call, ClientError, HttpClient};

use crate::fixtures::{advisory, bytes, sbom};
use crate::process::{Installation, Running};

/// What the next release adds to every table, one table a migration, beneath whatever is being
/// asked: a column, which a `SELECT *` or an `INSERT` without names would stumble over, and an index.
async fn expand(owner: &mut PgConnection, schema: &str, newest: i64) {
    let tables =
        "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename <> '_migrations'";
    let tables: Vec<String> = sqlx::query_scalar(tables)
        .bind(schema)
        .fetch_all(&mut *owner)
        .await
        .unwrap();
    for table in tables {
        for statement in [
            format!("ALTER TABLE {schema}.{table} ADD COLUMN next_release text DEFAULT 'x'"),
            format!("CREATE INDEX ON {schema}.{table} (next_release)"),
        ] {
            owner.execute(AssertSqlSafe(statement)).await.unwrap();
        }
    }
    owner
        .execute(AssertSqlSafe(applied(schema, 9000, newest)))
        .await
        .unwrap();
}

fn applied(schema: &str, version: i64, tolerates: i64) -> String {
    format!(
        "INSERT INTO {schema}._migrations (version, description, success, checksum, execution_time) \
         VALUES ({version}, 'of a later release tolerates {tolerates}', true, '', 0)"
    )
}

/// What a process says that it cannot serve without: place, code and detail.
async fn missing(process: &Running) -> Vec<(String, String, String)> {
    let server = HttpClient::new(&process.url).unwrap();
    match server.send(Call::get("/readyz")).await.unwrap().success() {
        Ok(_) => Vec::new(),
        Err(ClientError::Problem(told)) => {
            let each = told.errors.into_iter();
            each.map(|one| (one.pointer, one.code, one.detail))
                .collect()
        }
        Err(other) => panic!("{other}"),
    }
}

fn hole(number: usize) -> Vec<u8> {
    bytes(&advisory(
        &format!("RUSTSEC-2026-1{number:03}"),
        &[],
        "alpha",
        "2.0.0",
    ))
}

#[tokio::test]
async fn the_tables_of_the_next_release_come_while_this_one_serves() {
    const POSTS: usize = 60;
    let installation = Installation::postgres().await;
    let this = installation.start(None);
    let ingester = this.ingester("acme");
    ingester
        .ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"])))
        .await;
    ingester.ingest("advisory", &hole(0)).await;
    let globex = this.ingester("globex");
    globex.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
    globex.ingest("advisory", &hole(0)).await;

    let mut owner = installation.owner().await;
    let migrate = async {
        for migrations in stella::platform::MIGRATIONS {
            let newest = migrations.postgres.iter().map(|one| one.version).max();
            expand(&mut owner, migrations.schema, newest.unwrap()).await;
        }
    };
    let posts = stream::iter(1..=POSTS)
        .map(async |number| ingester.ingest("advisory", &hole(number)).await);
    let posts = posts.buffered(4).collect::<Vec<_>>();
    let (posted, ()) = tokio::join!(posts, migrate);
    assert!(
        posted.iter().all(|one| one.outcome == Outcome::Stored),
        "{posted:?}"
    );

    // One more of this release starts on the tables of the next, as after a crash.
    let beside = installation.start(None);
    let later = beside
        .ingester("acme")
        .ingest("advisory", &hole(POSTS + 1))
        .await;
    let mut told = Vec::new();
    for process in [&this, &beside] {
        let analyst = process.analyst("acme");
        let findings: Page<Finding> = analyst.get("/api/v1/findings?pageSize=500").await;
        assert_eq!(findings.items.len(), POSTS + 2);
        let path = format!("/api/v1/evidence/documents/{}", later.id);
        let record: DocumentRecord = analyst.get(&path).await;
        told.push((findings, record));
        let others: Page<Finding> = process.analyst("globex").get("/api/v1/findings").await;
        assert_eq!(others.items.len(), 1);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(missing(&this).await, []);

    // What takes something away lets this release start no more, and one that runs says so.
    installation
        .by_hand("evidence", &applied("evidence", 9001, 9000))
        .await;
    let newer = "STORAGE_SCHEMA_NEWER_THAN_BINARY".to_owned();
    let told = "schema evidence has migrations that this binary does not know: 9001".to_owned();
    let [(place, code, detail)] = &missing(&this).await[..] else {
        panic!("not exactly one check fails")
    };
    assert_eq!((&**place, code), ("evidence:migrations", &newer));
    assert!(detail.starts_with(&told), "{detail}");
    let refused = installation.run(&["serve"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(78), "{said}");
    assert!(
        said.contains("STORAGE_SCHEMA_NEWER_THAN_BINARY") && said.contains("evidence"),
        "{said}"
    );
}
