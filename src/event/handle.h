/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File handles for people. */
#ifndef EVENT_HANDLE_H
#define EVENT_HANDLE_H

#include "event/rpc.h"

/*
 * A short name of a file handle: its CRC-32, which Wireshark shows as nfs.fh.hash. Two handles may
 * have one; 0 when the handle is not known.
 */
uint32_t file_handle_hash(const struct file_handle *handle);

/* The same of the bytes of a handle. */
uint32_t file_handle_hash_bytes(const uint8_t *bytes, size_t len);

bool file_handle_equal(const struct file_handle *a, const struct file_handle *b);

#endif
