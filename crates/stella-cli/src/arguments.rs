//! The command line: every verb and option, and nothing of what they do.

mod client;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use stella_api::TenantId;
use stella_context::Clock;

use crate::answer::Format;
use crate::commands::{
    audit::AuditCommand, canon::CanonArgs, context::ContextCommand, cvss::CvssArgs,
    evidence::EvidenceCommand, findings::FindingsCommand, replay::ReplayCommand,
    score::ScoreCommand,
};
use crate::label::{example, label};

pub use client::*;

/// All of `stella`'s command line.
#[derive(Debug, Parser)]
#[command(name = "stella", bin_name = "stella", version, about = label("help-about"), after_help = example("help-example"))]
#[command(disable_help_subcommand = true, subcommand_help_heading = label("help-commands"), max_term_width = 100)]
pub struct Arguments {
    /// Options of every command.
    #[command(flatten)]
    pub options: Options,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The options that every command has.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = label("help-global-options"))]
pub struct Options {
    /// `-o`: none means a table on a terminal and JSON elsewhere.
    #[arg(short, long, global = true, hide_possible_values = true, value_name = "FORMAT", help = label("help-output"))]
    pub output: Option<Format>,
    /// `--out`: a file instead of standard output.
    #[arg(long, global = true, value_name = "FILE", help = label("help-out"))]
    pub out: Option<PathBuf>,
    /// `--context`: another context than the current one.
    #[arg(long, global = true, value_name = "NAME", help = label("help-context"))]
    pub context: Option<String>,
    /// `--clock`: the time that records carry, instead of the machine's or `SOURCE_DATE_EPOCH`.
    #[arg(long, global = true, value_name = "TIME", help = label("help-clock"))]
    pub clock: Option<Clock>,
    /// `--no-input`: fail where a question would be asked.
    #[arg(long, global = true, help = label("help-no-input"))]
    pub no_input: bool,
    /// `--color`.
    #[arg(long, global = true, hide_possible_values = true, value_name = "WHEN")]
    #[arg(default_value_t = ColorChoice::Auto, value_enum, hide_default_value = true, help = label("help-color"))]
    pub color: ColorChoice,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set or the terminal is `dumb`.
    #[default]
    Auto,
    /// Always, also into a pipe.
    Always,
    /// Never.
    Never,
}

/// The first word after `stella`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Verbs that start or describe a server; the binary runs them.
    #[command(flatten)]
    Server(ServerCommand),
    /// `evidence …`
    #[command(subcommand, about = label("help-evidence-about"), after_help = example("help-evidence-example"))]
    Evidence(EvidenceCommand),
    /// `findings …`
    #[command(subcommand, about = label("help-findings-about"), after_help = example("help-findings-example"))]
    Findings(FindingsCommand),
    /// `score …`
    #[command(subcommand, about = label("help-score-about"), after_help = example("help-score-example"))]
    Score(ScoreCommand),
    /// `replay …`
    #[command(subcommand, about = label("help-replay-about"), after_help = example("help-replay-example"))]
    Replay(ReplayCommand),
    /// `audit …`
    #[command(subcommand, about = label("help-audit-about"), after_help = example("help-audit-example"))]
    Audit(AuditCommand),
    /// `whoami`
    #[command(about = label("help-whoami-about"), after_help = example("help-whoami-example"))]
    Whoami,
    /// `context …`
    #[command(subcommand, about = label("help-context-about"), after_help = example("help-context-example"))]
    Context(ContextCommand),
    /// `canon`
    #[command(about = label("help-canon-about"), after_help = example("help-canon-example"))]
    Canon(CanonArgs),
    /// `cvss`
    #[command(about = label("help-cvss-about"), after_help = example("help-cvss-example"))]
    Cvss(CvssArgs),
}

/// The verbs that need the services themselves and not only their API.
#[derive(Clone, Debug, Subcommand)]
pub enum ServerCommand {
    /// All services in one process on embedded storage, for somebody new.
    #[command(about = label("help-up-about"), after_help = example("help-up-example"))]
    Up(UpArgs),
    /// The services of an installation.
    #[command(about = label("help-serve-about"), after_help = example("help-serve-example"))]
    Serve(ServeArgs),
    /// The tables of an installation.
    #[command(about = label("help-migrate-about"), after_help = example("help-migrate-example"))]
    Migrate(MigrateArgs),
    /// The blobs of an installation.
    #[command(subcommand, about = label("help-storage-about"), after_help = example("help-storage-example"))]
    Storage(StorageCommand),
    /// The tenants of an installation.
    #[command(subcommand, about = label("help-tenant-about"), after_help = example("help-tenant-example"))]
    Tenant(TenantCommand),
    /// The clients of an installation.
    #[command(subcommand, about = label("help-client-about"), after_help = example("help-client-example"))]
    Client(ClientCommand),
    /// The keys that an installation signs with.
    #[command(subcommand, about = label("help-key-about"), after_help = example("help-key-example"))]
    Key(KeyCommand),
    /// What a server would be told.
    #[command(subcommand, about = label("help-config-about"), after_help = example("help-config-example"))]
    Config(ConfigCommand),
    /// The API's description.
    #[command(about = label("help-openapi-about"), after_help = example("help-openapi-example"))]
    Openapi(OpenapiArgs),
}

/// `stella up`
#[derive(Clone, Debug, Default, Args)]
pub struct UpArgs {
    /// Where everything is kept; none means `$XDG_DATA_HOME/stella`.
    #[arg(long, value_name = "DIR", help = label("help-up-data"))]
    pub data: Option<PathBuf>,
    /// None means `127.0.0.1:7070`, and with `once` a free port.
    #[arg(long, value_name = "ADDRESS:PORT", help = label("help-up-listen"))]
    pub listen: Option<SocketAddr>,
    /// Whether the sample is taken in.
    #[arg(long, help = label("help-up-sample"))]
    pub sample: bool,
    /// Whether it ends when it has printed what it found.
    #[arg(long, help = label("help-up-once"))]
    pub once: bool,
}

/// `stella serve`
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// Where the configuration is, and what is set beside it.
    #[command(flatten)]
    pub configuration: ConfigurationArgs,
    /// The services to run; none means all.
    #[arg(long, value_delimiter = ',', value_name = "NAMES", help = label("help-serve-services"))]
    pub services: Option<Vec<String>>,
}

/// `stella migrate`
#[derive(Clone, Debug, Default, Args)]
pub struct MigrateArgs {
    /// Where the configuration is, and what is set beside it.
    #[command(flatten)]
    pub configuration: ConfigurationArgs,
}

/// The verbs of `stella storage`.
#[derive(Clone, Debug, Subcommand)]
pub enum StorageCommand {
    /// `storage backup`
    #[command(about = label("help-storage-backup-about"), after_help = example("help-storage-backup-example"))]
    Backup(StorageCopyArgs),
    /// `storage restore`
    #[command(about = label("help-storage-restore-about"), after_help = example("help-storage-restore-example"))]
    Restore(StorageCopyArgs),
    /// `storage sweep`
    #[command(about = label("help-storage-sweep-about"), after_help = example("help-storage-sweep-example"))]
    Sweep(SweepArgs),
    /// `storage verify`
    #[command(about = label("help-storage-verify-about"), after_help = example("help-storage-verify-example"))]
    Verify(ConfigurationArgs),
}

/// `stella storage backup` and `storage restore`
#[derive(Clone, Debug, Args)]
pub struct StorageCopyArgs {
    /// The folder of the copy.
    #[arg(value_name = "DIR", help = label("help-storage-copy-dir"))]
    pub folder: PathBuf,
    /// Where the configuration is, and what is set beside it.
    #[command(flatten)]
    pub configuration: ConfigurationArgs,
}

/// `stella storage sweep`
#[derive(Clone, Debug, Args)]
pub struct SweepArgs {
    /// The age from which on a blob that no row names is an orphan.
    #[arg(long, value_name = "AGE", default_value = "7d", hide_default_value = true, value_parser = age, help = label("help-storage-older-than"))]
    pub older_than: Duration,
    /// Whether orphans are removed.
    #[arg(long, help = label("help-storage-remove"))]
    pub remove: bool,
    /// Where the configuration is, and what is set beside it.
    #[command(flatten)]
    pub configuration: ConfigurationArgs,
}

/// A number with its unit, such as `36h`.
fn age(text: &str) -> Result<Duration, String> {
    let unit = text.char_indices().next_back().map_or(0, |(last, _)| last);
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => 0,
    };
    let all = number.parse().ok().filter(|_| seconds > 0);
    let all = all.and_then(|number: u64| number.checked_mul(seconds));
    all.map(Duration::from_secs)
        .ok_or_else(|| label("storage-age-invalid"))
}

/// The verbs of `stella tenant`.
#[derive(Clone, Debug, Subcommand)]
pub enum TenantCommand {
    /// `tenant create`
    #[command(about = label("help-tenant-create-about"), after_help = example("help-tenant-create-example"))]
    Create(TenantCreateArgs),
    /// `tenant trust`
    #[command(about = label("help-tenant-trust-about"), after_help = example("help-tenant-trust-example"))]
    Trust(TenantTrustArgs),
}

/// `stella tenant trust`
#[derive(Clone, Debug, Args)]
pub struct TenantTrustArgs {
    /// The tenant.
    #[arg(value_name = "TENANT", help = label("help-tenant-trust-tenant"))]
    pub tenant: TenantId,
    /// The publisher.
    #[arg(value_name = "PUBLISHER", value_parser = publisher, help = label("help-tenant-trust-publisher"))]
    pub publisher: String,
    /// Where the configuration is, and what is set beside it.
    #[command(flatten)]
    pub configuration: ConfigurationArgs,
}

/// `stella tenant create`
#[derive(Clone, Debug, Args)]
pub struct TenantCreateArgs {
    /// Its id.
    #[arg(value_name = "TENANT", help = label("help-tenant-create-id"))]
    pub tenant: TenantId,
    /// Where the configuration is, and what is set beside it.
    #[command(flatten)]
    pub configuration: ConfigurationArgs,
}

fn publisher(text: &str) -> Result<String, String> {
    match !text.trim().is_empty() && !text.contains(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(label("publisher-invalid")),
    }
}

/// The verbs of `stella key`.
#[derive(Clone, Debug, Subcommand)]
pub enum KeyCommand {
    /// `key reseal`
    #[command(about = label("help-key-reseal-about"), after_help = example("help-key-reseal-example"))]
    Reseal(ConfigurationArgs),
    /// `key list`
    #[command(about = label("help-key-list-about"), after_help = example("help-key-list-example"))]
    List(ConfigurationArgs),
    /// `key rotate`
    #[command(about = label("help-key-rotate-about"), after_help = example("help-key-rotate-example"))]
    Rotate(KeyRotateArgs),
}

/// `stella key rotate`
#[derive(Clone, Debug, Args)]
pub struct KeyRotateArgs {
    /// Whose key.
    #[arg(value_name = "SERVICE", help = label("help-key-rotate-service"))]
    pub service: String,
    /// What the key is for.
    #[arg(value_name = "PURPOSE", help = label("help-key-rotate-purpose"))]
    pub purpose: String,
    /// Where the configuration is, and what is set beside it.
    #[command(flatten)]
    pub configuration: ConfigurationArgs,
}

/// The verbs of `stella config`.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// `config check`
    #[command(about = label("help-config-check-about"), after_help = example("help-config-check-example"))]
    Check(ConfigurationArgs),
    /// `config explain`
    #[command(about = label("help-config-explain-about"), after_help = example("help-config-explain-example"))]
    Explain(ExplainArgs),
    /// `config reference`
    #[command(about = label("help-config-reference-about"), after_help = example("help-config-reference-example"))]
    Reference,
}

/// `stella config explain`
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// The key.
    #[arg(value_name = "KEY", help = label("help-config-explain-key"))]
    pub key: String,
    /// Where the configuration is, and what is set beside it.
    #[command(flatten)]
    pub configuration: ConfigurationArgs,
}

/// Where a server's configuration comes from.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigurationArgs {
    /// The file.
    #[arg(long, value_name = "FILE", help = label("help-config"))]
    pub config: Option<PathBuf>,
    /// `KEY=VALUE`, stronger than file and environment; in the order given.
    #[arg(long, value_name = "KEY=VALUE", help = label("help-set"))]
    pub set: Vec<String>,
}

/// `stella openapi`
#[derive(Clone, Debug, Default, Args)]
pub struct OpenapiArgs {}
