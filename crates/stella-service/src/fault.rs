//! Places where a test ends the process, as a power cut would: no destructor runs, nothing is
//! written on the way out. Only the feature `fault-points` compiles them in, and only the API
//! tests ask for it; elsewhere a point is nothing.

/// All there are: tests go through each of them on every driver.
pub const POINTS: &[&str] = &[
    "audit-added",
    "evidence-blob-put",
    "evidence-kept",
    "evidence-written",
    "log-numbered",
    "log-sealed",
    "log-written",
];

/// Ends the process where the environment names this point.
#[cfg(feature = "fault-points")]
#[allow(clippy::disallowed_methods)] // a test's wish, and no part of any configuration
pub fn point(name: &str) {
    if std::env::var_os("STELLA_FAULT_POINT").is_some_and(|wished| wished == name) {
        std::process::abort();
    }
}

/// Nothing: points are in test builds alone.
#[cfg(not(feature = "fault-points"))]
pub fn point(_name: &str) {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    /// The names in the calls of all files below a folder.
    fn called(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                called(&path, names);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let calls = text.split(concat!("fault::", "point(\"")).skip(1);
                names.extend(calls.map(|call| call.split('"').next().unwrap().to_owned()));
            }
        }
    }

    #[test]
    fn every_point_in_the_source_is_listed() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut names = BTreeSet::new();
        called(crates, &mut names);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), super::POINTS);
    }
}
