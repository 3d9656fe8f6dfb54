//! The verbs of `stella client`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use stella_api::TenantId;
use stella_api::scope::Role;

use super::ConfigurationArgs;
use crate::label::{example, label};

/// The verbs of `stella client`.
#[derive(Clone, Debug, Subcommand)]
pub enum ClientCommand {
    /// `client create`
    #[command(about = label("help-client-create-about"), after_help = example("help-client-create-example"))]
    Create(ClientCreateArgs),
    /// `client list`
    #[command(about = label("help-client-list-about"), after_help = example("help-client-list-example"))]
    List(ConfigurationArgs),
    /// `client show`
    #[command(about = label("help-client-show-about"), after_help = example("help-client-show-example"))]
    Show(ClientArgs),
    /// `client set-roles`
    #[command(about = label("help-client-set-roles-about"), after_help = example("help-client-set-roles-example"))]
    SetRoles(ClientSetRolesArgs),
    /// `client revoke`
    #[command(about = label("help-client-revoke-about"), after_help = example("help-client-revoke-example"))]
    Revoke(ClientArgs),
    /// `client key …`
    #[command(subcommand, about = label("help-client-key-about"), after_help = example("help-client-key-example"))]
    Key(ClientKeyCommand),
}

/// The verbs of `stella client key`.
#[derive(Clone, Debug, Subcommand)]
pub enum ClientKeyCommand {
    /// `client key add`
    #[command(about = label("help-client-key-add-about"), after_help = example("help-client-key-add-example"))]
    Add(ClientKeyAddArgs),
    /// `client key revoke`
    #[command(about = label("help-client-key-revoke-about"), after_help = example("help-client-key-revoke-example"))]
    Revoke(ClientKeyRevokeArgs),
}

/// `stella client create`
#[derive(Clone, Debug, Args)]
pub struct ClientCreateArgs {
    /// Its id.
    #[arg(value_name = "CLIENT", value_parser = client_id, help = label("help-client-create-id"))]
    pub client: String,
    /// The tenant that it may act in.
    #[arg(long, value_name = "TENANT", help = label("help-client-create-tenant"))]
    pub tenant: TenantId,
    /// What it may do there.
    #[arg(long = "role", value_name = "ROLE", required = true, help = label("help-client-create-role"))]
    pub roles: Vec<Role>,
    /// Its private key, made where there is none.
    #[arg(long, value_name = "FILE", help = label("help-client-create-key-file"))]
    pub key_file: PathBuf,
    /// Where the configuration is, and what is set beside it.
    #[command(flatten)]
    pub configuration: ConfigurationArgs,
}

/// `stella client show` and `client revoke`
#[derive(Clone, Debug, Args)]
pub struct ClientArgs {
    /// Its id.
    #[arg(value_name = "CLIENT", help = label("help-client-id"))]
    pub client: String,
    /// Where the configuration is, and what is set beside it.
    #[command(flatten)]
    pub configuration: ConfigurationArgs,
}

/// `stella client set-roles`
#[derive(Clone, Debug, Args)]
pub struct ClientSetRolesArgs {
    /// Its id.
    #[arg(value_name = "CLIENT", help = label("help-client-id"))]
    pub client: String,
    /// Where they count.
    #[arg(long, value_name = "TENANT", help = label("help-client-set-roles-tenant"))]
    pub tenant: TenantId,
    /// What it may do there from now on.
    #[arg(long = "role", value_name = "ROLE", required_unless_present = "none", help = label("help-client-create-role"))]
    pub roles: Vec<Role>,
    /// Whether it may do nothing there.
    #[arg(long, conflicts_with = "roles", help = label("help-client-set-roles-none"))]
    pub none: bool,
    /// Where the configuration is, and what is set beside it.
    #[command(flatten)]
    pub configuration: ConfigurationArgs,
}

/// `stella client key add`
#[derive(Clone, Debug, Args)]
pub struct ClientKeyAddArgs {
    /// Its id.
    #[arg(value_name = "CLIENT", help = label("help-client-id"))]
    pub client: String,
    /// Its private key, made where there is none.
    #[arg(long, value_name = "FILE", help = label("help-client-create-key-file"))]
    pub key_file: PathBuf,
    /// Where the configuration is, and what is set beside it.
    #[command(flatten)]
    pub configuration: ConfigurationArgs,
}

/// `stella client key revoke`
#[derive(Clone, Debug, Args)]
pub struct ClientKeyRevokeArgs {
    /// Its id.
    #[arg(value_name = "CLIENT", help = label("help-client-id"))]
    pub client: String,
    /// The key's.
    #[arg(value_name = "KEY", allow_hyphen_values = true, help = label("help-client-key-id"))]
    pub key: String,
    /// Where the configuration is, and what is set beside it.
    #[command(flatten)]
    pub configuration: ConfigurationArgs,
}

fn client_id(text: &str) -> Result<String, String> {
    let inside = |c: char| c.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    match begins && text.len() <= 63 && text.chars().all(inside) {
        true => Ok(text.to_owned()),
        false => Err(label("client-id-invalid")),
    }
}
