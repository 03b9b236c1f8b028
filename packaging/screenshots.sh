#!/usr/bin/env bash
# Draws every page of the window in its states, in light and dark, in every language and in
# several sizes, with made-up data. It needs no display.
#
#   packaging/screenshots.sh DIR
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

[ $# = 1 ] || { echo "usage: packaging/screenshots.sh DIR" >&2; exit 2; }
mkdir -p "$1"
APEX_SCREENSHOTS=$(cd "$1" && pwd)
export APEX_SCREENSHOTS
setup test
cd "$ROOT"
go test ./ui -count=1 -run TestPagesRender
echo "$(find "$APEX_SCREENSHOTS" -name '*.png' | wc -l) pictures are in $APEX_SCREENSHOTS"
