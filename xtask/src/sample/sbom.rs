use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use packageurl::PackageUrl;
use serde::Deserialize;
use serde_json::{Value, json};

/// Old versions with known holes, which only the sample has.
const ADDED: [(&str, &str); 8] = [
    ("atty", "0.2.14"),
    ("chrono", "0.4.19"),
    ("humantime", "2.1.0"),
    ("libwebp-sys", "0.9.2"),
    ("regex", "1.5.4"),
    ("smallvec", "1.6.0"),
    ("time", "0.1.45"),
    ("zip", "2.2.0"),
];

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

/// The CycloneDX 1.5 SBOM of the workspace: its registry packages and the added ones, in the
/// order of their package URLs, without a time.
pub(super) fn document(lock: &Path) -> anyhow::Result<Value> {
    let text = fs::read_to_string(lock).with_context(|| format!("reading {}", lock.display()))?;
    let lock: Lock =
        toml::from_str(&text).with_context(|| format!("parsing {}", lock.display()))?;
    let mut components = BTreeMap::new();
    for package in lock.package.iter().filter(|package| from_registry(package)) {
        let purl = purl(&package.name, &package.version)?;
        components.insert(purl.clone(), component(package, &purl));
    }
    for (name, version) in ADDED {
        let purl = purl(name, version)?;
        let package = Package {
            name: name.into(),
            version: version.into(),
            source: None,
            checksum: None,
        };
        let mut added = component(&package, &purl);
        added["properties"] = json!([{"name": "stella:sample", "value": "true"}]);
        components.insert(purl, added);
    }
    let own = lock
        .package
        .iter()
        .find(|package| package.name == "stella")
        .context("no package stella in the lock")?;
    let mut document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": "stella", "name": "stella", "version": own.version},
            "supplier": {"name": super::AUTHOR},
            "properties": [{"name": "stella:sample", "value": "true"}],
        },
        "components": components.into_values().collect::<Vec<_>>(),
    });
    document["serialNumber"] = super::name_of(&document).into();
    Ok(document)
}

fn from_registry(package: &Package) -> bool {
    package
        .source
        .as_ref()
        .is_some_and(|source| source.starts_with("registry+"))
}

fn purl(name: &str, version: &str) -> anyhow::Result<String> {
    let mut purl = PackageUrl::new("cargo", name)?;
    purl.with_version(version)?;
    Ok(purl.to_string())
}

fn component(package: &Package, purl: &str) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
    });
    if let Some(checksum) = &package.checksum {
        component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
    }
    component
}
