#!/usr/bin/env bash
# Sets up what a build needs, builds Apex AI Proxy and runs it with the arguments given:
#
#   packaging/run.sh                     the tray app and its window
#   packaging/run.sh serve --listen 127.0.0.1:9000
#
# On Linux without a display it builds the version without a window, which needs no C libraries,
# and serves.
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

build() { # go build's arguments
	# Without version stamping, a checkout that belongs to another user builds too.
	(cd "$ROOT" && go build -buildvcs=false -o apex-ai-proxy "$@" .) ||
		die "Apex AI Proxy could not be built; the lines above say why."
}

# windowed tells whether the program that lies there was built with its window: then most of
# what takes minutes is in the build cache.
windowed() {
	[ -e "$ROOT/apex-ai-proxy" ] &&
		! go version -m "$ROOT/apex-ai-proxy" 2>/dev/null | grep -e '-tags=headless' -e 'CGO_ENABLED=0' >/dev/null
}

if [ "$(uname -s)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
	say "There is no display here, so Apex AI Proxy runs without a window."
	setup headless
	CGO_ENABLED=0 build -tags headless
	[ $# -gt 0 ] || set -- serve
else
	setup build
	windowed || say "Building; the first time with a window takes some minutes."
	CGO_ENABLED=1 build
fi
exec "$ROOT/apex-ai-proxy" "$@"
