#!/usr/bin/env bash
# Runs the linters of .golangci.yml, with the version this project is checked with. Arguments
# are passed on: packaging/lint.sh --fix ./proxy/...
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

setup build
cd "$ROOT"
go_tool github.com/golangci/golangci-lint/v2/cmd/golangci-lint v2.15.0
exec "$TOOL" run "$@"
