//! Places where a test ends the process, as a power cut would: no destructor runs, nothing is
//! written on the way out. Only the feature `fault-points` compiles them in, and only the API
//! tests ask for it; elsewhere a point is nothing.

/// Ends the process where the environment names this point.
#[cfg(feature = "fault-points")]
#[allow(clippy::disallowed_methods)] // a test's wish, and no part of any configuration
pub fn point(name: &str) {
    if std::env::var_os("STELLA_FAULT_POINT").is_some_and(|wished| wished == name) {
        std::process::abort();
    }
}

/// Nothing: points are in test builds alone.
#[cfg(not(feature = "fault-points"))]
pub fn point(_name: &str) {}
