#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian package: built twice, in two places, with the same bytes; lintian has nothing to say; and on a
# fresh Debian it installs and diagnoses a sample (as root, and with NFSLEUTH_MIRROR or apt's own mirror;
# else that part is skipped, and says so).
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf 'deb: %s\n' "$*"; }

first=$(tools/deb.sh build/deb)
other=$(mktemp -d)
trap 'rm -rf "$other"' EXIT
second=$(tools/deb.sh "$other/another-place")
if ! cmp "$first" "$second"; then
	say "two builds differ: diffoscope $first (and one like it) tells where"
	exit 1
fi
say "$first, twice the same bytes: $(sha256sum "$first" | cut -c 1-16)"
lintian --fail-on error,warning --tag-display-limit 0 "$first"
say 'lintian has no error and no warning'

mirror=${NFSLEUTH_MIRROR:-$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\(http[^ ]*\) .*/\2/p; s/^URIs: *\(http[^ ]*\).*/\1/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)}
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
if [ "$(id -u)" != 0 ] || [ -z "$mirror" ] || [ -z "$release" ]; then
	say 'SKIP: the fresh Debian needs root and a mirror'
	exit 0
fi
root=$other/root
if ! debootstrap --variant=minbase "$release" "$root" "$mirror" >"$other/log" 2>&1; then
	tail -n 3 "$other/log"
	say "SKIP: debootstrap cannot make a fresh $release from $mirror"
	exit 0
fi
# As apt is set up here: a mirror may be reached through a proxy.
mkdir -p "$root/etc/apt/apt.conf.d"
apt-config dump | grep -E '^Acquire::(http|https)::' >"$root/etc/apt/apt.conf.d/99mirror" || true
cp "$first" "$root/"
chroot "$root" sh -c "apt-get -qq update && apt-get -qq install -y --no-install-recommends /$(basename "$first")" \
	>"$other/log" 2>&1 || {
	tail -n 20 "$other/log"
	say 'it does not install'
	exit 1
}
sample=/usr/share/doc/nfsleuth/examples/samples/session-loop
cp -r samples/session-loop "$root/srv/"
chroot "$root" nfsleuth version
chroot "$root" ls -d "$sample" >/dev/null || say 'note: minbase leaves out documentation'
chroot "$root" nfsleuth diagnose /srv/session-loop >"$other/report" || test $? = 1
grep -q nfs4-client-owner-collision "$other/report"
say "on a fresh $release it installs, and diagnoses a sample"
