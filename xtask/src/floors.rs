//! The floors of the house: a crate depends only on crates of floors below its own.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{DependencyKind, MetadataCommand};

/// Where a crate stands; ordered from the ground up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Floor {
    Vocabulary,
    Pure,
    Composed,
    Storage,
    Kit,
    Service,
    Face,
    Binary,
    /// For development only: part of no floor, and of no product.
    Beside,
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vocabulary => "0",
            Self::Pure => "1",
            Self::Composed => "1b",
            Self::Storage => "2a",
            Self::Kit => "2b",
            Self::Service => "3",
            Self::Face => "4",
            Self::Binary => "5",
            Self::Beside => "beside",
        })
    }
}

const FLOORS: &[(&str, Floor)] = &[
    ("stella-api", Floor::Vocabulary),
    ("stella-canonical", Floor::Vocabulary),
    ("stella-attest", Floor::Pure),
    ("stella-bundle", Floor::Pure),
    ("stella-context", Floor::Pure),
    ("stella-formats", Floor::Pure),
    ("stella-locale", Floor::Pure),
    ("stella-matching", Floor::Pure),
    ("stella-scoring", Floor::Pure),
    ("stella-assess", Floor::Composed),
    ("stella-signing", Floor::Storage),
    ("stella-storage", Floor::Storage),
    ("stella-telemetry", Floor::Storage),
    ("stella-client", Floor::Kit),
    ("stella-service", Floor::Kit),
    ("stella-authority", Floor::Service),
    ("stella-evidence", Floor::Service),
    ("stella-replay", Floor::Service),
    ("stella-risk-engine", Floor::Service),
    ("stella-cli", Floor::Face),
    ("stella", Floor::Binary),
    ("stella-testdata", Floor::Beside),
    ("stella-testkit", Floor::Beside),
    ("xtask", Floor::Beside),
];

/// Arrows within a floor: the service kit uses the in-process transport and the principal's type.
const SIDEWAYS: &[(&str, &str)] = &[("stella-service", "stella-client")];

/// What the check needs to know of a crate.
struct Crate {
    name: String,
    /// The crates of this workspace that it names, and as what.
    dependencies: Vec<(String, DependencyKind)>,
    empty: bool,
}

/// Refuses an arrow that does not point downward, an unknown crate and an empty one.
pub(crate) fn check(root: &Path) -> Result<()> {
    let faults = faults(&crates(root)?);
    if faults.is_empty() {
        return Ok(());
    }
    bail!("{}", faults.join("\n"))
}

fn crates(root: &Path) -> Result<Vec<Crate>> {
    let metadata = MetadataCommand::new().current_dir(root).no_deps().exec()?;
    let of_package = |package: &cargo_metadata::Package| {
        let own = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.path.is_some());
        let dependencies = own.map(|it| (it.name.clone(), it.kind)).collect();
        let main = package
            .targets
            .iter()
            .find(|target| target.is_lib() || target.is_bin());
        let main = main.with_context(|| format!("{} has no library or binary", package.name))?;
        let text = fs::read_to_string(&main.src_path)
            .with_context(|| format!("reading {}", main.src_path))?;
        Ok(Crate {
            name: package.name.to_string(),
            dependencies,
            empty: is_empty(&text),
        })
    };
    metadata.packages.iter().map(of_package).collect()
}

/// Whether a source file holds only comments and attributes of its own.
fn is_empty(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    lines.all(|line| line.is_empty() || line.starts_with("//") || line.starts_with("#!["))
}

fn floor(name: &str) -> Option<Floor> {
    FLOORS
        .iter()
        .find(|(of, _)| *of == name)
        .map(|(_, floor)| *floor)
}

fn faults(crates: &[Crate]) -> Vec<String> {
    let mut faults = Vec::new();
    for it in crates {
        let name = &it.name;
        let Some(from) = floor(name) else {
            faults.push(format!(
                "{name}: on no floor, add it to FLOORS in xtask/src/floors.rs"
            ));
            continue;
        };
        if it.empty {
            faults.push(format!(
                "{name}: empty, a crate appears when there is something in it"
            ));
        }
        for (to_name, kind) in &it.dependencies {
            // An unknown target is told as a crate of its own.
            let Some(to) = floor(to_name) else { continue };
            faults.extend(fault((name, from), (to_name, to), *kind));
        }
    }
    faults
}

fn fault(from: (&str, Floor), to: (&str, Floor), kind: DependencyKind) -> Option<String> {
    let arrow = format!("{} (floor {}) -> {} (floor {})", from.0, from.1, to.0, to.1);
    if to.1 == Floor::Beside {
        let development = kind == DependencyKind::Development;
        // Only what speaks to a database may test on one.
        let own_database = [Floor::Storage, Floor::Service, Floor::Binary];
        let own_database = own_database.contains(&from.1) || from.0 == "stella-service";
        let kit = to.0 != "stella-testkit" || own_database;
        return match (from.1 == Floor::Beside, development, kit) {
            (true, _, _) | (_, true, true) => None,
            (_, true, false) => Some(format!(
                "{arrow}: only storage, services and the binary may test so"
            )),
            (_, false, _) => Some(format!("{arrow}: the product needs no development crate")),
        };
    }
    let allowed = to.1 < from.1 || SIDEWAYS.contains(&(from.0, to.0));
    let direction = if to.1 == from.1 { "sideways" } else { "upward" };
    (!allowed).then(|| format!("{arrow}: points {direction}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use DependencyKind::{Build, Development, Normal};

    fn told(name: &str, to: &str, kind: DependencyKind) -> Vec<String> {
        let dependencies = vec![(to.to_owned(), kind)];
        faults(&[Crate {
            name: name.to_owned(),
            dependencies,
            empty: false,
        }])
    }

    #[test]
    fn this_workspace_points_downward() {
        check(&crate::root()).unwrap();
    }

    #[test]
    fn every_crate_of_the_table_is_there() {
        let mut there: Vec<_> = crates(&crate::root())
            .unwrap()
            .into_iter()
            .map(|it| it.name)
            .collect();
        there.sort();
        let mut table: Vec<_> = FLOORS.iter().map(|(name, _)| *name).collect();
        table.sort_unstable();
        assert_eq!(there, table);
    }

    #[test]
    fn downward_arrows_pass() {
        for (from, to, kind) in [
            ("stella", "stella-cli", Normal),
            ("stella-replay", "stella-storage", Normal),
            ("stella-service", "stella-storage", Normal),
            ("stella-service", "stella-client", Normal),
            ("stella-assess", "stella-scoring", Normal),
            ("stella-canonical", "stella-testdata", Development),
            ("stella-replay", "stella-testkit", Development),
            ("stella-storage", "stella-testkit", Development),
            ("stella-testkit", "stella-testdata", Normal),
            ("stella-testkit", "stella-service", Normal),
        ] {
            assert_eq!(told(from, to, kind), [""; 0], "{from} -> {to}");
        }
    }

    #[test]
    fn an_upward_arrow_is_told() {
        let upward = "stella-scoring (floor 1) -> stella-storage (floor 2a): points upward";
        for kind in [Normal, Build, Development] {
            assert_eq!(told("stella-scoring", "stella-storage", kind), [upward]);
        }
        assert_eq!(told("stella-cli", "stella", Normal).len(), 1);
        assert_eq!(told("stella-storage", "stella-client", Normal).len(), 1);
        assert_eq!(told("stella-matching", "stella-assess", Normal).len(), 1);
    }

    #[test]
    fn a_sideways_arrow_is_told() {
        let sideways = "stella-replay (floor 3) -> stella-evidence (floor 3): points sideways";
        assert_eq!(told("stella-replay", "stella-evidence", Normal), [sideways]);
        assert_eq!(told("stella-client", "stella-service", Normal).len(), 1);
        assert_eq!(told("stella-canonical", "stella-api", Normal).len(), 1);
        let services = FLOORS.iter().filter(|(_, floor)| *floor == Floor::Service);
        for (from, _) in services.clone() {
            for (to, _) in services.clone() {
                assert_eq!(told(from, to, Normal).len(), 1, "{from} -> {to}");
            }
        }
    }

    #[test]
    fn development_crates_stay_beside() {
        assert_eq!(told("stella-api", "stella-testdata", Normal).len(), 1);
        assert_eq!(told("stella-api", "stella-testdata", Build).len(), 1);
        assert_eq!(told("stella-replay", "stella-testkit", Normal).len(), 1);
        assert_eq!(
            told("stella-canonical", "stella-testkit", Development).len(),
            1
        );
    }

    #[test]
    fn an_unknown_and_an_empty_crate_are_told() {
        assert_eq!(told("stella-common", "stella-api", Normal).len(), 1);
        let text = "//! To be written.\n\n#![warn(missing_docs)]\n";
        let empty = is_empty(text);
        assert!(empty && !is_empty(&format!("{text}pub mod there;\n")));
        let name = "stella-api".to_owned();
        assert_eq!(
            faults(&[Crate {
                name,
                dependencies: Vec::new(),
                empty
            }])
            .len(),
            1
        );
    }
}
