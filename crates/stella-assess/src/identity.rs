//! Names that outlive regrouping.

use stella_canonical::{CanonicalError, Digest};

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
