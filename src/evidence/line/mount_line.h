/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence reader for mounts of NFS, line by line, in whatever text they stand: `nfsstat -m`,
 * mount(8), /proc/mounts, /proc/self/mountinfo, fstab, the head of a mount in
 * /proc/self/mountstats, the command that mounts, and bare options as tickets quote them (then the
 * server is not told). What the options mean is nothing to it.
 */
#ifndef EVIDENCE_MOUNT_LINE_H
#define EVIDENCE_MOUNT_LINE_H

#include "event/mount.h"

enum mount_line_kind {
	MOUNT_LINE_OTHER,
	MOUNT_LINE_WHOLE,  /* a mount with its options */
	MOUNT_LINE_DEVICE, /* a mount; its options are on the next line but blank ones */
	MOUNT_LINE_OPTIONS,
};

/* Sets the texts that the line tells, borrowed from it; server_is_address is not its business. */
enum mount_line_kind mount_line_parse(struct slice line, struct mount_fact *out);

/* The value of the option `name=` in the list; len 0: it is not there. */
struct slice mount_option_value(struct slice options, const char *name);

#endif
