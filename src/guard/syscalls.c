// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The filter of system calls. The names are libseccomp's, which knows the numbers of every
 * architecture; a name that this one or an old library does not have is passed over.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "guard/private.h"

/* What reading, computing, threads, writing to what is open, and an orderly end are made of. */
static const char *const allowed[] = {
	"read",
	"readv",
	"pread64",
	"preadv",
	"preadv2",
	"lseek",
	"_llseek",
	"close",
	"fstat",
	"fstat64",
	"fstatat64",
	"newfstatat",
	"stat",
	"stat64",
	"lstat",
	"lstat64",
	"statx",
	"access",
	"faccessat",
	"faccessat2",
	"fadvise64",
	"fadvise64_64",
	"arm_fadvise64_64",
	"readahead",

	"write",
	"writev",
	"pwrite64",
	"pwritev",
	"pwritev2",
	"fsync",
	"fdatasync",

	"brk",
	"munmap",
	"mremap",
	"madvise",
	"mincore",
	"membarrier",

	"futex",
	"futex_time64",
	"set_robust_list",
	"rseq",
	"set_tid_address",
	"sched_yield",
	"sched_getaffinity",
	"gettid",
	"exit",

	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sigreturn",
	"sigaltstack",
	"restart_syscall",
	"exit_group",
	"getpid",
	"getppid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"uname",
	"sysinfo",
	"getrandom",
	"getrusage",
	"times",

	"clock_gettime",
	"clock_gettime64",
	"clock_getres",
	"clock_getres_time64",
	"clock_nanosleep",
	"clock_nanosleep_time64",
	"nanosleep",
	"gettimeofday",
	"time",

	"poll",
	"ppoll",
	"ppoll_time64",
};

/* What nobody calls by chance who parses a capture: the process ends. */
static const char *const deadly[] = {
	"execve",
	"execveat",
	"socket",
	"socketcall",
	"socketpair",
	"connect",
	"bind",
	"listen",
	"accept",
	"accept4",
	"sendto",
	"sendmsg",
	"sendmmsg",
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"pidfd_getfd",
	"bpf",
	"perf_event_open",
	"userfaultfd",
	"io_uring_setup",
	"mount",
	"move_mount",
	"umount2",
	"pivot_root",
	"chroot",
	"unshare",
	"setns",
	"init_module",
	"finit_module",
	"delete_module",
	"kexec_load",
	"kexec_file_load",
	"keyctl",
	"add_key",
	"request_key",
	"setuid",
	"setgid",
	"setresuid",
	"setresgid",
};

/* What a C library tries first, and does by another call when the kernel seems not to know it. */
static const char *const unknown[] = {"clone3", "openat2", "pidfd_open"};

static int add_named(scmp_filter_ctx ctx, uint32_t action, const char *const *names, size_t count)
{
	int failed = 0;

	for (size_t i = 0; i < count && !failed; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);

		if (number != __NR_SCMP_ERROR)
			failed = seccomp_rule_add(ctx, action, number, 0);
	}
	return failed;
}

/* The call is allowed when these bits of this argument have this value. */
struct masked {
	const char *name;
	unsigned int argument;
	uint64_t mask;
	uint64_t value;
};

#if defined(__s390__)
enum { CLONE_FLAGS = 1 }; /* clone(2), "C library/kernel differences" */
#else
enum { CLONE_FLAGS = 0 };
#endif

static int add_masked(scmp_filter_ctx ctx)
{
	const uint64_t writes = O_ACCMODE | O_CREAT | O_TRUNC;
	const struct masked rows[] = {
		{"open", 1, writes, O_RDONLY},
		{"openat", 2, writes, O_RDONLY},
		{"mmap", 2, PROT_EXEC, 0},
		{"mmap2", 2, PROT_EXEC, 0},
		{"mprotect", 2, PROT_EXEC, 0},
		{"clone", CLONE_FLAGS, CLONE_THREAD, CLONE_THREAD},
		{"prlimit64", 2, UINT64_MAX, 0},               /* no new limit */
		{"tgkill", 0, UINT64_MAX, (uint64_t)getpid()}, /* abort(3) */
		{"prctl", 0, UINT64_MAX, PR_SET_NAME},
		/* Not TIOCSTI, which types into the terminal. */
		{"ioctl", 1, UINT32_MAX, TCGETS},
		{"ioctl", 1, UINT32_MAX, TIOCGWINSZ},
		{"fcntl", 1, UINT32_MAX, F_GETFD},
		{"fcntl", 1, UINT32_MAX, F_GETFL},
		{"fcntl64", 1, UINT32_MAX, F_GETFD},
		{"fcntl64", 1, UINT32_MAX, F_GETFL},
	};
	int failed = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !failed; i++) {
		struct scmp_arg_cmp match = {.arg = rows[i].argument,
					     .op = SCMP_CMP_MASKED_EQ,
					     .datum_a = rows[i].mask,
					     .datum_b = rows[i].value};
		int number = seccomp_syscall_resolve_name(rows[i].name);

		if (number != __NR_SCMP_ERROR)
			failed = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, number, 1, &match);
	}
	return failed;
}

bool syscalls_can_filter(void)
{
	/* Asks for the mode with no filter at all: EFAULT is what a kernel says that has it. */
	return prctl(PR_SET_SECCOMP, 2, NULL, 0, 0) != 0 && errno == EFAULT;
}

static int fill(scmp_filter_ctx ctx, uint32_t kill)
{
	int failed = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, kill);

	if (!failed)
		failed = add_named(ctx, SCMP_ACT_ALLOW, allowed,
				   sizeof(allowed) / sizeof(allowed[0]));
	if (!failed)
		failed = add_named(ctx, kill, deadly, sizeof(deadly) / sizeof(deadly[0]));
	if (!failed)
		failed = add_named(ctx, SCMP_ACT_ERRNO(ENOSYS), unknown,
				   sizeof(unknown) / sizeof(unknown[0]));
	return failed ? failed : add_masked(ctx);
}

struct err *syscalls_filter(void)
{
	/* Before kernel 4.14 (commit 0466bdb99e87) only the thread could be ended. */
	uint32_t kill = seccomp_api_get() >= 3 ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_KILL;
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int failed = ctx ? fill(ctx, kill) : -ENOMEM;

	if (!failed)
		failed = seccomp_load(ctx);
	seccomp_release(ctx);
	return failed ? err_new_errno(-failed, "the filter of system calls (seccomp)") : NULL;
}
