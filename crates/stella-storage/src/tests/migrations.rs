//! Migrations: once, whoever begins, and never behind a binary's back.

use std::sync::Arc;

use sqlx::{PgPool, query_scalar};

use super::{bare, embedded, known, probe};
use crate::{Connection, DataFolder, Db, StoreError};

struct Urls {
    owner: Connection,
    app: Db,
}

async fn urls() -> Urls {
    let database = bare().await;
    let app = Connection::parse(&database.app_url).unwrap();
    Urls {
        owner: Connection::parse(&database.owner_url).unwrap(),
        app: Db::postgres(&app),
    }
}

/// How often each version was applied, and when: what a second run must not touch.
async fn applied(owner: &Connection) -> Vec<String> {
    let pool = PgPool::connect_with(owner.options()).await.unwrap();
    let rows = "SELECT version || ' ' || installed_on FROM probe._migrations ORDER BY 1";
    query_scalar(rows).fetch_all(&pool).await.unwrap()
}

#[tokio::test]
async fn a_second_run_changes_nothing_on_postgres() {
    let Urls { owner, app } = urls().await;
    probe(false).run_postgres(&owner).await.unwrap();
    let first = applied(&owner).await;
    assert_eq!(first.len(), 1);
    probe(false).run_postgres(&owner).await.unwrap();
    assert_eq!(applied(&owner).await, first);
    probe(false).check_postgres(&app).await.unwrap();
}

#[tokio::test]
async fn ten_that_start_together_migrate_once() {
    let Urls { owner, app } = urls().await;
    // Each has connections of its own, as ten processes have.
    let all = (0..10).map(|_| async { probe(true).run_postgres(&owner).await });
    for done in futures_util::future::join_all(all).await {
        done.unwrap();
    }
    assert_eq!(applied(&owner).await.len(), 2);
    probe(true).check_postgres(&app).await.unwrap();
}

#[tokio::test]
async fn an_older_and_a_newer_schema_are_told_on_postgres() {
    let Urls { owner, app } = urls().await;
    let pending = |told: StoreError| match told {
        StoreError::SchemaOlder { schema, pending } => (schema, pending),
        other => panic!("{other:?}"),
    };
    let unknown = |told: StoreError| match told {
        StoreError::SchemaNewer { schema, unknown } => (schema, unknown),
        other => panic!("{other:?}"),
    };
    let none = probe(false).check_postgres(&app).await.unwrap_err();
    assert_eq!(pending(none), ("probe", vec![1]));
    probe(false).run_postgres(&owner).await.unwrap();
    let older = probe(true).check_postgres(&app).await.unwrap_err();
    assert_eq!(pending(older), ("probe", vec![2]));
    probe(true).run_postgres(&owner).await.unwrap();
    probe(true).check_postgres(&app).await.unwrap();
    let newer = probe(false).check_postgres(&app).await.unwrap_err();
    assert_eq!(unknown(newer), ("probe", vec![2]));
    let before = applied(&owner).await;
    let newer = probe(false).run_postgres(&owner).await.unwrap_err();
    assert_eq!(unknown(newer), ("probe", vec![2]));
    assert_eq!(applied(&owner).await, before);
}

/// Expand now, contract later: until then both versions serve.
#[tokio::test]
async fn a_binary_that_a_newer_migration_tolerates_goes_on_beside_it() {
    for (name, serves) in [
        ("later tolerates 1", true),
        ("later tolerates 2", false),
        ("later tolerates all", false),
    ] {
        let Urls { owner, app } = urls().await;
        let older = probe(false);
        older.run_postgres(&owner).await.unwrap();
        known(Some(name)).run_postgres(&owner).await.unwrap();
        known(Some(name)).check_postgres(&app).await.unwrap();
        assert_eq!(older.check_postgres(&app).await.is_ok(), serves, "{name}");
        let before = applied(&owner).await;
        assert_eq!(older.run_postgres(&owner).await.is_ok(), serves, "{name}");
        assert_eq!(applied(&owner).await, before, "{name}");

        let folder = DataFolder::temporary().unwrap();
        known(Some(name)).open_sqlite(&folder).await.unwrap();
        assert_eq!(older.open_sqlite(&folder).await.is_ok(), serves, "{name}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_says_nothing_of_its_schema() {
    // Whoever listens at this port hangs up at once.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            drop(socket);
        }
    });
    let away = Connection::parse(&format!("postgres://x@127.0.0.1:{port}/x")).unwrap();
    let told = probe(false).check_postgres(&Db::postgres(&away)).await;
    assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    let told = probe(false).run_postgres(&away).await;
    assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
}

/// With where it was looked for and why it is not there, and not only that a pool waited.
#[tokio::test]
async fn a_database_that_is_not_reached_is_told_with_its_place_and_the_reason() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let at = format!("127.0.0.1:{port}");
    let away = Connection::parse(&format!("postgres://x@{at}/x")).unwrap();
    let unsafe_role = Db::postgres(&away).refuse_unsafe_role().await.unwrap_err();
    let cluster = stella_testkit::postgres::cluster().await;
    let plain = format!("{}?sslmode=require", bare().await.owner_url);
    let no_tls = probe(false)
        .run_postgres(&Connection::parse(&plain).unwrap())
        .await;
    let server = format!("{}:{}", cluster.host, cluster.port);
    for (told, parts) in [
        (unsafe_role, [at.as_str(), "refused"]),
        (
            no_tls.unwrap_err(),
            [server.as_str(), "does not support TLS, and SslMode"],
        ),
    ] {
        assert!(matches!(told, StoreError::Unavailable(_)), "{told:?}");
        let told = told.to_string();
        assert!(parts.iter().all(|part| told.contains(part)), "{told}");
    }
}

/// A start waits for whatever stands before a database, not only for its port.
#[tokio::test]
async fn a_database_that_comes_late_is_waited_for() {
    let database = bare().await;
    let cluster = stella_testkit::postgres::cluster().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = (cluster.host.clone(), cluster.port);
    tokio::spawn(async move {
        let mut early = 0;
        while let Ok((mut near, _)) = listener.accept().await {
            // Hangs up on the first ones.
            early += 1;
            if early > 2 {
                let mut far = tokio::net::TcpStream::connect(&server).await.unwrap();
                tokio::spawn(
                    async move { tokio::io::copy_bidirectional(&mut near, &mut far).await },
                );
            }
        }
    });
    let at = format!("@{address}/");
    let through = |url: &str| {
        let there = format!("@{}:{}/", cluster.host, cluster.port);
        assert!(url.contains(&there), "{url}");
        Connection::parse(&url.replace(&there, &at)).unwrap()
    };
    let owner = through(&database.owner_url);
    probe(false).run_postgres(&owner).await.unwrap();
    Db::postgres(&through(&database.app_url))
        .refuse_unsafe_role()
        .await
        .unwrap();
}

async fn reopened(folder: &Arc<DataFolder>, newer: bool) -> Result<i64, StoreError> {
    let db = probe(newer).open_sqlite(folder).await?;
    let Db::Sqlite { readers, .. } = &db else {
        panic!("SQLite")
    };
    let count = "SELECT count(*) FROM probe._migrations";
    Ok(query_scalar(count).fetch_one(readers).await?)
}

#[tokio::test]
async fn a_file_is_brought_up_to_date_once_and_a_newer_one_is_told() {
    let folder = DataFolder::temporary().unwrap();
    assert_eq!(reopened(&folder, false).await.unwrap(), 1);
    assert_eq!(reopened(&folder, false).await.unwrap(), 1);
    assert_eq!(reopened(&folder, true).await.unwrap(), 2);
    let newer = reopened(&folder, false).await.unwrap_err();
    assert!(
        matches!(&newer, StoreError::SchemaNewer { schema: "probe", unknown } if *unknown == [2]),
        "{newer:?}"
    );
}

/// The folder's lock is what keeps processes apart on SQLite.
#[tokio::test]
async fn of_ten_that_open_a_folder_together_one_gets_it() {
    let root = tempfile::tempdir().unwrap();
    let open = || DataFolder::open(root.path());
    let opened = std::thread::scope(|scope| {
        let all: Vec<_> = (0..10).map(|_| scope.spawn(open)).collect();
        let all = all.into_iter().map(|one| one.join().unwrap());
        all.collect::<Vec<_>>()
    });
    let locked = |told: &&Result<_, StoreError>| matches!(told, Err(StoreError::Locked { .. }));
    assert_eq!(opened.iter().filter(locked).count(), 9, "{opened:?}");
    let held = opened.into_iter().find_map(Result::ok).unwrap();
    assert_eq!(reopened(&held, true).await.unwrap(), 2);
}

#[tokio::test]
async fn the_files_of_a_folder_are_its_schemas_and_on_disk() {
    let root = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(root.path()).unwrap();
    let _db = embedded(&folder).await;
    let file = root.path().join("db/probe.sqlite");
    assert!(file.metadata().unwrap().len() > 0);
    let second = DataFolder::open(root.path()).unwrap_err();
    let own = std::process::id().to_string();
    assert!(matches!(second, StoreError::Locked { holder, .. } if holder == own));
}
