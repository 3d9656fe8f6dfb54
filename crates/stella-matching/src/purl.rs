//! Package URLs, <https://github.com/package-url/purl-spec>.

use std::str::FromStr;

use packageurl::PackageUrl;

use crate::distribution;
use crate::go_module;
use crate::vers::Vers;
use crate::version::same_version;
use crate::{Ecosystem, Error, Version};

/// Where a package URL points: ecosystem, package and version, and the URL itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordinates {
    /// The ecosystem of the URL's type.
    pub ecosystem: Ecosystem,
    /// The package name as OSV writes names of the ecosystem, in the case of the URL. Of Debian
    /// and Ubuntu that is the source package, which `upstream` says where its name is another.
    pub package: String,
    /// The version of that package, percent-decoded, as written.
    pub version: Option<String>,
    /// The URL in canonical form, qualifiers and subpath kept.
    pub purl: String,
    /// Further names the URL may stand for; see [`go_module`].
    alternatives: Vec<String>,
    /// What the URL itself names, where the package was built from another.
    built: Option<Built>,
    /// Qualifiers in the order of their keys, percent-decoded.
    qualifiers: Vec<(String, String)>,
    subpath: Option<String>,
}

/// A binary package of a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Built {
    name: String,
    version: Option<String>,
}

impl Coordinates {
    /// Reads a package URL. A type without an ecosystem here gives
    /// [`Ecosystem::Unsupported`], not an error.
    ///
    /// # Errors
    /// [`Error::Purl`] where the text is not a package URL, or breaks a rule of its type.
    pub fn from_purl(text: &str) -> Result<Self, Error> {
        let url = read(text)?;
        let ecosystem = match url.ty() {
            "apk" | "deb" | "rpm" => distribution::of(&url),
            other => Ecosystem::from_purl_type(other),
        };
        let (package, alternatives) = match ecosystem {
            // Reading lowers the namespace as the specification asks; module paths have case.
            Ecosystem::Go => go_module::paths(&read(&without_type(text))?),
            // So are names of npm, and the oldest have capitals.
            Ecosystem::Npm => (osv_name(&read(&without_type(text))?), Vec::new()),
            // The namespace is the distribution's.
            _ if distribution::is_of(&ecosystem, url.ty()) => (url.name().to_owned(), Vec::new()),
            _ => (osv_name(&url), Vec::new()),
        };
        let version = url.version().filter(|version| !version.is_empty());
        let version = version.map(str::to_owned);
        let mut qualifiers: Vec<(String, String)> = url
            .qualifiers()
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect();
        qualifiers.sort();
        let mut read = Self {
            package,
            version,
            purl: canonical(url.clone(), &ecosystem).to_string(),
            alternatives,
            built: None,
            qualifiers,
            subpath: url.subpath().map(str::to_owned),
            ecosystem,
        };
        read.find_source();
        Ok(read)
    }

    /// `upstream=glibc`, or `upstream=gcc-defaults@1.190` where the versions differ too, says what
    /// a Debian package was built from, to which alone advisories speak.
    fn find_source(&mut self) {
        if !matches!(self.ecosystem, Ecosystem::Debian(_)) || self.is_source() {
            return;
        }
        let Some(upstream) = self.qualifier("upstream") else {
            return;
        };
        let (name, version) = match upstream.split_once('@') {
            Some((name, version)) => (name, Some(version).filter(|version| !version.is_empty())),
            None => (upstream, None),
        };
        if name.is_empty() {
            return;
        }
        let (name, version) = (name.to_owned(), version.map(str::to_owned));
        let built = Built {
            name: std::mem::replace(&mut self.package, name),
            version: self.version.clone(),
        };
        self.version = version.or(self.version.take());
        self.built = Some(built);
    }

    fn qualifier(&self, key: &str) -> Option<&str> {
        let found = self.qualifiers.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the URL names a source package of a distribution, and so all that is built from it.
    fn is_source(&self) -> bool {
        matches!(self.ecosystem, Ecosystem::Debian(_)) && self.qualifier("arch") == Some("source")
    }

    /// The package that the URL itself names.
    fn own(&self) -> (&str, Option<&String>) {
        match &self.built {
            // A version beside the URL is that of both.
            Some(built) => (
                &built.name,
                built.version.as_ref().or(self.version.as_ref()),
            ),
            None => (&self.package, self.version.as_ref()),
        }
    }

    /// Every key under which statements on this package may be filed, the likeliest first, each
    /// as [`Ecosystem::package_key`] makes it.
    pub fn package_keys(&self) -> impl Iterator<Item = String> + '_ {
        let built = self.built.as_ref().map(|built| built.name.as_str());
        let names = self
            .names()
            .chain(built.filter(|name| *name != self.package));
        names.map(|name| self.ecosystem.package_key(name))
    }

    /// Whether an advisory that names a package of an ecosystem means this one.
    #[must_use]
    pub fn is_named(&self, ecosystem: &Ecosystem, package: &str) -> bool {
        self.ecosystem.may_be(ecosystem)
            && self
                .names()
                .any(|name| ecosystem.same_package(name, package))
    }

    /// Whether a statement on this package URL holds for a component: the same package, and
    /// whatever the URL says beyond it (version, qualifiers, subpath) said of the component too.
    #[must_use]
    pub fn speaks_of(&self, component: &Self) -> bool {
        let same = |stated: &String, version: Option<&String>| {
            version.is_some_and(|version| same_version(&self.ecosystem, stated, version))
        };
        self.version_named(component)
            .is_some_and(|version| self.own().1.is_none_or(|stated| same(stated, version)))
    }

    /// The same of a statement on the versions that a range holds, for a package URL without a
    /// version.
    ///
    /// # Errors
    /// Why nobody can tell, in lower case; so is why the range of such a statement cannot be read.
    pub fn speaks_of_those_in(
        &self,
        range: Result<&Vers, &str>,
        component: &Self,
    ) -> Result<bool, String> {
        match self.version_named(component) {
            None => Ok(false),
            Some(None) => Err("component has no version".to_owned()),
            Some(Some(version)) => {
                let version = Version::parse(&component.ecosystem, version);
                Ok(range?.holds(&version.map_err(|error| error.to_string())?))
            }
        }
    }

    /// Whether nobody can tell that this package URL and a component's, of which it speaks, name the same
    /// package: a subpath of Go may be the tail of a module's path, or a package within the module.
    #[must_use]
    pub fn may_be_other_than(&self, component: &Self) -> bool {
        let names = |one: &Self| (one.package.clone(), one.alternatives.clone());
        let path = |one: &Self| {
            let unversioned = one.purl.split(['@', '?', '#']).next();
            (unversioned.map(str::to_owned), one.subpath.clone())
        };
        names(self) != names(component)
            && self.ecosystem == Ecosystem::Go
            && path(self) != path(component)
    }

    /// The version of a component that this package URL names but for the version: of what is built
    /// that of its own, or of its source where the URL names that.
    fn version_named<'a>(&self, component: &'a Self) -> Option<Option<&'a String>> {
        let (package, _) = self.own();
        let (names, version) = match &component.built {
            Some(built) if !self.is_source() => {
                let same = component.ecosystem.may_be(&self.ecosystem) && built.name == package;
                (same, component.own().1)
            }
            _ => (
                component.is_named(&self.ecosystem, package),
                component.version.as_ref(),
            ),
        };
        let said = |qualifier: &(String, String)| {
            component.qualifiers.contains(qualifier) || (self.is_source() && qualifier.0 == "arch")
        };
        let named = names && self.qualifiers.iter().all(said) && self.within(component);
        named.then_some(version)
    }

    /// Whether a component lies within the subpath, where one is said. Of Go it may be the tail of the
    /// module's path, which the component's own URL then ends in.
    fn within(&self, component: &Self) -> bool {
        let Some(subpath) = &self.subpath else {
            return true;
        };
        let is_tail =
            || component.subpath.is_none() && self.package.ends_with(&format!("/{subpath}"));
        component.subpath.as_ref() == Some(subpath)
            || (self.ecosystem == Ecosystem::Go && is_tail())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.package)
            .chain(&self.alternatives)
            .map(String::as_str)
    }
}

fn read(text: &str) -> Result<PackageUrl<'static>, Error> {
    // The library takes it into the name, where no URL has any and no package could be meant.
    let path = text.split(['@', '?', '#']).next();
    if path.is_some_and(|path| path.contains(char::is_whitespace)) {
        return Err(Error::Purl {
            purl: text.to_owned(),
            reason: "white space in the name is not percent-encoded".to_owned(),
        });
    }
    // The specification reads the scheme in any case, the library in lower case only.
    let lowered = text
        .split_once(':')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("pkg"))
        .map(|(_, rest)| format!("pkg:{rest}"));
    let mut url =
        PackageUrl::from_str(lowered.as_deref().unwrap_or(text)).map_err(|error| Error::Purl {
            purl: text.to_owned(),
            reason: error.to_string(),
        })?;
    // `pkg:npm/./name` is read as an empty namespace, which is none.
    if url.namespace() == Some("") {
        url.without_namespace();
    }
    Ok(url)
}

/// The URL with a type that has no rules, so that reading it changes no case.
fn without_type(text: &str) -> String {
    let (_, rest) = text.split_once(':').unwrap_or(("", text));
    let rest = rest.trim_start_matches('/');
    let (_, path) = rest.split_once('/').unwrap_or(("", rest));
    format!("pkg:generic/{path}")
}

/// The reader lowers a Go namespace and leaves the name, where the specification asks for both.
fn canonical<'a>(url: PackageUrl<'a>, ecosystem: &Ecosystem) -> PackageUrl<'a> {
    let lower = url.name().to_lowercase();
    if *ecosystem != Ecosystem::Go || lower == url.name() {
        return url;
    }
    let rebuild = || -> packageurl::Result<PackageUrl<'a>> {
        let mut out = PackageUrl::new(url.ty().to_owned(), lower)?;
        if let Some(namespace) = url.namespace() {
            out.with_namespace(namespace.to_owned())?;
        }
        if let Some(version) = url.version() {
            out.with_version(version.to_owned())?;
        }
        for (key, value) in url.qualifiers() {
            out.add_qualifier(key.to_string(), value.to_string())?;
        }
        if let Some(subpath) = url.subpath() {
            out.with_subpath(subpath.to_owned())?;
        }
        Ok(out)
    };
    rebuild().unwrap_or(url)
}

/// The name OSV gives a package: Maven joins group and artifact by a colon.
fn osv_name(url: &PackageUrl<'_>) -> String {
    let separator = if url.ty() == "maven" { ":" } else { "/" };
    match url.namespace() {
        Some(namespace) => format!("{namespace}{separator}{}", url.name()),
        None => url.name().to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn go_case_is_kept_for_matching_and_lowered_in_the_url() {
        let read = Coordinates::from_purl("pkg:golang/github.com/BurntSushi/TOML@v1.2.0").unwrap();
        assert_eq!(read.purl, "pkg:golang/github.com/burntsushi/toml@v1.2.0");
        assert_eq!(
            read.package_keys().collect::<Vec<_>>(),
            ["github.com/burntsushi/toml"]
        );
        assert!(read.is_named(&Ecosystem::Go, "github.com/BurntSushi/TOML"));
        assert!(read.is_named(&Ecosystem::Go, "github.com/burntsushi/toml"));
        assert!(!read.is_named(&Ecosystem::Go, "github.com/BurntSushi/toml"));
    }

    #[test]
    fn text_is_decoded_and_unknown_types_are_kept() {
        let read =
            Coordinates::from_purl("pkg:golang/github.com/docker/cli@v28.3.2%2Bincompatible")
                .unwrap();
        assert_eq!(read.version.as_deref(), Some("v28.3.2+incompatible"));
        let read = Coordinates::from_purl("pkg:npm/%40angular/animation@12.3.1").unwrap();
        assert_eq!(
            (read.ecosystem.as_str(), read.package.as_str()),
            ("npm", "@angular/animation")
        );
        let read = Coordinates::from_purl("pkg:maven/org.apache/log4j@2.0").unwrap();
        assert_eq!(read.package, "org.apache:log4j");
        let read = Coordinates::from_purl("pkg:npm/./left-pad").unwrap();
        assert_eq!(
            (read.package.as_str(), read.purl.as_str()),
            ("left-pad", "pkg:npm/left-pad")
        );
        let read = Coordinates::from_purl("PKG:Cargo/zed@1.0.2").unwrap();
        assert_eq!(
            (&read.ecosystem, read.purl.as_str()),
            (&Ecosystem::CratesIo, "pkg:cargo/zed@1.0.2")
        );
        let read = Coordinates::from_purl("Pkg:GoLang/github.com/BurntSushi/TOML@v1.2.0").unwrap();
        assert!(read.is_named(&Ecosystem::Go, "github.com/BurntSushi/TOML"));
        for wrong in [
            "",
            "pk:cargo/serde@1",
            "pkg:cargo/ser de@1",
            "cargo/serde@1",
            "pkg:cargo",
            "pkg:cargo/a/serde@1",
            "pkg:cargo/%ff@1",
            "pkg:golang/",
        ] {
            assert!(
                matches!(Coordinates::from_purl(wrong), Err(Error::Purl { .. })),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_product_speaks_of_what_it_covers() {
        let speaks = |product: &str, component: &str| {
            let read = |text: &str| Coordinates::from_purl(text).unwrap();
            read(product).speaks_of(&read(component))
        };
        assert!(speaks("pkg:cargo/time", "pkg:cargo/time@0.1.45"));
        assert!(speaks(
            "pkg:cargo/time@0.1.45",
            "pkg:cargo/time@0.1.45?arch=x"
        ));
        assert!(!speaks(
            "pkg:cargo/time@0.1.45?arch=y",
            "pkg:cargo/time@0.1.45?arch=x"
        ));
        assert!(!speaks("pkg:cargo/time@0.1.44", "pkg:cargo/time@0.1.45"));
        assert!(!speaks("pkg:cargo/time@0.1.45", "pkg:cargo/time"));
        assert!(speaks(
            "pkg:golang/stdlib@1.21.0",
            "pkg:golang/stdlib@go1.21"
        ));
        assert!(!speaks("pkg:golang/time", "pkg:cargo/time"));
        let module = "pkg:golang/example.org/foo/v2@v2.0.0";
        assert!(speaks("pkg:golang/example.org/foo@v2.0.0#v2", module));
        assert!(speaks(module, &format!("{module}#cmd/x")));
        assert!(speaks(
            &format!("{module}#cmd/x"),
            &format!("{module}#cmd/x")
        ));
        for part in ["", "#cmd", "#cmd/x/y"] {
            assert!(
                !speaks(&format!("{module}#cmd/x"), &format!("{module}{part}")),
                "{part}"
            );
        }
        assert!(!speaks(
            "pkg:golang/example.org/foo#a",
            "pkg:golang/example.org/foo#a/b"
        ));
    }

    #[test]
    fn a_debian_package_is_matched_by_its_source_and_spoken_of_by_its_name() {
        let read = |text: &str| Coordinates::from_purl(&format!("pkg:deb/debian/{text}")).unwrap();
        let libc = read("libc6@2.31-13?arch=amd64&upstream=glibc&distro=debian-11");
        assert_eq!(libc.package, "glibc");
        assert_eq!(libc.version.as_deref(), Some("2.31-13"));
        assert_eq!(libc.package_keys().collect::<Vec<_>>(), ["glibc", "libc6"]);
        let debian = Ecosystem::from_osv("Debian:11");
        assert!(libc.is_named(&debian, "glibc") && !libc.is_named(&debian, "libc6"));
        let gcc = read("gcc@4:10.2.1-1?upstream=gcc-defaults%401.190");
        assert_eq!(
            (&*gcc.package, gcc.version.as_deref()),
            ("gcc-defaults", Some("1.190"))
        );
        for (statement, component, speaks) in [
            ("libc6", &libc, true),
            ("libc6@2.31-13", &libc, true),
            // Of another package: the source is meant by `arch=source` alone.
            ("glibc", &libc, false),
            ("glibc?arch=source", &libc, true),
            ("glibc@2.31-14?arch=source", &libc, false),
            ("libc6?arch=source", &libc, false),
            ("gcc@4:10.2.1-1", &gcc, true),
            ("gcc@1.190", &gcc, false),
            ("gcc-defaults@1.190?arch=source", &gcc, true),
        ] {
            assert_eq!(read(statement).speaks_of(component), speaks, "{statement}");
        }
        for plain in [
            "zlib@1?upstream=",
            "zlib@1?arch=source&upstream=other",
            "zlib@1",
        ] {
            assert_eq!(read(plain).package, "zlib", "{plain}");
        }
    }
}
