#!/bin/sh
# Replays every revision of RustSec and of CISA's CSAF that history.ndjson has, as published, reversed and
# shuffled between four senders, on both engines (crates/stella/tests/api/history.rs): all must derive the
# same. The tests of a change replay a part of them.
#   bench/history.sh
set -eu
cd "$(dirname "$0")/.."
export STELLA_HISTORY=all
# Not by cargo-nextest, which ends a test after three minutes.
exec cargo test -p stella --test api -- --nocapture history::
