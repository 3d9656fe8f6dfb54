//! Which distribution a package URL of type `apk`, `deb` or `rpm` means.

use packageurl::PackageUrl;

use crate::Ecosystem;
use crate::ecosystem::{CODE_NAMES, FAMILIES};

/// Whether a package URL of a type was found to be of a distribution.
pub(crate) fn is_of(ecosystem: &Ecosystem, purl_type: &str) -> bool {
    let found = FAMILIES
        .iter()
        .any(|(of, _, name)| *of == purl_type && *name == ecosystem.as_str());
    found || matches!(ecosystem, Ecosystem::Debian(_))
}

/// Debian or Ubuntu, with the release that the qualifier `distro` says as `debian-12`,
/// `debian-12.5`, `ubuntu-22.04`, or by its code name. Any other spelling says none, and so does
/// `sid`, which is no release.
pub(crate) fn of(url: &PackageUrl<'_>) -> Ecosystem {
    let (family, mark) = match url.namespace() {
        Some("debian") => ("Debian", "debian-"),
        Some("ubuntu") => ("Ubuntu", "ubuntu-"),
        other => {
            let known = FAMILIES
                .iter()
                .find(|(of, namespace, _)| *of == url.ty() && other == Some(*namespace));
            return match known {
                Some((_, _, name)) => Ecosystem::from_osv(name),
                None => Ecosystem::from_purl_type(url.ty()),
            };
        }
    };
    let distro = url.qualifiers().get("distro").map(|distro| &**distro);
    let release = distro.map(|distro| distro.strip_prefix(mark).unwrap_or(distro));
    let by_name = CODE_NAMES.iter().find(|(name, _)| Some(*name) == release);
    if let Some((_, name)) = by_name.filter(|(_, name)| name.starts_with(family)) {
        return Ecosystem::from_osv(name);
    }
    let release = distro.and_then(|distro| distro.strip_prefix(mark));
    let release = release.filter(|release| release.starts_with(|c: char| c.is_ascii_digit()));
    // Debian's point releases are one release.
    let release = release.map(|release| match mark {
        "debian-" => release.split('.').next().unwrap_or(release),
        _ => release,
    });
    let name = release.map(|release| format!("{family}:{release}"));
    Ecosystem::from_osv(name.as_deref().unwrap_or(family))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::Coordinates;

    #[test]
    fn a_distribution_is_told_by_namespace_and_distro() {
        for (purl, ecosystem, package) in [
            ("deb/debian/curl@7?distro=debian-12", "Debian:12", "curl"),
            ("deb/debian/curl@7?distro=debian-12.5", "Debian:12", "curl"),
            ("deb/debian/curl@7?distro=bookworm", "Debian:12", "curl"),
            ("deb/debian/curl@7?distro=debian-jessie", "Debian:8", "curl"),
            ("deb/debian/curl@7?distro=jammy", "Debian", "curl"),
            ("deb/ubuntu/curl@7?distro=jammy", "Ubuntu:22.04", "curl"),
            ("deb/debian/curl@7?distro=debian-sid", "Debian", "curl"),
            ("deb/debian/curl@7?arch=i386", "Debian", "curl"),
            (
                "deb/ubuntu/curl@7?distro=ubuntu-22.04",
                "Ubuntu:22.04",
                "curl",
            ),
            ("deb/other/curl@7?distro=other-1", "deb", "other/curl"),
        ] {
            let read = Coordinates::from_purl(&format!("pkg:{purl}")).unwrap();
            assert_eq!(
                (read.ecosystem.as_str(), read.package.as_str()),
                (ecosystem, package),
                "{purl}"
            );
        }
    }
}
