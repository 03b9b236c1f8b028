#!/bin/sh
# Removes Apex AI Proxy from where it was installed, and its entry among the programs that
# start at login.
set -eu

unset CDPATH
cd "$(dirname "$0")/../.."
login=${XDG_CONFIG_HOME:-$HOME/.config}/autostart/@ID@.desktop
for prefix in "$(pwd)" "$(pwd -P)"; do # the program knows where it is behind links
	if grep -qsF "\"$prefix/bin/apex-ai-proxy\"" "$login"; then rm -f "$login"; fi
done
list=$(cat share/apex-ai-proxy/files)
for file in $list; do
	rm -f "$file"
	rmdir -p "${file%/*}" 2>/dev/null || true # as far as nothing else is there
done
update-desktop-database -q share/applications 2>/dev/null || true
gtk-update-icon-cache -q -t share/icons/hicolor 2>/dev/null || true
# What those two wrote for the program's files alone goes with them.
ls share/applications/*.desktop >/dev/null 2>&1 || rm -f share/applications/mimeinfo.cache
ls -d share/icons/hicolor/*/ >/dev/null 2>&1 || rm -f share/icons/hicolor/icon-theme.cache
rmdir -p share/icons/hicolor share/applications 2>/dev/null || true
echo "Apex AI Proxy is removed. What stays: the settings in ${XDG_CONFIG_HOME:-$HOME/.config}/apex-ai-proxy, and the secrets in your keychain."
