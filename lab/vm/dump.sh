#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What crash and drgn print of a dump of a guest (`dump-guest-memory -p` in QEMU's monitor; the cases gather-listing-* leave one).
# Usage: dump.sh DUMP KERNEL-PACKAGE-VERSION OUTPUT-DIR      e.g. dump.sh client1.dump 6.1.0-56 /tmp/texts
# Needs crash, gdb and drgn, and downloads linux-image-VERSION-amd64-dbg once (860 MB; 0.7 GB are kept).
set -euo pipefail
[ $# -eq 3 ] || { sed -n '3,5s/^# //p' "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
cache=${NFSLEUTH_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nfsleuth-lab}
dump=$(realpath "$1") release=$2-amd64
mkdir -p "$3"
out=$(realpath "$3")
symbols=$cache/symbols/$release

if [ ! -e "$symbols/.complete" ]; then
    mkdir -p "$symbols"
    (
        cd "$symbols"
        ls linux-image-"$release"-dbg_*.deb >/dev/null 2>&1 || apt-get -q download "linux-image-$release-dbg"
        dpkg-deb --fsys-tarfile linux-image-"$release"-dbg_*.deb |
            tar -x --wildcards '*/vmlinux*' '*/net/sunrpc/*' '*/fs/nfs/*' '*/fs/nfsd/*' '*/fs/lockd/*' '*/fs/nfs_common/*'
        rm -f linux-image-"$release"-dbg_*.deb
    )
    touch "$symbols/.complete"
fi
vmlinux=$(find "$symbols" -type f -name "vmlinux-$release" | head -n 1)
modules=$(find "$symbols" -type d -path "*/lib/modules/$release" | head -n 1)

# drgn first: it is quick, and tells crash which tasks and locks to look at.
# shellcheck disable=SC2046 # words
drgn -q -c "$dump" -s "$vmlinux" $(find "$modules" -name '*.ko*' -printf '-s %p ') "$here/dump.py" "$out"

# crash 8.0.2 finds no tasks where pid.numbers is a flexible array (Linux 6.5, and 6.1's stable series), because struct pid
# as the debugger knows it has no room for one: gdb corrects the size that it asks for.
cat >"$out/size.gdb" <<'GDB'
set pagination off
set confirm off
handle SIGPIPE nostop noprint pass
break datatype_info if $rsi == 0 && *(int *)$rdi == 0x00646970
run
finish
set $rax = $rax == 96 ? 112 : $rax
delete
continue
GDB

# A session as somebody would paste it: the prompt and the command before what it printed.
session() { # FILE COMMAND...
    local file=$out/$1 c
    : >"$file"
    for c in "${@:2}"; do
        printf '!echo "crash> %s" >>%s\n%s >>%s\n' "$c" "$file" "$c" "$file"
    done >>"$out/commands"
}
for c in nfs nfsv4 nfsv3 sunrpc lockd nfsd; do
    m=$(find "$modules" -name "$c.ko*" | head -n 1)
    [ -z "$m" ] || echo "mod -s $c $m >/dev/null"
done >"$out/commands"
mapfile -t structs <"$out/locks"
session crash-bt.txt "ps" "foreach UN bt"
session crash-struct.txt "ps -m" "${structs[@]}"
session crash-log.txt "sys" "log"
[ ! -s "$out/holder" ] || session crash-bt-FF.txt "bt -FF $(cat "$out/holder")"
echo quit >>"$out/commands"
gdb -q -batch -x "$out/size.gdb" --args crash -s -i "$out/commands" "$vmlinux" "$dump" </dev/null >"$out/crash.out" 2>&1 ||
    tail -n 5 "$out/crash.out" >&2
rm -f "$out"/{commands,size.gdb,crash.out,locks,holder}
ls -l "$out"
