use serde_json::{Value, json};

/// One OpenVEX 0.2 statement, that a finding of the sample does not matter.
pub(super) fn document() -> Value {
    let mut document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "author": super::AUTHOR,
        "role": "Document Creator",
        "timestamp": super::MOMENT,
        "version": 1,
        "statements": [{
            "vulnerability": {"name": "RUSTSEC-2022-0013", "aliases": ["CVE-2022-24713", "GHSA-m5pq-gvj9-9vr8"]},
            "products": [{"@id": "pkg:cargo/regex@1.5.4", "identifiers": {"purl": "pkg:cargo/regex@1.5.4"}}],
            "status": "not_affected",
            "justification": "vulnerable_code_cannot_be_controlled_by_adversary",
            "impact_statement": "Sample: every pattern is written in the program; none comes from outside.",
        }],
    });
    document["@id"] = super::name_of(&document).into();
    document
}
