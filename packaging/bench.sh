#!/usr/bin/env bash
# Times the hot paths and compares them with what they were.
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
PACKAGES="./proxy ./proxy/convert ./proxy/sse ./proxy/rawjson ./proxy/provider ./proxy/event ./proxy/capture"
ROUNDS=${ROUNDS:-6}
TIME=${TIME:-200ms}

setup build
mkdir -p "$CACHE/bin"
[ -x "$CACHE/bin/benchstat" ] || GOBIN=$CACHE/bin go install "golang.org/x/perf/cmd/benchstat@$BENCHSTAT"
cd "$ROOT"
now=$(mktemp)
before=$(mktemp)
trap 'rm -f "$now" "$before"' EXIT

# measure runs every benchmark of a tree once. An older one may lack a package.
measure() { # folder
	local p there=()
	for p in $PACKAGES; do [ ! -d "$1/$p" ] || there+=("$p"); done
	(cd "$1" && go test -run '^$' -bench . -benchmem -benchtime "$TIME" "${there[@]}")
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
