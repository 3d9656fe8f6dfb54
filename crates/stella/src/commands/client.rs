//! `stella client`: which programs may use an installation, with which keys and for what.

use serde::Serialize;
use stella_api::{Code, TenantId};
use stella_authority::{AuthorityError, Client, NewClient, TOKENS_END_WITHIN};
use stella_cli::arguments::{
    ClientArgs, ClientCommand, ClientCreateArgs, ClientKeyAddArgs, ClientKeyCommand,
    ClientSetRolesArgs, ConfigurationArgs,
};
use stella_cli::table::{Cell, Column, Table};
use stella_cli::{Answer, ExitCode, Failure, Session};
use stella_locale::Labels;

use super::tenant::{open, system, unknown_or_failed};
use super::{client_key, failed};

pub(super) async fn run(command: ClientCommand, session: &mut Session) -> Result<Answer, Failure> {
    match command {
        ClientCommand::Create(asked) => create(asked, session).await,
        ClientCommand::List(configuration) => list(&configuration, session).await,
        ClientCommand::Show(asked) => show(&asked, session).await,
        ClientCommand::SetRoles(asked) => set_roles(&asked, session).await,
        ClientCommand::Revoke(asked) => {
            revoke(&asked.client, None, &asked.configuration, session).await
        }
        ClientCommand::Key(ClientKeyCommand::Add(asked)) => add_key(&asked, session).await,
        ClientCommand::Key(ClientKeyCommand::Revoke(asked)) => {
            let key = Some(asked.key.as_str());
            revoke(&asked.client, key, &asked.configuration, session).await
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Registered {
    client: String,
    tenant: TenantId,
    roles: Vec<&'static str>,
    key_id: String,
    key_file: String,
}

async fn create(asked: ClientCreateArgs, session: &Session) -> Result<Answer, Failure> {
    let ClientCreateArgs { client, tenant, .. } = &asked;
    let authority = open(&asked.configuration, session).await.map_err(failed)?;
    // No key is left behind of a client that cannot be.
    let known = authority.demand_tenant(&system(), tenant).await;
    known.map_err(unknown_or_failed)?;
    if !asked.key_file.exists() && authority.client(&system(), client).await.is_ok() {
        return Err(told(client, AuthorityError::ClientTaken(client.clone())));
    }
    let key = client_key(&asked.key_file)?;
    let new = NewClient {
        id: client,
        tenant,
        roles: &asked.roles,
        key: key.public(),
    };
    let made = authority.create_client(&system(), &new).await;
    made.map_err(|error| told(client, error))?;
    let registered = Registered {
        client: client.clone(),
        tenant: tenant.clone(),
        roles: asked.roles.iter().map(|role| role.as_str()).collect(),
        key_id: key.kid().to_owned(),
        key_file: asked.key_file.display().to_string(),
    };
    let roles = registered.roles.join(", ");
    let values = [
        ("client", client.as_str().into()),
        ("tenant", tenant.as_str().into()),
        ("roles", roles.as_str().into()),
        ("file", registered.key_file.as_str().into()),
    ];
    let told = |label| session.labels.format(label, &values);
    Ok(Answer::new(&registered)?
        .line(told("client-created"))
        .line(told("client-created-next")))
}

#[derive(Serialize)]
struct Listed {
    items: Vec<Client>,
}

async fn list(configuration: &ConfigurationArgs, session: &Session) -> Result<Answer, Failure> {
    let authority = open(configuration, session).await.map_err(failed)?;
    let items = authority.clients(&system()).await;
    let items = items.map_err(|error| failed(error.into()))?;
    let title = |key: &str| Column::new(session.labels.text(key));
    let mut table = Table::new([
        title("column-client").whole(),
        title("column-roles"),
        title("column-keys").right(),
    ]);
    for client in &items {
        let roles = client.roles.iter();
        let roles: Vec<String> = roles
            .map(|held| format!("{}: {}", held.tenant, held.role))
            .collect();
        table.row([
            Cell::new(&client.client),
            Cell::new(roles.join(", ")),
            Cell::new(client.active().count().to_string()),
        ]);
    }
    let empty = items.is_empty();
    let answer = Answer::new(&Listed { items })?.table(table);
    Ok(match empty {
        true => answer.line(session.labels.text("client-list-empty")),
        false => answer,
    })
}

async fn show(asked: &ClientArgs, session: &Session) -> Result<Answer, Failure> {
    let authority = open(&asked.configuration, session).await.map_err(failed)?;
    let client = authority.client(&system(), &asked.client).await;
    let client = client.map_err(|error| told(&asked.client, error))?;
    let title = |key: &str| Column::new(session.labels.text(key));
    let mut roles = Table::new([title("column-tenant").whole(), title("column-role")]);
    for held in &client.roles {
        roles.row([Cell::new(&held.tenant), Cell::new(&held.role)]);
    }
    let mut keys = Table::new([
        title("column-key").whole(),
        title("column-added"),
        title("column-revoked"),
    ]);
    for key in &client.keys {
        keys.row([
            Cell::new(&key.key_id),
            Cell::maybe(key.added_at.as_ref()),
            Cell::maybe(key.revoked_at.as_ref()),
        ]);
    }
    let answer = Answer::new(&client)?;
    Ok(answer.table(roles).line("").table(keys))
}

#[derive(Serialize)]
struct Roles<'a> {
    client: &'a str,
    tenant: &'a TenantId,
    roles: Vec<&'static str>,
}

async fn set_roles(asked: &ClientSetRolesArgs, session: &Session) -> Result<Answer, Failure> {
    let ClientSetRolesArgs { client, tenant, .. } = asked;
    let authority = open(&asked.configuration, session).await.map_err(failed)?;
    let system = system();
    let set = authority.set_client_roles(&system, client, tenant, &asked.roles);
    set.await.map_err(|error| told(client, error))?;
    let roles: Vec<&str> = asked.roles.iter().map(|role| role.as_str()).collect();
    let named = roles.join(", ");
    let values = [
        ("client", client.as_str().into()),
        ("tenant", tenant.as_str().into()),
        ("roles", named.as_str().into()),
    ];
    let label = if asked.none {
        "client-roles-none"
    } else {
        "client-roles-set"
    };
    let line = session.labels.format(label, &values);
    Ok(Answer::new(&Roles {
        client,
        tenant,
        roles,
    })?
    .line(line))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyAdded<'a> {
    client: &'a str,
    key_id: &'a str,
    key_file: String,
}

async fn add_key(asked: &ClientKeyAddArgs, session: &Session) -> Result<Answer, Failure> {
    let client = &asked.client;
    let authority = open(&asked.configuration, session).await.map_err(failed)?;
    // No key is left behind of a client that is not there.
    let system = system();
    let known = authority.client(&system, client).await;
    known.map_err(|error| told(client, error))?;
    let key = client_key(&asked.key_file)?;
    let added = authority.add_client_key(&system, client, key.public());
    added.await.map_err(|error| told(client, error))?;
    let file = asked.key_file.display().to_string();
    let values = [
        ("client", client.as_str().into()),
        ("key", key.kid().into()),
        ("file", file.as_str().into()),
    ];
    let line = session.labels.format("client-key-added", &values);
    let added = KeyAdded {
        client,
        key_id: key.kid(),
        key_file: file,
    };
    Ok(Answer::new(&added)?.line(line))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Revoked<'a> {
    client: &'a str,
    revoked_keys: Vec<String>,
    tokens_end_within_seconds: u32,
}

async fn revoke(
    client: &str,
    key: Option<&str>,
    configuration: &ConfigurationArgs,
    session: &Session,
) -> Result<Answer, Failure> {
    let authority = open(configuration, session).await.map_err(failed)?;
    let revoked = authority.revoke_client_keys(&system(), client, key).await;
    let revoked_keys = revoked.map_err(|error| told(client, error))?;
    let values = [
        ("client", client.into()),
        ("count", revoked_keys.len().into()),
        ("seconds", u64::from(TOKENS_END_WITHIN).into()),
    ];
    let line = session.labels.format("client-keys-revoked", &values);
    let answer = Answer::new(&Revoked {
        client,
        revoked_keys,
        tokens_end_within_seconds: TOKENS_END_WITHIN,
    })?;
    Ok(answer.line(line))
}

/// What is wrong with a client, with the verb that helps.
fn told(client: &str, error: AuthorityError) -> Failure {
    let (code, text, hint, key) = match &error {
        AuthorityError::ClientUnknown(_) => {
            (Code::NotFound, "client-unknown", "client-unknown-hint", "")
        }
        AuthorityError::ClientTaken(_) => (Code::Conflict, "client-taken", "client-taken-hint", ""),
        AuthorityError::ClientKeyUnknown(key) => (
            Code::NotFound,
            "client-key-unknown",
            "client-key-unknown-hint",
            key.as_str(),
        ),
        AuthorityError::ClientKeyRevoked(key) => (
            Code::Conflict,
            "client-key-was-revoked",
            "client-key-was-revoked-hint",
            key.as_str(),
        ),
        _ => return unknown_or_failed(error),
    };
    let values = [("client", client.into()), ("key", key.into())];
    let labels = Labels::english();
    let text = labels.format(text, &values);
    let exit = match error {
        AuthorityError::ClientTaken(_) => ExitCode::InvalidInput,
        _ => ExitCode::of_code(code),
    };
    Failure::told(code.as_str(), exit, text).hint(labels.format(hint, &values))
}
