#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Configures one of the builds under build/ if it is not there yet, and compiles it: a target of it, or all.
# release is what is installed: the program alone, optimised as a whole when it is linked, which takes as long
# as a build. Usage: build.sh gcc|clang|asan|fuzz|release [TARGET]
set -eu

kind=${1:?usage: build.sh gcc|clang|asan|fuzz|release [TARGET]}
cd "$(dirname "$0")/.."

case $kind in
gcc) compiler=gcc options= ;;
clang) compiler=clang options= ;;
asan) compiler=gcc options='-Db_sanitize=address,undefined' ;;
fuzz) compiler=clang options='-Db_sanitize=address,undefined -Db_lundef=false -Dfuzzers=true' ;;
release)
	compiler=gcc
	map=-ffile-prefix-map=$PWD=. # the same program, wherever it is built
	options="-Dtests=false -Db_lto=true -Dc_args=$map -Dc_link_args=['-flto=auto','$map']"
	;;
*)
	echo "build: no such build: $kind" >&2
	exit 2
	;;
esac

if ! [ -f "build/$kind/build.ninja" ]; then
	echo "build: configuring build/$kind" >&2
	rm -rf "build/$kind" # what an interrupted configuration left
	mkdir -p build
	# shellcheck disable=SC2086 # one word an option
	CC=$compiler meson setup "build/$kind" $options >"build/$kind.log" 2>&1 || {
		cat "build/$kind.log" >&2
		exit 1
	}
fi
shift
# Who fuzzes by hand runs nothing else of that build; 'make check' does.
[ "$kind" = fuzz ] && [ $# -eq 0 ] && exec ninja -C build/fuzz fuzzers
[ "${1:-}" = all ] && shift
exec meson compile -C "build/$kind" "$@"
