#!/usr/bin/env bash
# Makes a fresh machine able to build, test or lint this program, and says plainly what it
# cannot do. It installs only what is missing; when nothing is, it does nothing.
#
#   packaging/setup.sh headless   a Go toolchain
#   packaging/setup.sh build      and what a windowed build needs: a C compiler, GL, X11, Wayland
#   packaging/setup.sh test       and what the tests need: a virtual display, a tray, a keychain
#
# Other scripts source this file and call "setup LEVEL", so that a toolchain put into .cache is
# on their PATH too. It runs with the bash 3.2 of macOS.
set -euo pipefail

# Once: "set -u" makes a later unset ROOT an error instead of a wrong folder.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=$ROOT/.cache

say() { printf '%s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# may_install tells whether as_root has a way to get the administrator's rights.
may_install() { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }

# as_root runs a command with the administrator's rights.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# packages prints what a level needs on this system, in the words of its package manager.
packages() { # manager level
	case $1-$2 in
	apt-headless) echo ca-certificates ;; # missing from the smallest images; go needs them
	*-headless) ;;
	apt-build) echo gcc libc6-dev pkg-config libgl1-mesa-dev xorg-dev libwayland-dev libxkbcommon-dev ;;
	apt-test) echo xvfb xdotool imagemagick openbox x11-utils libgl1-mesa-dri fonts-dejavu-core \
		fonts-noto-cjk xfce4-panel dbus dbus-x11 libglib2.0-bin gnome-keyring libsecret-tools xclip \
		curl git ;;
	dnf-build) echo gcc pkgconf-pkg-config mesa-libGL-devel libX11-devel libXcursor-devel libXrandr-devel \
		libXinerama-devel libXi-devel libXxf86vm-devel wayland-devel libxkbcommon-devel ;;
	dnf-test) echo xorg-x11-server-Xvfb xdotool ImageMagick openbox xprop xwininfo mesa-dri-drivers \
		dejavu-sans-fonts google-noto-sans-cjk-fonts xfce4-panel dbus-daemon dbus-x11 glib2 \
		gnome-keyring libsecret xclip curl git ;;
	pacman-build) echo gcc pkgconf mesa libx11 libxcursor libxrandr libxinerama libxi libxxf86vm wayland \
		libxkbcommon ;;
	pacman-test) echo xorg-server-xvfb xdotool imagemagick openbox xorg-xprop xorg-xwininfo ttf-dejavu \
		noto-fonts-cjk xfce4-panel dbus glib2 gnome-keyring libsecret xclip curl git ;;
	brew-*) ;; # the compiler and GL come with Apple's command line tools; see check_macos
	esac
}

# absent prints those of the named packages that are not installed.
absent() { # manager package...
	local manager=$1 p
	shift
	for p in "$@"; do
		case $manager in
		apt) [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p" ;;
		dnf) rpm -q --quiet --whatprovides "$p" 2>/dev/null || echo "$p" ;;
		pacman) pacman -T "$p" >/dev/null || echo "$p" ;;
		brew) brew list --formula "$p" >/dev/null 2>&1 || echo "$p" ;;
		esac
	done
}

# install_packages installs packages, none of which is there yet.
install_packages() { # manager package...
	local manager=$1
	shift
	[ "$manager" = brew ] || may_install ||
		die "Missing, and neither are you root nor is there sudo. Install these and try again: $*"
	say "Installing: $*"
	case $manager in
	apt)
		apt_update
		as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >/dev/null
		;;
	dnf) as_root dnf install -q -y "$@" >&2 ;;
	pacman) as_root pacman -S --noconfirm --needed "$@" >&2 ;;
	brew) brew install -q "$@" >&2 ;;
	esac || die "The packages could not be installed. Install these by hand and try again: $*"
}

APT_UPDATED=
apt_update() {
	if [ -n "$APT_UPDATED" ] || ! may_install; then return 0; fi
	as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 ||
		say "The package lists could not be refreshed; going on with the ones that are here."
	APT_UPDATED=yes
}

# manager prints the package manager of this system, or nothing.
manager() {
	local found
	case $(uname -s) in
	Linux)
		for found in apt-get dnf pacman; do
			if command -v $found >/dev/null; then
				echo "${found%-get}"
				return
			fi
		done
		;;
	Darwin) if command -v brew >/dev/null; then echo brew; fi ;;
	esac
}

# at_least tells whether version $1 is $2 or newer.
at_least() {
	[ "$(printf '%s\n%s\n' "$2" "$1" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)" = "$2" ]
}

# go_here prints the version of the go on PATH ("1.26.8"), or nothing.
go_here() {
	# Outside the module, so that it reports itself and does not switch.
	(cd / && GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed -e 's/^go//' -e 's/[^0-9.].*//') || true
}

# usable tells whether the go on PATH can build this module. From 1.21 on, go fetches the
# release that go.mod asks for by itself, unless it was told not to.
usable() {
	local have
	have=$(go_here)
	[ -n "$have" ] || return 1
	if at_least "$have" "$GO_WANTED"; then
		# It would fetch the newer one that go.mod names; where that cannot be had, it does by itself.
		(cd "$ROOT" && go version >/dev/null 2>&1) || export GOTOOLCHAIN=local
		return 0
	fi
	at_least "$have" 1.21 || return 1
	# Some distributions switch this off in a file; the person's own choice is respected.
	[ -n "${GOTOOLCHAIN:-}" ] || export GOTOOLCHAIN=auto
	(cd "$ROOT" && go version >/dev/null 2>&1)
}

# packaged_go prints the distribution's package of Go where it is new enough.
packaged_go() { # manager
	local version
	case $1 in
	apt)
		apt_update
		version=$(apt-cache policy golang-go 2>/dev/null | sed -n 's/^ *Candidate: *\([0-9]*:\)\{0,1\}\([0-9.]*\).*/\2/p')
		if [ -n "$version" ] && at_least "$version" 1.21; then echo golang-go; fi
		;;
	dnf) echo golang ;;
	pacman | brew) echo go ;;
	esac
}

# official_go puts the release that go.mod names for building into .cache/go, checked against its
# published sum. The oldest that could build this module would bring its known faults along.
official_go() { # manager
	local os arch version name base have want
	version=$(sed -n 's/^toolchain go//p' "$ROOT/go.mod")
	version=${version:-$GO_WANTED}
	os=$(uname -s | tr '[:upper:]' '[:lower:]')
	case $(uname -m) in
	x86_64 | amd64) arch=amd64 ;;
	aarch64 | arm64) arch=arm64 ;;
	*) die "Install Go $version or newer from https://go.dev/dl/ and try again." ;;
	esac
	name=go$version.$os-$arch.tar.gz
	base=https://dl.google.com/go # where https://go.dev/dl/ leads
	command -v curl >/dev/null || [ -z "$1" ] || install_packages "$1" curl
	command -v curl >/dev/null || die "Install curl, or Go $version from https://go.dev/dl/, and try again."
	say "Fetching Go $version into .cache/go"
	mkdir -p "$CACHE"
	rm -rf "$CACHE/go" "$CACHE/go.part"
	mkdir "$CACHE/go.part"
	if ! curl -fsSL --retry 3 -o "$CACHE/go.part/$name" "$base/$name" ||
		! want=$(curl -fsSL --retry 3 "$base/$name.sha256"); then
		rm -rf "$CACHE/go.part"
		die "Go could not be fetched. Install Go $version or newer from https://go.dev/dl/ and try again."
	fi
	have=$( (sha256sum "$CACHE/go.part/$name" 2>/dev/null || shasum -a 256 "$CACHE/go.part/$name") | cut -d' ' -f1)
	if [ "$have" != "${want%% *}" ]; then
		rm -rf "$CACHE/go.part"
		die "The Go that was fetched does not match its published checksum, so it was not used."
	fi
	tar -xzf "$CACHE/go.part/$name" -C "$CACHE/go.part"
	mv "$CACHE/go.part/go" "$CACHE/go"
	rm -rf "$CACHE/go.part"
}

# setup_go makes "go" a toolchain that can build this module.
setup_go() { # manager
	local package
	GO_WANTED=$(sed -n 's/^go //p' "$ROOT/go.mod")
	usable && return 0
	# Where an installer puts it without telling a shell that is already open.
	PATH=$CACHE/go/bin:$PATH:/usr/local/go/bin
	export PATH
	hash -r
	usable && return 0
	package=$(packaged_go "$1")
	if [ -n "$package" ] && may_install && [ -n "$(absent "$1" "$package")" ]; then
		install_packages "$1" "$package"
		hash -r
		usable && return 0
	fi
	official_go "$1"
	hash -r
	usable || die "Go $GO_WANTED or newer is needed; get it from https://go.dev/dl/ and try again."
}

# go_tool builds a program of another module, once, and puts its path into TOOL. What one release
# of Go compiles does not always read what the next one's library is written in.
go_tool() { # program's package, version
	local name=${1##*/}
	TOOL=$CACHE/bin/$name-$2-$(go env GOVERSION | cut -d. -f1,2)
	[ ! -x "$TOOL" ] || return 0
	say "Building $name $2 into .cache/bin; this can take some minutes, once."
	mkdir -p "$CACHE/bin/new-$name"
	GOBIN=$CACHE/bin/new-$name go install "$1@$2"
	mv "$CACHE/bin/new-$name/$name" "$TOOL"
	rmdir "$CACHE/bin/new-$name"
}

# check_macos says what only a person can install.
check_macos() {
	xcode-select -p >/dev/null 2>&1 ||
		die "Apple's command line tools are missing. Run: xcode-select --install"
}

# setup does all of it for a level.
setup() { # headless|build|test
	local level=$1 manager wanted='' missing
	manager=$(manager)
	case $level in
	headless) wanted=$(packages "$manager" headless) ;;
	build) wanted="$(packages "$manager" headless) $(packages "$manager" build)" ;;
	test) wanted="$(packages "$manager" headless) $(packages "$manager" build) $(packages "$manager" test)" ;;
	*) die "usage: packaging/setup.sh headless|build|test" ;;
	esac
	if [ "$level" != headless ]; then
		case $(uname -s)-$manager in
		Darwin-*) check_macos ;;
		Linux-) check_by_hand "$level" ;;
		esac
	fi
	# shellcheck disable=SC2086 # lists of words
	missing=$(absent "$manager" $wanted)
	# shellcheck disable=SC2086
	[ -z "$missing" ] || install_packages "$manager" $missing
	setup_go "$manager"
}

# check_by_hand is for a Linux whose package manager is not known here.
check_by_hand() { # level
	local tool lacking='' level=$1 tools='gcc pkg-config'
	[ "$level" != test ] || tools="$tools Xvfb xdotool openbox xfce4-panel dbus-run-session gdbus gnome-keyring-daemon secret-tool import xclip git"
	for tool in $tools; do
		command -v "$tool" >/dev/null || lacking="$lacking $tool"
	done
	if command -v pkg-config >/dev/null; then
		for tool in gl x11 xcursor xrandr xinerama xi xxf86vm wayland-client xkbcommon; do
			pkg-config --exists "$tool" || lacking="$lacking $tool(development files)"
		done
	fi
	[ -z "$lacking" ] ||
		die "None of apt-get, dnf and pacman is here. Install these with your own package manager and try again:$lacking"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	setup "${1:-build}"
fi
