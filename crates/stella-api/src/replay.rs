//! Wire types of Replay: snapshots, manifests, tokens and verdicts (page 06).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The evidence of a tenant at one time: a trie root for each kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// `stella.snapshot/v1`.
    pub schema: String,
    /// For each kind of evidence its documents.
    pub providers: BTreeMap<String, SnapshotProvider>,
}

/// The documents of one kind in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotProvider {
    /// How many documents.
    pub count: u64,
    /// The root of the trie over their digests.
    pub root: String,
}

/// A stored snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotRecord {
    /// The digest of the canonical snapshot.
    pub id: String,
    /// What it freezes.
    pub snapshot: Snapshot,
    /// When it was taken, RFC 3339 in UTC.
    pub created_at: String,
}

/// What an answer rested on, so that it can be given again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// What is hashed.
    pub determined: Determined,
    /// What may differ between two runs and is not hashed.
    pub observed: Observed,
}

/// The hashed part of a manifest: inputs and results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Determined {
    /// `stella.replay/v1`.
    pub schema: String,
    /// `score`.
    pub kind: String,
    /// The score that is replayed.
    pub score_id: String,
    /// The finding that it is the score of.
    pub finding_id: String,
    /// The vulnerability and the component.
    pub vulnerability: String,
    /// The component's package URL.
    pub purl: String,
    /// The component's SBOM.
    pub sbom: String,
    /// Where in the SBOM the component stands.
    pub component_pointer: String,
    /// The risk profile's id.
    pub profile_id: String,
    /// The risk profile's digest.
    pub profile_digest: String,
    /// The publishers whose VEX statements could move the score: the tenant's trust policy,
    /// sorted.
    pub trusted_vex_publishers: Vec<String>,
    /// The snapshot that holds every input.
    pub snapshot_id: String,
    /// The documents that went in, ordered by role, then document.
    pub inputs: Vec<ManifestInput>,
    /// The engine's name.
    pub engine: String,
    /// The engine's semantics: moves only when results do.
    pub engine_semantics: u32,
    /// The digest of the inputs.
    pub input_digest: String,
    /// The digest of the answer.
    pub output_digest: String,
}

/// One document that went into an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManifestInput {
    /// How it speaks to the finding.
    pub role: crate::findings::SourceRole,
    /// What it is evidence of.
    pub kind: crate::evidence::EvidenceKind,
    /// The document's id: its digest.
    pub document: String,
    /// Its publisher, as its provenance says.
    pub publisher: String,
}

/// The part of a manifest that is not hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The version of the engine's binary.
    pub engine_version: String,
    /// When the manifest was made, RFC 3339 in UTC.
    pub created_at: String,
    /// The digest of the whole stored result, with what of it is not hashed in `outputDigest`:
    /// when it was made, by which release.
    pub result_digest: String,
}

/// A stored manifest with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManifestRecord {
    /// The digest of the manifest's determined part.
    pub digest: String,
    /// The manifest.
    pub manifest: Manifest,
    /// The DSSE envelope whose payload is an in-toto Statement v1: its subject is the digest, its
    /// predicate (`https://stella-ops.org/replay/v1`) the manifest. Absent where somebody took
    /// it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<crate::dsse::Envelope>,
}

/// A stored score with all that it was computed from: what a manifest is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScoreProof {
    /// The score.
    pub result: crate::score::ScoreResult,
    /// The component's SBOM: its digest.
    pub sbom: String,
    /// Where in the SBOM the component stands (RFC 6901).
    pub component_pointer: String,
    /// The tenant's trust policy when this was computed, sorted.
    pub trusted_vex_publishers: Vec<String>,
    /// The documents that went in, ordered by role, then document.
    pub inputs: Vec<ManifestInput>,
}

/// Asks for a replay token of a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManifestRequest {
    /// The score's id.
    pub score_id: String,
}

/// A replay token and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManifestAnswer {
    /// `rt1.` and what follows.
    #[schema(pattern = "^rt1\\.[A-Za-z0-9_-]{54}$")]
    pub token: String,
    /// The digest of the manifest's determined part.
    pub manifest_digest: String,
    /// The snapshot that holds every input.
    pub snapshot_id: String,
    /// Whether the manifest is signed.
    pub signed: bool,
}

/// Asks for an answer to be given again: by exactly one of the three.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplayRequest {
    /// A manifest's digest, as `manifestDigest` gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// A replay token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// A score's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score_id: Option<String>,
}

/// What a replay says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReplayOutcome {
    /// The same bytes.
    Match,
    /// Another answer.
    Mismatch,
    /// An input is gone.
    CannotReplay,
}

impl ReplayOutcome {
    /// The outcome as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Mismatch => "mismatch",
            Self::CannotReplay => "cannotReplay",
        }
    }
}

/// The one named cause of a mismatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReplayCause {
    /// Another engine semantics.
    Engine,
    /// Another risk profile.
    Profile,
    /// Stored bytes were changed.
    Tamper,
    /// An input is not in the store.
    Missing,
}

impl ReplayCause {
    /// The cause as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Profile => "profile",
            Self::Tamper => "tamper",
            Self::Missing => "missing",
        }
    }
}

/// The verdict on an answer given again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayVerdict {
    /// What the replay says.
    pub outcome: ReplayOutcome,
    /// Why it is no match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<ReplayCause>,
    /// The manifest's digest.
    pub manifest_digest: String,
    /// The score.
    pub score_id: String,
    /// The snapshot.
    pub snapshot_id: String,
    /// Every place that differs.
    pub differences: Vec<Difference>,
    /// The recomputed answer, where it could be computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recomputed: Option<crate::score::ScoreResult>,
    /// Whether a key of the service signed the manifest; where none did, the cause is `tamper`.
    pub signed: bool,
}

/// One place where what is stored or recomputed is not what was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// What it was found in, such as `document sha256:…`, `snapshot node sha256:…`, `score …`.
    pub subject: String,
    /// Where in it (RFC 6901).
    pub pointer: String,
    /// What was recorded.
    pub expected: String,
    /// What is there.
    pub actual: String,
}

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)+) => {
        /// What a [`Difference`] says where there is no value to show: a closed list of codes,
        /// which people read by their labels (`difference-<code>`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum State { $($(#[$doc])* $name),+ }

        impl State {
            /// Every state.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }
        }
    };
}

states! {
    /// It should be there.
    Present = "present";
    /// It is not there.
    Missing = "missing";
    /// It should be as it was given.
    AsGiven = "as-given";
    /// It should follow the rules of its kind.
    Sound = "sound";
    /// It breaks a rule of its kind.
    Malformed = "malformed";
    /// It carries no signature.
    Unsigned = "unsigned";
    /// It is signed by a key that is none of the service's.
    ForeignKey = "foreign-key";
    /// Its signature does not hold.
    SignatureBroken = "signature-broken";
    /// What is signed is something else.
    SignedOther = "signed-other";
    /// It is faulty in more places than are told.
    MoreFaults = "more-faults";
    /// There should be a score.
    Scored = "scored";
    /// An input of the kind that a score needs is not among the inputs.
    InputMissing = "input-missing";
    /// The SBOM has no such component.
    ComponentMissing = "component-missing";
    /// The advisory does not cover the component.
    NotCovered = "not-covered";
    /// The advisory tells of no vulnerability.
    Informational = "informational";
    /// The score could not be computed.
    NotScored = "not-scored";
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
