//! Ends the PostgreSQL cluster that stella-testkit started for the tests.
//!
//! `target/test-postgres/cluster` holds two lines: the path of `pg_ctl` and the cluster's folder.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

/// Stops the cluster and removes its data; nothing where there is none.
pub(crate) fn stop(root: &Path) -> Result<()> {
    let state = root.join("target/test-postgres");
    let place = match fs::read_to_string(state.join("cluster")) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        read => read.with_context(|| format!("reading {}", state.display()))?,
    };
    let lock = File::create(state.join("lock")).context("locking the test cluster")?;
    lock.lock().context("locking the test cluster")?;
    if let [pg_ctl, dir] = *place.lines().collect::<Vec<_>>() {
        remove(Path::new(pg_ctl), Path::new(dir))?;
    }
    for name in ["port", "cluster"] {
        match fs::remove_file(state.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {}", state.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn remove(pg_ctl: &Path, dir: &Path) -> Result<()> {
    let Ok(owner) = fs::metadata(dir) else {
        return Ok(());
    };
    // The server runs as the folder's owner. Its data goes, so it need not be flushed; that it
    // is gone already is no failure.
    let _ = Command::new(pg_ctl)
        .args(["-D", "data", "-m", "immediate", "-w", "stop"])
        .current_dir(dir)
        .uid(owner.uid())
        .gid(owner.gid())
        .output()
        .with_context(|| format!("running {}", pg_ctl.display()))?;
    fs::remove_dir_all(dir).with_context(|| format!("removing {}", dir.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_there_to_stop() {
        stop(Path::new("/nonexistent")).unwrap();
    }
}
