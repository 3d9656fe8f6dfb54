#!/bin/sh
# Kills the process under load, so many times on each driver (crates/stella/tests/api/kills.rs),
# and says what was lost and what is there by half: both must be 0.
#   bench/kill.sh [KILLS]        STELLA_KILLS_SEED=… repeats the moments of a run
set -eu
cd "$(dirname "$0")/.."
export STELLA_KILLS="${1:-70}"
told=$(mktemp)
trap 'rm -f "$told"' EXIT
ended=0
# Not by cargo-nextest, which ends a test after three minutes.
cargo test -p stella --test api -- --nocapture kills::killed_at_random >"$told" 2>&1 || ended=$?
[ "$ended" = 0 ] || cat "$told"
printf '%-12s %6s %6s %12s %6s %12s\n' driver kills sent acknowledged lost half-written
# A run that failed may have no row; how it ended is told by its exit code.
grep -aoE '(postgres|filesystem|rustfs)( +[0-9]+){5}$' "$told" || true
exit "$ended"
