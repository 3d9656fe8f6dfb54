use std::fs;

use super::{Ran, given};

/// Advisories of our own, one withdrawn, and a document that is none.
fn advisories() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let osv = |id: &str, ecosystem: &str, package: &str, rest: &str| {
        let text = format!(
            r#"{{"id": "{id}", "modified": "2099-01-01T00:00:00Z", "affected":
            [{{"package": {{"ecosystem": "{ecosystem}", "name": "{package}"}}, {rest}}}]}}"#
        );
        fs::write(folder.path().join(format!("{id}.json")), text).unwrap();
    };
    let range = |kind: &str, fixed: &str| {
        let events = format!(r#"[{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]"#);
        format!(r#""ranges": [{{"type": "{kind}", "events": {events}}}]"#)
    };
    osv(
        "RUSTSEC-2099-2",
        "crates.io",
        "small_vec",
        &range("SEMVER", "2.0.0"),
    );
    osv(
        "RUSTSEC-2099-1",
        "crates.io",
        "small-vec",
        &range("SEMVER", "1.0.0"),
    );
    osv("GHSA-2099-3", "npm", "left-pad", &range("SEMVER", "1.0.0"));
    osv(
        "PYSEC-2099-4",
        "PyPI",
        "Zope.Interface",
        r#""versions": ["5.0"]"#,
    );
    osv(
        "DSA-2099-5",
        "Debian:12",
        "curl",
        &range("ECOSYSTEM", "7.88.1-10+deb12u5"),
    );
    osv(
        "GHSA-2099-6",
        "NuGet",
        "Some.Package",
        &range("ECOSYSTEM", "2.0.0"),
    );
    let withdrawn = r#"{"id": "RUSTSEC-2099-7", "modified": "2099-01-01T00:00:00Z",
        "withdrawn": "2099-01-02T00:00:00Z", "affected": [{"versions": ["0.9.0"],
        "package": {"ecosystem": "crates.io", "name": "small-vec"}}]}"#;
    fs::write(folder.path().join("withdrawn.json"), withdrawn).unwrap();
    let sbom = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": []}"#;
    fs::write(folder.path().join("sbom.json"), sbom).unwrap();
    folder
}

async fn asked(folder: &tempfile::TempDir, lines: impl Into<Vec<u8>>) -> Ran {
    let path = folder.path().display();
    given(lines)
        .run(&format!("evidence affected --offline {path} -o ndjson"))
        .await
}

#[tokio::test]
async fn every_line_is_answered_in_its_place() {
    let folder = advisories();
    let lines = [
        r#"{"ecosystem": "crates.io", "package": "small-vec", "version": "0.9.0", "mark": [1]}"#,
        r#"{"ecosystem": "crates.io", "package": "Small_Vec", "version": "1.0.0", "ids": ["old"], "error": "old"}"#,
        r#"{"ecosystem": "crates.io", "package": "other", "version": "1.0.0"}"#,
        r#"{"ecosystem": "crates.io", "package": "small-vec", "version": "1.0"}"#,
        r#"{"ecosystem": "npm", "package": "left-pad", "version": "v0.9.9"}"#,
        r#"{"ecosystem": "PyPI", "package": "zope-interface", "version": "5.0.0"}"#,
        r#"{"ecosystem": "Debian:12", "package": "curl", "version": "7.88.1-10+deb12u4"}"#,
        r#"{"ecosystem": "Debian:11", "package": "curl", "version": "7.74.0-1"}"#,
        r#"{"ecosystem": "Debian", "package": "curl", "version": "7.74.0-1"}"#,
        r#"{"ecosystem": "NuGet", "package": "Some.Package", "version": "1.0.0"}"#,
    ];
    let ran = asked(&folder, lines.join("\r\n")).await;
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(ran.stdout);
}

#[tokio::test]
async fn a_line_that_cannot_be_answered_says_why_and_the_run_goes_on() {
    let folder = advisories();
    let long = format!(r#"{{"ecosystem": "{}"}}"#, "a".repeat(70_000));
    let lines = [
        "nonsense\u{1b}[2J",
        "",
        "[]",
        r#"{"ecosystem": "npm", "package": "left-pad"}"#,
        r#"{"ecosystem": "npm", "package": "left-pad", "version": 1}"#,
        r#"{"ecosystem": "npm", "ecosystem": "PyPI", "package": "left-pad", "version": "0.1.0"}"#,
        r#"{"ecosystem": "pypi", "package": "zope\u001b[2J", "version": "5.0"}"#,
        &long,
        r#"{"ecosystem": "npm", "package": "left-pad", "version": "0.1.0"}"#,
    ];
    let ran = asked(&folder, lines.join("\n")).await;
    assert_eq!(ran.exit, 2);
    insta::assert_snapshot!(ran.stdout);
    assert_eq!(
        ran.stderr.lines().next(),
        Some(
            r#"{"code":"AFFECTED_INCOMPLETE","message":"8 lines could not be answered, 0 documents could not be read","exit":2}"#
        )
    );
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_told() {
    let folder = advisories();
    let path = folder.path().join("broken.json");
    fs::write(&path, "{").unwrap();
    let line = r#"{"ecosystem": "npm", "package": "left-pad", "version": "0.1.0"}"#;
    let ran = asked(&folder, line).await;
    assert_eq!(ran.exit, 2);
    assert!(
        ran.stdout.contains(r#""ids":["GHSA-2099-3"]"#),
        "{}",
        ran.stdout
    );
    for told in ["AFFECTED_INCOMPLETE", "ERR_AOC_009", "broken.json"] {
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn what_it_cannot_do_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    let ran = given("").run(&format!("evidence affected {path}")).await;
    assert_eq!(ran.exit, 2);
    assert!(ran.stderr.contains("--offline"), "{}", ran.stderr);
    let ran = asked(&folder, "").await;
    assert_eq!(ran.exit, 4);
    assert!(ran.stderr.contains("NO_ADVISORIES"), "{}", ran.stderr);
}
