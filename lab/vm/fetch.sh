#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Download the kernels and the programs of the guests and make one initramfs a kernel.
# Usage: fetch.sh [KERNEL-PACKAGE-VERSION ...]      e.g. fetch.sh 6.1.0-56 6.12.117+deb12
# A version of 6.1 with +exclusive behind it (6.1.0-56+exclusive) lists NFS directories under the exclusive lock (exclusive.py).
# LAB_TRACERS=1 in the environment puts trace-cmd, perf and bpftrace into the guests: 250 MB more of initramfs (cases traces-tools-*).
# Nothing is installed: packages are only unpacked below $NFSLEUTH_LAB_CACHE.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${NFSLEUTH_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nfsleuth-lab}
programs="nfs-common nfs-kernel-server rpcbind tcpdump nftables iproute2 coreutils util-linux busybox-static dash e2fsprogs"
[ -z "${LAB_TRACERS:-}" ] || programs="$programs trace-cmd linux-perf bpftrace $(apt-cache depends linux-perf | sed -n 's/^ *Depends: \(lib\(perl\|python\)[0-9.]*\)$/\1/p' | tr '\n' ' ')"
modules="virtio_pci virtio_net virtio_rng 9p 9pnet_virtio sunrpc nfs nfsv3 nfsv4 nfsd lockd grace auth_rpcgss nf_tables nft_ct nft_reject_inet af_packet dummy veth bridge sch_netem loop ext4 qemu_fw_cfg"

[ $# -gt 0 ] || set -- "$(apt-cache search --names-only '^linux-image-6\.1\.0-[0-9]*-amd64$' | sed 's/^linux-image-//; s/-amd64 .*//' | sort -V | tail -n 1)"
mkdir -p "$cache/deb" "$cache/kernel" "$cache/initramfs"

unpack() { # PACKAGE DIR: download unless it is there
    local deb
    deb=$(ls "$cache"/deb/"$1"_*.deb 2>/dev/null | tail -n 1) || true
    if [ -z "$deb" ]; then
        (cd "$cache/deb" && apt-get -q download "$1" >/dev/null 2>&1) || { echo "cannot download $1" >&2; return 1; }
        deb=$(ls "$cache"/deb/"$1"_*.deb | tail -n 1)
    fi
    dpkg-deb -x "$deb" "$2"
}

# 1. The programs and the libraries that they name, as one root directory.
root=$cache/root
if [ "$(cat "$root/.complete" 2>/dev/null)" != "$programs" ]; then
    rm -rf "$root"
    mkdir -p "$root"
    for p in $programs $(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances $programs | grep -E '^(lib|zlib)' | grep -v -E 'perl|python|pam|debian|semanage|elogind' | sort -u); do
        unpack "$p" "$root"
    done
    echo "$programs" >"$root/.complete"
fi

# 2. What the guests need of it.
base=$cache/base
rm -rf "$base"
mkdir -p "$base"/{bin,sbin,lib/x86_64-linux-gnu,lib64,usr/lib/x86_64-linux-gnu,etc,proc,sys,dev,run,tmp,mnt,export,share,var/lib/nfs/{sm,sm.bak,rpc_pipefs,nfsdcld,v4recovery},root}
for p in sbin/mount.nfs usr/sbin/rpc.nfsd usr/sbin/exportfs usr/sbin/rpc.mountd sbin/rpcbind usr/sbin/rpcbind sbin/rpc.statd usr/sbin/rpc.statd sbin/sm-notify usr/sbin/sm-notify usr/sbin/nfsdcld usr/bin/tcpdump usr/sbin/nft bin/ip sbin/ip bin/ss \
    sbin/tc bin/dash usr/sbin/rpcinfo usr/bin/rpcinfo usr/bin/setpriv sbin/fsfreeze sbin/mke2fs bin/date usr/bin/env usr/bin/flock sbin/showmount usr/sbin/nfsstat usr/bin/trace-cmd usr/bin/perf usr/bin/bpftrace; do
    [ -e "$root/$p" ] && cp -L "$root/$p" "$base/bin/${p##*/}"
done
cp "$root/bin/busybox" "$base/bin/busybox"
ln -s mount.nfs "$base/bin/mount.nfs4"
ln -s ../bin/mount.nfs "$base/sbin/mount.nfs"
ln -s ../bin/mount.nfs "$base/sbin/mount.nfs4"
ln -s ../bin/nfsdcld "$base/sbin/nfsdcld"
cp -L "$root"/lib64/ld-linux-x86-64.so.2 "$base/lib64/" 2>/dev/null || cp -L "$root"/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 "$base/lib64/"
need() { # the libraries that a file names, looked up in the unpacked root
    objdump -p "$1" 2>/dev/null | sed -n 's/^ *NEEDED *//p'
}
todo=$(for f in "$base"/bin/*; do [ -L "$f" ] || need "$f"; done | sort -u)
while [ -n "$todo" ]; do
    next=
    for l in $todo; do
        [ -e "$base/lib/x86_64-linux-gnu/$l" ] && continue
        f=$(find "$root/lib/x86_64-linux-gnu" "$root/usr/lib/x86_64-linux-gnu" -maxdepth 1 -name "$l" | head -n 1)
        [ -n "$f" ] || { echo "library not found: $l" >&2; exit 1; }
        cp -L "$f" "$base/lib/x86_64-linux-gnu/$l"
        next="$next $(need "$f")"
    done
    todo=$next
done
cp "$here/guest/init" "$base/init"
cp "$here/guest/work" "$here/guest/nfsd-start" "$here/guest/nfsd-stop" "$here/guest/nfs3-start" "$here/guest/gather-check" "$base/bin/"
chmod 755 "$base"/init "$base"/bin/*
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\nstatd:x:106:65534::/var/lib/nfs:/bin/sh\n_rpc:x:108:65534::/run/rpcbind:/bin/sh\ntcpdump:x:107:65534::/:/bin/sh\n' >"$base/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$base/etc/group"
printf '127.0.0.1 localhost\n192.0.2.10 nfs-srv\n192.0.2.21 app-01\n192.0.2.22 app-02\n' >"$base/etc/hosts"
printf 'tcp 6 TCP\nudp 17 UDP\n' >"$base/etc/protocols"
printf 'sunrpc 111/tcp portmapper rpcbind\nsunrpc 111/udp portmapper\nnfs 2049/tcp\nnfs 2049/udp\n' >"$base/etc/services"
cp -L "$root"/etc/netconfig "$base/etc/netconfig"
: >"$base/etc/exports"
: >"$base/var/lib/nfs/etab"
: >"$base/var/lib/nfs/rmtab"

# 3. A kernel and its modules, with the list of modules in the order of loading.
for v in "$@"; do
    dir=$cache/kernel/${v%+exclusive}
    rel=${v%+exclusive}-amd64
    if [ ! -e "$dir/.complete" ]; then
        rm -rf "$dir"
        mkdir -p "$dir"
        unpack "linux-image-$rel" "$dir"
        find "$dir" -name '*.ko.xz' -exec xz -d {} +
        [ -d "$dir/lib/modules" ] || { mkdir -p "$dir/lib" && mv "$dir/usr/lib/modules" "$dir/lib/"; }
        depmod -b "$dir" "$rel"
        touch "$dir/.complete"
    fi
    img=$cache/initramfs/$v
    rm -rf "$img"
    cp -a "$base" "$img"
    mkdir -p "$img/lib/modules/$rel"
    : >"$img/lib/modules/order"
    for m in $modules; do
        modprobe -d "$dir" -S "$rel" --show-depends "$m" 2>/dev/null | sed -n 's/^insmod \([^ ]*\).*/\1/p'
    done | awk '!seen[$0]++' | while read -r ko; do
        cp "$ko" "$img/lib/modules/$rel/"
        echo "/lib/modules/$rel/${ko##*/}" >>"$img/lib/modules/order"
    done
    [ "$v" = "${v%+exclusive}" ] || "$here/exclusive.py" "$img/lib/modules/$rel/nfs.ko" 56
    (cd "$img" && find . | cpio -o -H newc -R 0:0 --quiet) >"$cache/initramfs/$v.cpio"
    cp "$dir/boot/vmlinuz-$rel" "$cache/kernel/vmlinuz-$v"
    rm -rf "$img"
    echo "$v: $(stat -c %s "$cache/initramfs/$v.cpio") bytes of initramfs"
done
