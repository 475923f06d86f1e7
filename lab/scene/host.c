// SPDX-License-Identifier: GPL-2.0-or-later
/* See host.h. */
#include "lab/scene/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "lab/scene/child.h"

static struct err *file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int said;

	if (fd < 0)
		return err_new_errno(errno, "%s", path);
	n = write(fd, text, strlen(text));
	said = errno;
	(void)close(fd);
	return n < 0 ? err_new_errno(said, "cannot write '%s' to %s", text, path) : NULL;
}

/* What forbids namespaces here, by the switches that distributions have. */
static struct err *entry_err(int errno_value)
{
	static const char *const switches[][2] = {
		{"/proc/sys/kernel/unprivileged_userns_clone", "0"},
		{"/proc/sys/user/max_user_namespaces", "0"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"},
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		char value[16] = "";
		int fd = open(switches[i][0], O_RDONLY | O_CLOEXEC);
		ssize_t n = fd >= 0 ? read(fd, value, sizeof(value) - 1) : 0;

		if (fd >= 0)
			(void)close(fd);
		if (n > 0 && value[0] == switches[i][1][0] && (n == 1 || value[1] == '\n'))
			return err_new("no namespaces of our own: %s is %s; run it as root, or "
				       "change that",
				       switches[i][0], switches[i][1]);
	}
	return err_new_errno(errno_value,
			     "no namespaces of our own (in a container they need more rights, such "
			     "as podman's or docker's --privileged; elsewhere run it as root)");
}

static struct err *map_ids(uid_t uid, gid_t gid)
{
	char text[32];
	struct err *err;

	err = file_write("/proc/self/setgroups", "deny");
	(void)snprintf(text, sizeof(text), "0 %u 1", (unsigned)uid);
	if (!err)
		err = file_write("/proc/self/uid_map", text);
	(void)snprintf(text, sizeof(text), "0 %u 1", (unsigned)gid);
	if (!err)
		err = file_write("/proc/self/gid_map", text);
	return err;
}

struct err *hosts_enter(void)
{
	const int ours = CLONE_NEWNET | CLONE_NEWPID;
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | ours) == 0)
		return map_ids(uid, gid);
	if (unshare(ours) == 0)
		return NULL;
	return entry_err(errno);
}

/* A command given as one text; words are parted by blanks. */
static struct err *run_text(int netns_fd, const char *text)
{
	char *copy = mem_copy(text, strlen(text));
	struct child_words w;
	struct err *err;
	char *rest = copy;

	child_words_init(&w);
	for (char *word; (word = strsep(&rest, " "));)
		child_words_add(&w, word);
	err = child_run(netns_fd, &w);
	child_words_deinit(&w);
	free(copy);
	return err;
}

static struct err *run_format(int netns_fd, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static struct err *run_format(int netns_fd, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return run_text(netns_fd, text);
}

struct err *hosts_visit(const struct hosts *hosts, size_t host)
{
	if (setns(hosts->netns_fd[hosts_index(host)], CLONE_NEWNET) == 0)
		return NULL;
	return err_new_errno(errno, "cannot go to a host's network");
}

struct err *hosts_sysctl(const struct hosts *hosts, size_t host, const char *key, const char *value)
{
	char path[160];
	struct err *err = hosts_visit(hosts, host);
	struct err *back;

	if (err)
		return err;
	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s", key);
	for (char *c = path + strlen("/proc/sys/"); *c; c++)
		if (*c == '.')
			*c = '/';
	err = strstr(path, "//") ? err_new("%s: no key below /proc/sys/net", key)
				 : file_write(path, value);
	back = hosts_visit(hosts, SCENE_MIDDLE);
	if (!err)
		return back;
	err_destroy(back);
	return err;
}

/* The network in which we are. */
static int here(int flags)
{
	return open("/proc/self/ns/net", O_RDONLY | flags);
}

/* Segments and checksums as those of a wire: nothing is left to a card that is not there. */
static void offloads_off(const char *link)
{
	static const uint32_t off[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO, ETHTOOL_STXCSUM,
				       ETHTOOL_SRXCSUM};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_value value = {0};
	struct ifreq request = {0};

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", link);
	request.ifr_data = (char *)&value;
	for (size_t i = 0; fd >= 0 && i < sizeof(off) / sizeof(off[0]); i++) {
		value.cmd = off[i];
		/* A feature that the kernel does not have is off. */
		(void)ioctl(fd, SIOCETHTOOL, &request);
	}
	if (fd >= 0)
		(void)close(fd);
}

/* Switches of IPv6; a kernel without it has no such files. `links`: default, or a link's name. */
static struct err *ipv6_set(const struct hosts *hosts, size_t host, const char *links,
			    const char *key, const char *value)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "ipv6.conf.%s.%s", links, key);
	return hosts_sysctl(hosts, host, path, value);
}

/* Addresses that are there at once, and no routers asked for. */
static struct err *ipv6_on(const struct hosts *hosts, size_t host)
{
	static const char *const off[] = {"accept_dad", "dad_transmits", "router_solicitations",
					  "accept_ra"};
	bool is_host = host != SCENE_MIDDLE;
	struct err *err = ipv6_set(hosts, host, "all", "disable_ipv6", "0");

	if (!err)
		err = ipv6_set(hosts, host, "default", "disable_ipv6", "0");
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]) && !err; i++) {
		err = ipv6_set(hosts, host, "default", off[i], "0");
		if (!err && is_host)
			err = ipv6_set(hosts, host, HOST_WIRE, off[i], "0");
	}
	return err;
}

/* No chatter of IPv6 in captures of IPv4; nothing that contradicts scaled time. */
static struct err *host_quiet(const struct hosts *hosts, size_t host, const struct scene *s,
			      bool plain_clock)
{
	struct err *err = NULL;

	if (s->ipv6) {
		err = ipv6_on(hosts, host);
	} else {
		err_destroy(ipv6_set(hosts, host, "all", "disable_ipv6", "1"));
		err_destroy(ipv6_set(hosts, host, "default", "disable_ipv6", "1"));
	}
	if (!err && !plain_clock)
		err = hosts_sysctl(hosts, host, "ipv4.tcp_timestamps", "0");
	return err;
}

/* Makes the host's network; we are in the middle before and after. */
static struct err *host_create(struct hosts *hosts, size_t host)
{
	struct err *err;

	if (unshare(CLONE_NEWNET) != 0)
		return err_new_errno(errno, "no network for a host");
	hosts->netns_fd[host] = here(O_CLOEXEC);
	if (hosts->netns_fd[host] < 0)
		return err_new_errno(errno, "/proc/self/ns/net");
	err = run_text(-1, "ip link set lo up");
	if (!err)
		err = run_text(-1, "ip link add " HOST_WIRE " type veth peer name port");
	/* /proc is not ours, and our number in it is not known: ip inherits the middle's
	 * descriptor.
	 */
	if (!err)
		err = run_format(-1, "ip link set port netns /proc/self/fd/%d name port%u",
				 hosts->netns_fd[SCENE_HOSTS_MAX], (unsigned)host % 10);
	if (!err)
		offloads_off(HOST_WIRE);
	return err;
}

/* `fd`: the network in which the link is. Nobody else can have the address. */
static struct err *link_address(const struct scene *s, int fd, const char *address,
				const char *link)
{
	return run_format(fd, "ip addr add %s/%s dev %s%s", address, s->ipv6 ? "64" : "24", link,
			  s->ipv6 ? " nodad" : "");
}

static struct err *host_address(const struct hosts *hosts, const struct scene *s, size_t host)
{
	char address[SCENE_ADDRESS_BYTES];
	struct err *err;
	int fd = hosts->netns_fd[host];

	scene_address(s, host, address);
	err = link_address(s, fd, address, HOST_WIRE);
	if (!err)
		err = run_text(fd, "ip link set " HOST_WIRE " up");
	scene_gateway(s, host, address);
	if (!err && s->routed)
		err = run_format(fd, "ip %s route add default via %s", s->ipv6 ? "-6" : "-4",
				 address);
	return err;
}

static struct err *middle_port(const struct scene *s, size_t host)
{
	char name[IFNAMSIZ], address[SCENE_ADDRESS_BYTES];
	struct err *err;

	(void)snprintf(name, sizeof(name), "port%u", (unsigned)host % 10);
	offloads_off(name);
	scene_gateway(s, host, address);
	if (s->routed)
		err = link_address(s, -1, address, name);
	else
		err = run_format(-1, "ip link set %s master joint", name);
	return err ? err : run_format(-1, "ip link set %s up", name);
}

static struct err *host_make(struct hosts *hosts, const struct scene *s, size_t host,
			     bool plain_clock)
{
	struct err *err = host_create(hosts, host);
	struct err *back = hosts_visit(hosts, SCENE_MIDDLE);

	if (!err) {
		err = back;
		back = NULL;
	}
	err_destroy(back);
	if (!err)
		err = host_quiet(hosts, host, s, plain_clock);
	if (!err)
		err = middle_port(s, host);
	return err ? err : host_address(hosts, s, host);
}

struct err *hosts_init(struct hosts *hosts, const struct scene *scene, bool plain_clock)
{
	struct err *err = NULL;

	for (size_t i = 0; i <= SCENE_HOSTS_MAX; i++)
		hosts->netns_fd[i] = -1;
	hosts->netns_fd[SCENE_HOSTS_MAX] = here(0);
	if (hosts->netns_fd[SCENE_HOSTS_MAX] < 0)
		return err_new_errno(errno, "/proc/self/ns/net");
	err = host_quiet(hosts, SCENE_MIDDLE, scene, true);
	if (!err)
		err = run_text(-1, "ip link set lo up");
	if (!err && scene->routed)
		err = hosts_sysctl(hosts, SCENE_MIDDLE,
				   scene->ipv6 ? "ipv6.conf.all.forwarding" : "ipv4.ip_forward",
				   "1");
	if (!err && !scene->routed)
		err = run_text(-1, "ip link add joint type bridge");
	if (!err && !scene->routed)
		err = run_text(-1, "ip link set joint up");
	for (size_t i = 0; i < scene->host_count && !err; i++)
		err = host_make(hosts, scene, i, plain_clock);
	return err;
}

void hosts_deinit(struct hosts *hosts)
{
	for (size_t i = 0; i <= SCENE_HOSTS_MAX; i++)
		if (hosts->netns_fd[i] >= 0)
			(void)close(hosts->netns_fd[i]);
}

static bool program_is_there(const char *name)
{
	const char *path = getenv("PATH");
	char file[512];

	for (const char *at = path ? path : "/usr/bin:/usr/sbin"; *at;) {
		size_t len = strcspn(at, ":");

		(void)snprintf(file, sizeof(file), "%.*s/%s", (int)(len < 400 ? len : 400), at,
			       name);
		if (access(file, X_OK) == 0)
			return true;
		at += len + (at[len] == ':');
	}
	return false;
}

struct err *hosts_check_programs(void)
{
	static const char *const needed[][2] = {{"ip", "iproute2"}, {"nft", "nftables"}};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!program_is_there(needed[i][0]))
			return err_new("%s is not in the PATH (which should hold /usr/sbin); the "
				       "package is %s",
				       needed[i][0], needed[i][1]);
	return NULL;
}
