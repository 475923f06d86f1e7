#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# ladder.sh CAPTURE...: the steps of state recovery in captures, one line a step (tshark); plain reads and writes are left out.
# ALL=1 shows every NFS message.
filter='nfs.opcode in {35, 36, 42, 43, 44, 57, 58, 12, 30, 45} or nfs.nfsstat4 > 0 or nfs.sequence.flags > 0 or tcp.flags.syn == 1 or tcp.flags.fin == 1 or tcp.flags.reset == 1 or (nfs.opcode == 18 and nfs.open.claim_type in {1, 2})'
[ -z "${ALL:-}" ] || filter=nfs
for f in "$@"; do
    echo "== $f: $(capinfos -Trc "$f" 2>/dev/null | awk '{print $NF}') frames"
    tshark -n -d tcp.port==2049,rpc -o tcp.reassemble_out_of_order:TRUE -r "$f" -Y "$filter" -t ud -T fields -e frame.number -e _ws.col.Time -e ip.src -e tcp.srcport -e _ws.col.Info \
        -e nfs.clientid -e nfs.exchange_id.reply_flags -e nfs.verifier4 -e nfs.sequence.flags 2>/dev/null | sed 's/192.0.2.//; s/TSval.*//' | cut -c1-230
done
