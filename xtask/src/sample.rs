//! The sample evidence in `crates/stella-cli/sample`: what a newcomer can ingest, match and
//! score without a network. Everything in it says that it is a sample.

mod advisories;
mod exploited;
mod sbom;
mod vex;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use uuid::Builder;

/// The moment all sample documents give as theirs; later than all that they speak of.
const MOMENT: &str = "2025-06-01T00:00:00Z";

/// Who the sample documents say they come from.
const AUTHOR: &str = "StellaOps sample";

/// Writes the sample folder, or with `check` compares it with what would be written.
///
/// # Errors
/// Where `Cargo.lock` or the folder cannot be read or written, and with `check` on any drift,
/// naming every file.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask lies in no workspace")?;
    let folder = root.join("crates/stella-cli/sample");
    let files = files(&root.join("Cargo.lock"))?;
    if check {
        compare(&folder, &files)
    } else {
        write(&folder, &files)
    }
}

/// Every file by its path inside the folder.
fn files(lock: &Path) -> anyhow::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut documents = BTreeMap::from([
        (PathBuf::from("sbom.cdx.json"), sbom::document(lock)?),
        (PathBuf::from("kev.json"), exploited::document()),
        (PathBuf::from("openvex.json"), vex::document()),
    ]);
    for advisory in advisories::documents() {
        let id = advisory["id"].as_str().context("advisory without an id")?;
        documents.insert(Path::new("advisories").join(format!("{id}.json")), advisory);
    }
    documents
        .into_iter()
        .map(|(path, document)| Ok((path, pretty(document)?)))
        .collect()
}

fn write(folder: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> anyhow::Result<()> {
    for (path, bytes) in files {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).with_context(|| format!("creating {}", parent.display()))?;
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
    }
    for path in present(folder)?
        .iter()
        .filter(|path| !files.contains_key(*path))
    {
        fs::remove_file(folder.join(path))
            .with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}

fn compare(folder: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> anyhow::Result<()> {
    let mut drift: Vec<String> = Vec::new();
    for (path, bytes) in files {
        match fs::read(folder.join(path)) {
            Ok(found) if found == *bytes => {}
            Ok(_) => drift.push(format!("{} differs", path.display())),
            Err(error) => drift.push(format!("{}: {error}", path.display())),
        }
    }
    let unknown = present(folder)?
        .into_iter()
        .filter(|path| !files.contains_key(path));
    drift.extend(unknown.map(|path| format!("{} is not generated", path.display())));
    if drift.is_empty() {
        return Ok(());
    }
    bail!(
        "sample drifted, run `cargo xtask sample`: {}",
        drift.join(", ")
    )
}

/// The JSON files in the folder and its `advisories`, by their path inside it.
fn present(folder: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    for inside in ["", "advisories"] {
        let Ok(entries) = fs::read_dir(folder.join(inside)) else {
            continue;
        };
        for entry in entries {
            let path = Path::new(inside).join(entry?.file_name());
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                found.insert(path);
            }
        }
    }
    Ok(found)
}

/// Keys in order, whichever map type another crate's features give `serde_json`.
fn ordered(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let entries: BTreeMap<String, Value> = entries.into_iter().collect();
            Value::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (key, ordered(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(ordered).collect()),
        other => other,
    }
}

fn pretty(document: Value) -> anyhow::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(&ordered(document))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A UUID of version 8 from the digest of a document, so that the same content has the same name.
fn name_of(document: &Value) -> String {
    let digest = Sha256::digest(ordered(document.clone()).to_string());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_custom_bytes(bytes)
        .into_uuid()
        .urn()
        .to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
