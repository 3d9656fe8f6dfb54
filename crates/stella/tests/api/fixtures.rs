//! Small documents of our own making.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use stella_canonical::Digest;
use stella_client::Call;

pub const VECTOR: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N";

/// An advisory on a crate, affected below a version.
pub fn advisory(id: &str, aliases: &[&str], package: &str, fixed: &str) -> Value {
    json!({
        "id": id,
        "modified": "2026-01-01T00:00:00Z",
        "aliases": aliases,
        "summary": format!("a hole in {package}"),
        "severity": [{"type": "CVSS_V3", "score": VECTOR}],
        "affected": [{
            "package": {"ecosystem": "crates.io", "name": package},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }],
    })
}

/// The same without a severity.
pub fn unscored(id: &str, package: &str, fixed: &str) -> Value {
    let mut advisory = advisory(id, &[], package, fixed);
    advisory.as_object_mut().unwrap().remove("severity");
    advisory
}

/// One of as many advisories on a crate as a test needs.
pub fn hole(n: usize) -> Vec<u8> {
    bytes(&advisory(
        &format!("RUSTSEC-2026-{n:04}"),
        &[],
        "alpha",
        "2.0.0",
    ))
}

/// An SBOM of crates, given as `name@version`.
pub fn sbom(crates: &[&str]) -> Value {
    let component = |text: &&str| {
        let (name, version) = text.split_once('@').unwrap();
        let purl = format!("pkg:cargo/{name}@{version}");
        json!({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl})
    };
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": "urn:uuid:6f1b6a3e-8f0e-4b53-9b0a-1f1f5a1e0001",
        "version": 1,
        "components": crates.iter().map(component).collect::<Vec<_>>(),
    })
}

pub fn kev(cves: &[&str]) -> Value {
    let entry = |cve: &&str| {
        json!({
            "cveID": cve, "vendorProject": "example", "product": "example",
            "vulnerabilityName": "an example", "dateAdded": "2026-01-02",
            "shortDescription": "an example", "requiredAction": "update",
            "dueDate": "2026-01-23", "knownRansomwareCampaignUse": "Unknown", "notes": "",
        })
    };
    json!({
        "title": "an example of a catalogue",
        "catalogVersion": "2026.01.02",
        "dateReleased": "2026-01-02T00:00:00Z",
        "count": cves.len(),
        "vulnerabilities": cves.iter().map(entry).collect::<Vec<_>>(),
    })
}

/// A statement of `Example Vendor` that a component is not affected.
pub fn vex(vulnerability: &str, purl: &str) -> Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.com/vex/1",
        "author": "Example Vendor",
        "timestamp": "2026-01-03T00:00:00Z",
        "version": 1,
        "statements": [{
            "vulnerability": {"name": vulnerability},
            "products": [{"@id": purl}],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
        }],
    })
}

pub fn bytes(document: &Value) -> Vec<u8> {
    serde_json::to_vec(document).unwrap()
}

/// The envelope that the CLI would make.
pub fn envelope(bytes: &[u8]) -> Value {
    let read = stella_formats::read(bytes);
    let upstream = read.map(|document| document.upstream()).unwrap_or_default();
    let digest = Digest::of(bytes).to_string();
    json!({
        "source": {
            "publisher": upstream.publisher.unwrap_or_else(|| "unknown".to_owned()),
            "stream": "test",
        },
        "upstream": {
            "id": upstream.id.unwrap_or_else(|| digest.clone()),
            "fetchedAt": "2026-02-01T00:00:00Z",
            "contentDigest": digest,
        },
    })
}

/// The line of a batch that has the document as it is, which must be one line itself.
pub fn line(bytes: &[u8]) -> String {
    let raw = std::str::from_utf8(bytes).unwrap();
    format!("{{\"envelope\": {}, \"raw\": {raw}}}\n", envelope(bytes))
}

/// The line that has it in base64.
pub fn encoded_line(bytes: &[u8]) -> String {
    let raw = STANDARD.encode(bytes);
    format!(
        "{{\"envelope\": {}, \"rawBase64\": \"{raw}\"}}\n",
        envelope(bytes)
    )
}

/// A POST of lines.
pub fn batch(kind: &str, lines: String) -> Call {
    let path = format!("/api/v1/evidence/{kind}/batch");
    Call::post(&path, "application/x-ndjson", lines)
}

/// A POST of a document with its envelope.
pub fn ingest(kind: &str, bytes: &[u8]) -> Call {
    with_envelope(kind, bytes, &envelope(bytes))
}

pub fn with_envelope(kind: &str, bytes: &[u8], envelope: &Value) -> Call {
    let header = URL_SAFE_NO_PAD.encode(envelope.to_string());
    let path = format!("/api/v1/evidence/{kind}");
    Call::post(&path, "application/json", bytes.to_vec()).with(
        "stella-provenance".parse().unwrap(),
        header.parse().unwrap(),
    )
}
