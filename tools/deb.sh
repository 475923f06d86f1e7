#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the Debian package from what git knows of the tree (without git: from the tree) into FOLDER, and
# prints its name. The same tree gives the same bytes: times are those of the changelog, and the compiler is
# told to forget where it ran.
# Usage: deb.sh [FOLDER]
set -eu

cd "$(dirname "$0")/.."
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" meson.build)
folder=${1:-build/deb}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
source=$folder/nfsleuth-$version
rm -rf "$source"
mkdir -p "$source"
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
	git ls-files -z | tar --null --ignore-failed-read -T - -cf - | tar -C "$source" -xf -
else
	tar --exclude=./build --exclude=./.git -cf - . | tar -C "$source" -xf -
fi
# The package is of one tree: what tests and labs need to run stays out, and its folder is Debian's.
mv "$source/packaging/debian" "$source/debian"
rm -rf "$source/packaging" "$source/tests/cases"
cd "$source"
export LC_ALL=C.UTF-8 TZ=UTC
umask 022
dpkg-buildpackage --unsigned-source --unsigned-changes --build=binary >"$folder/log" 2>&1 || {
	tail -n 40 "$folder/log" >&2
	echo "deb: failed, see $folder/log" >&2
	exit 1
}
rm -rf "$source"
ls "$folder"/nfsleuth_*.deb
