#!/usr/bin/env bash
# Measures what the window and the tray cost, on a display and a bus of its own: the time from
# start to listening and to the tray icon, and memory, processor and wake-ups while the program
# is hidden, while it is visible, after its window was opened a hundred times, and after many
# requests. It takes about ten minutes and wants a machine that does nothing else.
#
#   packaging/desktop-bench.sh [REGEXP]      only these: Start, Hidden, Openings, Visible
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

setup test
cd "$ROOT"
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
go test ./app/desktop/e2e -run '^$' -bench "${1:-.}" -benchtime 1x -timeout 60m
