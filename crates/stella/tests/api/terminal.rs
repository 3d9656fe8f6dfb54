//! What a person sees on a terminal, which `script` makes for the process.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use serde_json::json;
use stella_api::Page;
use stella_api::evidence::DocumentRecord;

use crate::cli::Person;
use crate::world::World;

const DOCUMENTS: usize = 4000;
const CTRL_C: &[u8] = b"\x03";

/// The number before some words, where they are there.
fn before(text: &str, words: &str) -> Option<usize> {
    let (head, _) = text.split_once(words)?;
    head.rsplit(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// Ctrl-C waits for what is under way, so that what is told to be not sent is not there, and all
/// else is.
#[tokio::test(flavor = "multi_thread")]
async fn an_ingest_shows_a_bar_and_stops_clean() {
    let world = World::inmemory().await;
    let person = Person::of(&world, "acme");
    let folder = person.file("many/0.json", b"{}");
    let folder = folder.parent().unwrap();
    for number in 0..DOCUMENTS {
        let id = format!("EXAMPLE-{number}");
        let document = json!({"id": id, "modified": "2024-01-01T00:00:00Z", "affected": []});
        person.file(
            &format!("many/{number}.json"),
            document.to_string().as_bytes(),
        );
    }
    let ingest = person.starts(&["evidence", "ingest", folder.to_str().unwrap(), "-o", "json"]);
    let words: Vec<&str> = [ingest.get_program()]
        .into_iter()
        .chain(ingest.get_args())
        .map(|word| word.to_str().unwrap())
        .collect();
    let mut script = Command::new("script");
    script.args([
        "--quiet",
        "--flush",
        "--return",
        "--command",
        &words.join(" "),
        "/dev/null",
    ]);
    script.env_clear().envs(
        ingest
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    script.env("PATH", "/usr/bin:/bin").env("TERM", "xterm");
    let mut script = script
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keys, mut screen) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
    let watched = tokio::task::spawn_blocking(move || {
        let (mut seen, mut bytes, mut stopped) = (String::new(), [0; 4096], false);
        loop {
            let read = screen.read(&mut bytes).unwrap();
            if read == 0 {
                return seen;
            }
            seen += &String::from_utf8_lossy(&bytes[..read]);
            let words = format!(" of {DOCUMENTS} documents");
            let last = seen.rsplit('[').find_map(|drawn| before(drawn, &words));
            if !stopped && last.is_some_and(|done| done > 0) {
                keys.write_all(CTRL_C).unwrap();
                stopped = true;
            }
        }
    });
    let seen = watched.await.unwrap();
    assert_eq!(script.wait().unwrap().code(), Some(130), "{seen}");
    assert!(
        seen.contains(&format!("0 of {DOCUMENTS} documents")),
        "drawn at once: {seen}"
    );
    assert!(
        seen.contains("=>") && seen.contains(" a second, "),
        "{seen}"
    );
    assert!(seen.contains("Ctrl-C again leaves at once"), "{seen}");
    let told = |name: &str| {
        let (_, rest) = seen.split_once(&format!("\"{name}\": ")).unwrap();
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().unwrap()
    };
    assert!(
        told("unsent") > 0 && told("taken") + told("unsent") == DOCUMENTS,
        "{seen}"
    );
    let mut there = 0;
    let mut path = "/api/v1/evidence/documents?pageSize=500".to_owned();
    loop {
        let page: Page<DocumentRecord> = world.analyst("acme").get(&path).await;
        there += page.items.len();
        let Some(token) = page.next_page_token else {
            break;
        };
        path = format!("/api/v1/evidence/documents?pageSize=500&pageToken={token}");
    }
    assert_eq!(there, told("taken"));
}
