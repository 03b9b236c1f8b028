#!/usr/bin/env bash
# Looks for known vulnerabilities in what the program calls, of the modules and of Go itself.
#
#   packaging/vulncheck.sh            says so and goes on when the database cannot be reached
#   packaging/vulncheck.sh --strict   fails then too, as continuous integration wants it
#
# GOVULNDB names another copy of the database.
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

DB=${GOVULNDB:-https://vuln.go.dev}

setup build
cd "$ROOT"
go_tool golang.org/x/vuln/cmd/govulncheck v1.9.0

# check looks at what packages call as they are built for a system: some faults are of one system
# alone. Without a finding the exit code is 0, with one it is 3; 1 is a check that did not happen.
check() { # system, govulncheck's arguments...
	local system=$1 code=0 out
	shift
	out=$(GOOS=$system "$TOOL" -db "$DB" "$@" 2>&1) || code=$?
	printf '== %s\n%s\n' "$system" "$out"
	case $code-$out in
	0-* | 3-*) ;;
	*"fetching vulnerabilities"* | *"creating client"*)
		say "NOT CHECKED for known vulnerabilities: the database ($DB) cannot be reached from here."
		[ "$STRICT" = --strict ] || exit 0
		exit 1
		;;
	esac
	[ "$code" = 0 ] || STATUS=$code
}

STRICT=${1:-} STATUS=0
here=$(go env GOHOSTOS)
check "$here" ./...
for system in linux darwin windows; do # without a window, as far as that goes without their C compilers
	[ "$system" = "$here" ] || CGO_ENABLED=0 check "$system" -tags headless .
done
exit $STATUS
