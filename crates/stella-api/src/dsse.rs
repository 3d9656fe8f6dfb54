//! DSSE envelopes (Dead Simple Signing Envelope, v1.0.2), as every attestation travels.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A payload with signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", expecting = "a DSSE envelope")]
#[schema(as = DsseEnvelope)]
pub struct Envelope {
    /// How to read the payload: `application/vnd.in-toto+json`.
    pub payload_type: String,
    /// The signed bytes in base64.
    pub payload: String,
    /// One for each who signed.
    pub signatures: Vec<Signature>,
}

/// One signature, of the pre-authentication encoding of payload type and payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(expecting = "a signature")]
#[schema(as = DsseSignature)]
pub struct Signature {
    /// A hint at the key: its RFC 7638 thumbprint.
    #[serde(default)]
    pub keyid: String,
    /// The signature in base64: 64 bytes of Ed25519, or ASN.1 DER of ECDSA on P-256.
    pub sig: String,
}
