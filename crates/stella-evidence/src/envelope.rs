//! The envelope, in the header `Stella-Provenance` or a line of a batch: an allow-list, and a list
//! of what may never come in.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use serde_json::Value;
use stella_api::Code;
use stella_api::evidence::Envelope;
use stella_canonical::{Digest, json};

use crate::guard::Violation;

const HEADER: &str = "Stella-Provenance";
/// What pointers into an envelope begin with.
pub(crate) const PLACE: &str = "Stella-Provenance:";
/// Base64url, with or without padding.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const LONGEST_TEXT: usize = 512;

/// Derived facts: refused at the envelope, compared without case, `_` and `-`.
const FORBIDDEN: &[&str] = &[
    "severity",
    "cvss",
    "cvssvector",
    "effectivestatus",
    "effectiverange",
    "mergedfrom",
    "consensusprovider",
    "reachability",
    "assetcriticality",
    "riskscore",
];
const FORBIDDEN_BEGINNINGS: &[&str] = &[
    "effective",
    "consensus",
    "policy",
    "normalized",
    "merged",
    "risk",
];

/// Every place that may stand in an envelope, and whether it must.
const PLACES: &[(&str, bool)] = &[
    ("/source", true),
    ("/source/publisher", true),
    ("/source/distributor", false),
    ("/source/stream", true),
    ("/source/api", false),
    ("/source/collectorVersion", false),
    ("/upstream", true),
    ("/upstream/id", true),
    ("/upstream/documentVersion", false),
    ("/upstream/fetchedAt", true),
    ("/upstream/contentDigest", true),
    ("/upstream/signature", false),
    ("/upstream/signature/present", false),
    ("/upstream/signature/verified", false),
    ("/upstream/signature/format", false),
    ("/upstream/signature/keyId", false),
];

/// Reads the envelope of a request.
pub(crate) fn of_headers(headers: &HeaderMap) -> Result<Envelope, Vec<Violation>> {
    let one = |label: &str| vec![wrong("", label, &[])];
    let mut values = headers.get_all(HEADER).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(one("refused-envelope-count"));
    };
    let text = BASE64URL
        .decode(value.as_bytes())
        .map_err(|_| one("refused-envelope-encoding"))?;
    read(&text)
}

fn wrong(place: &str, label: &str, values: &[(&str, stella_locale::Value<'_>)]) -> Violation {
    Violation::labelled(Code::Aoc004, format!("{PLACE}{place}"), label, values)
}

/// That there is none.
pub(crate) fn missing() -> Violation {
    wrong("", "refused-envelope-missing", &[])
}

/// Reads an envelope from its JSON text, telling every violation.
pub(crate) fn read(text: &[u8]) -> Result<Envelope, Vec<Violation>> {
    let value = json::parse(text).map_err(|error| {
        let pointer = format!("{PLACE}{}", error.pointer);
        vec![Violation::new(Code::Aoc004, pointer, &error)]
    })?;
    let mut violations = Vec::new();
    judge_keys(&value, "", &mut violations);
    for (place, required) in PLACES {
        if *required && value.pointer(place).is_none() {
            violations.push(wrong(place, "refused-envelope-missing", &[]));
        }
    }
    if !violations.is_empty() {
        return Err(violations);
    }
    let envelope: Envelope = serde_json::from_value(value)
        .map_err(|error| vec![Violation::new(Code::Aoc004, PLACE, error)])?;
    let violations = judge_values(&envelope);
    if violations.is_empty() {
        Ok(envelope)
    } else {
        Err(violations)
    }
}

fn judge_keys(value: &Value, at: &str, violations: &mut Vec<Violation>) {
    let Value::Object(members) = value else {
        return;
    };
    for (key, inner) in members {
        let mut place = at.to_owned();
        json::push_token(&mut place, key);
        let pointer = format!("{PLACE}{place}");
        let (code, label) = if forbidden(key) {
            (Code::Aoc001, "refused-envelope-derived")
        } else if PLACES.iter().all(|(known, _)| *known != place) {
            (Code::Aoc007, "refused-envelope-unknown")
        } else {
            judge_keys(inner, &place, violations);
            continue;
        };
        let values = [("key", key.as_str().into())];
        violations.push(Violation::labelled(code, pointer, label, &values));
    }
}

fn forbidden(key: &str) -> bool {
    let folded: String = key
        .chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect();
    FORBIDDEN.contains(&folded.as_str())
        || FORBIDDEN_BEGINNINGS
            .iter()
            .any(|start| folded.starts_with(start))
}

fn judge_values(envelope: &Envelope) -> Vec<Violation> {
    let (source, upstream) = (&envelope.source, &envelope.upstream);
    let mut violations = Vec::new();
    let mut wrong = |place: &str, label: &str| {
        let values = [("limit", LONGEST_TEXT.into())];
        violations.push(wrong(place, label, &values));
    };
    let optional = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let texts = [
        ("/source/publisher", source.publisher.clone()),
        ("/source/distributor", optional(&source.distributor)),
        ("/source/stream", source.stream.clone()),
        ("/source/api", optional(&source.api)),
        (
            "/source/collectorVersion",
            optional(&source.collector_version),
        ),
        ("/upstream/id", upstream.id.clone()),
        (
            "/upstream/documentVersion",
            optional(&upstream.document_version),
        ),
    ];
    for (place, text) in &texts {
        if text.trim().is_empty() || text.len() > LONGEST_TEXT {
            wrong(place, "refused-envelope-length");
        } else if text.chars().any(char::is_control) {
            wrong(place, "refused-envelope-control");
        }
    }
    if upstream.fetched_at.parse::<Timestamp>().is_err() {
        wrong("/upstream/fetchedAt", "refused-envelope-time");
    }
    if upstream.content_digest.parse::<Digest>().is_err() {
        wrong("/upstream/contentDigest", "refused-envelope-digest");
    }
    violations
}

/// Reads anything as an envelope; whatever it accepts has every required text, and what it refuses
/// has a reason.
pub fn fuzz(data: &[u8]) {
    match read(data) {
        Ok(envelope) => {
            assert!(!envelope.source.publisher.is_empty() && !envelope.upstream.id.is_empty());
        }
        Err(violations) => assert!(violations.iter().any(|one| !one.message.is_empty())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn good() -> Value {
        serde_json::json!({
            "source": {"publisher": "rustsec", "stream": "local"},
            "upstream": {
                "id": "RUSTSEC-2023-0061",
                "fetchedAt": "2026-01-02T03:04:05Z",
                "contentDigest": Digest::of(b"x").to_string(),
            },
        })
    }

    fn codes(value: &Value) -> Vec<(Code, String)> {
        let read = read(value.to_string().as_bytes());
        read.err()
            .unwrap_or_default()
            .into_iter()
            .map(|one| (one.code, one.pointer))
            .collect()
    }

    #[test]
    fn a_complete_envelope_is_read() {
        assert_eq!(codes(&good()), []);
    }

    #[test]
    fn derived_fields_are_refused_however_they_are_written() {
        let written = [
            "severity",
            "CVSS",
            "cvss-Vector",
            "Effective_Status",
            "riskAppetite",
            "policy",
        ];
        for key in written {
            let mut value = good();
            value["source"][key] = 1.into();
            assert_eq!(codes(&value)[0].0, Code::Aoc001, "{key}");
        }
    }

    #[test]
    fn every_violation_is_told_with_its_place() {
        let mut value = good();
        value["extra"] = true.into();
        value["source"].as_object_mut().unwrap().remove("stream");
        value["upstream"].as_object_mut().unwrap().remove("id");
        let told = codes(&value);
        assert_eq!(
            told,
            [
                (Code::Aoc007, "Stella-Provenance:/extra".to_owned()),
                (Code::Aoc004, "Stella-Provenance:/source/stream".to_owned()),
                (Code::Aoc004, "Stella-Provenance:/upstream/id".to_owned()),
            ]
        );
    }

    #[test]
    fn values_are_judged_too() {
        let wrong = [
            ("/source/publisher", " ".to_owned()),
            ("/source/publisher", "a\u{1b}[31m".to_owned()),
            ("/upstream/id", "x".repeat(513)),
            ("/upstream/fetchedAt", "yesterday".to_owned()),
            ("/upstream/contentDigest", "sha256:AB".to_owned()),
        ];
        for (place, text) in wrong {
            let mut value = good();
            *value.pointer_mut(place).unwrap() = text.into();
            assert_eq!(
                codes(&value),
                [(Code::Aoc004, format!("Stella-Provenance:{place}"))]
            );
        }
    }

    #[test]
    fn its_corpus_breaks_no_law() {
        stella_testdata::replay("envelope", fuzz);
    }

    proptest! {
        #[test]
        fn nothing_panics(data in proptest::collection::vec(any::<u8>(), 0..400)) {
            fuzz(&data);
        }

        #[test]
        fn no_json_panics(text in "[\\[\\]{}\":,a-z0-9 ]{0,200}") {
            fuzz(text.as_bytes());
        }
    }
}
