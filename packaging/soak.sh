#!/usr/bin/env bash
# Puts the program under mixed load for some time and tells once a minute what it needs:
#
#   packaging/soak.sh            20 minutes
#   packaging/soak.sh 90         90 minutes
#   packaging/soak.sh 5 -clients 50
#
# It fails when an answer was wrong, when something is left in the program that was stopped, or
# when its heap grows.
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

MINUTES=${1:-20}
[ $# -eq 0 ] || shift

setup headless
cd "$ROOT"
exec go run ./packaging/soak -minutes "$MINUTES" "$@"
