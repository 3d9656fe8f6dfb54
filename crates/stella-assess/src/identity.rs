//! Names that outlive regrouping.

use std::collections::BTreeSet;

use stella_canonical::{CanonicalError, Digest};
use stella_formats::Advisory;

/// The id of a finding: the digest of the canonical array of the SBOM's digest, the component's
/// `bom-ref` or else its JSON pointer, and the advisory's publisher and upstream id (page 05).
///
/// # Errors
/// Never for text; the canonical form decides.
pub fn finding_id(
    sbom: &Digest,
    component: &str,
    publisher: &str,
    upstream_id: &str,
) -> Result<Digest, CanonicalError> {
    Digest::of_canonical(&(sbom.to_string(), component, publisher, upstream_id))
}

/// The ids that an advisory gives its vulnerability: its own first, then its aliases as
/// published, each once.
#[must_use]
pub fn vulnerability_ids(advisory: &Advisory) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let fresh = |id: &&str| seen.insert((*id).to_owned());
    advisory
        .identifiers()
        .filter(fresh)
        .map(str::to_owned)
        .collect()
}
