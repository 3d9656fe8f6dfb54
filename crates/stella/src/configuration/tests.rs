use stella_api::Code;
use stella_service::{RateLimits, RequestLimits};
use stella_storage::ObjectDriver;

use super::*;
use crate::commands::Connections;

const COMPLETE: &[(&str, &str)] = &[
    ("Storage:Driver", "postgres"),
    (
        "ConnectionStrings:Default",
        "postgres://stella:secret@db.example/stella",
    ),
    ("Storage:ObjectStore:Driver", "seed-fs"),
    ("Storage:DataDirectory", "/var/lib/stella"),
    ("Security:MasterKeyFile", "/etc/stella/master.key"),
];
/// What rustfs needs beside its driver.
const RUSTFS: &[(&str, &str)] = &[
    ("Storage:ObjectStore:Driver", "rustfs"),
    ("Storage:ObjectStore:Endpoint", "https://s3.example:9000/"),
    ("Storage:ObjectStore:Bucket", "stella-blobs"),
    ("Storage:ObjectStore:Region", "eu-central-1"),
    ("Storage:ObjectStore:AccessKeyId", "stella"),
    ("Storage:ObjectStore:SecretAccessKey", "hunter2"),
];
const ENVIRONMENTS: [Environment; 4] = [
    Environment::Production,
    Environment::Staging,
    Environment::Development,
    Environment::Testing,
];

fn raw(pairs: &[(&str, &str)]) -> Raw {
    let mut raw = Raw::default();
    for (key, value) in pairs {
        raw.set(key, value, SourceOf::CommandLine);
    }
    raw
}

fn codes(pairs: &[(&str, &str)], environment: Environment) -> Vec<Code> {
    let problems = resolve(&raw(pairs), environment).err().unwrap_or_default();
    problems.into_iter().map(|problem| problem.code).collect()
}

fn changed<'a>(key: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    [COMPLETE, &[(key, value)]].concat()
}

#[test]
fn a_complete_configuration_is_taken_in_every_environment() {
    for environment in ENVIRONMENTS {
        assert_eq!(codes(COMPLETE, environment), []);
    }
}

#[test]
fn nothing_is_assumed_and_everything_of_every_service_is_told_at_once() {
    for environment in ENVIRONMENTS {
        let told = codes(&[], environment);
        let count = |code| told.iter().filter(|one| **one == code).count();
        assert_eq!(count(Code::StorageDriverMissing), 4);
        assert_eq!(count(Code::ObjectStoreDriverMissing), 2);
        assert_eq!((count(Code::ConfigValueInvalid), told.len()), (1, 7));
    }
}

#[test]
fn a_line_says_service_key_source_environment_what_is_accepted_and_what_to_do() {
    let problems = resolve(
        &raw(&changed("Replay:Storage:Driver", "Postgres")),
        Environment::Production,
    );
    let [problem] = &problems.unwrap_err()[..] else {
        panic!("one problem")
    };
    assert_eq!(
        problem.to_string(),
        "STORAGE_DRIVER_UNSUPPORTED service=replay key=Replay:Storage:Driver source=--set \
         environment=Production accepted=postgres hint=\"write one of the accepted values, in lower case\""
    );
}

#[test]
fn each_wrong_value_has_its_code() {
    let rows = [
        ("Storage:Driver", "Postgres", Code::StorageDriverUnsupported),
        ("Storage:Driver", "", Code::StorageDriverMissing),
        (
            "Server:Tls:CertificateFile",
            "/tls/server.pem",
            Code::ConfigValueInvalid,
        ),
        (
            "Server:TrustedProxies",
            "10.0.0.0/8, proxy.example",
            Code::ConfigValueInvalid,
        ),
        (
            "Server:Tls:PrivateKeyFile",
            "/tls/key.pem",
            Code::ConfigValueInvalid,
        ),
        (
            "Storage:Driver",
            "inmemory",
            Code::StorageDriverNotForProduction,
        ),
        (
            "Storage:Driver",
            "filesystem",
            Code::StorageDriverNotForProduction,
        ),
        (
            "Evidence:Storage:Driver",
            "filesystem",
            Code::StorageDriverNotForProduction,
        ),
        (
            "ConnectionStrings:Default",
            " ",
            Code::StorageConnectionMissing,
        ),
        (
            "ConnectionStrings:Default",
            "nonsense",
            Code::StorageConnectionInvalid,
        ),
        (
            "ConnectionStrings:Evidence",
            "nonsense",
            Code::StorageConnectionInvalid,
        ),
        (
            "ConnectionStrings:Migrations",
            "nonsense",
            Code::StorageConnectionInvalid,
        ),
        (
            "ConnectionStrings:Default",
            "postgres://a@localhost/b",
            Code::StorageLocalhostInProduction,
        ),
        (
            "ConnectionStrings:Replay",
            "Host=127.0.0.1;Database=b;Username=a",
            Code::StorageLocalhostInProduction,
        ),
        ("Storage:AllowLocalhost", "True", Code::ConfigValueInvalid),
        (
            "Storage:ObjectStore:Driver",
            "s3",
            Code::ObjectStoreDriverUnsupported,
        ),
        (
            "Storage:ObjectStore:Driver",
            "",
            Code::ObjectStoreDriverMissing,
        ),
        (
            "Evidence:Storage:ObjectStore:Driver",
            "RustFS",
            Code::ObjectStoreDriverUnsupported,
        ),
        (
            "Replay:Storage:ObjectStore:Driver",
            "rustfs",
            Code::ObjectStoreSettingMissing,
        ),
        (
            "Storage:DataDirectory",
            "here",
            Code::StorageDirectoryMissing,
        ),
        ("Storage:DataDirectory", "", Code::StorageDirectoryMissing),
        ("Server:Listen", "anywhere", Code::ConfigValueInvalid),
        (
            "Server:RateLimit:Client:Requests",
            "0",
            Code::ConfigValueInvalid,
        ),
        (
            "Server:RateLimit:Client:Seconds",
            "1.5",
            Code::ConfigValueInvalid,
        ),
        (
            "Server:RateLimit:Tenant:Requests",
            "-1",
            Code::ConfigValueInvalid,
        ),
        (
            "Server:RateLimit:Tenant:Seconds",
            "many",
            Code::ConfigValueInvalid,
        ),
        ("Server:MaxConnections", "0", Code::ConfigValueInvalid),
        ("Server:RequestHeadSeconds", "0", Code::ConfigValueInvalid),
        ("Server:StopSeconds", "60s", Code::ConfigValueInvalid),
        ("Server:MaxBodyBytes", "64 MiB", Code::ConfigValueInvalid),
        ("Server:MaxBodyBytes", "65535", Code::ConfigValueInvalid),
        ("Server:MaxBodyBytes", "67108865", Code::ConfigValueInvalid),
        ("Server:RequestSeconds", "0", Code::ConfigValueInvalid),
        ("Server:BodiesBytes", "134217727", Code::ConfigValueInvalid),
        ("Server:RequestSeconds", "3601", Code::ConfigValueInvalid),
        (
            "Server:PublicUrl",
            "stella.example",
            Code::ConfigValueInvalid,
        ),
        (
            "Server:PublicUrl",
            "https://stella.example/path",
            Code::ConfigValueInvalid,
        ),
        ("Security:MasterKeyFile", "", Code::ConfigValueInvalid),
        ("Storage:Drivr", "postgres", Code::ConfigKeyUnknown),
    ];
    for (key, value, code) in rows {
        for environment in [Environment::Production, Environment::Staging] {
            let told = codes(&changed(key, value), environment);
            assert!(
                !told.is_empty() && told.iter().all(|one| *one == code),
                "{key}={value}: {told:?}"
            );
        }
    }
    let allowed = [
        &changed("ConnectionStrings:Default", "postgres://a@localhost/b")[..],
        &[("Storage:AllowLocalhost", "true")],
    ]
    .concat();
    assert_eq!(codes(&allowed, Environment::Production), []);
}

#[test]
fn rustfs_needs_all_its_settings_and_no_folder() {
    let complete: Vec<_> = [COMPLETE, RUSTFS, &[("Storage:DataDirectory", "")]].concat();
    for environment in ENVIRONMENTS {
        assert_eq!(codes(&complete, environment), []);
        let settings = resolve(&raw(&complete), environment).unwrap();
        let drivers = settings.object_drivers().unwrap();
        assert_eq!(drivers.evidence, drivers.replay);
        let ObjectDriver::Rustfs(s3) = drivers.replay else {
            panic!("rustfs")
        };
        assert_eq!(
            (s3.endpoint.as_str(), s3.bucket.as_str()),
            ("https://s3.example:9000/", "stella-blobs")
        );
        assert!(!format!("{settings:?}").contains("hunter2"));
        for (key, _) in &RUSTFS[1..] {
            // Every service needs it, and it is told once.
            let without = [&complete[..], &[(key, " ")]].concat();
            assert_eq!(
                codes(&without, environment),
                [Code::ObjectStoreSettingMissing],
                "{key}"
            );
        }
    }
    for (key, wrong) in [
        ("Storage:ObjectStore:Endpoint", "s3.example"),
        ("Storage:ObjectStore:Endpoint", "https://s3.example/path"),
        ("Storage:ObjectStore:Bucket", "Stella_Blobs"),
        ("Storage:ObjectStore:Bucket", "ab"),
    ] {
        let wrong = [&complete[..], &[(key, wrong)]].concat();
        assert_eq!(
            codes(&wrong, Environment::Staging),
            [Code::ConfigValueInvalid],
            "{key}"
        );
    }
    let problems = resolve(
        &raw(&[&complete[..], &[("Storage:ObjectStore:Region", "")]].concat()),
        Environment::Production,
    );
    assert_eq!(
        problems.unwrap_err()[0].to_string(),
        "OBJECTSTORE_SETTING_MISSING key=Storage:ObjectStore:Region source=--set environment=Production \
         accepted=a region, such as us-east-1 hint=\"rustfs needs Storage:ObjectStore:Region\""
    );
}

#[test]
fn a_services_blobs_lie_where_its_own_key_says() {
    let pairs = [
        COMPLETE,
        &RUSTFS[1..],
        &[
            ("Evidence:Storage:ObjectStore:Driver", "rustfs"),
            ("Replay:Storage:Driver", "inmemory"),
        ],
    ]
    .concat();
    let settings = resolve(&raw(&pairs), Environment::Testing).unwrap();
    let drivers = settings.object_drivers().unwrap();
    assert!(matches!(drivers.evidence, ObjectDriver::Rustfs(_)));
    // What is gone at exit takes no other service's blobs with it.
    assert_eq!(drivers.replay, ObjectDriver::Temporary);
    let settings = resolve(
        &raw(&changed("Replay:Storage:Driver", "inmemory")),
        Environment::Testing,
    )
    .unwrap();
    let drivers = settings.object_drivers().unwrap();
    assert_eq!(
        drivers.evidence,
        ObjectDriver::SeedFs("/var/lib/stella/objects".into())
    );
    assert_eq!(drivers.replay, ObjectDriver::Temporary);
}

#[test]
fn limits_are_those_that_are_set_else_those_of_the_house() {
    let limits = |pairs: &[(&str, &str)]| {
        let settings = resolve(&raw(pairs), Environment::Production);
        settings.unwrap().limits
    };
    let default = RateLimits::default();
    assert_eq!(limits(COMPLETE), default);
    let set = limits(&changed("server:ratelimit:tenant:requests", "7"));
    assert_eq!(
        (set.client, set.tenant.seconds),
        (default.client, default.tenant.seconds)
    );
    assert_eq!(set.tenant.requests.get(), 7);
}

#[test]
fn connections_are_those_that_are_set_else_those_of_up() {
    let connections = |pairs: &[(&str, &str)]| {
        let settings = resolve(&raw(pairs), Environment::Production);
        settings.unwrap().connections
    };
    assert_eq!(connections(COMPLETE), Connections::default());
    assert_eq!(connections(&changed("Server:MaxConnections", "7")).most, 7);
    let head = connections(&changed("Server:RequestHeadSeconds", "7")).head;
    assert_eq!(head, std::time::Duration::from_secs(7));
}

#[test]
fn what_a_request_may_take_is_what_is_set_else_what_up_has() {
    let requests = |pairs: &[(&str, &str)]| {
        let settings = resolve(&raw(pairs), Environment::Production);
        settings.unwrap().requests
    };
    assert_eq!(requests(COMPLETE), RequestLimits::default());
    assert_eq!(
        requests(&changed("Server:MaxBodyBytes", "65536")).body,
        65536
    );
    let bodies = requests(&changed("Server:BodiesBytes", "134217728")).bodies;
    assert_eq!(bodies, 128 << 20);
    let time = requests(&changed("Server:RequestSeconds", "3600")).time;
    assert_eq!(time, std::time::Duration::from_secs(3600));
}

#[test]
fn the_public_url_of_a_server_with_tls_is_https() {
    let tls = [
        ("Server:Tls:CertificateFile", "/tls/server.pem"),
        ("Server:Tls:PrivateKeyFile", "/tls/key.pem"),
    ];
    let bare: Vec<(&str, &str)> = COMPLETE
        .iter()
        .filter(|(key, _)| *key != "Server:PublicUrl")
        .chain(&tls)
        .copied()
        .collect();
    let settings = resolve(&raw(&bare), Environment::Production).unwrap();
    assert_eq!(settings.public_url, "https://127.0.0.1:7070");
    let plain = [&bare[..], &[("Server:PublicUrl", "http://stella.example")]].concat();
    assert_eq!(
        codes(&plain, Environment::Production),
        [Code::ConfigValueInvalid]
    );
}

#[test]
fn a_service_has_its_own_where_it_is_set_and_not_blank() {
    let own = "postgres://replay@other.example/replay";
    let pairs = [
        COMPLETE,
        &[
            ("connectionstrings:replay", own),
            ("ConnectionStrings:Evidence", "  "),
            ("RiskEngine:Storage:Driver", "inmemory"),
        ],
    ]
    .concat();
    let settings = resolve(&raw(&pairs), Environment::Testing).unwrap();
    let keys: Vec<Option<&str>> = settings
        .services
        .iter()
        .map(|one| one.connection_key.as_deref())
        .collect();
    let default = Some("ConnectionStrings:Default");
    assert_eq!(
        keys,
        [default, default, Some("ConnectionStrings:Replay"), None]
    );
    let drivers = settings.drivers();
    let stella_storage::Driver::Postgres(replay) = &drivers.replay else {
        panic!("postgres")
    };
    assert_eq!(
        (replay.host(), drivers.risk_engine.as_str()),
        ("other.example", "inmemory")
    );
}

#[test]
fn the_strongest_source_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stella.yaml");
    std::fs::write(
        &path,
        "storage:\n  driver: inmemory\nserver:\n  listen: 1.1.1.1:1\n",
    )
    .unwrap();
    let variables = |names: &[&'static str]| -> Raw {
        let mut raw = Raw::default();
        raw.take_file(&path).unwrap();
        raw.take_environment(names.iter().map(|name| (*name, "filesystem")));
        raw
    };
    let counts = |raw: &Raw| {
        raw.get("STORAGE:DRIVER")
            .map(|said| said.source.to_string())
            .unwrap()
    };
    assert_eq!(counts(&variables(&[])), path.display().to_string());
    assert_eq!(counts(&variables(&["storage__driver"])), "$storage__driver");
    assert_eq!(
        counts(&variables(&["STELLA_Storage__Driver", "Storage__Driver"])),
        "$STELLA_Storage__Driver"
    );
    let mut raw = variables(&["Storage__Driver", "UNRELATED__THING"]);
    raw.take_command_line(&["Storage:Driver=postgres".to_owned()])
        .unwrap();
    assert_eq!(counts(&raw), "--set");
    assert_eq!(raw.story("Storage:Driver").len(), 3);
    assert_eq!(raw.get("Server:Listen").unwrap().value, "1.1.1.1:1");
    assert!(raw.get("Unrelated:Thing").is_none());
}

#[test]
fn two_spellings_of_one_key_that_differ_are_told_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stella.yaml");
    let text = "Storage:\n  Driver: postgres\nstorage:\n  Driver: filesystem\n";
    std::fs::write(&path, text).unwrap();
    let told = |raw: &Raw| -> Vec<String> {
        let problems = resolve(raw, Environment::Testing).unwrap_err();
        let told = problems.iter().map(ToString::to_string);
        told.filter(|line| line.contains("the same key")).collect()
    };
    let mut of_file = Raw::default();
    of_file.take_file(&path).unwrap();
    let [line] = &told(&of_file)[..] else {
        panic!("one clash")
    };
    let place = format!(
        "CONFIG_VALUE_INVALID key=Storage:Driver source={}",
        path.display()
    );
    assert!(line.starts_with(&place), "{line}");
    assert!(line.contains("Storage:Driver and storage:Driver"), "{line}");

    let mut of_variables = Raw::default();
    let variables = [
        ("Storage__Driver", "postgres"),
        ("STORAGE__DRIVER", "inmemory"),
        ("STELLA_Storage__Driver", "filesystem"),
        ("Server__Listen", "1.1.1.1:1"),
        ("SERVER__LISTEN", "1.1.1.1:1"),
    ];
    of_variables.take_environment(variables.into_iter());
    let [line] = &told(&of_variables)[..] else {
        panic!("one clash")
    };
    assert!(
        line.contains("$Storage__Driver and $STORAGE__DRIVER"),
        "{line}"
    );
}

#[test]
fn an_argument_that_is_no_pair_is_told_without_its_value() {
    let told = |word: &str| {
        let taken = Raw::default().take_command_line(&[word.to_owned()]);
        taken.unwrap_err().to_string()
    };
    for word in [
        "ConnectionStrings:Default postgres://a:TOPSECRETZZ@h/d",
        "connectionstrings:default postgres://a:TOPSECRETZZ@h/d?sslmode=require",
        "ConnectionStrings:Default:TOPSECRETZZ",
        "TOPSECRETZZ",
        "postgres://a:TOPSECRETZZ@h/d?sslmode=require",
    ] {
        let told = told(word);
        assert!(told.starts_with("CONFIG_VALUE_INVALID argument="), "{told}");
        assert!(!told.contains("TOPSECRETZZ"), "{told}");
    }
    let told = told("connectionstrings:default postgres://h/d");
    assert!(
        told.contains("argument=ConnectionStrings:Default…"),
        "{told}"
    );
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    for (written, meant) in [
        ("Storage:Drivr", "Storage:Driver"),
        ("ConnectionString:Default", "ConnectionStrings:Default"),
        ("Storage:ObjectStore:Drver", "Storage:ObjectStore:Driver"),
        ("Server:Lisen", "Server:Listen"),
    ] {
        let problems = resolve(&raw(&changed(written, "x")), Environment::Testing).unwrap_err();
        assert_eq!(problems[0].hint, format!("did you mean {meant}?"));
    }
}

#[test]
fn what_is_like_no_key_is_likened_to_none() {
    let sections = Key::sections().join(", ");
    assert!(sections.starts_with("Storage, ConnectionStrings, "));
    for written in ["Nope:X", "X", "Storage:Q", ""] {
        let hint = Problem::unknown_key(written).hint;
        let told = format!("no key is like it; keys begin with one of {sections}");
        assert_eq!(hint, told, "{written}");
    }
}

#[test]
fn a_service_elsewhere_is_told_as_what_is_not_there_yet() {
    for written in ["Services:Evidence:Url", "services:x"] {
        let hint = Problem::unknown_key(written).hint;
        assert!(hint.starts_with("a process runs all services"), "{hint}");
    }
}

#[test]
fn no_secret_is_told() {
    let url = "postgres://stella:hunter2@local host/x";
    let raw = raw(&changed("ConnectionStrings:Default", url));
    let problems = resolve(&raw, Environment::Production).unwrap_err();
    assert!(!Problem::told(&problems).text().contains("hunter2"));
    assert!(!format!("{raw:?}{problems:?}").contains("hunter2"));
}

fn product<A: Copy, B: Copy, const N: usize, const M: usize>(
    these: [A; N],
    those: [B; M],
) -> impl Iterator<Item = (A, B)> {
    these
        .into_iter()
        .flat_map(move |this| those.into_iter().map(move |that| (this, that)))
}

/// The whole product: in Production and Staging only PostgreSQL on another machine with a place
/// for blobs is taken; nothing is ever taken without a driver, a connection or an object store.
#[test]
fn no_row_is_silently_accepted() {
    let values = [
        None,
        Some(""),
        Some("postgres"),
        Some("filesystem"),
        Some("inmemory"),
        Some("Postgres"),
    ];
    let connections = [
        None,
        Some(""),
        Some("postgres://a@db.example/b"),
        Some("postgres://a@localhost/b"),
        Some("x"),
    ];
    let stores = [None, Some("seed-fs"), Some("rustfs"), Some("Seed-FS")];
    let folders = [None, Some("relative"), Some("/absolute")];
    let mut taken = 0;
    for environment in ENVIRONMENTS {
        for driver in values {
            for connection in connections {
                for store in stores {
                    for (folder, settings) in product(folders, [&[][..], &RUSTFS[1..]]) {
                        let all = [
                            ("Storage:Driver", driver),
                            ("ConnectionStrings:Default", connection),
                            ("Storage:ObjectStore:Driver", store),
                            ("Storage:DataDirectory", folder),
                            ("Security:MasterKeyFile", Some("/k")),
                        ];
                        let pairs = all
                            .into_iter()
                            .filter_map(|(key, value)| Some((key, value?)));
                        let pairs: Vec<_> = pairs.chain(settings.iter().copied()).collect();
                        let remote = connection == Some("postgres://a@db.example/b");
                        let reached = remote
                            || (connection == Some("postgres://a@localhost/b")
                                && !environment.strict());
                        let tables = match driver {
                            Some("postgres") => reached,
                            Some("filesystem") => !environment.strict() && folder.is_some(),
                            Some("inmemory") => !environment.strict(),
                            _ => false,
                        };
                        let placed = match folder {
                            Some("/absolute") => true,
                            Some(_) => !environment.strict(),
                            None => driver == Some("inmemory"),
                        };
                        let blobs = match store {
                            Some("seed-fs") => placed,
                            Some("rustfs") => !settings.is_empty(),
                            _ => false,
                        };
                        let expected = tables && blobs;
                        let found = resolve(&raw(&pairs), environment).is_ok();
                        assert_eq!(found, expected, "{environment:?} {pairs:?}");
                        taken += usize::from(found);
                    }
                }
            }
        }
    }
    assert!(taken > 0);
}
