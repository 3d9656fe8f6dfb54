//! `stella whoami`

use stella_api::Scope;
use stella_api::authority::WhoAmI;
use stella_client::{Client, ClientError};

use crate::answer::Answer;
use crate::connection::connect;
use crate::failure::Failure;
use crate::label::label;
use crate::session::Session;
use crate::table::{Cell, Table};

/// A token has at least one scope. Any will do, and which a client may have is not known; each
/// built-in role has one of these.
const ANY: [Scope; 2] = [Scope::FindingsRead, Scope::SignalsWrite];

pub(crate) async fn run(session: &mut Session) -> Result<Answer, Failure> {
    let [first, other] = ANY;
    match ask(&connect(session, &[first])?).await {
        Err(ClientError::TokenRefused { error, .. }) if error == "invalid_scope" => {
            drawn(&ask(&connect(session, &[other])?).await?)
        }
        answer => drawn(&answer?),
    }
}

async fn ask(client: &Client) -> Result<WhoAmI, ClientError> {
    client.get("/api/v1/authority/whoami").await
}

/// The scopes of this verb's own token would only puzzle; scripts get them.
fn drawn(who: &WhoAmI) -> Result<Answer, Failure> {
    let fields = [
        ("field-tenant", who.tenant.clone()),
        ("field-client", who.client_id.clone()),
        ("field-subject", who.subject.clone()),
        ("field-roles", who.roles.join(", ")),
    ];
    let fields = fields.map(|(key, text)| (label(key), Cell::new(text)));
    Ok(Answer::new(who)?.table(Table::record(fields)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Format, style::Style};

    #[test]
    fn who_one_is() {
        let who = WhoAmI {
            tenant: "local".into(),
            subject: "cli".into(),
            client_id: "cli".into(),
            roles: vec!["analyst".into(), "ingester".into()],
            scopes: vec!["findings:read".into()],
        };
        let text = drawn(&who).unwrap().render(Format::Table, Style::default());
        insta::assert_snapshot!(text.unwrap(), @r"
        tenant   local
        client   cli
        subject  cli
        roles    analyst, ingester
        ");
    }
}
