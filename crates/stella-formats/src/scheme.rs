//! Schemes of URIs, in which case does not count (RFC 3986, section 3.1).

/// What stands behind a scheme, such as `urn:cdx:`.
pub(crate) fn behind<'a>(scheme: &str, text: &'a str) -> Option<&'a str> {
    let (begin, rest) = text.split_at_checked(scheme.len())?;
    begin.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Whether a text is a package URL by its scheme.
#[must_use]
pub fn is_purl(text: &str) -> bool {
    behind("pkg:", text).is_some()
}

/// Where a text links to in a CycloneDX document: `serial/version#bom-ref`.
pub(crate) fn bom_link(text: &str) -> Option<&str> {
    behind("urn:cdx:", text)
}
