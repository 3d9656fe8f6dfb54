//! Which distribution a package URL of type `deb` means.

use packageurl::PackageUrl;

use crate::Ecosystem;

/// Debian or Ubuntu, with the release that the qualifier `distro` says as `debian-12`,
/// `debian-12.5` or `ubuntu-22.04`. Any other spelling, code names among them, says none.
pub(crate) fn of(url: &PackageUrl<'_>) -> Ecosystem {
    let (family, mark) = match url.namespace() {
        Some("debian") => ("Debian", "debian-"),
        Some("ubuntu") => ("Ubuntu", "ubuntu-"),
        _ => return Ecosystem::from_purl_type(url.ty()),
    };
    let distro = url.qualifiers().get("distro");
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
            ("deb/debian/curl@7?distro=bookworm", "Debian", "curl"),
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
