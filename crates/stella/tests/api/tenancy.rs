//! One tenant never sees another, also where a query forgets its `WHERE`; stored evidence never
//! changes, whoever asks.

use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use stella_api::Page;
use stella_api::evidence::{DocumentRecord, Outcome};

use crate::fixtures::{advisory, bytes, sbom};
use crate::world::{World, on_every_driver};

on_every_driver! {
    async fn two_tenants_hold_the_same_bytes_apart(world) {
        let document = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
        for tenant in ["acme", "globex"] {
            // To the second tenant the document is new: nothing tells that the first has it.
            assert_eq!(world.ingester(tenant).ingest("advisory", &document).await.outcome, Outcome::Stored);
        }
        world.ingester("acme").ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
        let page: Page<DocumentRecord> = world.analyst("globex").get("/api/v1/evidence/documents").await;
        assert!(page.items.iter().all(|record| record.tenant == "globex"));
        assert_eq!(page.items.len(), 1);
    }
}

/// Every table that has a tenant and is under row-level security.
async fn tenant_tables(connection: &mut PgConnection) -> Vec<String> {
    let rows = sqlx::query(
        "SELECT n.nspname || '.' || c.relname, c.relrowsecurity AND c.relforcerowsecurity \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' \
         WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg_%' ORDER BY 1",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    // Headers without payload, and Authority's own knowledge of who belongs where.
    let open = [
        "authority.client_roles",
        "authority.unsealed",
        "evidence.derivations_due",
        "evidence.unsealed",
        "replay.unsealed",
        "riskengine.unsealed",
    ];
    let mut tables = Vec::new();
    for row in rows {
        let (name, secured): (String, bool) = (row.get(0), row.get(1));
        assert_eq!(secured, !open.contains(&name.as_str()), "{name}");
        if secured {
            tables.push(name);
        }
    }
    tables
}

#[tokio::test]
async fn without_its_where_a_query_shows_only_the_own_tenant() {
    let world = World::postgres().await;
    let document = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
    for tenant in ["acme", "globex"] {
        world.ingester(tenant).ingest("advisory", &document).await;
        world
            .ingester(tenant)
            .ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"])))
            .await;
    }
    world.seal().await;
    let mut owner = PgConnection::connect(world.owner_url.as_ref().unwrap())
        .await
        .unwrap();
    let tables = tenant_tables(&mut owner).await;
    assert!(tables.len() >= 8, "{tables:?}");
    owner.execute("SET ROLE stella_service").await.ok();
    for table in &tables {
        let count =
            format!("SELECT count(*), count(*) FILTER (WHERE tenant <> 'acme') FROM {table}");
        owner
            .execute("SELECT set_config('stella.tenant', 'acme', false)")
            .await
            .unwrap();
        let row = sqlx::query(sqlx::AssertSqlSafe(count.clone()))
            .fetch_one(&mut owner)
            .await
            .unwrap();
        assert_eq!(
            row.get::<i64, _>(1),
            0,
            "{table} shows another tenant's rows"
        );
        owner
            .execute("SELECT set_config('stella.tenant', '', false)")
            .await
            .unwrap();
        let row = sqlx::query(sqlx::AssertSqlSafe(count))
            .fetch_one(&mut owner)
            .await
            .unwrap();
        assert_eq!(
            row.get::<i64, _>(0),
            0,
            "{table} shows rows without a tenant"
        );
    }
    owner
        .execute("SELECT set_config('stella.tenant', 'acme', false)")
        .await
        .unwrap();
    let row = sqlx::query("SELECT count(*) FROM evidence.raw_documents")
        .fetch_one(&mut owner)
        .await;
    assert_eq!(
        row.unwrap().get::<i64, _>(0),
        2,
        "the own tenant's rows are there"
    );
}

#[tokio::test]
async fn stored_evidence_never_changes_on_postgres() {
    let world = World::postgres().await;
    let document = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
    world.ingester("acme").ingest("advisory", &document).await;
    let mut owner = PgConnection::connect(world.owner_url.as_ref().unwrap())
        .await
        .unwrap();
    owner
        .execute("SELECT set_config('stella.tenant', 'acme', false)")
        .await
        .unwrap();
    for statement in [
        "UPDATE evidence.raw_documents SET bytes = 'x'",
        "DELETE FROM evidence.raw_documents",
        "TRUNCATE evidence.raw_documents CASCADE",
        "UPDATE evidence.provenance SET publisher = 'x'",
        "DELETE FROM evidence.provenance",
    ] {
        let refused = owner.execute(statement).await.unwrap_err().to_string();
        assert!(refused.contains("ERR_AOC_008"), "{statement}: {refused}");
    }
}

#[tokio::test]
async fn the_serving_role_has_no_right_to_change_evidence() {
    let world = World::postgres().await;
    let mut owner = PgConnection::connect(world.owner_url.as_ref().unwrap())
        .await
        .unwrap();
    let tables = [
        "evidence.raw_documents",
        "evidence.provenance",
        "riskengine.risk_score_results",
    ];
    for table in tables {
        for right in ["UPDATE", "DELETE", "TRUNCATE"] {
            let has: bool =
                sqlx::query_scalar("SELECT has_table_privilege('stella_service', $1, $2)")
                    .bind(table)
                    .bind(right)
                    .fetch_one(&mut owner)
                    .await
                    .unwrap();
            assert!(!has, "{right} on {table}");
        }
    }
}

/// Which migrations a schema has seen decides who may serve it: the owner alone says so.
#[tokio::test]
async fn the_serving_role_only_reads_which_migrations_there_are() {
    let database = crate::world::migrated_database().await;
    let mut app = PgConnection::connect(&database.app_url).await.unwrap();
    for migrations in stella::platform::MIGRATIONS {
        let table = format!("{}._migrations", migrations.schema);
        let count = format!("SELECT count(*) FROM {table}");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .fetch_one(&mut app)
            .await
            .unwrap();
        assert_eq!(count, migrations.postgres.iter().count() as i64, "{table}");
        for statement in [
            format!(
                "INSERT INTO {table} (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'made up tolerates 1', true, '', 0)"
            ),
            format!("UPDATE {table} SET version = version + 1"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
        ] {
            let refused = app.execute(sqlx::AssertSqlSafe(statement.clone())).await;
            let refused = refused.unwrap_err().to_string();
            assert!(
                refused.contains("permission denied"),
                "{statement}: {refused}"
            );
        }
    }
}

#[tokio::test]
async fn an_owner_or_superuser_may_not_serve() {
    let world = World::postgres().await;
    let owner = stella_storage::Connection::parse(world.owner_url.as_ref().unwrap()).unwrap();
    let refused = stella::platform::Databases::postgres(&owner)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, stella_storage::StoreError::RoleUnsafe { .. }),
        "{refused}"
    );
}

/// Why nobody may serve so.
async fn refused(url: &str) -> String {
    let connection = stella_storage::Connection::parse(url).unwrap();
    let refused = stella::platform::Databases::postgres(&connection).await;
    refused.unwrap_err().to_string()
}

/// A member may become what it is a member of, so it is judged as that. Roles are of the cluster,
/// which tests share: these carry the name of this test's database.
#[tokio::test]
async fn a_member_of_an_unsafe_role_may_not_serve() {
    let database = crate::world::migrated_database().await;
    let cluster = stella_testkit::postgres::cluster().await;
    let mut superuser = PgConnection::connect(&cluster.superuser_url).await.unwrap();
    let name = &database.name;
    for (one, options, of) in [
        ("root", "SUPERUSER", ""),
        ("bypass", "BYPASSRLS", ""),
        ("group", "", "bypass"),
        ("admin", "LOGIN", "root"),
        ("reader", "LOGIN NOINHERIT", "group"),
        ("maker", "LOGIN CREATEROLE", ""),
        ("copier", "LOGIN REPLICATION", ""),
        ("makers", "CREATEROLE", ""),
        ("made", "LOGIN", "makers"),
    ] {
        let of = if of.is_empty() {
            String::new()
        } else {
            format!(", {name}_{of}")
        };
        let made = format!("CREATE ROLE {name}_{one} {options} IN ROLE stella_service{of}");
        superuser.execute(sqlx::AssertSqlSafe(made)).await.unwrap();
    }
    // What PostgreSQL has ready; where a version lacks one, nobody can be a member of it.
    let mut ready = Vec::new();
    for (of, what) in [
        (
            "pg_execute_server_program",
            "allowed to run programs on the database's machine",
        ),
        (
            "pg_read_server_files",
            "allowed to read or write files on the database's machine",
        ),
        (
            "pg_write_server_files",
            "allowed to read or write files on the database's machine",
        ),
        (
            "pg_read_all_data",
            "given rights on tables that are not its own",
        ),
        (
            "pg_write_all_data",
            "given rights on tables that are not its own",
        ),
        ("pg_maintain", "given rights on tables that are not its own"),
    ] {
        let there = "SELECT true FROM pg_roles WHERE rolname = $1";
        let there: Option<bool> = sqlx::query_scalar(there)
            .bind(of)
            .fetch_optional(&mut superuser)
            .await
            .unwrap();
        if there.is_none() {
            continue;
        }
        let made = format!("CREATE ROLE {name}_{of} LOGIN IN ROLE stella_service, {of}");
        superuser.execute(sqlx::AssertSqlSafe(made)).await.unwrap();
        ready.push((of, of.to_owned(), what));
    }
    let owning = format!("CREATE ROLE {name}_heir LOGIN IN ROLE stella_service, stella_owner");
    superuser
        .execute(sqlx::AssertSqlSafe(owning))
        .await
        .unwrap();
    for (one, what) in [
        (
            "maker",
            "allowed to make roles, and to become them (CREATEROLE)",
        ),
        ("copier", "allowed to copy all databases (REPLICATION)"),
    ] {
        let told = refused(&cluster.url(&format!("{name}_{one}"), name)).await;
        let expected = format!("role {name}_{one} is {what}: ");
        assert!(told.starts_with(&expected), "{told}");
    }
    let members = [
        ("admin", format!("{name}_root"), "a superuser"),
        (
            "reader",
            format!("{name}_bypass"),
            "allowed to bypass row-level security",
        ),
        (
            "heir",
            "stella_owner".to_owned(),
            "the owner of schemas or tables",
        ),
        (
            "made",
            format!("{name}_makers"),
            "allowed to make roles, and to become them (CREATEROLE)",
        ),
    ];
    for (one, through, what) in members.into_iter().chain(ready) {
        let told = refused(&cluster.url(&format!("{name}_{one}"), name)).await;
        let expected = format!("role {name}_{one} is a member of {through}, which is {what}: ");
        assert!(told.starts_with(&expected), "{told}");
    }
}

#[tokio::test]
async fn a_role_that_was_granted_nothing_is_told_the_grant() {
    let database = crate::world::migrated_database().await;
    let cluster = stella_testkit::postgres::cluster().await;
    let mut superuser = PgConnection::connect(&cluster.superuser_url).await.unwrap();
    let role = format!("{}_outsider", database.name);
    let made = format!("CREATE ROLE {role} LOGIN");
    superuser.execute(sqlx::AssertSqlSafe(made)).await.unwrap();
    let url = cluster.url(&role, &database.name);
    let connection = stella_storage::Connection::parse(&url).unwrap();
    let open = || stella::platform::Databases::postgres(&connection);
    let refused = open().await.unwrap_err();
    assert!(refused.is_refused(), "{refused}");
    let remedy = format!("GRANT stella_service TO {role}");
    assert!(refused.to_string().contains(&remedy), "{refused}");
    superuser
        .execute(sqlx::AssertSqlSafe(remedy))
        .await
        .unwrap();
    open().await.unwrap();
}

#[tokio::test]
async fn stored_evidence_never_changes_on_sqlite() {
    let world = World::filesystem().await;
    let document = bytes(&advisory("RUSTSEC-2026-0001", &[], "alpha", "2.0.0"));
    world.ingester("acme").ingest("advisory", &document).await;
    let stella_storage::Db::Sqlite { writer, .. } = stella_evidence::MIGRATIONS
        .open_sqlite(world.folder.as_ref().unwrap())
        .await
        .unwrap()
    else {
        panic!("a SQLite database")
    };
    for statement in [
        "UPDATE evidence.raw_documents SET bytes = x'00'",
        "DELETE FROM evidence.raw_documents",
        "INSERT OR REPLACE INTO evidence.raw_documents SELECT * FROM evidence.raw_documents",
        "UPDATE evidence.provenance SET publisher = 'x'",
        "DELETE FROM evidence.provenance",
    ] {
        let refused = writer.execute(statement).await.unwrap_err().to_string();
        assert!(refused.contains("ERR_AOC_008"), "{statement}: {refused}");
    }
}
