#!/usr/bin/env bash
# Makes what people install, for the system that it runs on, into dist or the folder that is
# named:
#
#   packaging/package.sh [DIR]
#
# Linux: an archive with an installer, and a package for Debian where dpkg-deb is; macOS: a disk
# image; Windows: an archive, and a setup program where makensis (NSIS) is. GOOS=windows makes
# those on Linux, with the compiler of mingw-w64. Beside each lies a bill of materials. The same
# revision and the same compilers make the same program.
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

MACOS=12.0 # the oldest that Go's programs run on
out=${1:-$ROOT/dist}
mkdir -p "$out"
out=$(cd "$out" && pwd)
system=${GOOS:-}
unset GOOS
setup build
cd "$ROOT"
system=${system:-$(go env GOHOSTOS)}
arch=$(go env GOARCH)

value() { sed -n "s/^$1 = \"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" FyneApp.toml; }
list() { sed -n "s/^$1 = \[\(.*\)\]\$/\1,/p" FyneApp.toml | tr -d '" ' | tr ',' ';'; }
NAME=$(value Name) ID=$(value ID) VERSION=$(value Version) BUILD=$(value Build)
tags=$(git tag --points-at HEAD 'v*' 2>/dev/null || true)
[ -z "$tags" ] || grep -qxF "v$VERSION" <<<"$tags" || die "The tag is $tags, but FyneApp.toml says version $VERSION."
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1)}
export SOURCE_DATE_EPOCH
base=apex-ai-proxy-$VERSION-$system-$arch

work=$(mktemp -d)
resources=$ROOT/rsrc_windows_$arch.syso # where the compiler looks for it
trap 'rm -rf "$work" "$resources"' EXIT
go run ./packaging/icons "$work/icons"

# fill writes a file with the program's name and version in it.
fill() { # template out
	mkdir -p "$(dirname "$2")"
	sed -e "s/@NAME@/$NAME/g" -e "s/@ID@/$ID/g" -e "s/@VERSION@/$VERSION/g" -e "s/@BUILD@/$BUILD/g" -e "s/@MACOS@/$MACOS/g" \
		-e "s/@NUMBERS@/${VERSION//./,},0/g" -e "s/@DOTTED@/$VERSION.0/g" -e "s/@ARCH@/$arch/g" \
		-e "s/@GENERIC@/$(value GenericName)/g" -e "s/@COMMENT@/$(value Comment)/g" \
		-e "s/@CATEGORIES@/$(list Categories)/g" -e "s/@KEYWORDS@/$(list Keywords)/g" \
		-e "s/@DATE@/${DATE:-}/g" -e "s/@LIBC@/${LIBC:-}/g" -e "s/@SIZE@/${SIZE:-}/g" "$1" >"$2"
}

# build builds the program. Where it was built, and from which checkout, is not in it.
build() { # out flags...
	local to=$1
	shift
	GOOS=$system go build -trimpath -buildvcs=false -o "$to" "$@" .
}

bill() { packaging/sbom.sh "$out/$base.cdx.json" "$1"; } # program

linux() {
	local tree=$work/apex-ai-proxy-$VERSION files size
	files=$tree/files
	CGO_ENABLED=1 build "$files/bin/apex-ai-proxy" -ldflags '-s -w'
	DATE=$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)
	fill packaging/linux/app.desktop "$files/share/applications/$ID.desktop"
	fill packaging/linux/app.metainfo.xml "$files/share/metainfo/$ID.metainfo.xml"
	for size in 16 22 24 32 48 64 128 256 512; do
		install -D -m 644 "$work/icons/$size.png" "$files/share/icons/hicolor/${size}x$size/apps/$ID.png"
	done
	install -D -m 644 assets/icons/app.svg "$files/share/icons/hicolor/scalable/apps/$ID.svg"
	mkdir -p "$files/share/doc/apex-ai-proxy"
	cat LICENSE assets/licenses/licenses.txt >"$files/share/doc/apex-ai-proxy/copyright"
	bill "$files/bin/apex-ai-proxy"
	command -v dpkg-deb >/dev/null && deb "$files"
	fill packaging/linux/install.sh "$tree/install.sh"
	fill packaging/linux/uninstall.sh "$files/share/apex-ai-proxy/uninstall.sh"
	chmod 755 "$tree/install.sh" "$files/share/apex-ai-proxy/uninstall.sh"
	(cd "$files" && echo share/apex-ai-proxy/files && find . -type f | sed 's|^\./||' | LC_ALL=C sort) >"$work/files"
	mv "$work/files" "$files/share/apex-ai-proxy/files"
	tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$SOURCE_DATE_EPOCH" \
		-cJf "$out/$base.tar.xz" "$(basename "$tree")"
}

deb() { # files
	local root=$work/deb
	mkdir -p "$root"
	cp -R "$1" "$root/usr"
	LIBC=$(objdump -T "$1/bin/apex-ai-proxy" | sed -n 's/.*GLIBC_\([0-9.]*\).*/\1/p' | sort -V | tail -n 1)
	SIZE=$(du -sk "$root" | cut -f1)
	fill packaging/linux/control "$root/DEBIAN/control"
	chmod -R u=rwX,go=rX "$root"
	dpkg-deb --root-owner-group -Zxz -b "$root" "$out/$base.deb" >/dev/null
}

# macos makes one program for both kinds of processors. Without an Apple account it is signed by
# nobody, but in one piece.
macos() {
	local app="$work/image/$NAME.app" one
	for one in arm64 amd64; do
		GOARCH=$one CGO_ENABLED=1 MACOSX_DEPLOYMENT_TARGET=$MACOS build "$work/$one" -ldflags '-s -w'
	done
	mkdir -p "$app/Contents/MacOS" "$app/Contents/Resources"
	lipo -create -output "$app/Contents/MacOS/apex-ai-proxy" "$work/arm64" "$work/amd64"
	fill packaging/macos/Info.plist "$app/Contents/Info.plist"
	plutil -lint -s "$app/Contents/Info.plist"
	install -m 644 "$work/icons/icon.icns" "$app/Contents/Resources/icon.icns"
	cat LICENSE assets/licenses/licenses.txt >"$app/Contents/Resources/licenses.txt"
	codesign --force --sign - --identifier "$ID" "$app"
	ln -s /Applications "$work/image/Applications"
	base=apex-ai-proxy-$VERSION-macos
	bill "$app/Contents/MacOS/apex-ai-proxy"
	# What looks into each new volume, as a virus scanner, can make it busy for a moment.
	for one in 1 2 3 4 5; do
		hdiutil create -quiet -ov -format UDZO -volname "$NAME" -srcfolder "$work/image" "$out/$base.dmg" && return
		sleep 10
	done
	die "The disk image could not be made."
}

# windows makes the program with its window, and one of the same name for the command line: a
# shell waits for that one, and finds .com before .exe.
windows() {
	local files=$work/apex-ai-proxy-$VERSION prefix=''
	if [ "$(go env GOHOSTOS)" != windows ]; then
		prefix=x86_64-w64-mingw32-
		export CC=${prefix}gcc
		command -v "$CC" >/dev/null || die "Install the compiler of mingw-w64 (x86_64) and try again."
	fi
	cp "$work/icons/icon.ico" "$work"
	fill packaging/windows/app.manifest "$work/app.manifest"
	fill packaging/windows/app.rc "$work/app.rc"
	(cd "$work" && "${prefix}windres" -O coff app.rc resources.syso)
	cp "$work/resources.syso" "$resources"
	CGO_ENABLED=1 build "$files/apex-ai-proxy.exe" -ldflags '-s -w -H=windowsgui'
	CGO_ENABLED=0 build "$files/apex-ai-proxy.com" -tags headless -ldflags '-s -w'
	cp LICENSE "$files/LICENSE.txt"
	cp assets/licenses/licenses.txt "$files/THIRD-PARTY.txt"
	bill "$files/apex-ai-proxy.exe"
	go run ./packaging/zip "$files" "$out/$base.zip"
	if command -v makensis >/dev/null; then
		makensis -V2 -INPUTCHARSET UTF8 -DNAME="$NAME" -DID="$ID" -DVERSION="$VERSION" -DDOTTED="$VERSION.0" \
			-DICON="$(native "$work/icon.ico")" -DFILES="$(native "$files")" -DOUT="$(native "$out/$base-setup.exe")" \
			packaging/windows/setup.nsi
	else
		say "There is no makensis here, so there is no setup program."
	fi
}

# native is a path as programs of Windows want it.
native() {
	if command -v cygpath >/dev/null; then cygpath -w "$1"; else printf '%s\n' "$1"; fi
}

case $system in
linux) linux ;;
darwin) macos ;;
windows) windows ;;
*) die "There is no package for $system." ;;
esac
ls -l "$out/$base"*
