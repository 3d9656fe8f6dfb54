use proptest::prelude::*;

use super::*;

fn clean(text: &str) -> String {
    Redactor::default().clean(text).into_owned()
}

#[test]
fn the_rules_can_be_read() {
    assert!(PATTERN.is_some() && NAME.is_some());
}

#[test]
fn what_looks_like_a_secret_goes_and_what_told_so_stays() {
    for (text, expected) in [
        ("Authorization: DPoP abc.def", "Authorization: [redacted]"),
        (
            r#"{"authorization": "Bearer abc def", "n": 1}"#,
            r#"{"authorization": "[redacted]", "n": 1}"#,
        ),
        (
            r#"{"told":"{\"password\":\"hunter 2\",\"n\":1}"}"#,
            r#"{"told":"{\"password\":\"[redacted]\",\"n\":1}"}"#,
        ),
        (
            r#"{"token":12345,"n":1}"#,
            r#"{"token":"[redacted]","n":1}"#,
        ),
        (
            "sent Bearer abcdefgh12 there",
            "sent Bearer [redacted] there",
        ),
        (
            "proof eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln cut",
            "proof [redacted] cut",
        ),
        (
            "a -----BEGIN PRIVATE KEY-----\\nMC4CAQ\\n-----END PRIVATE KEY-----\\n b",
            "a [redacted]\\n b",
        ),
        (
            "/-----BEGIN%20PRIVATE%20KEY-----MC4C-----END%20PRIVATE%20KEY-----/x",
            "/[redacted]/x",
        ),
        ("-----BEGIN EC PRIVATE KEY-----\nMC4C", "[redacted]"),
        (
            "Host=db;Password=hunter2;Database=x",
            "Host=db;Password=[redacted];Database=x",
        ),
        (
            "postgres://stella:p@ss@db.example/x failed",
            "postgres://[redacted]@db.example/x failed",
        ),
        (
            "/x?access_token=abc&page=2",
            "/x?access_token=[redacted]&page=2",
        ),
        (
            "SecretAccessKey: wJalrXUtnFEMI/K7MDENG",
            "SecretAccessKey: [redacted]",
        ),
        (
            "\x1b[3mpassword\x1b[0m\x1b[2m=\x1b[0mhunter2",
            "\x1b[3mpassword\x1b[0m\x1b[2m=\x1b[0m[redacted]",
        ),
        (
            "by AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY, and ASIAIOSFODNN7EXAMPLE",
            "by [redacted], and [redacted]",
        ),
        (
            "https://x/?k=AKIAIOSFODNN7EXAMPLE&n=1",
            "https://x/?k=[redacted]&n=1",
        ),
        (
            "git clone with ghp_16C7e42F292c6912E7710c838347Ae178B4a failed",
            "git clone with [redacted] failed",
        ),
        (
            "gho_16C7e42F292c6912E7710c838347Ae178B4a/github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuv",
            "[redacted]/[redacted]",
        ),
        (
            "glpat-abcdefghij0123456789 npm_abcdefghijklmnopqrstuvwxyz0123456789 xoxb-1234567890-abc",
            "[redacted] [redacted] [redacted]",
        ),
        ("by jane.doe+x@mail.example.org, ok", "by [redacted], ok"),
        ("/people/jane%40example.org", "/people/[redacted]"),
    ] {
        assert_eq!(clean(text), expected, "{text}");
    }
}

/// A path is logged as it came: whoever reads the log decodes it.
#[test]
fn what_is_percent_encoded_goes_too_however_often() {
    for (text, expected) in [
        ("/x/Bearer%20CANARY-1234&y", "/x/Bearer%20[redacted]&y"),
        ("/x/bearer+CANARY-1234", "/x/bearer+[redacted]"),
        ("/x/Bearer%2BCANARY-1234", "/x/Bearer%2B[redacted]"),
        ("/x/DPoP%09CANARY-1234?y", "/x/DPoP%09[redacted]?y"),
        ("/x/Bearer%2520CANARY-1234", "/x/Bearer%2520[redacted]"),
        ("/%42earer%20%43ANARY-1234", "/%42earer%20[redacted]"),
        ("/password%3DCANARY%20more/y", "/password%3D[redacted]"),
        ("/token%253DCANARY%2520more", "/token%253D[redacted]"),
        (
            "/%7B%22secret%22:%22CANARY%22%7D",
            "/%7B%22secret%22:%22[redacted]%22%7D",
        ),
        ("/eyJhbGciOiJFZERTQSJ9%2EeyCANARY%2Ec2ln", "/[redacted]"),
        (
            "/postgres:%2F%2Fu:CANARY%40db/x",
            "/postgres:%2F%2F[redacted]@db/x",
        ),
    ] {
        let told = clean(text);
        assert!(!told.contains("ANARY"), "{told}");
        assert_eq!(told, expected, "{text}");
    }
    let redactor = Redactor::new(["hunter/22 long".to_owned()]);
    for text in ["/x/hunter%2f22%20long/y", "/x/hunter%252F22%2520long/y"] {
        assert_eq!(redactor.clean(text), "/x/[redacted]/y");
    }
    for text in [
        "/100%/é%20ü/%zz%2",
        "/pkg%3Anpm%2F%2540angular%2Fcore@17.0.1",
    ] {
        assert_eq!(clean(text), text);
    }
}

#[test]
fn what_only_resembles_one_stays() {
    for text in [
        "pkg:npm/%40angular/core@17.0.1 and pkg:cargo/time@0.1.0-rc.1",
        "GET /api/v1/evidence/documents/sha256:0cf8 401 DPOP_PROOF_INVALID",
        "the token is not valid, key=Security:MasterKeyFile basic tests",
        "http://127.0.0.1:7070/api/v1/findings?page=2",
        "eyes.on the.road",
        // Of the same letters, and nobody's key.
        "AKIA and ghp_1.2, npm_config_cache, sha1 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
    ] {
        assert_eq!(clean(text), text);
    }
}

#[test]
fn what_is_known_goes_wherever_it_stands() {
    let redactor = Redactor::new(["hunter22".to_owned(), "hunter22-long".into(), "x".into()]);
    let text = "x hunter22-long/hunter22";
    assert_eq!(redactor.clean(text), "x [redacted]/[redacted]");
    let redactor = Redactor::new(["hunter\"2\\2".to_owned()]);
    let line = serde_json::json!(["hunter\"2\\2"]).to_string();
    assert_eq!(redactor.clean(&line), r#"["[redacted]"]"#);
    assert!(!format!("{redactor:?}").contains("hunter"));
}

proptest! {
    #[test]
    fn no_planted_secret_survives_in_any_surroundings(
        before in ".{0,40}", after in ".{0,40}", secret in "[A-Za-z0-9]{12,40}",
    ) {
        for planted in [
            format!(" Bearer {secret} "),
            format!(" password={secret} "),
            format!("{{\"secretAccessKey\":\"{secret}\"}}"),
            format!(" eyJhbGciOiJub25l.{secret}.{secret} "),
            format!(" ghp_{secret}{secret}"),
            format!(" github_pat_{secret}_{secret}"),
            format!(" postgres://u:{secret}@db/x "),
            format!(" {secret}@example.org "),
            format!("-----BEGIN PRIVATE KEY-----{secret}-----END PRIVATE KEY-----"),
        ] {
            let told = clean(&format!("{before}{planted}{after}"));
            prop_assert!(!told.contains(&secret), "{}", told);
        }
    }
}

#[test]
fn the_name_of_a_value_says_what_it_is_too() {
    let clean = |name: &str| Redactor::default().clean_value(name, "hunter2");
    for name in [
        "password",
        "Authorization",
        "client_secret",
        "secretAccessKey",
    ] {
        assert_eq!(clean(name), GONE, "{name}");
    }
    for name in ["key", "url.path", "trace", "tokens"] {
        assert_eq!(clean(name), "hunter2", "{name}");
    }
}
