#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes nfs.ko list directories under the exclusive lock, as kernels without .iterate_shared do.

Usage: exclusive.py NFS.KO STRUCT-OFFSET-OF-ITERATE (56 in 6.1; 6.6 and later have no such member)

nfs_dir_operations names nfs_readdir in its member iterate_shared; the relocation that fills it is
moved to the member before it, iterate: iterate_dir() then takes i_rwsem for writing.
"""

import struct
import sys

SHT_SYMTAB, SHT_RELA = 2, 4
SIGNED = b"~Module signature appended~\n"


def main():
    path, iterate = sys.argv[1], int(sys.argv[2])
    with open(path, "rb") as file:
        elf = bytearray(file.read())
    (table,) = struct.unpack_from("<Q", elf, 40)
    size, count = struct.unpack_from("<HH", elf, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", elf, table + i * size) for i in range(count)]
    symbols, names = [], []
    for section in sections:
        if section[1] == SHT_SYMTAB:
            strings = sections[section[6]][4]
            for at in range(section[4], section[4] + section[5], 24):
                symbol = struct.unpack_from("<IBBHQQ", elf, at)
                end = elf.index(0, strings + symbol[0])
                names.append(elf[strings + symbol[0] : end].decode())
                symbols.append(symbol)
    where = symbols[names.index("nfs_dir_operations")]
    what = symbols[names.index("nfs_readdir")]
    moved = 0
    for section in sections:
        if section[1] != SHT_RELA or section[7] != where[3]:
            continue
        for at in range(section[4], section[4] + section[5], 24):
            offset, info, addend = struct.unpack_from("<QQq", elf, at)
            target = symbols[info >> 32]
            if offset != where[4] + iterate + 8 or target[3] != what[3]:
                continue
            if target[4] + addend == what[4]:
                struct.pack_into("<Q", elf, at, offset - 8)
                moved += 1
    if moved != 1:
        sys.exit(f"{path}: nfs_readdir is not in iterate_shared at {iterate + 8}")
    # A wrong signature is refused, none is not.
    if elf.endswith(SIGNED):
        elf = elf[: -len(SIGNED)]
    with open(path, "wb") as file:
        file.write(elf)


main()
