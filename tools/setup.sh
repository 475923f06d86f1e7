#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what a goal of the Makefile needs and the machine does not have: with apt where we are
# root on Debian or Ubuntu; anywhere else it prints the command and stops.
# Usage: setup.sh build|check|fuzz|bench|deb
#
# This is the one list of packages: a goal, the package, and how to see that it is there: a command,
# pkg-config's name for a library, a file, or what clang needs to link with a sanitizer.
set -eu

packages='
build gcc            command gcc
build libc6-dev      file    /usr/include/stdlib.h
build meson          command meson
build ninja-build    command ninja
build pkg-config     command pkg-config
build python3        command python3
build zlib1g-dev     library zlib
build libzstd-dev    library libzstd
build liblzma-dev    library liblzma
build libseccomp-dev library libseccomp
build libev-dev      file    /usr/include/ev.h
check clang          command clang
check clang-format   command clang-format
check git            command git
check gzip           command gzip
check iproute2       file    /usr/sbin/ip
check libnfs-utils   command nfs-ls
check mandoc         command mandoc
check nfs-ganesha    file    /usr/bin/ganesha.nfsd
check nfs-ganesha-vfs file   /etc/ganesha/vfs.conf
check net-tools      command netstat
check nftables       file    /usr/sbin/nft
check rpcbind        file    /usr/sbin/rpcbind
check strace         command strace
check tshark         command tshark
check wireshark-common command sharkd
check xz-utils       command xz
check zsh            command zsh
check zstd           command zstd
fuzz  clang          command clang
fuzz  llvm           command llvm-symbolizer
fuzz  libclang-rt-dev runtime fuzzer
deb   build-essential file   /usr/share/build-essential
deb   debhelper      command dh
deb   fakeroot       command fakeroot
deb   lintian        command lintian
deb   debootstrap    file    /usr/sbin/debootstrap
bench tshark         command tshark
bench nfstrace       command nfstrace
bench nfs-ganesha    file    /usr/bin/ganesha.nfsd
bench nfs-ganesha-vfs file   /etc/ganesha/vfs.conf
bench libnfs-utils   command nfs-ls
bench rpcbind        file    /usr/sbin/rpcbind
bench tcpdump        command tcpdump
bench socat          command socat
bench ethtool        file    /usr/sbin/ethtool
bench iproute2       command ip
'

is_there() { # KIND NAME
	case $1 in
	command) command -v "$2" >/dev/null 2>&1 ;;
	library) pkg-config --exists "$2" 2>/dev/null ;;
	file) test -e "$2" ;;
	runtime) echo 'int LLVMFuzzerTestOneInput(void){return 0;}' |
		clang -x c -fsanitize="$2" -o /dev/null - 2>/dev/null ;;
	esac
}

missing_of() { # GOAL: the packages that are missing for it; everything needs those of the build
	echo "$packages" | while read -r goal package kind name; do
		[ "$1:$goal" = check:fuzz ] || [ "$1:$goal" = check:deb ] && goal=check # it does these, too
		case $goal in
		build | "$1") is_there "$kind" "$name" || echo "$package" ;;
		esac
	done | sort -u | tr '\n' ' '
}

is_apt_root() {
	command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]
}

goal=${1:?usage: setup.sh build|check|fuzz|bench|deb}
missing=$(missing_of "$goal")
[ -n "$missing" ] || exit 0

if ! is_apt_root; then
	echo "setup: missing for 'make $goal': $missing" >&2
	echo "setup: on Debian or Ubuntu: sudo apt-get install --no-install-recommends $missing" >&2
	exit 1
fi

echo "setup: installing $missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
# tshark would ask whether everybody may capture; we only read files.
if command -v debconf-set-selections >/dev/null 2>&1; then
	echo 'wireshark-common wireshark-common/install-setuid boolean false' | debconf-set-selections
fi
# shellcheck disable=SC2086 # one word a package
apt-get -qq install -y --no-install-recommends $missing >&2

still=$(missing_of "$goal")
if [ -n "$still" ]; then
	echo "setup: still missing after installing: $still" >&2
	exit 1
fi
