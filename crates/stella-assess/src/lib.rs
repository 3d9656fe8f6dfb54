//! From raw documents to findings and scores: the one composition of formats, matching and
//! scoring. Evidence matches with it, RiskEngine scores with it, Replay scores again with it.
//!
//! Pure: what it is given decides what it answers, to the byte.

mod advisory;
mod case;
mod coverage;
mod cve;
mod identity;
mod newest;
mod product;
mod remark;
mod shared;
mod vex;

pub use advisory::{packages, summary, vulnerability_ids};
pub use case::{AssessError, Case, CaseDocument, assess};
pub use coverage::{Coverage, NamedComponent, NamedPackage, components, coordinates, cover};
pub use identity::finding_id;
pub use remark::{Remark, remarks};
pub use shared::Shared;

/// The version of this crate's derivations. Whatever is derived and stored carries it.
pub const DERIVATION: i64 = 8;
