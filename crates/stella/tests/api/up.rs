//! The binary as somebody new runs it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

fn command(home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stella"));
    command
        .args(words)
        .env_clear()
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_DATA_HOME", home.join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub fn stella(home: &Path, words: &[&str]) -> Output {
    command(home, words).output().unwrap()
}

/// The same, which must have ended in time.
fn stella_within(deadline: Duration, home: &Path, words: &[&str]) -> Output {
    let started = command(home, words).spawn().unwrap();
    let id = started.id();
    let (ended, end) = mpsc::channel();
    let waiting = std::thread::spawn(move || {
        let output = started.wait_with_output().unwrap();
        let _ = ended.send(());
        output
    });
    let in_time = end.recv_timeout(deadline).is_ok();
    if !in_time {
        signal("KILL", id);
    }
    let output = waiting.join().unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(in_time, "not within {deadline:?}: {stdout}\n{stderr}");
    output
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What the main job may take once it is built. A bound to keep, no measurement: it takes a
/// fraction of a second, also in a debug build.
const MAIN_JOB: Duration = Duration::from_secs(10);

#[test]
fn the_sample_is_scored_explained_and_the_same_again() {
    let home = tempfile::tempdir().unwrap();
    let words = ["up", "--sample", "--once"];
    let first = stella_within(MAIN_JOB, home.path(), &words);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let told = text(&first.stdout);
    for part in [
        "RUSTSEC-2023-0061",
        "KEV",
        "Critical",
        "rt1.",
        "stella replay verify",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    let second = stella(home.path(), &["up", "--sample", "--once"]);
    assert_eq!(
        text(&second.stdout),
        told,
        "a second run makes nothing twice"
    );
}

/// Records carry the time that was asked for, tokens that of the machine: they would have run out
/// long ago.
#[test]
fn records_of_a_set_clock_are_the_same_bytes_in_two_folders() {
    let run = |words: &[&str], variable: Option<(&str, &str)>| {
        let home = tempfile::tempdir().unwrap();
        let words = [&["up", "--sample", "--once", "-o", "json"][..], words].concat();
        let mut command = command(home.path(), &words);
        command.envs(variable);
        let ended = command.output().unwrap();
        assert!(ended.status.success(), "{}", text(&ended.stderr));
        text(&ended.stdout)
    };
    let asked = run(&["--clock", "2026-01-02T03:04:05Z"], None);
    assert!(asked.contains("2026-01-02T03:04:05Z"), "{asked}");
    assert_eq!(run(&[], Some(("SOURCE_DATE_EPOCH", "1767323045"))), asked);
}

/// That a start says what it sets, as page 02 asks for, and where it listens.
fn says_what_it_sets(told: &str, data: &Path, address: &str) {
    for part in [
        "STELLA_ENVIRONMENT=Development",
        "Storage:Driver=filesystem",
        "Storage:ObjectStore:Driver=seed-fs",
        &format!("Storage:DataDirectory={}\n", data.display()),
        &format!("Server:Listen={address}\n"),
        // Nobody can ask a run that ends by itself.
        "Server:AdminListen=none\n",
        &format!("http://{address}\n"),
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
}

#[test]
fn what_is_set_by_itself_is_told_beside_the_report() {
    let home = tempfile::tempdir().unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    let words = ["up", "--once", "--listen", &listen];
    let text_only = stella(home.path(), &words);
    let data = home.path().join("data/stella");
    says_what_it_sets(&text(&text_only.stderr), &data, &listen);
    let report = text(&text_only.stdout);
    assert!(report.starts_with("Nothing to show yet."), "{report}");

    let elsewhere = home.path().join("elsewhere");
    let data = ["--data", elsewhere.to_str().unwrap(), "-o", "json"];
    let json = stella(home.path(), &[&words[..], &data[..]].concat());
    says_what_it_sets(&text(&json.stderr), &elsewhere, &listen);
    serde_json::from_slice::<serde_json::Value>(&json.stdout).unwrap();
}

#[test]
fn another_master_key_is_told_by_its_file() {
    let home = tempfile::tempdir().unwrap();
    let first = stella(home.path(), &["up", "--once"]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let key = home.path().join("data/stella/master.key");
    for (other, reason) in [
        ([9; 32].as_slice(), "the master key does not open"),
        (b"no key", "does not hold the 32 bytes of a master key"),
    ] {
        std::fs::write(&key, other).unwrap();
        let second = stella(home.path(), &["up", "--once"]);
        let told = text(&second.stderr);
        assert_eq!(second.status.code(), Some(78), "{told}");
        assert!(told.contains(&format!("file={}", key.display())), "{told}");
        assert!(told.contains(reason), "{told}");
    }
}

/// A port that was free a moment ago and that nobody listens on.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// That the failure is the one that `stella up` mends.
fn says_stella_up(failed: &Output) -> String {
    let told = text(&failed.stderr);
    assert_eq!(failed.status.code(), Some(10), "{told}");
    assert!(told.contains("error[SERVER_UNREACHABLE]"), "{told}");
    assert!(told.contains("hint: stella up\n"), "{told}");
    told
}

#[test]
fn without_a_server_the_hint_is_how_to_start_one() {
    let home = tempfile::tempdir().unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    let up = stella(home.path(), &["up", "--once", "--listen", &listen]);
    assert!(up.status.success(), "{}", text(&up.stderr));
    let told = says_stella_up(&stella(home.path(), &["findings", "list"]));
    assert!(told.contains(&listen), "{told}");
}

#[test]
fn before_the_first_up_the_hint_is_the_same() {
    let home = tempfile::tempdir().unwrap();
    for verb in [
        &["findings", "list"][..],
        &["whoami"],
        &["evidence", "list"],
    ] {
        let told = says_stella_up(&stella(home.path(), verb));
        assert!(told.contains("no server is known yet"), "{told}");
    }
    let asked_for = stella(home.path(), &["whoami", "--context", "prod"]);
    assert_eq!(asked_for.status.code(), Some(4));
    assert!(!home.path().join("data").exists(), "a verb opens no data");
}

#[test]
fn once_leaves_a_context_for_the_next_up_and_changes_none() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config/stella/config.yaml");
    assert!(stella(home.path(), &["up", "--once"]).status.success());
    let first = std::fs::read_to_string(&config).unwrap();
    assert!(first.contains("http://127.0.0.1:7070"), "{first}");
    assert!(first.contains("current: local"), "{first}");
    let listen = format!("127.0.0.1:{}", free_port());
    let again = stella(home.path(), &["up", "--once", "--listen", &listen]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert_eq!(std::fs::read_to_string(&config).unwrap(), first);
}

/// That the failure names the address and a remedy, and not a trace id that nobody printed.
fn says_the_address_is_taken(failed: &Output, address: &str, remedy: &str) {
    let told = text(&failed.stderr);
    assert_eq!(failed.status.code(), Some(78), "{told}");
    assert!(told.contains("error[LISTEN_ADDRESS_UNUSABLE]"), "{told}");
    assert!(told.contains(address) && told.contains(remedy), "{told}");
    assert!(!told.contains("trace"), "{told}");
}

#[test]
fn a_taken_address_is_told_with_the_remedy() {
    let home = tempfile::tempdir().unwrap();
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    let up = stella(home.path(), &["up", "--once", "--listen", &taken]);
    says_the_address_is_taken(&up, &taken, "stella up --listen");
    assert!(!home.path().join("data").exists(), "nothing was made");

    let master = home.path().join("master.key");
    stella_signing::MasterKey::load_or_create(&master).unwrap();
    let key = format!("Security:MasterKeyFile={}", master.display());
    for (taken_key, free_key) in [
        ("Server:Listen=", "Server:AdminListen="),
        ("Server:AdminListen=", "Server:Listen="),
    ] {
        let (taken_there, free) = (
            format!("{taken_key}{taken}"),
            format!("{free_key}127.0.0.1:0"),
        );
        let settings = [
            "Storage:Driver=inmemory",
            "Storage:ObjectStore:Driver=seed-fs",
            "Server:PublicUrl=http://localhost",
            &free,
            &taken_there,
            &key,
        ];
        let sets = settings.iter().flat_map(|setting| ["--set", setting]);
        let serve = Command::new(env!("CARGO_BIN_EXE_stella"))
            .arg("serve")
            .args(sets)
            .env_clear()
            .env("STELLA_ENVIRONMENT", "Testing")
            .output()
            .unwrap();
        says_the_address_is_taken(&serve, &taken, taken_key);
    }
}

/// Somebody else's file, one cut short by a full disk, or a folder in its place.
#[test]
fn a_database_file_that_is_none_is_told_with_its_name_and_the_remedy() {
    let home = tempfile::tempdir().unwrap();
    assert!(stella(home.path(), &["up", "--once"]).status.success());
    let tables = home.path().join("data/stella/db/authority.sqlite");
    // What stands in the log would be written over it; it is not there after a clean end.
    let _ = std::fs::remove_file(tables.with_extension("sqlite-wal"));
    let garbage = "nothing of SQLite's, and longer than its header".repeat(9);
    std::fs::write(&tables, garbage).unwrap();
    let told = |exit: i32, code: &str, remedy: &str| {
        let broken = stella(home.path(), &["up", "--once"]);
        let told = text(&broken.stderr);
        assert_eq!(broken.status.code(), Some(exit), "{told}");
        for part in [code, remedy, &tables.display().to_string()] {
            assert!(told.contains(part), "{part} is not in\n{told}");
        }
        told
    };
    let garbage = told(6, "error[RECORD_CORRUPT]", "hint: restore it from a backup");
    assert_eq!(garbage.matches("not a database").count(), 1, "{garbage}");
    std::fs::remove_file(&tables).unwrap();
    std::fs::create_dir(&tables).unwrap();
    let folder = told(78, "error[STORAGE_FILE_UNUSABLE]", "hint: let the user");
    assert_eq!(folder.matches("unable to open").count(), 1, "{folder}");
}

#[test]
fn a_config_folder_that_cannot_be_written_is_told_with_its_name_and_the_remedy() {
    let home = tempfile::tempdir().unwrap();
    // Root may write into any folder, and into no file as if it were one.
    std::fs::write(home.path().join("config"), "").unwrap();
    let failed = stella(home.path(), &["up", "--once"]);
    let told = text(&failed.stderr);
    assert_eq!(failed.status.code(), Some(78), "{told}");
    let file = home.path().join("config/stella/keys/local-cli.pem");
    for part in [
        "error[CONFIG_NOT_WRITTEN]",
        &file.display().to_string(),
        "XDG_CONFIG_HOME=DIR",
    ] {
        assert_eq!(told.matches(part).count(), 1, "{part}: {told}");
    }
}

#[test]
fn a_key_that_others_can_read_is_refused_with_the_remedy() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    assert!(stella(home.path(), &["up", "--once"]).status.success());
    let key = home.path().join("config/stella/keys/local-cli.pem");
    let mode = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode));
    mode(0o644).unwrap();
    let refused = stella(home.path(), &["up", "--once"]);
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(78), "{told}");
    assert!(told.contains("error[KEY_FILE_OPEN_TO_OTHERS]"), "{told}");
    let remedy = format!("hint: chmod 600 {}", key.display());
    assert!(told.contains(&remedy), "{told}");
    mode(0o600).unwrap();
    assert!(stella(home.path(), &["up", "--once"]).status.success());
}

#[test]
fn a_data_folder_that_cannot_be_made_is_configuration() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let failed = stella(
        home.path(),
        &["up", "--once", "--data", file.to_str().unwrap()],
    );
    let told = text(&failed.stderr);
    assert_eq!(failed.status.code(), Some(78), "{told}");
    assert!(
        told.contains(file.to_str().unwrap()) && told.contains("hint: "),
        "{told}"
    );
}

#[test]
fn a_folder_in_use_is_told_with_its_process_and_the_remedy() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data/stella");
    let _held = stella_storage::DataFolder::open(&data).unwrap();
    let refused = stella(home.path(), &["up", "--once"]);
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(10), "{told}");
    for part in [
        "error[STORAGE_DIRECTORY_LOCKED]",
        &format!("(kill {})", std::process::id()),
        "stella up --data DIR",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
}

/// `stella up --sample` as it starts, when it is reached for the first time.
fn starting(home: &Path) -> (Child, TcpStream) {
    let listen = format!("127.0.0.1:{}", free_port());
    let words = ["up", "--sample", "--listen", &listen];
    let mut up = command(home, &words).spawn().unwrap();
    loop {
        if let Ok(reached) = TcpStream::connect(&listen) {
            return (up, reached);
        }
        let ended = up.try_wait().unwrap();
        assert!(ended.is_none(), "{ended:?}");
        std::thread::yield_now();
    }
}

pub fn send(name: &str, to: &Child) {
    signal(name, to.id());
}

fn signal(name: &str, to: u32) {
    let kill = format!("kill -{name} {to}");
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
}

/// 130 as long as there is no report, and never a process that a signal ended.
fn ends_in_order(up: Child, home: &Path) {
    let ended = up.wait_with_output().unwrap();
    let (stdout, stderr) = (text(&ended.stdout), text(&ended.stderr));
    match ended.status.code() {
        Some(130) => assert_eq!(stdout, ""),
        Some(0) => assert!(stdout.contains("rt1."), "{stdout}"),
        other => panic!("{other:?} {:?}\n{stderr}", ended.status),
    }
    assert_eq!(stderr.lines().count(), 7, "only what it sets: {stderr}");
    let next = stella(home, &["up", "--sample", "--once"]);
    assert!(next.status.success(), "{}", text(&next.stderr));
    assert!(text(&next.stdout).contains("RUSTSEC-2023-0061"));
}

#[test]
fn a_signal_before_the_report_stops_in_order() {
    for signal in ["INT", "TERM"] {
        let home = tempfile::tempdir().unwrap();
        let (up, _reached) = starting(home.path());
        send(signal, &up);
        ends_in_order(up, home.path());
    }
}

#[test]
fn a_request_in_flight_is_answered_before_the_end() {
    let home = tempfile::tempdir().unwrap();
    let (up, mut reached) = starting(home.path());
    let head = "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
                Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\n\r\n";
    reached.write_all(head.as_bytes()).unwrap();
    let mut answers = BufReader::new(reached.try_clone().unwrap());
    let mut line = String::new();
    answers.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 100"), "{line}");
    send("INT", &up);
    reached.write_all(b"grant_type=x").unwrap();
    let mut rest = String::new();
    answers.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("HTTP/1.1 400"), "{rest}");
    ends_in_order(up, home.path());
}
