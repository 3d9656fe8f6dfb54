//! Texts that become part of a key, and texts that are told of every finding. PostgreSQL holds no key
//! above about 2,700 bytes: a longer one would be taken on one engine and fail on the other. Of ten
//! thousand findings each, a text is in memory ten thousand times.

use stella_formats::{Affected, Body, Component, CveVersion, CvssScore, Document, Event, Format};

/// Bytes of an id of a vulnerability, of an ecosystem or of a package's name.
const NAME: usize = 512;
/// Bytes of what an SBOM says of a component, which holds a package's name and more.
const COMPONENT: usize = 1024;

/// Bytes of a version in an advisory.
const VERSION: usize = 256;
/// Bytes of all ids that an advisory gives a vulnerability.
const NAMES: usize = 32 * 1024;
/// Bytes of a vector, and of why a product is not affected.
const TOLD: usize = 1024;

/// A text that is too long, and where it stands.
pub(super) struct TooLong {
    pub(super) pointer: String,
    pub(super) bytes: usize,
    pub(super) limit: usize,
}

/// The first text of a document that is too long for a key.
pub(super) fn in_document(document: &Document) -> Option<TooLong> {
    in_key(document).or_else(|| told_of_each(document))
}

/// The first text that is told of each finding and is too long for that.
fn told_of_each(document: &Document) -> Option<TooLong> {
    let stated = document.vex().into_iter().flat_map(|vex| &vex.statements);
    let mut whys = stated.filter_map(|one| Some((one.justification.as_ref()?, &one.pointer)));
    let too_long = |limit, text: &str, pointer: &str| beyond(limit, text, || pointer.to_owned());
    let why = whys.find_map(|(why, at)| too_long(TOLD, why, at));
    why.or_else(|| match &document.body {
        Body::Advisory(advisory) => {
            let bytes = advisory.identifiers().map(str::len).sum();
            if bytes > NAMES {
                let (pointer, limit) = ("/aliases".to_owned(), NAMES);
                return Some(TooLong {
                    pointer,
                    bytes,
                    limit,
                });
            }
            let of_packages = advisory.affected.iter().flat_map(|one| &one.severities);
            let mut severities = advisory.severities.iter().chain(of_packages);
            let mut affected = advisory.affected.iter();
            let severity = severities.find_map(|one| too_long(TOLD, &one.score, &one.pointer));
            severity.or_else(|| affected.find_map(of_ranges))
        }
        Body::Cve(record) => {
            let mut affected = record.containers.iter().flat_map(|one| &one.affected);
            let mut scores = record.containers.iter().flat_map(|one| &one.scores);
            let vector = scores.find_map(of_score);
            vector.or_else(|| affected.find_map(|one| one.versions.iter().find_map(of_version)))
        }
        Body::Csaf(csaf) => {
            let mut scores = csaf.vulnerabilities.iter().flat_map(|one| &one.scores);
            scores.find_map(|one| of_score(&one.score))
        }
        _ => None,
    })
}

fn of_ranges(affected: &Affected) -> Option<TooLong> {
    let mut ranges = affected.ranges.iter().enumerate();
    ranges.find_map(|(range, one)| {
        let mut events = one.events.iter().enumerate();
        events.find_map(|(at, event)| {
            let pointer = || format!("{}/ranges/{range}/events/{at}", affected.pointer);
            let (Event::Introduced(version)
            | Event::Fixed(version)
            | Event::LastAffected(version)
            | Event::Limit(version)) = event;
            beyond(VERSION, version, pointer)
        })
    })
}

/// Words stand there as well, up to what the schema of CVE records permits.
fn of_version(version: &CveVersion) -> Option<TooLong> {
    let ends = [&version.less_than, &version.less_than_or_equal].into_iter();
    let changes = version.changes.iter().map(|change| &change.at);
    let texts = std::iter::once(&version.version)
        .chain(ends.flatten())
        .chain(changes);
    let mut texts = texts.map(|text| beyond(COMPONENT, text, || version.pointer.clone()));
    texts.find_map(|text| text)
}

fn of_score(score: &CvssScore) -> Option<TooLong> {
    beyond(TOLD, score.vector.as_ref()?, || score.pointer.clone())
}

fn in_key(document: &Document) -> Option<TooLong> {
    match &document.body {
        Body::Advisory(advisory) => {
            let id = beyond(NAME, &advisory.id, || "/id".to_owned());
            let mut aliases = advisory.aliases.iter().enumerate();
            let mut affected = advisory.affected.iter();
            id.or_else(|| {
                aliases.find_map(|(at, alias)| beyond(NAME, alias, || format!("/aliases/{at}")))
            })
            .or_else(|| {
                affected.find_map(|one| {
                    let (package, at) = (one.package.as_ref()?, &one.pointer);
                    beyond(NAME, &package.name, || format!("{at}/package/name")).or_else(|| {
                        beyond(NAME, &package.ecosystem, || {
                            format!("{at}/package/ecosystem")
                        })
                    })
                })
            })
        }
        Body::Csaf(csaf) => {
            let id = beyond(NAME, &csaf.id, || "/document/tracking/id".to_owned());
            let mut all = csaf.vulnerabilities.iter();
            id.or_else(|| all.find_map(|one| beyond(NAME, one.name()?, || one.pointer.clone())))
        }
        Body::Cve(record) => {
            let id = beyond(NAME, &record.id, || "/cveMetadata/cveId".to_owned());
            let mut all = record.containers.iter().flat_map(|one| &one.affected);
            id.or_else(|| {
                all.find_map(|one| {
                    let name = one.package_name.as_ref().or(one.purl.as_ref())?;
                    beyond(NAME, name, || one.pointer.clone())
                })
            })
        }
        Body::Vex(vex) => vex.statements.iter().find_map(|statement| {
            let at = || format!("{}/vulnerability", statement.pointer);
            let mut names = statement.vulnerability.identifiers();
            names.find_map(|name| beyond(NAME, name, at))
        }),
        Body::Kev(kev) => kev
            .entries
            .iter()
            .find_map(|entry| beyond(NAME, &entry.cve_id, || format!("{}/cveID", entry.pointer))),
        Body::Sbom(sbom) => {
            let spdx = document.format == Format::Spdx;
            sbom.components
                .iter()
                .find_map(|one| of_component(one, spdx))
        }
        // No key is made of a table's rows.
        Body::Epss(_) => None,
    }
}

/// SPDX has other names for the members, so the place there is the package.
fn of_component(component: &Component, spdx: bool) -> Option<TooLong> {
    let texts = [
        ("bom-ref", component.bom_ref.as_deref()),
        ("purl", component.purl.as_deref()),
        ("name", Some(component.name.as_str())),
        ("version", component.version.as_deref()),
    ];
    texts.into_iter().find_map(|(member, text)| {
        beyond(COMPONENT, text?, || match spdx {
            true => component.pointer.clone(),
            false => format!("{}/{member}", component.pointer),
        })
    })
}

fn beyond(limit: usize, text: &str, pointer: impl FnOnce() -> String) -> Option<TooLong> {
    (text.len() > limit).then(|| TooLong {
        pointer: pointer(),
        bytes: text.len(),
        limit,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn too_long(document: &Value) -> Option<(String, usize)> {
        let read = stella_formats::read(document.to_string().as_bytes()).unwrap();
        in_document(&read).map(|long| (long.pointer, long.limit))
    }

    #[test]
    fn what_each_finding_would_repeat_is_bounded() {
        let advisory = |fixed: &str, aliases: usize, score: &str| {
            let events = json!([{"introduced": "0"}, {"fixed": fixed}]);
            let aliases: Vec<String> = (0..aliases).map(|at| format!("CVE-2024-{at:05}")).collect();
            json!({"id": "X-1", "modified": "2024-01-01T00:00:00Z", "aliases": aliases,
                "severity": [{"type": "CVSS_V3", "score": score}],
                "affected": [{"package": {"ecosystem": "npm", "name": "a"},
                    "ranges": [{"type": "SEMVER", "events": events}]}]})
        };
        let long = "1".repeat(2000);
        let at = |pointer: &str, limit| Some((pointer.to_owned(), limit));
        assert_eq!(too_long(&advisory("1.0.0", 1000, "x")), None);
        assert_eq!(
            too_long(&advisory("1.0.0", 3000, "x")),
            at("/aliases", NAMES)
        );
        let event = "/affected/0/ranges/0/events/1";
        assert_eq!(too_long(&advisory(&long, 0, "x")), at(event, VERSION));
        assert_eq!(
            too_long(&advisory("1.0.0", 0, &long)),
            at("/severity/0", TOLD)
        );

        let cve = |version: &str, vector: &str| {
            json!({"dataType": "CVE_RECORD", "dataVersion": "5.1",
                "cveMetadata": {"cveId": "CVE-2024-1", "state": "PUBLISHED"}, "containers": {"cna": {
                "affected": [{"packageURL": "pkg:npm/a", "versions": [{"version": "0", "lessThan": version}]}],
                "metrics": [{"cvssV3_1": {"vectorString": vector}}]}}})
        };
        assert_eq!(too_long(&cve("1.0.0", "x")), None);
        let version = "/containers/cna/affected/0/versions/0";
        assert_eq!(too_long(&cve(&long, "x")), at(version, COMPONENT));
        let score = "/containers/cna/metrics/0/cvssV3_1";
        assert_eq!(too_long(&cve("1.0.0", &long)), at(score, TOLD));

        let vex = |why: &str| {
            json!({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "urn:x", "author": "a",
                "timestamp": "2024-01-01T00:00:00Z", "version": 1, "statements": [{
                "vulnerability": {"name": "CVE-2024-1"}, "products": [{"@id": "pkg:npm/a"}],
                "status": "not_affected", "justification": why}]})
        };
        assert_eq!(too_long(&vex("component_not_present")), None);
        assert_eq!(too_long(&vex(&long)), at("/statements/0", TOLD));
    }
}
