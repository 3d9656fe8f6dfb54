use crate::Error;

/// Reads a SemVer 2 version as Cargo does: three numbers, no prefix.
pub(super) fn parse(version: &str) -> Result<semver::Version, Error> {
    semver::Version::parse(version).map_err(|error| Error::Version {
        version: version.to_owned(),
        order: "SemVer",
        reason: error.to_string(),
    })
}
