//! Authority's signing keys: rows whose private part only the master key opens.

use stella_api::authority::{JwksAnswer, PublicJwk};
use stella_context::SystemContext;
use stella_signing::{MasterKey, SigningKey};
use stella_storage::{Db, StoreError};

use crate::{Authority, AuthorityError, store};

/// What these keys are for; keys of other purposes never sign tokens.
const PURPOSE: &str = "token";

/// The active key; made where there is none. Of processes that start together one makes it.
pub(crate) async fn active(
    system: &SystemContext,
    db: &Db,
    master: &MasterKey,
) -> Result<SigningKey, AuthorityError> {
    if let Some(row) = store::active_key(system, db, PURPOSE).await? {
        return open(&row, master);
    }
    let key = SigningKey::generate()?;
    let sealed = master.seal(&label(key.kid()), key.pkcs8())?;
    match store::add_active_key(system, db, PURPOSE, key.public(), &sealed).await {
        Ok(()) | Err(StoreError::Conflict(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let row = store::active_key(system, db, PURPOSE).await?;
    let row = row.ok_or_else(|| unreadable("it is gone again"))?;
    open(&row, master)
}

fn open(row: &store::KeyRow, master: &MasterKey) -> Result<SigningKey, AuthorityError> {
    let pkcs8 = master.open(&label(&row.kid), &row.sealed)?;
    let key = SigningKey::from_pkcs8(&pkcs8, "authority.signing_keys")?;
    if key.kid() == row.kid {
        Ok(key)
    } else {
        Err(unreadable("its kid is another key's"))
    }
}

fn label(kid: &str) -> String {
    format!("authority.signing_keys/{kid}")
}

fn unreadable(reason: &str) -> AuthorityError {
    StoreError::unreadable("the signing key", reason).into()
}

impl Authority {
    /// The public keys whose tokens are good: active and retired ones, newest first.
    pub(crate) async fn jwks(&self, system: &SystemContext) -> Result<JwksAnswer, AuthorityError> {
        let rows = store::published_keys(system, &self.db, PURPOSE).await?;
        let keys = rows.into_iter().map(|(kid, x)| PublicJwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x,
            alg: Some("EdDSA".to_owned()),
            key_use: Some("sig".to_owned()),
            kid: Some(kid),
        });
        Ok(JwksAnswer {
            keys: keys.collect(),
        })
    }
}
