//! Signing keys as rows of a service's own schema; only the master key opens their private part.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use sqlx::{AssertSqlSafe, query, query_as};
use stella_api::TenantId;
use stella_api::authority::PublicJwk;
use stella_attest::PublicKey;
use stella_context::SystemContext;
use stella_signing::{KeyError, MasterKey, SigningKey};
use stella_storage::{Db, DbTime, StoreError, Tx, execute, on};

use crate::{Act, Failure, IntoFailure, audit};

/// The keys of one service for one purpose: those of another purpose never sign in its place.
///
/// The table is `<schema>.signing_keys (kid, purpose, state, x, sealed, created_at)`, of which one
/// key a purpose is `active`; `retired` ones verify only, `revoked` ones are not told.
#[derive(Clone, Debug)]
pub struct KeyStore {
    db: Db,
    schema: &'static str,
    purpose: Cow<'static, str>,
    master: Arc<MasterKey>,
    /// The key that signed last: it is opened once.
    held: Arc<Mutex<Option<SigningKey>>>,
}

/// A stored key, as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Its id.
    pub kid: String,
    /// What it is for.
    pub purpose: String,
    /// `active`, `retired` or `revoked`.
    pub state: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What can go wrong with stored keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key itself, or the master key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<KeyStoreError> for StoreError {
    fn from(error: KeyStoreError) -> Self {
        match error {
            KeyStoreError::Store(error) => error,
            KeyStoreError::Key(KeyError::Sealed { place }) => Self::Sealed(place),
            KeyStoreError::Key(error) => Self::unreadable("signing key", error),
        }
    }
}

impl IntoFailure for KeyStoreError {
    fn into_failure(self) -> Failure {
        StoreError::from(self).into_failure()
    }
}

#[derive(sqlx::FromRow)]
struct SealedKey {
    kid: String,
    sealed: Vec<u8>,
}

impl KeyStore {
    /// The keys of a schema for a purpose.
    #[must_use]
    pub fn new(
        db: Db,
        schema: &'static str,
        purpose: impl Into<Cow<'static, str>>,
        master: Arc<MasterKey>,
    ) -> Self {
        Self {
            db,
            schema,
            purpose: purpose.into(),
            master,
            held: Arc::default(),
        }
    }

    /// The key that is active now, so that a running server signs with a new one from the moment
    /// of its rotation; an Ed25519 pair is made where there is none. Of processes that start
    /// together one makes it.
    ///
    /// # Errors
    /// The database is away, or the master key does not open the key.
    pub async fn active(&self, system: &SystemContext) -> Result<SigningKey, KeyStoreError> {
        if let Some(row) = self.sealed(system).await? {
            return self.opened(&row);
        }
        let key = SigningKey::generate()?;
        let sealed = self.master.seal(&self.label(key.kid()), key.pkcs8())?;
        match self.add(system, key.public(), &sealed).await {
            Ok(()) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
        match self.sealed(system).await? {
            Some(row) => self.opened(&row),
            None => Err(self.unreadable(key.kid(), "it is gone again")),
        }
    }

    /// The public keys that verify: active and retired ones, newest first. A row counts only
    /// where the master key opens its private part, so that who can write to the table and does
    /// not hold the master key adds no key; others are logged and left out.
    ///
    /// # Errors
    /// The database is away, or the master key opens none of them: what they signed is not to be
    /// called forged for that.
    pub async fn public(&self, system: &SystemContext) -> Result<Vec<PublicKey>, StoreError> {
        let statement = format!(
            "SELECT kid, sealed FROM {}.signing_keys WHERE purpose = $1 \
             AND state IN ('active', 'retired') ORDER BY created_at DESC, kid",
            self.schema
        );
        let mut tx = self.db.system_read(system).await?;
        let rows: Vec<SealedKey> = on!(&mut tx, c => query_as(AssertSqlSafe(statement))
            .bind(&*self.purpose).fetch_all(c))?;
        tx.commit().await?;
        let opened = rows.iter().filter_map(|row| match self.open(row) {
            Ok(key) => Some(key.verifier().clone()),
            Err(error) => {
                tracing::error!(schema = self.schema, kid = row.kid, %error, "a stored key that is not ours");
                None
            }
        });
        let opened: Vec<PublicKey> = opened.collect();
        match opened.is_empty() {
            true => Err(StoreError::Sealed(format!("{}.signing_keys", self.schema))),
            false => Ok(opened),
        }
    }

    /// Refuses where the master key does not open each active key of the schema now, whatever it
    /// is for. A process signs on with those that it opened before: its next start would fail.
    ///
    /// # Errors
    /// It does not, or the database is away.
    pub(crate) async fn usable(&self, system: &SystemContext) -> Result<(), KeyStoreError> {
        let statement = format!(
            "SELECT kid, sealed FROM {}.signing_keys WHERE state = 'active' ORDER BY kid",
            self.schema
        );
        let mut tx = self.db.system_read(system).await?;
        let rows: Vec<SealedKey> =
            on!(&mut tx, c => query_as(AssertSqlSafe(statement)).fetch_all(c))
                .map_err(StoreError::from)?;
        tx.commit().await?;
        rows.iter().try_for_each(|row| self.open(row).map(drop))
    }

    fn opened(&self, row: &SealedKey) -> Result<SigningKey, KeyStoreError> {
        // Whoever panicked with it left a whole key.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.as_ref() {
            Some(key) if key.kid() == row.kid => Ok(key.clone()),
            _ => Ok(held.insert(self.open(row)?).clone()),
        }
    }

    async fn sealed(&self, system: &SystemContext) -> Result<Option<SealedKey>, StoreError> {
        let statement = format!(
            "SELECT kid, sealed FROM {}.signing_keys WHERE purpose = $1 AND state = 'active'",
            self.schema
        );
        let mut tx = self.db.system_read(system).await?;
        let row = on!(&mut tx, c => query_as(AssertSqlSafe(statement))
            .bind(&*self.purpose).fetch_optional(c))?;
        tx.commit().await?;
        Ok(row)
    }

    async fn add(
        &self,
        system: &SystemContext,
        public: &PublicJwk,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        let mut tx = self.db.system(system).await?;
        self.add_in(&mut tx, system, public, sealed).await?;
        tx.commit().await
    }

    async fn add_in(
        &self,
        tx: &mut Tx,
        system: &SystemContext,
        public: &PublicJwk,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        let statement = format!(
            "INSERT INTO {}.signing_keys (kid, purpose, state, x, sealed, created_at) \
             VALUES ($1, $2, 'active', $3, $4, $5)",
            self.schema
        );
        execute!(
            tx,
            query(AssertSqlSafe(statement))
                .bind(public.kid.as_deref())
                .bind(&*self.purpose)
                .bind(&public.x)
                .bind(sealed)
                .bind(DbTime(system.clock().now()))
        )?;
        Ok(())
    }

    /// Makes a new key, which signs from now on; the one before it verifies only. Gives its id.
    /// One that is encrypted with another master key than its neighbours could be opened by no
    /// server, and be resealed by none.
    ///
    /// # Errors
    /// The master key does not open the keys that are there; the database is away; or somebody else
    /// did the same just now.
    pub async fn rotate(&self, system: &SystemContext) -> Result<String, KeyStoreError> {
        self.usable(system).await?;
        let key = SigningKey::generate()?;
        let sealed = self.master.seal(&self.label(key.kid()), key.pkcs8())?;
        let retire = format!(
            "UPDATE {}.signing_keys SET state = 'retired' WHERE purpose = $1 AND state = 'active'",
            self.schema
        );
        let installation = TenantId::installation();
        let mut tx = self.db.system_in(system, &installation).await?;
        execute!(&mut tx, query(AssertSqlSafe(retire)).bind(&*self.purpose))
            .map_err(StoreError::from)?;
        self.add_in(&mut tx, system, key.public(), &sealed).await?;
        let act = Act::done("authority.key.rotated", key.kid()).with("schema", self.schema);
        let act = act.with("purpose", &self.purpose);
        audit::record(&mut tx, (self.schema, &installation), system, act).await?;
        tx.commit().await?;
        Ok(key.kid().to_owned())
    }

    /// Every key of a schema, the newest of a purpose first.
    ///
    /// # Errors
    /// The database is away.
    pub async fn list(
        system: &SystemContext,
        db: &Db,
        schema: &'static str,
    ) -> Result<Vec<StoredKey>, StoreError> {
        let statement = format!(
            "SELECT kid, purpose, state, created_at FROM {schema}.signing_keys \
             ORDER BY purpose, created_at DESC, kid"
        );
        let mut tx = db.system_read(system).await?;
        let rows: Vec<(String, String, String, DbTime)> =
            on!(&mut tx, c => query_as(AssertSqlSafe(statement)).fetch_all(c))?;
        tx.commit().await?;
        let stored = |(kid, purpose, state, created): (_, _, _, DbTime)| StoredKey {
            kid,
            purpose,
            state,
            created_at: created.0,
        };
        Ok(rows.into_iter().map(stored).collect())
    }

    fn open(&self, row: &SealedKey) -> Result<SigningKey, KeyStoreError> {
        let label = self.label(&row.kid);
        let pkcs8 = self.master.open(&label, &row.sealed)?;
        let key = SigningKey::from_pkcs8(&pkcs8, &label)?;
        if key.kid() == row.kid {
            Ok(key)
        } else {
            Err(self.unreadable(&row.kid, "its kid is another key's"))
        }
    }

    /// Seals every key of the schema anew that only the master key before opens, all or none of
    /// them; says of how many. A server that does not know the new master key opens them no more.
    ///
    /// # Errors
    /// The database is away, or neither master key opens one of them.
    pub async fn reseal(
        system: &SystemContext,
        db: &Db,
        schema: &'static str,
        master: &MasterKey,
    ) -> Result<u64, KeyStoreError> {
        let read = format!("SELECT kid, sealed FROM {schema}.signing_keys ORDER BY kid");
        let installation = TenantId::installation();
        let mut tx = db.system_in(system, &installation).await?;
        let rows: Vec<SealedKey> = on!(&mut tx, c => query_as(AssertSqlSafe(read)).fetch_all(c))
            .map_err(StoreError::from)?;
        let mut anew = 0;
        for row in rows {
            let Some(sealed) = master.reseal(&label(schema, &row.kid), &row.sealed)? else {
                continue;
            };
            let write = format!(
                "UPDATE {schema}.signing_keys SET sealed = $3 WHERE kid = $1 AND sealed = $2"
            );
            let resealed = execute!(
                &mut tx,
                query(AssertSqlSafe(write))
                    .bind(&row.kid)
                    .bind(&row.sealed)
                    .bind(&sealed)
            )
            .map_err(StoreError::from)?;
            if resealed == 0 {
                continue;
            }
            anew += resealed;
            let act = Act::done("authority.key.resealed", &row.kid).with("schema", schema);
            audit::record(&mut tx, (schema, &installation), system, act).await?;
        }
        tx.commit().await?;
        Ok(anew)
    }

    /// What the encryption is bound to, so that no row can be put in the place of another.
    fn label(&self, kid: &str) -> String {
        label(self.schema, kid)
    }

    fn unreadable(&self, kid: &str, reason: &str) -> KeyStoreError {
        let what = format!("the signing key {kid} of {}", self.schema);
        StoreError::unreadable(what, reason).into()
    }
}

fn label(schema: &str, kid: &str) -> String {
    format!("{schema}.signing_keys/{kid}")
}
