#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian package. Prints TAP. Built twice, in two places, by two users and in two environments, it has the
# same bytes; lintian has nothing to say; all is in it that should be; and on a fresh Debian it installs, diagnoses
# a sample as an ordinary user, and is removed without a trace. That last part needs root and a mirror
# (NFSLEUTH_MIRROR, or apt's own): where they are missing it is skipped, and says so.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

CHECKS=8
count=0
failed=0
folder=$(mktemp -d)
fetching=
trap '[ -z "$fetching" ] || kill "$fetching" 2>/dev/null; wait; rm -rf "$folder"' EXIT
chmod 755 "$folder" # another user builds in it
root=$folder/root

ok() { printf 'ok %d - %s\n' $((count += 1)) "$*"; }

check() { # NAME COMMAND...: what it prints is told where it fails
	local name=$1
	shift
	if "$@" >"$folder/out" 2>&1; then
		ok "$name"
		return
	fi
	tail -n 30 "$folder/out" | sed 's/^/# /'
	printf 'not ok %d - %s\n' $((count += 1)) "$name"
	failed=1
}

give_up() { # WHY: no check that is left can be made
	printf 'Bail out! %s\n' "$*"
	exit 1
}

skip_rest() { # WHY
	while [ "$count" -lt "$CHECKS" ]; do
		ok "on a fresh Debian ($((count + 1 - 4)) of $((CHECKS - 4))) # SKIP $*"
	done
	exit "$failed"
}

# -- a fresh Debian is fetched beside the builds ----------------------------------------------------

mirror=${NFSLEUTH_MIRROR:-$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\(http[^ ]*\) .*/\2/p; s/^URIs: *\(http[^ ]*\).*/\1/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -E '/(debian|ubuntu)/?$' | head -n 1)}
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
if [ "$(id -u)" = 0 ] && [ -n "$mirror" ] && [ -n "$release" ] && command -v debootstrap >/dev/null; then
	timeout 900 debootstrap --variant=minbase "$release" "$root" "$mirror" >"$folder/debootstrap.log" 2>&1 &
	fetching=$!
fi

# -- the package ------------------------------------------------------------------------------------

echo "1..$CHECKS"
package=$(tools/deb.sh build/deb 2>"$folder/out") || {
	sed 's/^/# /' "$folder/out"
	give_up 'it is not built'
}
ok 'it is built'

# From a copy without git, elsewhere, by somebody else, in another zone and language, with another umask.
build_again() {
	local copy=$folder/another-place/of-a-longer-name out=$folder/out-of-another user=()
	mkdir -p "$copy" "$out"
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files -z | tar --null --ignore-failed-read -T - -cf -
	else
		tar --exclude=./build --exclude=./.git -cf - .
	fi | tar -C "$copy" -xmf - || return 1
	if [ "$(id -u)" = 0 ]; then
		chown -R 12345:12345 "$copy" "$out"
		user=(setpriv --reuid=12345 --regid=12345 --clear-groups)
	fi
	(
		umask 077
		env HOME=/nonexistent USER=other LOGNAME=other TZ=Asia/Kolkata LC_ALL=C "${user[@]}" \
			"$copy/tools/deb.sh" "$out"
	) && cmp "$package" "$out/${package##*/}"
}
check 'a second time it has the same bytes' build_again

check 'lintian has no error and no warning' lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$package"

is_complete() {
	local listing file missing=0
	listing=$(dpkg-deb --fsys-tarfile "$package" | tar -tf -) || return 1
	for file in bin/nfsleuth share/man/man1/nfsleuth.1 share/man/man7/nfsleuth-{faults,findings}.7 \
		share/bash-completion/completions/nfsleuth share/zsh/vendor-completions/_nfsleuth \
		share/doc/nfsleuth/{copyright,changelog,README.md,SECURITY.md} \
		$(git ls-files samples | sed 's,^,share/doc/nfsleuth/examples/,') \
		$(git ls-files docs | sed 's,^,share/doc/nfsleuth/,'); do
		grep -qxE "\./usr/${file//./\\.}(\.gz)?" <<<"$listing" || {
			echo "missing: $file"
			missing=1
		}
	done
	return $missing
}
check 'program, manual pages, completions, samples and documents are in it' is_complete

# -- on a fresh Debian ------------------------------------------------------------------------------

[ -n "$fetching" ] || skip_rest 'needs root, debootstrap and a mirror'
wait "$fetching" || {
	fetching=
	tail -n 3 "$folder/debootstrap.log" | sed 's/^/# /'
	skip_rest "debootstrap cannot make a fresh $release from $mirror"
}
fetching=
# As apt is set up here: a mirror may be reached through a proxy.
mkdir -p "$root/etc/apt/apt.conf.d"
apt-config dump | grep -E '^Acquire::(http|https)::' >"$root/etc/apt/apt.conf.d/99mirror" || true
cp "$package" "$root/"
cp -r samples/session-loop "$root/srv/"

inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }

inside timeout 300 apt-get -qq update >"$folder/out" 2>&1 || {
	sed 's/^/# /' "$folder/out"
	skip_rest "no packages come from $mirror"
}
# What depends on others is removed with them: afterwards all is as it was.
all_files() { (cd "$root" && find bin etc lib opt root sbin srv usr var/lib ! -path 'var/lib/apt*' \
	! -path 'var/lib/dpkg*' | sort); }
all_files >"$folder/before"

check 'it installs, with what it depends on' \
	inside timeout 600 apt-get -qq install -y --no-install-recommends "/${package##*/}"
check 'it tells its version and how it was built' inside nfsleuth version

diagnoses() {
	inside setpriv --reuid=65534 --regid=65534 --clear-groups nfsleuth diagnose /srv/session-loop >"$folder/report"
	[ $? = 1 ] && grep -q nfs4-client-owner-collision "$folder/report" || ! tail -n 20 "$folder/report"
}
check 'an ordinary user diagnoses a sample' diagnoses

leaves_nothing() {
	inside apt-get -qq purge -y --autoremove nfsleuth && all_files | diff "$folder/before" -
}
check 'it is removed without a trace' leaves_nothing
exit "$failed"
