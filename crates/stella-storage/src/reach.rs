//! Why a database is not reached: a pool waits, and keeps the reason to itself.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Error};
use tokio::time::timeout;

use crate::StoreError;

/// So long it is waited for the reason.
const PROMPTLY: Duration = Duration::from_secs(3);

/// The failure of the first question to a database, with where it was looked for.
pub(crate) async fn unreached(options: &PgConnectOptions, error: Error) -> StoreError {
    let error = match error {
        Error::PoolTimedOut => reason(options).await,
        told => told,
    };
    let at = format!("{}:{}", options.get_host(), options.get_port());
    match error {
        Error::Io(why) => Error::Io(std::io::Error::new(why.kind(), format!("{at}: {why}"))).into(),
        Error::Tls(why) => {
            let told = format!("{at}: {why}, and SslMode or sslmode demands it");
            Error::Tls(told.into()).into()
        }
        other => other.into(),
    }
}

async fn reason(options: &PgConnectOptions) -> Error {
    let why = match timeout(PROMPTLY, PgConnection::connect_with(options)).await {
        Ok(Err(error)) => return error,
        // It is reached now, and has no connection to give.
        Ok(Ok(_)) => return Error::PoolTimedOut,
        Err(_) => "no answer",
    };
    Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, why))
}
