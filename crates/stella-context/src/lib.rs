//! Who acts, for which tenant, when: the first argument of everything that touches data.

mod clock;
mod ids;
mod op;

pub use clock::Clock;
#[cfg(feature = "clock-jumps")]
#[doc(hidden)]
pub use clock::set_off_by;
pub use ids::IdSource;
pub use op::{Actor, OpContext, SystemContext, TraceId, TraceParent};
