#!/usr/bin/env bash
# Sets up what the tests need and runs everything that must hold before a change is kept:
# formatting, go vet, the linters, the scripts, both builds, all tests.
#
#   packaging/test.sh                          everything
#   packaging/test.sh -run Stream ./proxy/...  only these tests: the arguments are go test's
#
# A test that was skipped counts as a failure, and so does a run without tests.
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

setup test
cd "$ROOT"
mkdir -p .cache/bin
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"

# Tests that need a display, a bus or a keychain start their own. The person's are out of reach,
# so that no test shows windows on their screen or writes to their keychain.
unset DISPLAY WAYLAND_DISPLAY
export DBUS_SESSION_BUS_ADDRESS=disabled:
export LANG=C.UTF-8

FAILED=
step() { printf '== %s\n' "$*"; }
fails() {
	printf 'FAILED: %s\n' "$*"
	FAILED="$FAILED$(printf '\n  %s' "$*")"
}

formatting() {
	local wrong gofmt
	gofmt=$(go env GOROOT)/bin/gofmt # of the same toolchain, which may not be the one on PATH
	wrong=$(find . -path ./.cache -prune -o -name '*.go' -exec "$gofmt" -l {} +) || fails "gofmt"
	[ -z "$wrong" ] || fails "not formatted, run gofmt -w on: $wrong"
}

scripts() {
	if command -v shellcheck >/dev/null; then
		shellcheck -x packaging/*.sh packaging/linux/*.sh .ci/run || fails "shellcheck"
	else
		for f in packaging/*.sh packaging/linux/*.sh .ci/run; do bash -n "$f" || fails "$f"; done
	fi
}

# The other systems' files are compiled too, as far as that goes without their C compilers: all
# but the window.
others() { # system
	GOOS=$1 CGO_ENABLED=0 go build -tags headless -o ".cache/bin/apex-ai-proxy-$1" . || fails "build for $1"
}

# all_tests runs the concurrent parts under the race detector. Left out are packages for which all
# of Fyne's C code, or the vendors' SDKs, would be compiled a second time; what they drive is
# another process, which the race detector would not see anyway. The conversions have nothing that
# runs beside anything else.
all_tests() {
	local status=0 raced rest
	raced=$(go list ./proxy/... ./app/... | grep -v -e /app/desktop -e /app/e2e -e /proxy/convert)
	rest=$(go list ./... | grep -vxF "$raced")
	# Under the race detector, memory costs several times as much: what is garbage goes early.
	# shellcheck disable=SC2086 # lists of words
	GOMEMLIMIT=512MiB go test -json -race -timeout 30m $raced || status=1
	# shellcheck disable=SC2086
	go test -json -timeout 30m $rest || status=1
	return $status
}

go build -o .cache/bin/testsum ./packaging/testsum
if [ $# -gt 0 ]; then
	go test -json "$@" | .cache/bin/testsum
	exit
fi

step "formatting"
formatting
step "scripts"
scripts
step "build without a window"
CGO_ENABLED=0 go build -tags headless -o .cache/bin/apex-ai-proxy-headless . || fails "headless build"
step "build"
go build -o apex-ai-proxy . || fails "build"
step "go vet"
go vet ./... || fails "go vet"
go vet -tags headless . || fails "go vet -tags headless"
step "build for Windows and macOS, without a window"
others windows
others darwin
step "lint"
packaging/lint.sh || fails "lint"
step "tests"
all_tests | .cache/bin/testsum || fails "tests, as said above"
[ -z "$FAILED" ] || {
	printf '\nNot kept, because these failed:%s\n' "$FAILED" # at the end, where it is looked for
	exit 1
}
