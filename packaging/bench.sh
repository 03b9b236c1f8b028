#!/usr/bin/env bash
# Runs all benchmarks and compares them with what they were.
#
#   packaging/bench.sh             with the figures in packaging/bench.txt
#   packaging/bench.sh REVISION    with a revision, measured in turns with the working tree,
#                                  so that times can be compared on this machine
#   packaging/bench.sh --record    writes packaging/bench.txt
#
# Times of another machine say nothing; allocations are the same everywhere. ROUNDS (6) is how
# often each benchmark runs, TIME (200ms) for how long.
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

BENCHSTAT=v0.0.0-20260908200009-22c9c6c9d4da
ROUNDS=${ROUNDS:-6}
TIME=${TIME:-200ms}

setup build
mkdir -p "$CACHE/bin"
[ -x "$CACHE/bin/benchstat" ] || GOBIN=$CACHE/bin go install "golang.org/x/perf/cmd/benchstat@$BENCHSTAT"
cd "$ROOT"
now=$(mktemp)
before=$(mktemp)
trap 'rm -f "$now" "$before"' EXIT

# measured prints the packages of a tree that have benchmarks, but for those of the whole desktop
# program: they have packaging/desktop-bench.sh.
measured() { # folder
	(cd "$1" && find . -name .cache -prune -o -name '*_test.go' -exec grep -l '^func Benchmark' {} + |
		sed 's|/[^/]*$||' | grep -v '^./app/desktop/' | sort -u)
}

# measure runs every benchmark of a tree once.
measure() { # folder
	local packages
	packages=$(measured "$1")
	# shellcheck disable=SC2086 # a list of words
	(cd "$1" && go test -run '^$' -bench . -benchmem -benchtime "$TIME" $packages)
}

case "${1:-}" in
--record)
	for _ in $(seq "$ROUNDS"); do measure . >>"$now"; done
	grep -v '^\(PASS\|ok\)' "$now" >packaging/bench.txt
	;;
"")
	for _ in $(seq "$ROUNDS"); do measure . >>"$now"; done
	"$CACHE/bin/benchstat" packaging/bench.txt "$now"
	;;
*)
	tree=$(mktemp -d)
	trap 'rm -f "$now" "$before"; git worktree remove --force "$tree"' EXIT
	git worktree add --quiet --detach "$tree" "$1"
	for _ in $(seq "$ROUNDS"); do
		measure "$tree" >>"$before"
		measure . >>"$now"
	done
	"$CACHE/bin/benchstat" before="$before" now="$now"
	;;
esac
