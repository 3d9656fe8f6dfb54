//! What is signed here verifies with other people's tools.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use stella_api::dsse::Envelope;
use stella_attest::Statement;
use stella_canonical::Digest;

use crate::SigningKey;

/// PyPI's securesystemslib, the library of TUF and in-toto; `./setup` installs it.
fn securesystemslib(envelope: &Envelope, key: &SigningKey) -> Output {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = here.join("../../target/tools/bin/python3");
    let mut child = Command::new(&python)
        .arg(here.join("src/foreign/verify_dsse.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}: run ./setup", python.display()));
    let asked = json!({"envelope": envelope, "jwk": key.public()});
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(asked.to_string().as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn attestations_verify_with_securesystemslib() {
    for key in [
        SigningKey::generate().unwrap(),
        SigningKey::generate_p256().unwrap(),
    ] {
        let claim = json!({"text": "ein Text mit Umlauten: äöü"});
        let statement = Statement::new(
            "thing",
            &Digest::of(b"thing"),
            "https://example.org/v1",
            claim,
        );
        let unsigned = statement.unsigned().unwrap();
        let good = key.attest(unsigned).unwrap();
        let told = securesystemslib(&good, &key);
        let error = String::from_utf8_lossy(&told.stderr);
        assert!(told.status.success(), "{:?}: {error}", key.algorithm());
        let read: Statement<serde_json::Value> = serde_json::from_slice(&told.stdout).unwrap();
        assert_eq!(read, statement);

        let mut other = good.clone();
        other.payload_type.push('x');
        let told = securesystemslib(&other, &key);
        let error = String::from_utf8_lossy(&told.stderr);
        assert!(error.contains("VerificationError"), "{error}");
    }
}
