//! Which Go module a package URL means.

use packageurl::PackageUrl;

/// How many segments of a subpath are tried, since each makes a name and the URL may be hostile.
const DEEPEST: usize = 16;

/// The module path that a Go package URL stands for, and others it may stand for, the
/// likeliest first.
///
/// A subpath is a package inside the module by the specification, but tools also put the tail
/// of a module path there: `pkg:golang/github.com/cespare/xxhash@v2.2.0#v2` is the module
/// `github.com/cespare/xxhash/v2`. So every prefix is taken, from the whole path to the bare
/// name, that fits the version: by Go's import rule a module of major version 2 and up ends in
/// that number, unless its version says `+incompatible`.
pub(crate) fn paths(url: &PackageUrl<'_>) -> (String, Vec<String>) {
    let bare = match url.namespace() {
        Some(namespace) => format!("{namespace}/{}", url.name()),
        None => url.name().to_owned(),
    };
    let mut longest = bare;
    let mut shorter = Vec::new();
    let segments = url.subpath().into_iter().flat_map(|path| path.split('/'));
    for segment in segments.take(DEEPEST) {
        let longer = format!("{longest}/{segment}");
        shorter.insert(0, std::mem::replace(&mut longest, longer));
    }
    let Some(major) = url.version().and_then(required_major) else {
        return (longest, shorter);
    };
    let all = || std::iter::once(&longest).chain(&shorter);
    let mut fitting = all().filter(|path| ends_in(path, major)).cloned();
    match fitting.next() {
        Some(first) => (first, fitting.collect()),
        None => (longest, shorter),
    }
}

/// The major version that a module path must end in; `None` where it needs no ending.
fn required_major(version: &str) -> Option<u64> {
    if version.ends_with("+incompatible") {
        return None;
    }
    let (major, _) = version
        .strip_prefix('v')
        .unwrap_or(version)
        .split_once('.')?;
    major.parse().ok().filter(|major| *major >= 2)
}

fn ends_in(path: &str, major: u64) -> bool {
    let last = path.rsplit(['/', '.']).next();
    last.is_some_and(|last| last == format!("v{major}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn names(purl: &str) -> Vec<String> {
        // A type without rules, as the caller reads it, so that case is kept.
        let purl = PackageUrl::from_str(&purl.replace("pkg:golang", "pkg:generic")).unwrap();
        let (first, others) = paths(&purl);
        std::iter::once(first).chain(others).collect()
    }

    #[test]
    fn go_names_are_module_paths() {
        for (purl, expected) in [
            (
                "pkg:golang/github.com/caddyserver/caddy/v2@v2.6.2",
                vec!["github.com/caddyserver/caddy/v2"],
            ),
            (
                "pkg:golang/github.com/BurntSushi/toml@v1.2.0",
                vec!["github.com/BurntSushi/toml"],
            ),
            (
                "pkg:golang/stdlib@1.21.13?package-id=fecc49d2f9e4ee85",
                vec!["stdlib"],
            ),
            (
                "pkg:golang/github.com/cespare/xxhash@v2.2.0#v2",
                vec!["github.com/cespare/xxhash/v2"],
            ),
            (
                "pkg:golang/go.etcd.io/etcd/client@v3.5.1?package-id=1#pkg/v3",
                vec!["go.etcd.io/etcd/client/pkg/v3"],
            ),
            (
                "pkg:golang/github.com/docker/docker@v24.0.7%2Bincompatible#client",
                vec![
                    "github.com/docker/docker/client",
                    "github.com/docker/docker",
                ],
            ),
            (
                "pkg:golang/google.golang.org/genproto#api",
                vec![
                    "google.golang.org/genproto/api",
                    "google.golang.org/genproto",
                ],
            ),
            (
                "pkg:golang/gopkg.in/yaml.v2@v2.4.0",
                vec!["gopkg.in/yaml.v2"],
            ),
            ("pkg:golang/example.org/old@v3.0.0", vec!["example.org/old"]),
        ] {
            assert_eq!(names(purl), expected, "{purl}");
        }
    }
}
