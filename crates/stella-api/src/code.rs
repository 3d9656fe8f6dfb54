//! The one registry of error codes: from it come HTTP problems, exit codes and the keys of
//! the texts (`error-<code in kebab case>` in `locales/`, with the key `…-hint`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, exit $exit:literal $(, $retry:ident)?;)*) => {
        /// A stable error code. Its name, status and exit code never change once released.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $name),* }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The code as people and programs see it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text),* }
            }

            /// The HTTP status that carries it; 500 where it never travels over HTTP.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Code::$name => $status),* }
            }

            /// The exit code of `stella` (page 03).
            #[must_use]
            pub fn exit(self) -> u8 {
                match self { $(Code::$name => $exit),* }
            }

            /// Whether the same call may succeed later.
            #[must_use]
            pub fn retryable(self) -> bool {
                match self { $(Code::$name => codes!(@retry $($retry)?)),* }
            }
        }
    };
    (@retry) => { false };
    (@retry retry) => { true };
}

codes! {
    /// Any failure that we did not foresee; the log has the cause under the trace id.
    Internal = "INTERNAL", 500, exit 1;
    /// A dependency is away or the service is stopping.
    Unavailable = "UNAVAILABLE", 503, exit 10, retry;
    /// The database answers and takes no writes. Only ever in readiness.
    StorageReadOnly = "STORAGE_READ_ONLY", 503, exit 10, retry;
    /// The call took longer than its limit.
    Timeout = "TIMEOUT", 503, exit 10, retry;
    /// No server answers at the context's address.
    ServerUnreachable = "SERVER_UNREACHABLE", 503, exit 10, retry;
    /// Whoever answers at the context's address shows a certificate that is not trusted here.
    ServerCertificateUntrusted = "SERVER_CERTIFICATE_UNTRUSTED", 502, exit 78;
    /// An answer that does not follow the contract.
    ServerAnswerInvalid = "SERVER_ANSWER_INVALID", 502, exit 1;

    /// There is no such route.
    RouteUnknown = "ROUTE_UNKNOWN", 404, exit 2;
    /// The route knows other methods.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405, exit 2;
    /// There is no such thing, or it belongs to another tenant.
    NotFound = "NOT_FOUND", 404, exit 4;
    /// Nothing was taken in yet.
    NoData = "NO_DATA", 404, exit 4;
    /// The given prefix fits several ids.
    IdAmbiguous = "ID_AMBIGUOUS", 400, exit 2;
    /// A parameter, header or body does not follow the contract; `errors` lists each place.
    RequestInvalid = "REQUEST_INVALID", 400, exit 2;
    /// The body is no JSON; the place is told.
    BodyMalformed = "BODY_MALFORMED", 400, exit 2;
    /// The body is longer than the limit.
    BodyTooLarge = "BODY_TOO_LARGE", 413, exit 2;
    /// The media type is not one that the route takes.
    MediaTypeUnsupported = "MEDIA_TYPE_UNSUPPORTED", 415, exit 2;
    /// The page token is not one that this list gave.
    PageTokenInvalid = "PAGE_TOKEN_INVALID", 400, exit 2;
    /// A thing of that name exists.
    Conflict = "CONFLICT", 409, exit 1;
    /// The idempotency key came before with another request.
    IdempotencyConflict = "IDEMPOTENCY_CONFLICT", 409, exit 2;
    /// The request that came first with the idempotency key is still being answered.
    IdempotencyInProgress = "IDEMPOTENCY_IN_PROGRESS", 409, exit 10, retry;
    /// The position to go on behind is beyond the end of the log: it is not the log of then.
    PositionBeyondEnd = "POSITION_BEYOND_END", 409, exit 7;
    /// The thing changed meanwhile.
    Stale = "STALE", 412, exit 1, retry;

    /// The client or its tenant asks more often than its quota permits.
    RateLimited = "RATE_LIMITED", 429, exit 10, retry;
    /// The request carries no token.
    TokenMissing = "TOKEN_MISSING", 401, exit 3;
    /// The token is not valid here and now.
    TokenInvalid = "TOKEN_INVALID", 401, exit 3;
    /// The DPoP proof is missing or does not fit the request.
    DpopInvalid = "DPOP_INVALID", 401, exit 3;
    /// The token lacks a scope.
    ScopeMissing = "SCOPE_MISSING", 403, exit 3;
    /// The header names another tenant than the token.
    TenantMismatch = "TENANT_MISMATCH", 403, exit 3;
    /// Both tenant headers are there and differ.
    TenantHeadersDiffer = "TENANT_HEADERS_DIFFER", 400, exit 2;
    /// The token has no tenant and the route needs one.
    TenantRequired = "TENANT_REQUIRED", 403, exit 3;
    /// Authority refused to give a token.
    TokenRefused = "TOKEN_REFUSED", 401, exit 3;

    /// A forbidden field at the envelope.
    Aoc001 = "ERR_AOC_001", 400, exit 2;
    /// An attempt to merge documents.
    Aoc002 = "ERR_AOC_002", 400, exit 2;
    /// A revision with other bytes; both are kept. Only ever a notice.
    Aoc003 = "ERR_AOC_003", 201, exit 0;
    /// Provenance is missing or incomplete.
    Aoc004 = "ERR_AOC_004", 422, exit 2;
    /// A signature or checksum does not hold.
    Aoc005 = "ERR_AOC_005", 422, exit 6;
    /// A derived record from an ingestion context.
    Aoc006 = "ERR_AOC_006", 403, exit 3;
    /// An unknown field at the envelope.
    Aoc007 = "ERR_AOC_007", 400, exit 2;
    /// A change of stored evidence.
    Aoc008 = "ERR_AOC_008", 409, exit 1;
    /// A malformed document or an unsupported format.
    Aoc009 = "ERR_AOC_009", 400, exit 2;
    /// Over a limit.
    Aoc010 = "ERR_AOC_010", 413, exit 2;

    /// A published CVSS score that is not the score of the vector beside it. Only ever a notice.
    CvssMisstated = "CVSS_MISSTATED", 201, exit 0;
    /// Components of an SBOM that no advisory is matched with. Only ever a notice.
    ComponentsUnmatched = "COMPONENTS_UNMATCHED", 201, exit 0;
    /// Statements of an advisory that no component is matched with. Only ever a notice.
    PackagesUnmatched = "PACKAGES_UNMATCHED", 201, exit 0;
    /// Products of VEX that may be less than what is read of them names. Only ever a notice.
    ProductNotRead = "PRODUCT_NOT_READ", 201, exit 0;
    /// Published severities that no score can rest on. Only ever a notice.
    SeverityUnreadable = "SEVERITY_UNREADABLE", 201, exit 0;
    /// Statements on versions that no version can be compared with. Only ever a notice.
    VersionsUndetermined = "VERSIONS_UNDETERMINED", 201, exit 0;
    /// Stored bytes are not the bytes that came: their digest differs.
    EvidenceCorrupt = "EVIDENCE_CORRUPT", 500, exit 6;
    /// A document that was taken in is not there.
    EvidenceMissing = "EVIDENCE_MISSING", 500, exit 6;
    /// A stored document stands in no log of what was taken in.
    EvidenceUnlogged = "EVIDENCE_UNLOGGED", 500, exit 6;
    /// What stands as derived from a document is not what follows from it.
    EvidenceDerivedMismatch = "EVIDENCE_DERIVED_MISMATCH", 500, exit 6;
    /// A log no longer holds what was sealed in it.
    LogCorrupt = "LOG_CORRUPT", 500, exit 6;
    /// The signature of a log's end does not hold for what the log holds.
    LogUnsigned = "LOG_UNSIGNED", 500, exit 6;
    /// A checkpoint that was kept elsewhere is not of the log's past.
    LogRewritten = "LOG_REWRITTEN", 500, exit 6;
    /// The master key of this process opens no key that is to sign or to verify.
    SigningKeyUnusable = "SIGNING_KEY_UNUSABLE", 503, exit 10, retry;
    /// A blob's bytes do not have the digest that names it.
    ObjectCorrupt = "OBJECT_CORRUPT", 500, exit 6;
    /// The blob is not in the store.
    ObjectMissing = "OBJECT_MISSING", 404, exit 4;
    /// A stored record cannot be read back: it is not what was written there.
    RecordCorrupt = "RECORD_CORRUPT", 500, exit 6;
    /// A stored result no longer has the digest that it was stored with.
    ScoreCorrupt = "SCORE_CORRUPT", 500, exit 6;
    /// The finding is informational: it has no score.
    ScoreNotApplicable = "SCORE_NOT_APPLICABLE", 409, exit 2;
    /// There is no such risk profile.
    ProfileUnknown = "PROFILE_UNKNOWN", 400, exit 2;
    /// Not a replay token, or one cut short.
    ReplayTokenInvalid = "REPLAY_TOKEN_INVALID", 400, exit 2;
    /// The replay token's time is over.
    ReplayTokenExpired = "REPLAY_TOKEN_EXPIRED", 410, exit 8;

    /// No storage driver is configured.
    StorageDriverMissing = "STORAGE_DRIVER_MISSING", 500, exit 78;
    /// The driver is none that we know.
    StorageDriverUnsupported = "STORAGE_DRIVER_UNSUPPORTED", 500, exit 78;
    /// The driver is for development and tests.
    StorageDriverNotForProduction = "STORAGE_DRIVER_NOT_FOR_PRODUCTION", 500, exit 78;
    /// No connection string.
    StorageConnectionMissing = "STORAGE_CONNECTION_MISSING", 500, exit 78;
    /// The connection string cannot be read.
    StorageConnectionInvalid = "STORAGE_CONNECTION_INVALID", 500, exit 78;
    /// A connection to localhost in production.
    StorageLocalhostInProduction = "STORAGE_LOCALHOST_IN_PRODUCTION", 500, exit 78;
    /// The serving role is a superuser, an owner, passes row-level security or may do more than serve.
    StorageRoleUnsafe = "STORAGE_ROLE_UNSAFE", 500, exit 78;
    /// The schema was migrated by a newer binary.
    StorageSchemaNewer = "STORAGE_SCHEMA_NEWER_THAN_BINARY", 500, exit 78;
    /// Migrations are pending.
    StorageSchemaOlder = "STORAGE_SCHEMA_OLDER_THAN_BINARY", 500, exit 78;
    /// No data directory, or it is not there.
    StorageDirectoryMissing = "STORAGE_DIRECTORY_MISSING", 500, exit 78;
    /// The file of an embedded database cannot be opened to read and write.
    StorageFileUnusable = "STORAGE_FILE_UNUSABLE", 500, exit 78;
    /// Another process holds the data directory.
    StorageDirectoryLocked = "STORAGE_DIRECTORY_LOCKED", 503, exit 10, retry;
    /// The database does not answer.
    StorageConnectionUnreachable = "STORAGE_CONNECTION_UNREACHABLE", 503, exit 10, retry;
    /// A key that we do not know.
    ConfigKeyUnknown = "CONFIG_KEY_UNKNOWN", 500, exit 78;
    /// A value that the key does not take.
    ConfigValueInvalid = "CONFIG_VALUE_INVALID", 500, exit 78;
    /// The configuration file cannot be read.
    ConfigFileInvalid = "CONFIG_FILE_INVALID", 500, exit 78;
    /// The server cannot listen on its address: another process does, or the system forbids it.
    ListenAddressUnusable = "LISTEN_ADDRESS_UNUSABLE", 500, exit 78;
    /// No object-store driver for a service that stores blobs.
    ObjectStoreDriverMissing = "OBJECTSTORE_DRIVER_MISSING", 500, exit 78;
    /// The object-store driver is none that we know.
    ObjectStoreDriverUnsupported = "OBJECTSTORE_DRIVER_UNSUPPORTED", 500, exit 78;
    /// A setting of the object store is missing.
    ObjectStoreSettingMissing = "OBJECTSTORE_SETTING_MISSING", 500, exit 78;
    /// The object store cannot be written when a server starts.
    ObjectStoreNotWritable = "OBJECTSTORE_NOT_WRITABLE", 500, exit 78;
    /// The object store does not answer, not in time or not to the end.
    ObjectStoreUnreachable = "OBJECTSTORE_UNREACHABLE", 503, exit 10, retry;
    /// The object store has no room left.
    ObjectStoreFull = "OBJECTSTORE_FULL", 503, exit 10, retry;
    /// The object store no longer lets a running server read or write.
    ObjectStoreRefused = "OBJECTSTORE_REFUSED", 503, exit 10, retry;
}

impl Code {
    /// The key of the code's text in `locales/`: `error-` and the code in kebab case.
    #[must_use]
    pub fn label_key(self) -> String {
        format!(
            "error-{}",
            self.as_str().to_ascii_lowercase().replace('_', "-")
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no code of this version; a newer server may have sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no error code of this version")]
pub struct UnknownCode(pub String);

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Code::ALL.iter().find(|code| code.as_str() == text);
        known.copied().ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
