//! Migrations that have landed never change: others have run them.

use std::fmt::Write as _;

/// A line here that changes, other than a new one, is a migration that somebody edited: add one
/// instead.
#[test]
fn migrations_stay_as_they_landed() {
    let mut all = String::new();
    for migrations in stella::platform::MIGRATIONS {
        for (engine, of) in [
            ("postgres", migrations.postgres),
            ("sqlite", migrations.sqlite),
        ] {
            for one in of.iter() {
                let sum = &one.checksum[..8];
                let hex = sum
                    .iter()
                    .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
                writeln!(
                    all,
                    "{} {engine} {} {} {hex}",
                    migrations.schema, one.version, one.description
                )
                .unwrap();
            }
        }
    }
    insta::assert_snapshot!(all);
}
