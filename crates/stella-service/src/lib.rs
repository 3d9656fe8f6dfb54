//! What every web service has: the token check, tenancy, problem documents, paging, limits,
//! health and the OpenAPI document. A service is a [`Service`]; a [`House`] runs several.

mod admin;
mod answer;
mod audit;
mod conditional;
mod dpop;
mod events;
mod extract;
mod failure;
#[doc(hidden)]
pub mod fault;
mod fuzz;
mod gate;
pub mod headers;
mod health;
mod house;
mod idempotency;
mod key_store;
mod keys;
mod limits;
mod lines;
mod log;
mod once;
mod openapi;
mod page;
mod peer;
mod prefix;
mod rate;
mod room;
mod route;
mod sentinel;
mod watch;
mod worker;

pub use answer::{Answer, Answers, Kept, RawAnswer, Tagged};
pub use audit::Act;
pub use events::{Behind, Events, Place, Streams, last_event_id};
pub use extract::{Authorized, Document, Json, Path, Public, Query, Whole, time};
pub use failure::{Fail, Failure, Failures, IntoFailure};
pub use fuzz::fuzz as fuzz_request;
pub use health::Check;
pub use house::{House, HouseOptions, Service, describe};
pub use idempotency::FirstAnswers;
pub use key_store::{KeyStore, KeyStoreError, StoredKey};
pub use keys::KeySource;
pub use limits::RequestLimits;
pub use lines::{Chunk, Line, LineAnswers, Lines, fuzz as fuzz_lines};
pub use log::{Fault, Logs, Sealed, Walk};
pub use once::OnceOnly;
pub use page::{Paging, page_size};
pub use peer::{Peer, TrustedProxies};
pub use prefix::IdRange;
pub use rate::{Quota, RateLimits};
pub use route::{Described, Guarded, Routes, Signature, signature_of};
pub use sentinel::Sentinel;
pub use worker::{Round, Worker, Workers};

#[doc(hidden)]
pub use utoipa_axum;
