#!/usr/bin/env bash
# Runs the linters of .golangci.yml, with the version this project is checked with. Arguments
# are passed on: packaging/lint.sh --fix ./proxy/...
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

VERSION=v2.15.0
LINT=$CACHE/bin/golangci-lint-$VERSION

setup build
if [ ! -x "$LINT" ]; then
	say "Building golangci-lint $VERSION into .cache/bin; this takes some minutes, once."
	mkdir -p "$CACHE/bin/new"
	GOBIN=$CACHE/bin/new go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$VERSION"
	mv "$CACHE/bin/new/golangci-lint" "$LINT"
	rmdir "$CACHE/bin/new"
fi
cd "$ROOT"
exec "$LINT" run "$@"
