//! The vocabulary of the platform: the wire types of every service, the scopes and the
//! error codes. Data only; nothing here reads, writes or decides.

pub mod audit;
pub mod authority;
pub mod changes;
pub mod code;
pub mod dsse;
pub mod evidence;
pub mod evidence_export;
pub mod explain;
pub mod findings;
pub mod health;
pub mod limits;
pub mod lines;
pub mod log;
pub mod page;
pub mod problem;
pub mod rebuild;
pub mod replay;
pub mod replay_token;
pub mod scope;
pub mod score;
pub mod tenant;
pub mod verify;
pub mod vex;

pub use code::Code;
pub use limits::MAX_BODY;
pub use lines::{LineAnswer, LineResult};
pub use page::Page;
pub use problem::{Problem, ProblemItem};
pub use replay_token::{ReplayToken, ReplayTokenError};
pub use scope::Scope;
pub use tenant::TenantId;
pub use vex::VexStatus;
