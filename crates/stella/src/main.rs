//! The `stella` binary.
fn main() {}
