#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A patient NFS client: client.py SERVER EXPORT VERSION SECONDS [read|write]

It is libnfs, called through ctypes, and connects again for as long as it takes, as a hard mount
does. Every half second it looks at a file; with `read` it reads a large one as well, with `write`
it writes one.
"""
import ctypes
import sys
import time

O_RDONLY, O_RDWR_CREAT = 0, 2 | 64

lib = ctypes.CDLL("libnfs.so.13")
lib.nfs_init_context.restype = lib.nfs_get_error.restype = ctypes.c_void_p


class Share:
    """A mounted export; every call is made by its name in libnfs, and OSError when it fails."""

    def __init__(self, server, export, version):
        self.context = ctypes.c_void_p(lib.nfs_init_context())
        lib.nfs_set_autoreconnect(self.context, -1)
        self.call("set_version", version)
        self.call("mount", server.encode(), export.encode())

    def call(self, name, *args):
        result = getattr(lib, "nfs_" + name)(self.context, *args)
        if result < 0:
            text = ctypes.string_at(lib.nfs_get_error(self.context)).decode(errors="replace")
            raise OSError(f"{name}: {text}")
        return result

    def open(self, path, flags):
        handle = ctypes.c_void_p()
        self.call("open", path, flags, ctypes.byref(handle))
        return handle

    def stream(self, path, flags, verb, size, total):
        handle, block = self.open(path, flags), ctypes.create_string_buffer(size)
        for _ in range(total // size):
            self.call(verb, handle, ctypes.c_uint64(size), block)
        self.call("close", handle)


def work(share, kind):
    stat = ctypes.create_string_buffer(256)
    for i in range(1, 9):
        share.call("stat64", b"/file-%d" % i, stat)
        if kind == "read" and i % 4 == 0:
            share.stream(b"/large", O_RDONLY, "read", 64 << 10, 256 << 10)
        if kind == "write" and i % 4 == 0:
            share.stream(b"/written", O_RDWR_CREAT, "write", 64 << 10, 256 << 10)
        time.sleep(0.5)


def main():
    server, export, version, seconds, *kind = sys.argv[1:]
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        try:
            share = Share(server, export, int(version))
            while time.monotonic() < until:
                work(share, kind[0] if kind else "")
        except OSError as e:
            print(f"{time.time():.3f} {e}", file=sys.stderr, flush=True)
            time.sleep(1)


if __name__ == "__main__":
    main()
