//! Which components an advisory's statements cover.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stella_api::findings::Verdict;
use stella_formats::{Advisory, Component, Sbom, osv};
use stella_matching as matching;
use stella_matching::{Affected, Coordinates, Ecosystem, Matcher, Portion};

/// A component of an SBOM that has a package URL, as it is matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedComponent {
    /// What findings are named by: the `bom-ref` where it is the SBOM's only one of that name,
    /// else the pointer.
    pub reference: String,
    /// The `bom-ref`, as published.
    pub bom_ref: Option<String>,
    /// Where in the SBOM (RFC 6901).
    pub pointer: String,
    /// The package URL, as published.
    pub purl: String,
    /// The name, as published.
    pub name: String,
    /// Where the package URL points.
    pub coordinates: Coordinates,
}

impl NamedComponent {
    /// The version that is compared: the package URL's, else the component's own.
    #[must_use]
    pub fn version(&self) -> &str {
        self.coordinates.version.as_deref().unwrap_or_default()
    }

    /// The keys under which advisories on the package may be filed, each with its ecosystem,
    /// without the release of a distribution: whose release is not said may be of any.
    #[must_use]
    pub fn package_keys(&self) -> Vec<(String, String)> {
        let ecosystem = self.coordinates.ecosystem.family().to_owned();
        self.coordinates
            .package_keys()
            .map(|key| (ecosystem.clone(), key))
            .collect()
    }
}

/// What an advisory says of one package, with where it says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedPackage {
    /// Where in the advisory (RFC 6901).
    pub pointer: String,
    /// The publisher's class of an advisory that tells of no vulnerability.
    pub informational: Option<String>,
    /// The statement.
    pub affected: Affected,
}

impl NamedPackage {
    /// The key under which the package is looked up, with its ecosystem.
    #[must_use]
    pub fn package_key(&self) -> (String, String) {
        (
            self.affected.ecosystem.family().to_owned(),
            self.affected.package_key(),
        )
    }

    /// The statement, read for [`cover`].
    #[must_use]
    pub fn matcher(&self) -> Matcher {
        Matcher::new(&self.affected)
    }
}

/// How many fixed versions a finding tells: each of its findings repeats those of an advisory.
const FIXED: usize = 32;

/// That a statement covers a component, or that nobody can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Which of the two.
    pub verdict: Verdict,
    /// `range`, `version`, or why nothing could be compared.
    pub rule: String,
    /// The covering stretch in words, such as `>=1.0.0 <1.2.3`.
    pub range: String,
    /// Versions that end it, ascending: the lowest of them, where there are many.
    pub fixed_versions: Vec<String>,
}

/// The components of an SBOM that have a readable package URL, in the order of the document.
#[must_use]
pub fn components(sbom: &Sbom) -> Vec<NamedComponent> {
    let uses = uses(sbom);
    let each = sbom.components.iter();
    each.filter_map(|component| named(component, &uses))
        .collect()
}

/// Where a package URL points, with the version that the SBOM gives beside it where the URL has
/// none.
///
/// # Errors
/// The text is no package URL.
pub fn coordinates(purl: &str, beside: Option<&str>) -> Result<Coordinates, matching::Error> {
    let mut coordinates = Coordinates::from_purl(purl)?;
    if coordinates.version.is_none() {
        coordinates.version = beside
            .filter(|version| !version.is_empty())
            .map(str::to_owned);
    }
    Ok(coordinates)
}

/// How often each `bom-ref` stands in the SBOM.
fn uses(sbom: &Sbom) -> BTreeMap<&str, usize> {
    let mut uses = BTreeMap::new();
    for component in &sbom.components {
        if let Some(reference) = component.bom_ref.as_deref() {
            *uses.entry(reference).or_default() += 1;
        }
    }
    uses
}

fn named(component: &Component, uses: &BTreeMap<&str, usize>) -> Option<NamedComponent> {
    let purl = component.purl.clone()?;
    let coordinates = coordinates(&purl, component.version.as_deref()).ok()?;
    let bom_ref = component.bom_ref.clone();
    let unique = bom_ref
        .clone()
        .filter(|text| uses.get(text.as_str()) == Some(&1));
    Some(NamedComponent {
        reference: unique.unwrap_or_else(|| component.pointer.clone()),
        bom_ref,
        pointer: component.pointer.clone(),
        purl,
        name: component.name.clone(),
        coordinates,
    })
}

/// What an OSV advisory says of packages.
pub(crate) fn packages(advisory: &Advisory) -> Vec<NamedPackage> {
    if advisory.withdrawn.is_some() {
        return Vec::new();
    }
    advisory.affected.iter().filter_map(package).collect()
}

fn package(affected: &osv::Affected) -> Option<NamedPackage> {
    let package = affected.package.as_ref()?;
    Some(NamedPackage {
        pointer: affected.pointer.clone(),
        informational: affected
            .informational
            .clone()
            .filter(|class| tells_no_hole(class)),
        affected: Affected {
            ecosystem: Ecosystem::from_osv(&package.ecosystem),
            package: package.name.clone(),
            ranges: affected.ranges.iter().map(range).collect(),
            versions: affected.versions.clone(),
            exempt: Portion::default(),
        },
    })
}

/// RustSec's third class, `unsound`, tells of a hole.
fn tells_no_hole(class: &str) -> bool {
    matches!(class, "unmaintained" | "notice")
}

fn range(range: &osv::Range) -> matching::Range {
    let kind = match &range.kind {
        osv::RangeKind::Semver => matching::RangeKind::Semver,
        osv::RangeKind::Ecosystem => matching::RangeKind::Ecosystem,
        osv::RangeKind::Git => matching::RangeKind::Git,
        osv::RangeKind::Other(name) => matching::RangeKind::Other(name.clone()),
    };
    // Commits are never compared, and some advisories list thousands of them.
    let events = match kind {
        matching::RangeKind::Git => Vec::new(),
        _ => range.events.iter().map(event).collect(),
    };
    matching::Range { kind, events }
}

fn event(event: &osv::Event) -> matching::Event {
    match event {
        osv::Event::Introduced(version) => matching::Event::Introduced(version.clone()),
        osv::Event::Fixed(version) => matching::Event::Fixed(version.clone()),
        osv::Event::LastAffected(version) => matching::Event::LastAffected(version.clone()),
        osv::Event::Limit(version) => matching::Event::Limit(version.clone()),
    }
}

/// Whether a statement covers a component; none where it speaks of another package or does not
/// cover the version.
#[must_use]
pub fn cover(matcher: &Matcher, component: &Coordinates) -> Option<Coverage> {
    match matcher.match_component(component)? {
        matching::Verdict::NotAffected => None,
        matching::Verdict::Undetermined { reason } => Some(Coverage {
            verdict: Verdict::Undetermined,
            rule: reason,
            range: String::new(),
            fixed_versions: Vec::new(),
        }),
        matching::Verdict::Affected {
            rule,
            introduced,
            fixed: end,
            last_affected,
        } => {
            let rule = match rule {
                matching::Rule::Range => "range",
                matching::Rule::Version => "version",
            };
            Some(Coverage {
                verdict: Verdict::Affected,
                rule: rule.to_owned(),
                range: stretch(introduced, end, last_affected),
                fixed_versions: {
                    let version = component.version.as_deref().unwrap_or_default();
                    let mut fixed = matcher.fixed_versions(version);
                    fixed.truncate(FIXED);
                    fixed
                },
            })
        }
    }
}

fn stretch(introduced: Option<String>, fixed: Option<String>, last: Option<String>) -> String {
    let from = introduced
        .filter(|version| version != "0")
        .map(|version| format!(">={version}"));
    let to = fixed.map(|version| format!("<{version}"));
    let last = last.map(|version| format!("<={version}"));
    let parts: Vec<String> = [from, to, last].into_iter().flatten().collect();
    if parts.is_empty() {
        "*".to_owned()
    } else {
        parts.join(" ")
    }
}
