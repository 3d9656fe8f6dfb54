//! Starts the server, finds the one that runs, and clears away what a dead one left.
//!
//! The state folder holds `cluster` (the path of `pg_ctl` and the cluster's folder, a line each),
//! `port`, which is there once all is ready, and `lock`, held while any of this changes.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::Connection as _;

use super::{Cluster, Outcome};

const HOST: &str = "127.0.0.1";

/// The cluster of this state folder, started where none runs.
pub(super) async fn find_or_start(state: &Path) -> Outcome<Cluster> {
    if let Some(cluster) = running(state).await? {
        return Ok(cluster);
    }
    fs::create_dir_all(state)?;
    let lock = File::create(state.join("lock"))?;
    // Elsewhere than here: who holds it may wait in this very thread's runtime.
    let _held = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
    if let Some(cluster) = running(state).await? {
        return Ok(cluster);
    }
    discard(state)?;
    let cluster = start(state)?;
    let mut superuser = cluster.superuser().await?;
    sqlx::raw_sql(
        "CREATE ROLE stella_owner LOGIN;
         CREATE ROLE stella_service NOLOGIN;
         CREATE ROLE stella_app LOGIN IN ROLE stella_service;
         CREATE SEQUENCE test_database;",
    )
    .execute(&mut superuser)
    .await?;
    superuser.close().await?;
    // Only now: whoever finds this file finds a cluster that is ready.
    fs::write(state.join("port"), cluster.port.to_string())?;
    Ok(cluster)
}

/// The cluster that the state folder tells of, if it answers and is the one it tells of.
async fn running(state: &Path) -> Outcome<Option<Cluster>> {
    let Some((cluster, data)) = told(state) else {
        return Ok(None);
    };
    let asked = async {
        let mut superuser = cluster.superuser().await?;
        let place = sqlx::query_scalar::<_, String>("SHOW data_directory");
        place.fetch_one(&mut superuser).await
    };
    match asked.await {
        Ok(place) => Ok((data == Path::new(&place)).then_some(cluster)),
        // It runs and others use it: to start it anew would break their tests.
        Err(error) if is_full(&error) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

fn told(state: &Path) -> Option<(Cluster, PathBuf)> {
    let port = fs::read_to_string(state.join("port")).ok()?.parse().ok()?;
    let place = fs::read_to_string(state.join("cluster")).ok()?;
    Some((at(port), Path::new(place.lines().nth(1)?).join("data")))
}

fn is_full(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|told| told.code());
    code.is_some_and(|code| code == "53300")
}

/// Ends what a dead run left: its folder, and its server should one still hold on.
fn discard(state: &Path) -> Outcome<()> {
    let Ok(place) = fs::read_to_string(state.join("cluster")) else {
        return Ok(());
    };
    if let [pg_ctl, dir] = *place.lines().collect::<Vec<_>>() {
        let dir = Path::new(dir);
        if dir.exists() {
            // Fails where the server is gone already, which is what is wanted.
            let _ = as_owner_of(dir, Path::new(pg_ctl))?
                .args(["-D", "data", "-m", "immediate", "-w", "stop"])
                .output()?;
            fs::remove_dir_all(dir)?;
        }
    }
    fs::remove_file(state.join("port")).or_else(missing_is_fine)?;
    Ok(fs::remove_file(state.join("cluster")).or_else(missing_is_fine)?)
}

fn missing_is_fine(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}

fn start(state: &Path) -> Outcome<Cluster> {
    let bin = binaries()?;
    // A short path of its own: a socket's path is limited, and the server's user must reach it.
    let dir = tempfile::Builder::new()
        .prefix("stella-postgres-")
        .tempdir()?
        .keep();
    let dir = dir.canonicalize()?;
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))?;
    if fs::metadata(&dir)?.uid() == 0 {
        let (user, group) = unprivileged()?;
        chown(&dir, Some(user), Some(group))?;
    }
    let pg_ctl = bin.join("pg_ctl");
    fs::write(
        state.join("cluster"),
        format!("{}\n{}\n", pg_ctl.display(), dir.display()),
    )?;
    // The copy to disk at the end of initdb is left out, nothing of how the server then runs.
    let flags = [
        "--auth=trust",
        "--username=postgres",
        "--encoding=UTF8",
        "--locale=C",
    ];
    let mut initdb = as_owner_of(&dir, &bin.join("initdb"))?;
    run(initdb.args(["-D", "data", "--no-sync"]).args(flags))?;
    // Between finding a free port and its use another program may take it: then try another.
    let mut tries = 5;
    loop {
        let port = TcpListener::bind((HOST, 0))?.local_addr()?.port();
        let options = format!(
            "-c listen_addresses={HOST} -p {port} -c unix_socket_directories={} \
             -c max_connections=400",
            dir.display()
        );
        let mut pg_ctl = as_owner_of(&dir, &pg_ctl)?;
        let started = run(pg_ctl.args(["-D", "data", "-l", "log", "-w", "-o", &options, "start"]));
        match started {
            Ok(()) => return Ok(at(port)),
            Err(_) if tries > 1 => tries -= 1,
            Err(error) => {
                let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
                return Err(format!("{error}\n{log}").into());
            }
        }
    }
}

/// A command that runs in `dir` as whoever owns it: the server refuses to run as root.
fn as_owner_of(dir: &Path, program: &Path) -> io::Result<Command> {
    let owner = fs::metadata(dir)?;
    let mut command = Command::new(program);
    command
        .current_dir(dir)
        .uid(owner.uid())
        .gid(owner.gid())
        .env("LC_ALL", "C");
    Ok(command)
}

fn run(command: &mut Command) -> Outcome<()> {
    let output = command
        .output()
        .map_err(|error| format!("running {command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} ended with {}: {told}", output.status).into())
}

/// The numbers of the first user that has no rights of its own here.
fn unprivileged() -> Outcome<(u32, u32)> {
    let id = |flag: &str, user: &str| -> Option<u32> {
        let output = Command::new("id").args([flag, user]).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|user| Some((id("-u", user)?, id("-g", user)?)))
        .ok_or_else(|| "root cannot run it and there is no user postgres or nobody".into())
}

/// The folder of the server's programs: the newest that Debian has, else `pg_config`'s.
fn binaries() -> Outcome<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .map(|(version, path)| (version, path.join("bin")))
        .collect();
    found.sort();
    let told = Command::new("pg_config").arg("--bindir").output().ok();
    let told = told.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let newest_first = found.into_iter().rev().map(|(_, path)| path);
    newest_first
        .chain(told.map(PathBuf::from))
        .find(|bin| bin.join("initdb").is_file() && bin.join("pg_ctl").is_file())
        .ok_or_else(|| "no initdb and pg_ctl on this machine, run ./setup".into())
}

fn at(port: u16) -> Cluster {
    let superuser_url = format!("postgres://postgres@{HOST}:{port}/postgres");
    Cluster {
        superuser_url,
        host: HOST.to_owned(),
        port,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_dead_run_left_is_replaced() {
        let state = tempfile::tempdir().unwrap();
        find_or_start(state.path()).await.unwrap();
        let place = fs::read_to_string(state.path().join("cluster")).unwrap();
        let dir = Path::new(place.lines().nth(1).unwrap());
        let pg_ctl = Path::new(place.lines().next().unwrap());
        let kill = ["-D", "data", "-m", "immediate", "-w", "stop"];
        run(as_owner_of(dir, pg_ctl).unwrap().args(kill)).unwrap();
        let both = tokio::join!(find_or_start(state.path()), find_or_start(state.path()));
        let second = both.0.unwrap();
        assert_eq!(both.1.unwrap(), second);
        assert!(!dir.exists());
        assert_eq!(find_or_start(state.path()).await.unwrap(), second);
        discard(state.path()).unwrap();
        assert!(running(state.path()).await.unwrap().is_none());
    }
}
