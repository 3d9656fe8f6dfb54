//! Every key that there is, and the services that have keys of their own.

/// A key of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name, as the documentation writes it; found without regard to case.
    pub name: &'static str,
    /// What it takes, exactly as written.
    pub accepts: &'static str,
    /// What holds where nobody sets it.
    pub default: Option<&'static str>,
    /// Whether its value is never shown.
    pub secret: bool,
}

/// A service, as configuration names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceName {
    /// Its CLI id, such as `risk-engine`.
    pub id: &'static str,
    /// Its section, such as `RiskEngine`.
    pub section: &'static str,
    /// Whether it stores blobs.
    pub blobs: bool,
}

impl ServiceName {
    /// Every service, in the order of their ids.
    pub const ALL: [Self; 4] = [
        Self {
            id: "authority",
            section: "Authority",
            blobs: false,
        },
        Self {
            id: "evidence",
            section: "Evidence",
            blobs: true,
        },
        Self {
            id: "replay",
            section: "Replay",
            blobs: true,
        },
        Self {
            id: "risk-engine",
            section: "RiskEngine",
            blobs: false,
        },
    ];
}

const DRIVERS: &str = "postgres, filesystem, inmemory";
const OBJECT_DRIVERS: &str = "rustfs, seed-fs";
const URL: &str = "postgres://ROLE:PASSWORD@HOST:PORT/DATABASE or Host=…;Port=…;Database=…;Username=…;Password=…;SslMode=…";

const fn key(name: &'static str, accepts: &'static str) -> Key {
    Key {
        name,
        accepts,
        default: None,
        secret: false,
    }
}

const fn secret(name: &'static str, accepts: &'static str) -> Key {
    Key {
        secret: true,
        ..key(name, accepts)
    }
}

const fn connection(name: &'static str) -> Key {
    secret(name, URL)
}

const fn with_default(key: Key, default: &'static str) -> Key {
    Key {
        default: Some(default),
        ..key
    }
}

/// Every key, by section.
pub const KEYS: &[Key] = &[
    key("Storage:Driver", DRIVERS),
    key("Storage:DataDirectory", "a folder"),
    with_default(key("Storage:AllowLocalhost", "true, false"), "false"),
    key("Storage:ObjectStore:Driver", OBJECT_DRIVERS),
    key(
        "Storage:ObjectStore:Endpoint",
        "an http or https URL without a path",
    ),
    key(
        "Storage:ObjectStore:Bucket",
        "the name of a bucket that is there",
    ),
    key("Storage:ObjectStore:Region", "a region, such as us-east-1"),
    key(
        "Storage:ObjectStore:AccessKeyId",
        "the id of a key that may read and write the bucket",
    ),
    secret("Storage:ObjectStore:SecretAccessKey", "that key"),
    connection("ConnectionStrings:Default"),
    connection("ConnectionStrings:Migrations"),
    connection("ConnectionStrings:Authority"),
    connection("ConnectionStrings:Evidence"),
    connection("ConnectionStrings:Replay"),
    connection("ConnectionStrings:RiskEngine"),
    key("Authority:Storage:Driver", DRIVERS),
    key("Evidence:Storage:Driver", DRIVERS),
    key("Evidence:Storage:ObjectStore:Driver", OBJECT_DRIVERS),
    key("Replay:Storage:Driver", DRIVERS),
    key("Replay:Storage:ObjectStore:Driver", OBJECT_DRIVERS),
    key("RiskEngine:Storage:Driver", DRIVERS),
    with_default(key("Server:Listen", "ADDRESS:PORT"), "127.0.0.1:7070"),
    key("Server:PublicUrl", "an http or https URL without a path"),
    key(
        "Security:MasterKeyFile",
        "a file of 32 bytes that only its owner may read",
    ),
];

impl Key {
    /// The key of this name, whatever its case.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name.eq_ignore_ascii_case(name))
    }

    /// The key that somebody who wrote this name may have meant: that of the fewest edits.
    #[must_use]
    pub fn nearest(name: &str) -> &'static str {
        let name = name.to_lowercase();
        let edits = |key: &&Key| strsim::damerau_levenshtein(&key.name.to_lowercase(), &name);
        KEYS.iter().min_by_key(edits).map_or("", |key| key.name)
    }

    /// Whether a section is ours, so that a key below it that we do not know is a mistake.
    #[must_use]
    pub fn owns(section: &str) -> bool {
        let sections = KEYS.iter().filter_map(|key| key.name.split(':').next());
        sections
            .chain(["Services"])
            .any(|own| own.eq_ignore_ascii_case(section))
    }
}
