//! DSSE envelopes (Dead Simple Signing Envelope, v1.0.2).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use stella_api::dsse::{Envelope, Signature};

use crate::key::PublicKey;

/// A payload that waits for its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    payload_type: &'static str,
    payload: Vec<u8>,
}

/// A payload that at least one known key signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How to read the payload.
    pub payload_type: String,
    /// The signed bytes.
    pub payload: Vec<u8>,
    /// The keys whose signatures hold, in the order of the envelope, each once.
    pub keyids: Vec<String>,
}

/// An envelope that proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestError {
    /// Bytes that are no envelope.
    #[error("not a DSSE envelope: {0}")]
    Malformed(String),
    /// A member that is no base64.
    #[error("{0} is not base64")]
    Base64(String),
    /// No signature is there.
    #[error("the envelope carries no signature")]
    Unsigned,
    /// None of the signatures is of a known key.
    #[error("no signature is of a known key: signed by {0}")]
    UnknownKey(String),
    /// A known key's signature does not hold.
    #[error("the signature of key {0} does not hold")]
    Invalid(String),
}

/// The pre-authentication encoding: what is signed in place of the payload.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    out.extend_from_slice(payload);
    out
}

impl Unsigned {
    /// A payload of a type.
    #[must_use]
    pub fn new(payload_type: &'static str, payload: Vec<u8>) -> Self {
        Self {
            payload_type,
            payload,
        }
    }

    /// What is to be signed.
    #[must_use]
    pub fn pae(&self) -> Vec<u8> {
        pae(self.payload_type, &self.payload)
    }

    /// The envelope with one signature of [`Unsigned::pae`].
    #[must_use]
    pub fn signed(self, keyid: &str, signature: &[u8]) -> Envelope {
        Envelope {
            payload_type: self.payload_type.to_owned(),
            payload: STANDARD.encode(self.payload),
            signatures: vec![Signature {
                keyid: keyid.to_owned(),
                sig: STANDARD.encode(signature),
            }],
        }
    }
}

/// Reads an envelope; members that DSSE does not name are passed over, as it demands.
///
/// # Errors
/// Other bytes.
pub fn read_envelope(bytes: &[u8]) -> Result<Envelope, AttestError> {
    serde_json::from_slice(bytes).map_err(|error| AttestError::Malformed(error.to_string()))
}

/// Checks the signatures of known keys; those of others are passed over. `keyid` is a hint:
/// a signature without one is tried with every key.
///
/// # Errors
/// A member is no base64, no signature is of a known key, or one of a known key does not
/// hold.
pub fn verify(envelope: &Envelope, keys: &[PublicKey]) -> Result<Verified, AttestError> {
    let payload = decode("payload", &envelope.payload)?;
    let message = pae(&envelope.payload_type, &payload);
    let mut keyids: Vec<String> = Vec::new();
    for (place, signature) in envelope.signatures.iter().enumerate() {
        let bytes = decode(&format!("signatures/{place}/sig"), &signature.sig)?;
        let mut named = keys
            .iter()
            .filter(|key| signature.keyid.is_empty() || key.keyid() == signature.keyid)
            .peekable();
        if named.peek().is_none() {
            continue;
        }
        match named.find(|key| key.verifies(&message, &bytes)) {
            Some(key) if keyids.iter().any(|known| known == key.keyid()) => {}
            Some(key) => keyids.push(key.keyid().to_owned()),
            None => return Err(AttestError::Invalid(signature.keyid.clone())),
        }
    }
    if !keyids.is_empty() {
        return Ok(Verified {
            payload_type: envelope.payload_type.clone(),
            payload,
            keyids,
        });
    }
    let signers: Vec<&str> = envelope
        .signatures
        .iter()
        .map(|signature| signature.keyid.as_str())
        .collect();
    Err(match signers.is_empty() {
        true => AttestError::Unsigned,
        false => AttestError::UnknownKey(signers.join(", ")),
    })
}

/// DSSE lets both alphabets in.
fn decode(place: &str, text: &str) -> Result<Vec<u8>, AttestError> {
    STANDARD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text))
        .map_err(|_| AttestError::Base64(place.to_owned()))
}

/// Reads any bytes as an envelope and verifies them: they end in an error, never in a panic.
pub fn fuzz(bytes: &[u8]) {
    if let Ok(envelope) = read_envelope(bytes) {
        let key = PublicKey::ed25519(&[7; 32]);
        assert!(
            verify(&envelope, &[key]).is_err(),
            "nobody signed with a made-up key"
        );
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of the specification's protocol page.
    #[test]
    fn the_encoding_is_that_of_the_specification() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    }

    #[test]
    fn an_envelope_says_why_it_proves_nothing() {
        let read = |text: &str| read_envelope(text.as_bytes());
        assert!(matches!(read("[]x"), Err(AttestError::Malformed(_))));
        let of =
            |text: &str| verify(&read(text).unwrap(), &[PublicKey::ed25519(&[7; 32])]).unwrap_err();
        let none = r#"{"payloadType":"t","payload":"","signatures":[],"other":1}"#;
        assert_eq!(of(none), AttestError::Unsigned);
        let alien = r#"{"payloadType":"t","payload":"","signatures":[{"keyid":"k","sig":""}]}"#;
        assert_eq!(of(alien), AttestError::UnknownKey("k".to_owned()));
        let nameless = r#"{"payloadType":"t","payload":"","signatures":[{"sig":"AAAA"}]}"#;
        assert_eq!(of(nameless), AttestError::Invalid(String::new()));
        let odd = r#"{"payloadType":"t","payload":"","signatures":[{"sig":"?"}]}"#;
        assert_eq!(of(odd), AttestError::Base64("signatures/0/sig".to_owned()));
    }

    #[test]
    fn its_corpus_breaks_no_law() {
        stella_testdata::replay("dsse", fuzz);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            fuzz(&bytes);
        }

        #[test]
        fn no_envelope_of_strangers_verifies(payload in ".{0,20}", keyid in "[a-z]{0,3}", sig in "[A-Za-z0-9_/+-]{0,12}=?") {
            let envelope = serde_json::json!({
                "payloadType": "t", "payload": payload, "signatures": [{"keyid": keyid, "sig": sig}],
            });
            fuzz(envelope.to_string().as_bytes());
        }
    }
}
