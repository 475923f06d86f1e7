// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Landlock, as the kernel's Documentation/userspace-api/landlock.rst has it. There is no library to
 * call, and headers of older systems lack what newer kernels can: the numbers stand here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard/private.h"

#ifndef SYS_landlock_create_ruleset
/* One number on every architecture (alpha counts from 110 more). */
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

enum {
	CREATE_RULESET_VERSION = 1 << 0,
	RULE_PATH_BENEATH = 1,
	FS_READ_FILE = 1 << 2,
	FS_BEFORE_REFER = (1 << 13) - 1, /* version 1 */
	FS_REFER = 1 << 13,              /* version 2 */
	FS_TRUNCATE = 1 << 14,           /* version 3 */
	FS_IOCTL_DEV = 1 << 15,          /* version 5 */
	NET_BIND_TCP = 1 << 0,           /* version 4 */
	NET_CONNECT_TCP = 1 << 1,
	SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0, /* version 6 */
	SCOPE_SIGNAL = 1 << 1,
};

/* struct landlock_ruleset_attr of version 6: older kernels take it when what they lack is zero. */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

/* struct landlock_path_beneath_attr */
struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

int landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	return version > 0 ? (int)version : 0;
}

int landlock_open(int version)
{
	struct ruleset_attr attr = {.handled_access_fs = FS_BEFORE_REFER};

	if (version >= 2)
		attr.handled_access_fs |= FS_REFER;
	if (version >= 3)
		attr.handled_access_fs |= FS_TRUNCATE;
	if (version >= 4)
		attr.handled_access_net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (version >= 5)
		attr.handled_access_fs |= FS_IOCTL_DEV;
	if (version >= 6)
		attr.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	return (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
}

void landlock_allow_file(int rules, const char *path)
{
	struct path_beneath_attr attr = {.allowed_access = FS_READ_FILE};
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return;
	attr.parent_fd = fd;
	(void)syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &attr, 0);
	close(fd);
}

bool landlock_enter(int rules)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       syscall(SYS_landlock_restrict_self, rules, 0) == 0;
}
