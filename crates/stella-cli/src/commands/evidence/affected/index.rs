//! What advisories say of packages, found by ecosystem and name.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use stella_formats::Body;
use stella_matching::{Affected, Ecosystem, Matcher, Verdict};

use crate::failure::{Failure, Fault};
use crate::ingest::{Source, collect};

/// Statements with their advisories' ids, by family of the ecosystem and key of the package.
pub(super) struct Index(BTreeMap<String, BTreeMap<String, Vec<Statement>>>);

struct Statement {
    id: String,
    affected: Affected,
    /// Most packages are never asked about.
    matcher: OnceCell<Matcher>,
}

impl Index {
    /// Reads every advisory there is under the paths, and tells what could not be read:
    /// documents of another kind are passed over, unread ones may be advisories.
    pub(super) fn read(paths: &[PathBuf]) -> Result<(Self, Vec<Fault>), Failure> {
        let (mut index, mut unread) = (Self(BTreeMap::new()), Vec::new());
        for source in collect(paths)?.sources {
            if let Err((code, reason)) = index.add(&source) {
                unread.push(Fault {
                    pointer: String::new(),
                    code,
                    detail: format!("{}: {reason}", source.shown()),
                });
            }
        }
        Ok((index, unread))
    }

    fn add(&mut self, source: &Source) -> Result<(), (String, String)> {
        let bytes = source.read();
        let bytes = bytes.map_err(|unread| (unread.code().to_string(), unread.reason()))?;
        let document = stella_formats::read(&bytes);
        let document =
            document.map_err(|error| (error.reason.code().to_owned(), error.to_string()))?;
        let id = match &document.body {
            Body::Advisory(advisory) => &advisory.id,
            Body::Cve(record) => &record.id,
            _ => return Ok(()),
        };
        for package in stella_assess::packages(&document.body) {
            let (family, key) = package.package_key();
            let statement = Statement {
                id: id.clone(),
                affected: package.affected,
                matcher: OnceCell::new(),
            };
            let packages = self.0.entry(family).or_default();
            packages.entry(key).or_default().push(statement);
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an advisory names a package of the ecosystem.
    pub(super) fn names(&self, ecosystem: &Ecosystem) -> bool {
        self.0.contains_key(ecosystem.family())
    }

    /// What each advisory on the package says of the version, in the order of their ids. Of an
    /// advisory with several statements the one that covers counts, then the one in doubt.
    pub(super) fn verdicts(
        &self,
        ecosystem: &Ecosystem,
        package: &str,
        version: &str,
    ) -> BTreeMap<&str, Verdict> {
        let packages = self.0.get(ecosystem.family());
        let statements =
            packages.and_then(|packages| packages.get(&ecosystem.package_key(package)));
        let mut verdicts = BTreeMap::new();
        for statement in statements.into_iter().flatten() {
            let matcher = statement
                .matcher
                .get_or_init(|| Matcher::new(&statement.affected));
            let verdict = matcher.match_package(ecosystem, package, version);
            let Some(verdict) = verdict else { continue };
            let known = verdicts
                .entry(statement.id.as_str())
                .or_insert(Verdict::NotAffected);
            if weight(&verdict) > weight(known) {
                *known = verdict;
            }
        }
        verdicts
    }
}

fn weight(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::NotAffected => 0,
        Verdict::Undetermined { .. } => 1,
        Verdict::Affected { .. } => 2,
    }
}
