//! What every web service has: the token check, tenancy, problem documents, paging, limits,
//! health and the OpenAPI document. A service is a [`Service`]; a [`House`] runs several.

mod admin;
mod answer;
mod conditional;
mod dpop;
mod extract;
mod failure;
mod gate;
pub mod headers;
mod health;
mod house;
mod idempotency;
mod key_store;
mod keys;
mod lines;
mod once;
mod openapi;
mod page;
mod prefix;
mod rate;
mod route;
mod sentinel;
mod watch;

pub use answer::{Answer, Answers, Kept, RawAnswer, Tagged};
pub use extract::{Authorized, Document, Json, Path, Public, Query};
pub use failure::{Fail, Failure, Failures, IntoFailure};
pub use health::{Check, Found, Probe};
pub use house::{House, HouseOptions, Service, describe};
pub use idempotency::FirstAnswers;
pub use key_store::{KeyStore, KeyStoreError};
pub use keys::KeySource;
pub use lines::{Chunk, Line, LineAnswers, Lines};
pub use once::OnceOnly;
pub use page::Paging;
pub use prefix::IdRange;
pub use rate::{Quota, RateLimits};
pub use route::{Described, Guarded, Routes, Signature, signature_of};
pub use sentinel::Sentinel;

#[doc(hidden)]
pub use utoipa_axum;
