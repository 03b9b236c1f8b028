#!/bin/sh
# Installs Apex AI Proxy for you alone, or into the folder that is named:
#
#   ./install.sh                    into ~/.local
#   sudo ./install.sh /usr/local    for everybody
#
# PREFIX/share/apex-ai-proxy/uninstall.sh removes it.
set -eu

unset CDPATH
if [ "$(id -u)" = 0 ]; then umask 022; fi # everybody may run what root installs
case ${1:-} in
-*)
	echo "usage: $0 [FOLDER]     the folder is ~/.local if none is named"
	[ "$1" = --help ] || [ "$1" = -h ] || exit 2
	exit 0
	;;
esac
prefix=${1:-$HOME/.local}
mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
case $prefix in
*[\"\`\$\\%\|\&]*)
	echo "Desktops cannot start programs from a folder with this name: $prefix" >&2
	exit 1
	;;
esac
cd "$(dirname "$0")/files"
find . -type f | while read -r file; do
	mkdir -p "$prefix/${file%/*}"
	rm -f "$prefix/$file.new"
	cp "$file" "$prefix/$file.new" # it is the installer's, and not of whoever unpacked it
	mv "$prefix/$file.new" "$prefix/$file" # also while the program runs
done
# The folders in which a desktop looks for programs are not those of a shell.
sed -i "s|^\(Exec=\)\(.*\)|\1\"$prefix/bin/\2\"|; s|^TryExec=|&$prefix/bin/|" "$prefix/share/applications/@ID@.desktop"
update-desktop-database -q "$prefix/share/applications" 2>/dev/null || true
gtk-update-icon-cache -q -t "$prefix/share/icons/hicolor" 2>/dev/null || true

case $prefix in
"$HOME/.local" | /usr | /usr/local) echo "Apex AI Proxy is in $prefix. Start it from the menu of your desktop." ;;
*) echo "Apex AI Proxy is in $prefix. Start $prefix/bin/apex-ai-proxy: menus of desktops do not look there." ;;
esac
case :$PATH: in
*:"$prefix/bin":*) ;;
*) echo "For its commands, add $prefix/bin to your PATH." ;;
esac
