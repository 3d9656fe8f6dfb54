//! Authority's signing keys.

use stella_api::authority::JwksAnswer;
use stella_attest::PublicKey;
use stella_context::SystemContext;

use crate::{Authority, AuthorityError};

/// What these keys are for; keys of other purposes never sign tokens.
pub(crate) const PURPOSE: &str = "token";

impl Authority {
    /// The public keys whose tokens are good: active and retired ones, newest first.
    pub(crate) async fn jwks(&self, system: &SystemContext) -> Result<JwksAnswer, AuthorityError> {
        let keys = self.keys.public(system).await?;
        let keys = keys.iter().map(PublicKey::jwk).collect();
        Ok(JwksAnswer { keys })
    }
}
