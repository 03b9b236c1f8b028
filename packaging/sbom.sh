#!/usr/bin/env bash
# Writes a bill of materials of a built program (CycloneDX 1.6, JSON):
#
#   packaging/sbom.sh OUT [PROGRAM]    PROGRAM is ./apex-ai-proxy unless it is named
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

[ $# -ge 1 ] || die "usage: packaging/sbom.sh OUT [PROGRAM]"
setup headless
program=${2:-$ROOT/apex-ai-proxy}
[ -f "$program" ] || die "There is no program at $program. Build it first, or name it."
program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
version=$(sed -n 's/^Version = "\(.*\)"$/\1/p' "$ROOT/FyneApp.toml")
(cd "$ROOT" && go run ./packaging/sbom "$program" "$version") >"$1"
