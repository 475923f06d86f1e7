# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts for the bench of logs: what a busy host writes, in the forms that we read, each time the same.

A form is a function that writes about as many lines as it is told and returns how many it wrote.
"""
import json
import random
import time

MESSAGES = [
    "usb 1-1: new high-speed USB device number 4 using xhci_hcd",
    'audit: type=1400 audit(1700000000.123:456): apparmor="DENIED" operation="open" name="/proc/1/cmdline" pid=1234',
    "EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: (null)",
    "[BLOCK] IN=eth0 OUT= MAC=02:00:00:00:00:01 SRC=192.0.2.7 DST=192.0.2.8 LEN=40 TTL=240 PROTO=TCP SPT=43210 DPT=22 SYN",
]
RARE = ["nfs: server filer not responding, still trying", "nfs: server filer OK"]  # once in a thousand lines
STEP_S = 1.25
BEGAN_S = 1772323200  # 2026-03-01, UTC

STACK = """\
Call Trace:
 __schedule+0x282/0x870
 ? perf_trace_rpc_clnt_new+0x1b0/0x1b0 [sunrpc]
 schedule+0x46/0xb0
 rpc_wait_bit_killable+0x1e/0xb0 [sunrpc]
 __wait_on_bit+0x2a/0x90
 out_of_line_wait_on_bit+0x92/0xb0
 __rpc_execute+0xd8/0x410 [sunrpc]
 rpc_run_task+0x179/0x1c0 [sunrpc]
 nfs4_do_call_sync+0x6e/0xb0 [nfsv4]
 nfs4_proc_lookup+0x4b/0xb0 [nfsv4]
 walk_component+0x41/0x1d0
 path_lookupat+0x73/0x1c0
 do_syscall_64+0x33/0x80
 entry_SYSCALL_64_after_hwframe+0x44/0xa9
RIP: 0033:0x7f7f1c1d3b0e
RSP: 002b:00007ffd3d0f0e98 EFLAGS: 00000246 ORIG_RAX: 000000000000014c
RAX: ffffffffffffffda RBX: 000055f1a8d7c2a0 RCX: 00007f7f1c1d3b0e""".split("\n")

EVENTS = [
    "svc_process: addr=192.0.2.21:751 xid=0x547a5235 service=nfsd vers=4 proc=COMPOUND",
    "rpc_task_run_action: task:0000000c@00000004 flags=DYNAMIC|SENT|CRED_NOREF runstate=RUNNING|ACTIVE status=0 action=call_status [sunrpc]",
    "rpc_task_sleep: task:0000000c@00000004 flags=DYNAMIC|SENT|CRED_NOREF runstate=RUNNING|ACTIVE status=0 timeout=2500 queue=xprt_pending",
    "sched_switch: prev_comm=swapper/0 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=kworker/0:1 next_pid=17 next_prio=120",
]


def messages(lines):
    chance = random.Random(1)
    for i in range(lines):
        text = RARE[i // 1000 % 2] if i % 1000 == 999 else chance.choice(MESSAGES)
        yield i * STEP_S, text


def of_lines(form):
    def write(out, lines):
        for s, text in messages(lines):
            out.write(form(s, text) + "\n")
        return lines

    return write


def date(s, form):
    return time.strftime(form, time.gmtime(BEGAN_S + s))


def micro(s):
    return f"{int(s * 1000000) % 1000000:06}"


def as_json(s, text):
    return json.dumps({
        "__CURSOR": f"s=0;i={int(s):x}", "__REALTIME_TIMESTAMP": str(int((BEGAN_S + s) * 1e6)),
        "__MONOTONIC_TIMESTAMP": str(int(s * 1e6)), "_BOOT_ID": "5e2c1f0b7a9d4c3e8f6a1b2c3d4e5f60",
        "_TRANSPORT": "kernel", "_HOSTNAME": "host", "PRIORITY": "6", "SYSLOG_FACILITY": "0",
        "SYSLOG_IDENTIFIER": "kernel", "_SOURCE_MONOTONIC_TIMESTAMP": str(int(s * 1e6)), "MESSAGE": text,
    })  # fmt: skip


def export(out, lines):
    for s, text in messages(lines):
        for name, value in json.loads(as_json(s, text)).items():
            out.write(f"{name}={value}\n")
        out.write("\n")
    return lines


def stacks(out, lines):
    out.write("[   10.000000] sysrq: Show State\n")
    count, pid = 1, 100
    while count < lines:
        pid += 1
        head = f"[{10 + pid / 1000:12.6f}] "
        out.write(f"{head}task:ls              state:D stack:    0 pid:{pid:5} ppid:     1 flags:0x00004002\n")
        out.writelines(f"{head}{line}\n" for line in STACK)
        count += 1 + len(STACK)
    return count


def proc_stacks(out, lines):
    frames = [line.strip() for line in STACK if "+0x" in line and "?" not in line]
    count, pid = 0, 100
    while count < lines:
        pid += 1
        out.write(f"--- {pid} ls\nState:\tD (disk sleep)\n")
        out.writelines(f"[<0>] {frame}\n" for frame in frames)
        count += 2 + len(frames)
    return count


def ftrace(out, lines):
    out.write("# tracer: nop\n")
    for i in range(1, lines):
        out.write(f"{'nfsd-172':>16}     [{i % 4:03}] .....{i / 1000:13.6f}: {EVENTS[i % len(EVENTS)]}\n")
    return lines


def trace_cmd(out, lines):
    out.write("cpus=4\n")
    for i in range(1, lines):
        name, rest = EVENTS[i % len(EVENTS)].split(": ", 1)
        out.write(f"{'nfsd-172':>16}  [{i % 4:03}]{i / 1000:13.6f}: {name + ':':21} {rest}\n")
    return lines


def rpc_tasks(out, lines):
    for i in range(lines):
        out.write(f"{i % 500 + 1:5} 0880      0 0x4 0x{i:08x}    15000 nfs4_call_ops [nfsv4] nfsv4 READ "
                  "a:call_status [sunrpc] q:xprt_pending\n")  # fmt: skip
    return lines


FORMS = {
    "dmesg": of_lines(lambda s, text: f"[{s:12.6f}] {text}"),
    "syslog": of_lines(lambda s, text: f"{date(s, '%b %e %H:%M:%S')} host kernel: [{s:12.6f}] {text}"),
    "dmesg -T": of_lines(lambda s, text: f"[{date(s, '%a %b %e %H:%M:%S %Y')}] {text}"),
    "dmesg, CRLF": of_lines(lambda s, text: f"[{s:12.6f}] {text}\r"),
    "syslog, ISO": of_lines(
        lambda s, text: f"{date(s, '%Y-%m-%dT%H:%M:%S')}.{micro(s)}+00:00 host kernel: [{s:12.6f}] {text}"),
    "syslog, RFC 5424": of_lines(
        lambda s, text: f"<6>1 {date(s, '%Y-%m-%dT%H:%M:%S')}.{micro(s)}+00:00 host kernel - - - [{s:12.6f}] {text}"),
    "syslog, other programs": of_lines(
        lambda s, text: f"{date(s, '%b %e %H:%M:%S')} host postfix/smtpd[4242]: {text.replace('[BLOCK] ', '')[:60]}"),
    "journal, short-iso": of_lines(
        lambda s, text: f"{date(s, '%Y-%m-%dT%H:%M:%S')}.{micro(s)}+0000 host kernel: {text}"),
    "journal, json": of_lines(as_json),
    "journal, export": export,
    "sysrq-t": stacks,
    "/proc/PID/stack": proc_stacks,
    "ftrace": ftrace,
    "trace-cmd": trace_cmd,
    "rpc_tasks": rpc_tasks,
    "text of nobody": of_lines(lambda s, text: text.replace("nfs: server", "the machine")),
}  # fmt: skip

NOBODYS = {"syslog, other programs", "text of nobody"}  # no line of them is evidence

SMALL = {
    "conf": "# made by the installer\n[main]\nplugins=keyfile\ndebug=false\nretries = 3\n",
    "sysctl": "".join(f"net.ipv4.conf.eth{i}.forwarding = {i % 2}\n" for i in range(30)),
    "service": "[Unit]\nDescription=Something else\nAfter=network.target\n\n[Service]\nExecStart=/usr/bin/true\n",
    "rpm": "".join(f"library{i}-1.{i}.0-{i}.el9.x86_64   Mon 02 Mar 2026 10:11:{i:02} AM UTC\n" for i in range(60)),
    "lsmod": "".join(f"module{i:02}               {16384 * (i + 1)}  {i % 3}\n" for i in range(60)),
    "passwd": "".join(f"user{i}:x:{1000 + i}:{1000 + i}:User {i}:/nonexistent:/bin/sh\n" for i in range(30)),
}


def small_files(directory, count):
    """A directory as a report of a host is, of texts that are no evidence; how many bytes there are."""
    kinds = list(SMALL.items())
    for i in range(count):
        kind, text = kinds[i % len(kinds)]
        path = directory / f"{i // 100:03}" / f"{i:05}.{kind}"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"# {i}\n{text}", encoding="ascii")
    return sum(path.stat().st_size for path in directory.rglob("*.*") if path.is_file())
