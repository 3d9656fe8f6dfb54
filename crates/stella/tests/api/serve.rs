//! `stella migrate` and `stella serve` as an operator starts them, as processes on PostgreSQL.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use sqlx::{Connection as _, Executor as _, PgConnection};
use stella_api::health::Readiness;
use stella_client::{Call, HttpClient};
use stella_storage::S3;
use stella_testkit::{S3Server, postgres};

use crate::up::{send, text};
use crate::world::{migrated_database, s3_of};

/// A process of an installation whose master key and blobs lie in `home`.
fn stella(home: &Path, verb: &str, settings: &[String]) -> Command {
    let (key, data) = (home.join("master.key"), home.join("data"));
    stella_signing::MasterKey::load_or_create(&key).unwrap();
    let own = [
        "Storage:Driver=postgres".to_owned(),
        "Storage:ObjectStore:Driver=seed-fs".to_owned(),
        "Server:Listen=127.0.0.1:0".to_owned(),
        "Server:AdminListen=127.0.0.1:0".to_owned(),
        "Server:PublicUrl=http://stella.example".to_owned(),
        format!("Storage:DataDirectory={}", data.display()),
        format!("Security:MasterKeyFile={}", key.display()),
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_stella"));
    command
        .arg(verb)
        .env_clear()
        .env("STELLA_ENVIRONMENT", "Testing");
    for setting in own.iter().chain(settings) {
        command.args(["--set", setting]);
    }
    command
}

fn serving(url: &str) -> String {
    format!("ConnectionStrings:Default={url}")
}

fn owning(url: &str) -> String {
    format!("ConnectionStrings:Migrations={url}")
}

/// The settings of a bucket.
pub fn blobs_in(s3: S3) -> [String; 6] {
    [
        ("Driver", "rustfs".to_owned()),
        ("Endpoint", s3.endpoint),
        ("Bucket", s3.bucket),
        ("Region", s3.region),
        ("AccessKeyId", s3.access_key_id),
        ("SecretAccessKey", s3.secret_access_key),
    ]
    .map(|(name, value)| format!("Storage:ObjectStore:{name}={value}"))
}

fn ends_with(output: &Output, exit: i32, code: &str) {
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{told}");
    assert!(told.contains(code), "{told}");
}

/// A server, and the address that it logged when it listened.
fn listening(mut command: Command) -> (Child, String) {
    let mut server = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let address = loop {
        let line = lines.next().expect("the server ended").unwrap();
        if let Some((_, rest)) = line.split_once("address=") {
            break rest.split(' ').next().unwrap().to_owned();
        }
    };
    // Whoever logs must not wait for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    (server, format!("http://{address}"))
}

async fn is_ready(url: &str) -> bool {
    let reply = HttpClient::new(url)
        .unwrap()
        .send(Call::get("/readyz"))
        .await
        .unwrap();
    reply.json::<Readiness>().unwrap().ready
}

#[tokio::test]
async fn an_installation_is_migrated_once_and_served_by_two_processes() {
    let cluster = postgres::cluster().await;
    postgres::template(&cluster, "empty", async |_| ()).await;
    let database = postgres::clone(&cluster, "empty").await;
    let (app, owner) = (serving(&database.app_url), owning(&database.owner_url));
    let home = tempfile::tempdir().unwrap();
    let home = home.path();

    let early = stella(home, "serve", std::slice::from_ref(&app))
        .output()
        .unwrap();
    for service in ["authority", "evidence", "replay", "risk-engine"] {
        let place = format!(
            "STORAGE_SCHEMA_OLDER_THAN_BINARY service={service} key=ConnectionStrings:Default"
        );
        ends_with(&early, 78, &place);
    }
    ends_with(&early, 78, "run stella migrate");
    let unowned = stella(home, "migrate", std::slice::from_ref(&app))
        .output()
        .unwrap();
    ends_with(&unowned, 78, "STORAGE_CONNECTION_MISSING");

    let both = [app.clone(), owner];
    let start = |_| {
        stella(home, "migrate", &both)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let migrating: Vec<Child> = (0..10).map(start).collect();
    for one in migrating {
        let done = one.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", text(&done.stderr));
    }
    let unsafe_role = stella(home, "serve", &[serving(&database.owner_url)])
        .output()
        .unwrap();
    ends_with(&unsafe_role, 78, "STORAGE_ROLE_UNSAFE");

    let servers = [(); 2].map(|()| listening(stella(home, "serve", std::slice::from_ref(&app))));
    for (_, url) in &servers {
        assert!(is_ready(url).await);
    }
    for (mut server, _) in servers {
        send("TERM", &server);
        assert!(server.wait().unwrap().success());
    }

    // Another master key than the one that the keys were stored under, and none.
    let other = tempfile::tempdir().unwrap();
    let start = |more: &[String]| {
        let settings = [std::slice::from_ref(&app), more].concat();
        stella(other.path(), "serve", &settings).output().unwrap()
    };
    let place = |file: &Path| {
        let file = file.display();
        format!("CONFIG_VALUE_INVALID key=Security:MasterKeyFile file={file} hint=\"")
    };
    let wrong = start(&[]);
    ends_with(&wrong, 78, &place(&other.path().join("master.key")));
    ends_with(&wrong, 78, "encrypted with");
    let nowhere = other.path().join("nowhere");
    let none = start(&[format!("Security:MasterKeyFile={}", nowhere.display())]);
    ends_with(&none, 78, &place(&nowhere));
    ends_with(&none, 78, "head -c 32 /dev/urandom");
}

/// Refused before anything is opened where it counts, and told in a log elsewhere.
#[cfg(unix)]
#[tokio::test]
async fn a_master_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    let gone = serving("postgres://stella:hunter2@127.0.0.1:1/stella");
    let start = |environment: &str, mode: u32| {
        let settings = [gone.clone(), "Storage:AllowLocalhost=true".to_owned()];
        let mut command = stella(home.path(), "serve", &settings);
        let key = home.path().join("master.key");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        command.env("STELLA_ENVIRONMENT", environment);
        command.output().unwrap()
    };
    let key = home.path().join("master.key");
    let told = format!("chmod 600 {}", key.display());
    for (environment, mode) in [
        ("Production", 0o644),
        ("Staging", 0o640),
        ("Production", 0o602),
    ] {
        let refused = start(environment, mode);
        ends_with(
            &refused,
            78,
            "CONFIG_VALUE_INVALID key=Security:MasterKeyFile",
        );
        ends_with(&refused, 78, &told);
    }
    let warned = start("Development", 0o644);
    ends_with(&warned, 10, "WARN");
    ends_with(&warned, 10, &told);
    let private = start("Production", 0o600);
    ends_with(&private, 10, "STORAGE_CONNECTION_UNREACHABLE");
    assert!(!text(&private.stderr).contains("chmod"));
}

#[tokio::test]
async fn a_set_clock_is_refused_where_records_count() {
    let home = tempfile::tempdir().unwrap();
    let gone = serving("postgres://stella:hunter2@127.0.0.1:1/stella");
    let start = |environment: &str| {
        let settings = [gone.clone(), "Storage:AllowLocalhost=true".to_owned()];
        let mut command = stella(home.path(), "serve", &settings);
        command.env("STELLA_ENVIRONMENT", environment);
        command.env("SOURCE_DATE_EPOCH", "1767323045");
        command.output().unwrap()
    };
    for environment in ["Production", "Staging"] {
        let refused = start(environment);
        ends_with(&refused, 78, "CONFIG_VALUE_INVALID key=--clock");
        ends_with(&refused, 78, "unset SOURCE_DATE_EPOCH");
    }
    ends_with(&start("Testing"), 10, "STORAGE_CONNECTION_UNREACHABLE");
}

/// What mends one file or connection mends none of the others, so all are told; and where another
/// start alone does not help, the exit says so.
#[tokio::test]
async fn all_files_and_all_connections_that_are_wrong_are_told_together() {
    let home = tempfile::tempdir().unwrap();
    let database = migrated_database().await;
    let cluster = postgres::cluster().await;
    let start = |settings: &[String]| stella(home.path(), "serve", settings).output().unwrap();
    let file = |key: &str| format!("{key}=/nowhere/{key}");
    let keys = [
        "Security:MasterKeyFile",
        "Security:PreviousMasterKeyFile",
        "Server:Tls:CertificateFile",
        "Server:Tls:PrivateKeyFile",
    ];
    let settings: Vec<String> = keys.iter().map(|key| file(key)).collect();
    let others = [
        serving(&database.app_url),
        "Server:PublicUrl=https://stella.example".to_owned(),
    ];
    let refused = start(&[&settings[..], &others].concat());
    for key in keys {
        let place = format!("CONFIG_VALUE_INVALID key={key} file=/nowhere/{key} hint=\"");
        ends_with(&refused, 78, &place);
    }

    let of = |service: &str, url: &str| format!("ConnectionStrings:{service}={url}");
    let gone = "postgres://stella:hunter2@127.0.0.1:1/stella";
    let refused = start(&[
        serving(gone),
        of("Authority", &cluster.url("postgres", "nowhere")),
        of("Replay", &database.owner_url),
    ]);
    for place in [
        "STORAGE_CONNECTION_UNREACHABLE service=evidence,risk-engine \
         key=ConnectionStrings:Default source=--set hint=\"",
        "STORAGE_CONNECTION_INVALID service=authority key=ConnectionStrings:Authority source=--set",
        "STORAGE_ROLE_UNSAFE service=replay key=ConnectionStrings:Replay source=--set hint=\"",
        "error[STORAGE_CONNECTION_INVALID]",
    ] {
        ends_with(&refused, 78, place);
    }
    assert!(!text(&refused.stderr).contains("hunter2"));

    let owner = owning(&cluster.url("postgres", "nowhere"));
    let refused = start(&[serving(&database.owner_url), owner]);
    let place = "STORAGE_CONNECTION_INVALID key=ConnectionStrings:Migrations hint=";
    ends_with(&refused, 78, place);
    ends_with(
        &refused,
        78,
        "STORAGE_ROLE_UNSAFE service=authority,evidence",
    );
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_try_again() {
    let home = tempfile::tempdir().unwrap();
    let gone = serving("postgres://stella:hunter2@127.0.0.1:1/stella");
    let ended = stella(home.path(), "serve", &[gone]).output().unwrap();
    ends_with(&ended, 10, "STORAGE_CONNECTION_UNREACHABLE");
    assert!(!text(&ended.stderr).contains("hunter2"));
}

/// What somebody takes away by hand is told at a start, and not by the first request.
#[tokio::test]
async fn a_schema_that_was_changed_by_hand_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let database = migrated_database().await;
    let mut owner = PgConnection::connect(&database.owner_url).await.unwrap();
    for (statement, back, told) in [
        (
            "REVOKE USAGE ON SCHEMA replay FROM stella_service",
            "GRANT USAGE ON SCHEMA replay TO stella_service",
            "service=replay key=ConnectionStrings:Default source=--set hint=\"schema replay is not",
        ),
        (
            "REVOKE SELECT ON authority._migrations FROM stella_service",
            "GRANT SELECT ON authority._migrations TO stella_service",
            "misses SELECT on _migrations",
        ),
        (
            "REVOKE INSERT ON evidence.log_entries FROM stella_service",
            "GRANT INSERT ON evidence.log_entries TO stella_service",
            "misses INSERT on log_entries",
        ),
        (
            "ALTER TABLE riskengine.evaluations NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE riskengine.evaluations FORCE ROW LEVEL SECURITY",
            "row-level security is not forced on evaluations",
        ),
        (
            "ALTER POLICY tenant ON riskengine.evaluations RENAME TO away; \
             DROP POLICY away ON riskengine.evaluations",
            "CREATE POLICY tenant ON riskengine.evaluations USING (tenant = '')",
            "no policy shows a tenant its rows of evaluations",
        ),
    ] {
        owner.execute(statement).await.unwrap();
        let refused = stella(home.path(), "serve", &[serving(&database.app_url)]).output();
        let refused = refused.unwrap();
        ends_with(&refused, 78, "STORAGE_CONNECTION_INVALID");
        ends_with(&refused, 78, told);
        owner.execute(back).await.unwrap();
    }
}

/// The serving role's string in the owner's place, the likeliest mistake of all.
#[tokio::test]
async fn who_may_not_migrate_is_told_that_it_takes_the_owner() {
    let cluster = postgres::cluster().await;
    postgres::template(&cluster, "empty", async |_| ()).await;
    let empty = postgres::clone(&cluster, "empty").await;
    let migrated = migrated_database().await;
    let home = tempfile::tempdir().unwrap();
    for (database, verb) in [
        (&empty, "migrate"),
        (&migrated, "migrate"),
        (&migrated, "serve"),
    ] {
        let settings = [serving(&database.app_url), owning(&database.app_url)];
        let ended = stella(home.path(), verb, &settings).output().unwrap();
        ends_with(
            &ended,
            78,
            "STORAGE_CONNECTION_INVALID key=ConnectionStrings:Migrations",
        );
        ends_with(&ended, 78, "may not create schemas");
    }
    let read_only = format!(
        "{}?options=-c%20default_transaction_read_only=on",
        empty.owner_url
    );
    let settings = [serving(&empty.app_url), owning(&read_only)];
    let ended = stella(home.path(), "migrate", &settings).output().unwrap();
    ends_with(&ended, 10, "STORAGE_CONNECTION_UNREACHABLE");
    ends_with(&ended, 10, "takes no writes");
}

/// What a start fails by is in a log of JSON, too.
#[test]
fn a_failed_start_is_told_as_the_log_is() {
    let home = tempfile::tempdir().unwrap();
    for (environment, twin) in [("Testing", false), ("Staging", true), ("Production", true)] {
        let mut command = stella(home.path(), "serve", &["Storage:Driver=mysql".to_owned()]);
        let ended = command
            .env("STELLA_ENVIRONMENT", environment)
            .output()
            .unwrap();
        ends_with(&ended, 78, "STORAGE_DRIVER_UNSUPPORTED service=");
        let told = text(&ended.stderr);
        let json = told
            .lines()
            .find_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        assert_eq!(json.is_some(), twin, "{told}");
        if let Some(json) = json {
            assert!(
                json["problems"]
                    .to_string()
                    .contains("STORAGE_DRIVER_UNSUPPORTED"),
                "{json}"
            );
        }
    }
}

/// Each service is migrated in the database that it is served from.
#[tokio::test]
async fn services_on_two_databases_are_migrated_one_after_the_other() {
    let cluster = postgres::cluster().await;
    postgres::template(&cluster, "empty", async |_| ()).await;
    let (one, two) = (
        postgres::clone(&cluster, "empty").await,
        postgres::clone(&cluster, "empty").await,
    );
    let home = tempfile::tempdir().unwrap();
    let migrate = |owner: &str| {
        let evidence = format!("ConnectionStrings:Evidence={}", two.app_url);
        let settings = [serving(&one.app_url), evidence, owning(owner)];
        stella(home.path(), "migrate", &settings).output().unwrap()
    };
    let half = migrate(&one.owner_url);
    let place = "STORAGE_SCHEMA_OLDER_THAN_BINARY service=evidence key=ConnectionStrings:Evidence";
    ends_with(&half, 78, place);
    ends_with(&half, 78, &two.name);
    let schemas = async |url: &str| -> Vec<String> {
        let mut owner = PgConnection::connect(url).await.unwrap();
        let names = "SELECT nspname::text FROM pg_namespace WHERE nspowner = current_user::regrole \
                     AND nspname <> 'public' ORDER BY 1";
        sqlx::query_scalar(names)
            .fetch_all(&mut owner)
            .await
            .unwrap()
    };
    let first = ["authority", "replay", "riskengine"];
    assert_eq!(schemas(&one.owner_url).await, first);
    for url in [&two.owner_url, &one.owner_url] {
        let done = migrate(url);
        assert!(done.status.success(), "{}", text(&done.stderr));
    }
    assert_eq!(schemas(&one.owner_url).await, first);
    assert_eq!(schemas(&two.owner_url).await, ["evidence"]);
}

/// A start reads its connection from its configuration, in whichever shell.
#[tokio::test]
async fn no_variable_of_postgresql_reaches_a_connection() {
    let home = tempfile::tempdir().unwrap();
    let database = migrated_database().await;
    let settings = [serving(&database.app_url), owning(&database.owner_url)];
    let mut migrate = stella(home.path(), "migrate", &settings);
    let elsewhere = [
        ("PGHOST", "nowhere.invalid"),
        ("PGHOSTADDR", "192.0.2.1"),
        ("PGPORT", "1"),
        ("PGUSER", "nobody"),
        ("PGPASSWORD", "hunter2"),
        ("PGDATABASE", "nowhere"),
        ("PGSSLMODE", "verify-full"),
        ("PGAPPNAME", "psql"),
    ];
    let done = migrate.envs(elsewhere).output().unwrap();
    assert!(done.status.success(), "{}", text(&done.stderr));
    let portless = serving("postgres://stella@nowhere.invalid/stella");
    let told = stella(home.path(), "serve", &[portless])
        .envs(elsewhere)
        .output();
    ends_with(&told.unwrap(), 10, "nowhere.invalid:5432");

    let stray = ["PGOPTIONS", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"];
    let told = stella(home.path(), "serve", &settings)
        .envs(stray.map(|name| (name, "-c stella.tenant=acme")))
        .output()
        .unwrap();
    for name in stray {
        let place = format!("STORAGE_CONNECTION_INVALID variable={name} hint=");
        ends_with(&told, 78, &place);
    }
}

/// A PostgreSQL that answers whoever connects with an error.
fn refusing(code: &str, says: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{says}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    let told = [b"E", &length[..], fields.as_bytes()].concat();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The whole of the start-up message: what is not read makes the end a reset.
            let mut length = [0; 4];
            stream.read_exact(&mut length).unwrap();
            let left = u32::from_be_bytes(length) as usize - length.len();
            stream.read_exact(&mut vec![0; left]).unwrap();
            stream.write_all(&told).unwrap();
        }
    });
    format!("postgres://stella:hunter2@{address}/stella?sslmode=disable")
}

/// Who is not let in is told which setting says so; where there is no room, to try again.
#[tokio::test]
async fn a_database_that_does_not_let_us_in_is_told_by_its_key() {
    let home = tempfile::tempdir().unwrap();
    let password = "password authentication failed for user \"stella\"";
    for (sqlstate, says) in [
        ("28P01", password),
        ("28000", "no pg_hba.conf entry for host"),
        ("3D000", "database \"stella\" does not exist"),
    ] {
        let url = refusing(sqlstate, says);
        let default = "key=ConnectionStrings:Default source=--set hint=";
        let told = stella(home.path(), "serve", &[serving(&url)]).output();
        let told = told.unwrap();
        ends_with(&told, 78, default);
        ends_with(&told, 78, says.split('"').next().unwrap());
        assert!(!text(&told.stderr).contains("hunter2"));
        let owner = [serving(&url), owning(&url)];
        let told = stella(home.path(), "migrate", &owner).output().unwrap();
        ends_with(&told, 78, "key=ConnectionStrings:Migrations hint=");
    }
    // One service's own database is named by its own key.
    let database = migrated_database().await;
    let own = format!("ConnectionStrings:Replay={}", refusing("28P01", password));
    let told = stella(home.path(), "serve", &[serving(&database.app_url), own]).output();
    ends_with(
        &told.unwrap(),
        78,
        "key=ConnectionStrings:Replay source=--set hint=",
    );
    let full = refusing("53300", "sorry, too many clients already");
    let told = stella(home.path(), "serve", &[serving(&full)]).output();
    ends_with(&told.unwrap(), 10, "STORAGE_CONNECTION_UNREACHABLE");
}

#[tokio::test]
async fn a_bucket_is_written_to_before_a_port_is_opened() {
    let (server, database) = (S3Server::start(), migrated_database().await);
    let home = tempfile::tempdir().unwrap();
    let serve = |s3: S3| {
        let settings = [&[serving(&database.app_url)][..], &blobs_in(s3)].concat();
        stella(home.path(), "serve", &settings)
    };
    let (mut running, url) = listening(serve(s3_of(&server)));
    assert!(is_ready(&url).await);
    send("TERM", &running);
    assert!(running.wait().unwrap().success());

    let wrong_key = S3 {
        secret_access_key: "hunter2".to_owned(),
        ..s3_of(&server)
    };
    let away = S3 {
        endpoint: "http://127.0.0.1:1".to_owned(),
        secret_access_key: "hunter2".to_owned(),
        ..s3_of(&server)
    };
    for (s3, exit, code, reason) in [
        (
            wrong_key,
            78,
            "OBJECTSTORE_NOT_WRITABLE",
            "403 SignatureDoesNotMatch",
        ),
        (
            away,
            10,
            "OBJECTSTORE_UNREACHABLE",
            "http://127.0.0.1:1/stella-blobs",
        ),
    ] {
        let ended = serve(s3).output().unwrap();
        ends_with(&ended, exit, code);
        let told = text(&ended.stderr);
        assert!(told.contains(reason) && !told.contains("hunter2"), "{told}");
    }
}
