//! Why a database is not reached: a pool waits, and keeps the reason to itself.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Error};
use tokio::time::{Instant, Interval, interval_at, timeout};

use crate::StoreError;

/// So long a database is asked again that does not answer, whatever keeps it: a start together with
/// it, or with the name server, is nothing to fail for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(500);
/// So long it is waited for the reason.
const PROMPTLY: Duration = Duration::from_secs(3);

/// The first question to a database, asked until it answers or [`PATIENCE`] is over.
pub(crate) struct Reach {
    options: PgConnectOptions,
    over: Instant,
    pause: Interval,
}

impl Reach {
    pub(crate) fn new(options: &PgConnectOptions) -> Self {
        let now = Instant::now();
        Self {
            options: options.clone(),
            over: now + PATIENCE,
            pause: interval_at(now + PAUSE, PAUSE),
        }
    }

    /// Waits until it may be asked again.
    ///
    /// # Errors
    /// Waiting does not help, or has taken long enough.
    pub(crate) async fn again(&mut self, error: Error) -> Result<(), StoreError> {
        let told = unreached(&self.options, error).await;
        // TLS does not come by waiting, and no role either.
        let away = matches!(told, StoreError::Unavailable(_)) && !told.is_refused();
        if !away || Instant::now() >= self.over {
            return Err(told);
        }
        self.pause.tick().await;
        Ok(())
    }
}

/// The failure of that question, with where the database was looked for.
async fn unreached(options: &PgConnectOptions, error: Error) -> StoreError {
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

/// Which database of which running server it is that answers.
pub(crate) async fn identity(options: &PgConnectOptions) -> Option<(String, String)> {
    let ask = async {
        let mut connection = PgConnection::connect_with(options).await.ok()?;
        let statement = "SELECT oid::text, pg_postmaster_start_time()::text FROM pg_database \
                         WHERE datname = current_database()";
        sqlx::query_as(statement)
            .fetch_one(&mut connection)
            .await
            .ok()
    };
    timeout(PROMPTLY, ask).await.ok().flatten()
}
