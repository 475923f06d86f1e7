// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A decompressor that was taken over. It is loaded before zlib (LD_PRELOAD), so that the first
 * bytes of a .gz run code here, inside of the sandbox; it tries what BREAKOUT names, writes what
 * came of it to standard error ("done", or the name of the error) and ends the process with
 * status 42.
 *
 * LACK=landlock, LACK=seccomp or both stand for a kernel that has none: see lack().
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LANDLOCK_CREATE_RULESET = 444, STATUS = 42 };

int inflate(void *stream, int flush);

static const char *target(void)
{
	const char *path = getenv("BREAKOUT_PATH");

	return path ? path : "/";
}

static int try_open(void)
{
	return open(target(), O_RDONLY | O_CLOEXEC);
}

static int try_create(void)
{
	return open(target(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int try_write(void)
{
	return open(target(), O_RDWR | O_CLOEXEC);
}

static int try_unlink(void)
{
	return unlink(target());
}

static int try_rename(void)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s.renamed", target());
	return rename(target(), path);
}

static int try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int try_socketpair(void)
{
	int ends[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

static int try_execve(void)
{
	char *argv[] = {(char *)(uintptr_t) "true", NULL};

	return execve("/bin/true", argv, environ);
}

static int try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static int try_kill(void)
{
	return kill(getppid(), 0);
}

static int try_ptrace(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int try_execute_memory(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? -1 : 0;
}

static int try_memory_file(void)
{
	return (int)syscall(SYS_memfd_create, "breakout", 0);
}

/* Types into the terminal that the program runs on. */
static int try_type(void)
{
	return ioctl(STDERR_FILENO, TIOCSTI, "x") == 0 || errno != EPERM ? 0 : -1;
}

static void *thread_main(void *arg)
{
	int *got = arg;

	*got = try_open() < 0 ? errno : 0;
	return NULL;
}

/* Threads can be made, and are as confined as the one that makes them. */
static int try_thread(void)
{
	pthread_t thread;
	int got = 0;
	int failed = pthread_create(&thread, NULL, thread_main, &got);

	if (failed)
		(void)dprintf(STDERR_FILENO, "no thread: ");
	else
		pthread_join(thread, NULL);
	errno = failed ? failed : got;
	return errno ? -1 : 0;
}

/* io_uring does by its own threads what a filter of system calls does not see. */
static int try_uring(void)
{
	char params[120] = {0};

	return (int)syscall(SYS_io_uring_setup, 1, params);
}

static int try_open_how(void)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = {.flags = O_RDONLY};

	return (int)syscall(SYS_openat2, AT_FDCWD, target(), &how, sizeof(how));
}

/* Our own code, which is executable already, is written over. */
static int try_own_memory(void)
{
	return open("/proc/self/mem", O_RDWR | O_CLOEXEC);
}

static int try_read_own_memory(void)
{
	return open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
}

/* The memory and files of who started us: the keeper of the report is such a process, too. */
static int try_parent_memory(void)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)getppid());
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int try_make_executable(void)
{
	static char page[8192] __attribute__((aligned(4096)));

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

/* From now on what is readable is executable, too. */
static int try_personality(void)
{
	return (int)syscall(SYS_personality, 0x0400000);
}

static int try_namespace(void)
{
	return (int)syscall(SYS_unshare, 0x10000000); /* CLONE_NEWUSER */
}

static int try_clone_how(void)
{
	uint64_t how[8] = {[4] = SIGCHLD};
	long pid = syscall(SYS_clone3, how, sizeof(how));

	if (pid == 0)
		_exit(0);
	return (int)pid;
}

static int try_process_handle(void)
{
	return (int)syscall(SYS_pidfd_open, getppid(), 0);
}

static int try_truncate(void)
{
	return truncate(target(), 0);
}

static int try_mode(void)
{
	return chmod(target(), 0777);
}

static int try_link(void)
{
	char to[4096];

	(void)snprintf(to, sizeof(to), "%s.link", target());
	return link(target(), to);
}

static int try_symlink(void)
{
	char to[4096];

	(void)snprintf(to, sizeof(to), "%s.symlink", target());
	return symlink("/etc/passwd", to);
}

static int try_directory(void)
{
	char to[4096];

	(void)snprintf(to, sizeof(to), "%s.directory", target());
	return mkdir(to, 0700);
}

/* The names in a directory. */
static int try_list(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int try_attribute(void)
{
	return (int)syscall(SYS_setxattr, target(), "user.breakout", "x", 1, 0);
}

/* A core file of what we read, for others to see. */
static int try_limit(void)
{
	uint64_t limit[2] = {1 << 20, 1 << 20};

	return (int)syscall(SYS_prlimit64, 0, 4 /* RLIMIT_CORE */, limit, NULL);
}

static int try_debuggable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int try_another_filter(void)
{
	return (int)syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0,
			    &(uint32_t){0x7fff0000});
}

static int try_shared_memory(void)
{
	return (int)syscall(SYS_shmget, 0, 4096, 01600);
}

/* A signal when this terminal has input: its owner is another process. */
static int try_owner(void)
{
	return fcntl(STDERR_FILENO, F_SETOWN, getppid());
}

static int try_timer(void)
{
	return (int)syscall(SYS_timer_create, 0, NULL, &(int){0});
}

/* These need no right to be tried: what they answer outside of the sandbox, they answer to
 * nonsense. */
static int nonsense(long got)
{
	return got < 0 && errno == EPERM ? -1 : 0;
}

static int try_bpf(void)
{
	return nonsense(syscall(SYS_bpf, -1, NULL, 0));
}

static int try_mount(void)
{
	return nonsense(syscall(SYS_mount, NULL, NULL, NULL, 0, NULL));
}

static int try_keys(void)
{
	return nonsense(syscall(SYS_keyctl, -1, 0, 0, 0, 0));
}

static int try_faults(void)
{
	return nonsense(syscall(SYS_userfaultfd, -1));
}

static int try_other_process(void)
{
	return nonsense(syscall(SYS_process_vm_writev, -1, NULL, 0, NULL, 0, 0));
}

/* x32: other numbers of the same architecture, in a bit that a careless filter does not look at. */
static int try_other_bit(void)
{
#if defined(__x86_64__)
	long got = syscall(0x40000000 | SYS_getpid);

	return got > 0 || errno == ENOSYS ? 0 : -1;
#else
	raise(SIGSYS);
	return -1;
#endif
}

/* The numbers of another architecture's system calls. */
static int try_other_numbers(void)
{
#if defined(__x86_64__)
	long got = 39; /* mkdir of 32 bits; a null pointer: nothing is made */

	__asm__ volatile("int $0x80" : "+a"(got) : "b"(0), "c"(0) : "memory");
	errno = (int)-got;
	return got == -EFAULT ? 0 : -1;
#else
	raise(SIGSYS);
	return -1;
#endif
}

static const struct {
	const char *name;
	int (*run)(void);
} attempts[] = {
	{"open", try_open},
	{"create", try_create},
	{"write", try_write},
	{"unlink", try_unlink},
	{"rename", try_rename},
	{"socket", try_socket},
	{"socketpair", try_socketpair},
	{"execve", try_execve},
	{"fork", try_fork},
	{"kill", try_kill},
	{"ptrace", try_ptrace},
	{"execute-memory", try_execute_memory},
	{"memory-file", try_memory_file},
	{"type", try_type},
	{"thread", try_thread},
	{"uring", try_uring},
	{"open-how", try_open_how},
	{"own-memory", try_own_memory},
	{"read-own-memory", try_read_own_memory},
	{"parent-memory", try_parent_memory},
	{"make-executable", try_make_executable},
	{"personality", try_personality},
	{"namespace", try_namespace},
	{"clone-how", try_clone_how},
	{"process-handle", try_process_handle},
	{"truncate", try_truncate},
	{"mode", try_mode},
	{"link", try_link},
	{"symlink", try_symlink},
	{"directory", try_directory},
	{"list", try_list},
	{"attribute", try_attribute},
	{"limit", try_limit},
	{"debuggable", try_debuggable},
	{"another-filter", try_another_filter},
	{"shared-memory", try_shared_memory},
	{"owner", try_owner},
	{"timer", try_timer},
	{"bpf", try_bpf},
	{"mount", try_mount},
	{"keys", try_keys},
	{"faults", try_faults},
	{"other-process", try_other_process},
	{"other-bit", try_other_bit},
	{"other-numbers", try_other_numbers},
};

int inflate(void *stream, int flush)
{
	const char *name = getenv("BREAKOUT");

	(void)stream;
	(void)flush;
	for (size_t i = 0; name && i < sizeof(attempts) / sizeof(attempts[0]); i++)
		if (strcmp(attempts[i].name, name) == 0)
			(void)dprintf(STDERR_FILENO, "%s: %s\n", name,
				      attempts[i].run() < 0 ? strerrorname_np(errno) : "done");
	_exit(STATUS);
}

/* From now on this process meets a kernel without Landlock, without seccomp, or without both. */
__attribute__((constructor)) static void lack(void)
{
	const char *what = getenv("LACK");
	bool landlock = what && strstr(what, "landlock");
	bool seccomp = what && strstr(what, "seccomp");
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, landlock ? LANDLOCK_CREATE_RULESET : ~0u, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp ? SYS_seccomp : ~0u, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp ? SYS_prctl : ~0u, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	if (!landlock && !seccomp)
		return;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(STATUS + 1);
}
