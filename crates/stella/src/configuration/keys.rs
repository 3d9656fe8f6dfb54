//! Every key that there is, and the services that have keys of their own.

use stella_locale::Labels;

/// A key of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name, as the documentation writes it; found without regard to case.
    pub name: &'static str,
    /// The label that says what it is for.
    pub about: &'static str,
    /// What it takes.
    pub accepts: Accepts,
    /// What holds where nobody sets it.
    pub default: Option<&'static str>,
    /// Whether its value is never shown.
    pub secret: bool,
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// Exactly this, or one of these.
    Written(&'static str),
    /// What the label of this key says.
    Described(&'static str),
}

impl Accepts {
    /// For people.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Written(text) => text.to_owned(),
            Self::Described(label) => Labels::english().text(label),
        }
    }
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

const DRIVERS: Accepts = Accepts::Written("postgres, filesystem, inmemory");
const OBJECT_DRIVERS: Accepts = Accepts::Written("rustfs, seed-fs");

const fn key(name: &'static str, about: &'static str, accepts: Accepts) -> Key {
    Key {
        name,
        about,
        accepts,
        default: None,
        secret: false,
    }
}

const fn secret(name: &'static str, about: &'static str, accepts: Accepts) -> Key {
    Key {
        secret: true,
        ..key(name, about, accepts)
    }
}

const fn connection(name: &'static str, about: &'static str) -> Key {
    secret(name, about, Accepts::Described("accepts-connection"))
}

const fn count(name: &'static str, about: &'static str) -> Key {
    key(name, about, Accepts::Described("accepts-count"))
}

const fn with_default(key: Key, default: &'static str) -> Key {
    Key {
        default: Some(default),
        ..key
    }
}

/// Every key, by section.
pub const KEYS: &[Key] = &[
    key("Storage:Driver", "about-driver", DRIVERS),
    key(
        "Storage:DataDirectory",
        "about-data-directory",
        Accepts::Described("accepts-folder"),
    ),
    with_default(
        key(
            "Storage:AllowLocalhost",
            "about-allow-localhost",
            Accepts::Written("true, false"),
        ),
        "false",
    ),
    key(
        "Storage:ObjectStore:Driver",
        "about-object-driver",
        OBJECT_DRIVERS,
    ),
    key(
        "Storage:ObjectStore:Endpoint",
        "about-endpoint",
        Accepts::Described("accepts-public-url"),
    ),
    key(
        "Storage:ObjectStore:Bucket",
        "about-bucket",
        Accepts::Described("accepts-bucket"),
    ),
    key(
        "Storage:ObjectStore:Region",
        "about-region",
        Accepts::Described("accepts-region"),
    ),
    key(
        "Storage:ObjectStore:AccessKeyId",
        "about-access-key-id",
        Accepts::Described("accepts-access-key-id"),
    ),
    secret(
        "Storage:ObjectStore:SecretAccessKey",
        "about-secret-access-key",
        Accepts::Described("accepts-secret-access-key"),
    ),
    connection("ConnectionStrings:Default", "about-connection"),
    connection(
        "ConnectionStrings:Migrations",
        "about-connection-migrations",
    ),
    connection("ConnectionStrings:Authority", "about-own-connection"),
    connection("ConnectionStrings:Evidence", "about-own-connection"),
    connection("ConnectionStrings:Replay", "about-own-connection"),
    connection("ConnectionStrings:RiskEngine", "about-own-connection"),
    key("Authority:Storage:Driver", "about-own-driver", DRIVERS),
    key("Evidence:Storage:Driver", "about-own-driver", DRIVERS),
    key(
        "Evidence:Storage:ObjectStore:Driver",
        "about-own-object-driver",
        OBJECT_DRIVERS,
    ),
    key("Replay:Storage:Driver", "about-own-driver", DRIVERS),
    key(
        "Replay:Storage:ObjectStore:Driver",
        "about-own-object-driver",
        OBJECT_DRIVERS,
    ),
    key("RiskEngine:Storage:Driver", "about-own-driver", DRIVERS),
    with_default(
        key(
            "Server:Listen",
            "about-listen",
            Accepts::Described("accepts-address"),
        ),
        "127.0.0.1:7070",
    ),
    with_default(
        key(
            "Server:AdminListen",
            "about-admin-listen",
            Accepts::Described("accepts-address"),
        ),
        "127.0.0.1:7071",
    ),
    with_default(
        count(
            "Server:RateLimit:Client:Requests",
            "about-limit-client-requests",
        ),
        "10000",
    ),
    with_default(
        count(
            "Server:RateLimit:Client:Seconds",
            "about-limit-client-seconds",
        ),
        "10",
    ),
    with_default(
        count(
            "Server:RateLimit:Tenant:Requests",
            "about-limit-tenant-requests",
        ),
        "40000",
    ),
    with_default(
        count(
            "Server:RateLimit:Tenant:Seconds",
            "about-limit-tenant-seconds",
        ),
        "10",
    ),
    with_default(
        count("Server:MaxConnections", "about-max-connections"),
        "800",
    ),
    with_default(
        count("Server:RequestHeadSeconds", "about-head-seconds"),
        "75",
    ),
    with_default(
        key(
            "Server:MaxBodyBytes",
            "about-body-bytes",
            Accepts::Described("accepts-body-bytes"),
        ),
        "67108864",
    ),
    with_default(
        key(
            "Server:BodiesBytes",
            "about-bodies-bytes",
            Accepts::Described("accepts-bodies-bytes"),
        ),
        "268435456",
    ),
    with_default(
        key(
            "Server:RequestSeconds",
            "about-request-seconds",
            Accepts::Described("accepts-request-seconds"),
        ),
        "60",
    ),
    with_default(count("Server:StopSeconds", "about-stop-seconds"), "60"),
    key(
        "Server:Tls:CertificateFile",
        "about-certificate",
        Accepts::Described("accepts-certificate"),
    ),
    key(
        "Server:Tls:PrivateKeyFile",
        "about-private-key",
        Accepts::Described("accepts-private-key"),
    ),
    key(
        "Server:TrustedProxies",
        "about-proxies",
        Accepts::Described("accepts-proxies"),
    ),
    key(
        "Server:PublicUrl",
        "about-public-url",
        Accepts::Described("accepts-public-url"),
    ),
    key(
        "Security:MasterKeyFile",
        "about-master-key",
        Accepts::Described("accepts-master-key"),
    ),
    key(
        "Security:PreviousMasterKeyFile",
        "about-previous-master-key",
        Accepts::Described("accepts-master-key"),
    ),
];

impl Key {
    /// What it is for, for people.
    #[must_use]
    pub fn about(&self) -> String {
        Labels::english().text(self.about)
    }

    /// The key of this name, whatever its case.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name.eq_ignore_ascii_case(name))
    }

    /// The key that somebody who wrote this name may have meant: that of the fewest edits, where
    /// they leave most of the name as it is.
    #[must_use]
    pub fn nearest(name: &str) -> Option<&'static str> {
        let name = name.to_lowercase();
        let edits = |key: &Key| strsim::damerau_levenshtein(&key.name.to_lowercase(), &name);
        let all = KEYS.iter().map(|key| (edits(key), key.name));
        let (edits, nearest) = all.min()?;
        (edits * 3 <= name.chars().count()).then_some(nearest)
    }

    /// What keys begin with, each once, in the order of [`KEYS`].
    #[must_use]
    pub fn sections() -> Vec<&'static str> {
        let mut sections: Vec<&str> = KEYS
            .iter()
            .filter_map(|key| key.name.split(':').next())
            .collect();
        sections.dedup();
        sections
    }

    /// Whether a section is ours, so that a key below it that we do not know is a mistake.
    #[must_use]
    pub fn owns(section: &str) -> bool {
        let sections = Self::sections().into_iter();
        sections
            .chain(["Services"])
            .any(|own| own.eq_ignore_ascii_case(section))
    }
}
