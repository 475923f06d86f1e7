#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An NFS client for the bench: nfs_load.py SERVER EXPORT VERSION KIND SECONDS.

It is libnfs, called through ctypes. KIND is metadata: small files in a directory of its own are
looked up, asked for their attributes, listed, renamed and removed; or data: a file is written and
read again, with NFSv4 only read (libnfs sends no WRITE of more than 2 KB there).
"""
import ctypes
import sys
import time

FILES, FILE_BYTES, CHUNK_BYTES = 200, 32 << 20, 256 << 10
O_RDONLY, O_RDWR_CREAT = 0, 2 | 64

lib = ctypes.CDLL("libnfs.so.13")
lib.nfs_init_context.restype = lib.nfs_get_error.restype = ctypes.c_void_p
lib.nfs_readdir.restype = ctypes.c_void_p


class Share:
    """A mounted export; every call is made by its name in libnfs, and OSError when it fails."""

    def __init__(self, server, export, version):
        self.context = ctypes.c_void_p(lib.nfs_init_context())
        self.call("set_version", version)
        self.call("mount", server.encode(), export.encode())

    def call(self, name, *args):
        result = getattr(lib, "nfs_" + name)(self.context, *args)
        if result < 0:
            text = ctypes.string_at(lib.nfs_get_error(self.context)).decode()
            raise OSError(f"{name}: {text}")
        return result

    def open(self, path, flags):
        handle = ctypes.c_void_p()
        self.call("open", path, flags, ctypes.byref(handle))
        return handle

    def list(self, path):
        directory = ctypes.c_void_p()
        self.call("opendir", path, ctypes.byref(directory))
        while lib.nfs_readdir(self.context, directory):
            pass
        lib.nfs_closedir(self.context, directory)

    def stream(self, path, flags, verb, block):
        handle, size = self.open(path, flags), ctypes.c_uint64(len(block))
        for _ in range(FILE_BYTES // len(block)):
            self.call(verb, handle, size, block)
        self.call("close", handle)


def metadata(share, version, until):
    home = b"/metadata-%d" % version
    stat, names = ctypes.create_string_buffer(256), [b"%s/file-%05d" % (home, n) for n in range(FILES)]
    share.call("mkdir", home)
    for name in names:
        share.call("close", share.open(name, O_RDWR_CREAT))
    turn = 0
    while time.monotonic() < until:
        for name in names:
            share.call("stat64", name, stat)
            share.call("lstat64", name, stat)
            share.call("access", name, 4)
        share.list(home)
        moved = names[turn % FILES]
        share.call("chmod", moved, 0o600 + turn % 8)
        share.call("rename", moved, moved + b".new")
        share.call("unlink", moved + b".new")
        share.call("close", share.open(moved, O_RDWR_CREAT))
        turn += 1


def data(share, version, until):
    block = ctypes.create_string_buffer(bytes(range(256)) * (CHUNK_BYTES // 256), CHUNK_BYTES)
    while True:
        if version == 3:
            share.stream(b"/large", O_RDWR_CREAT, "write", block)
        share.stream(b"/large", O_RDONLY, "read", block)
        if time.monotonic() >= until:
            return


def main():
    server, export, version, kind, seconds = sys.argv[1:]
    share = Share(server, export, int(version))
    until = time.monotonic() + float(seconds)
    {"metadata": metadata, "data": data}[kind](share, int(version), until)
    lib.nfs_destroy_context(share.context)


if __name__ == "__main__":
    main()
