# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Guests beside the endpoints of nfsleuth, over QEMU's user networking, in a network namespace of their own. To be sourced by a
# script whose first argument is NFSLEUTH and that has set `here` and `run_name`; it is started anew in the namespace, as root.
#
# A guest that calls 10.0.2.2 reaches 127.0.0.1. `serve` and `proxy` have the ports that clients expect: the namespace is ours.
if [ "${LAB_INSIDE:-}" != yes ]; then
    exec env LAB_INSIDE=yes unshare --net -- "$0" "$@"
fi
ip link set lo up
nfsleuth=$(realpath "$1")
cache=${NFSLEUTH_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nfsleuth-lab}
# shellcheck source=lab/vm/lab.sh
. "$here/lab.sh" source
run=$cache/$run_name
served='' relayed=''

endpoints_end() {
    kill_guest client1
    kill_guest server
    # shellcheck disable=SC2086 # none, or some
    kill $served $relayed ${held:-} 2>/dev/null
}
trap endpoints_end EXIT
rm -rf "$run"
mkdir -p "$run"
: >"$run/events"

wait_ready() { # NAME
    local i
    for ((i = 0; i < 100; i++)); do
        grep -q ready "$run/$1.ports" 2>/dev/null && return
        sleep 0.1
    done
    die "$1 does not get ready: $(tail -n 3 "$run/$1.log")"
}
serve() { # ADDRESS OPTION...
    local at=$1
    shift
    rm -f "$run/control" "$run/serve.ports"
    "$nfsleuth" serve --listen="$at" --control="$run/control" --port=portmap=111 --port=nfs=2049 --port=mount=20048 "$@" \
        --ready-fd=3 3>"$run/serve.ports" 2>>"$run/serve.log" >>"$run/serve.out" &
    served=$!
    wait_ready serve
}
proxy() { # TO OPTION...: 127.0.0.1 stands for it
    local to=$1
    shift
    rm -f "$run/proxy.ports"
    "$nfsleuth" proxy --listen=127.0.0.1:111 --to="$to:111" --listen=127.0.0.1:2049 --to="$to:2049" "$@" --ready-fd=3 \
        3>"$run/proxy.ports" 2>>"$run/proxy.log" >>"$run/proxy.out" &
    relayed=$!
    wait_ready proxy
}
# One line to serve's control socket; fails when it is not taken.
control() { printf '%s\n' "$1" | python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(10); s.connect(sys.argv[1]); s.sendall(sys.stdin.buffer.read())
sys.exit(not s.recv(4096).endswith(b"ok\n"))' "$run/control"; }
boot_user() { # GUEST HOSTNAME [QEMU-OPTIONS of the network]
    ip_of[$1]=10.0.2.15
    LAB_NET="-netdev user,id=n0,restrict=off${3:-} -device virtio-net-pci,netdev=n0" boot "$1" "$2"
    wait_up "$1"
}
mount_user() { # VERSION [OPTION,... [PATH]]
    local options=vers=$1,hard,proto=tcp,sec=sys
    [ "$1" != 3 ] || options=$options,mountproto=tcp
    on client1 "mkdir -p /mnt; mount.nfs 10.0.2.2:${3:-/} /mnt -o $options${2:+,$2}; grep ' /mnt ' /proc/mounts" 60
}
