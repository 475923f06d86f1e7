// SPDX-License-Identifier: GPL-2.0-or-later
/* See endpoints.h. */
#include "cmd/endpoints.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void endpoint_log_say(void *context, const char *text)
{
	const struct endpoint_log *log = context;
	struct strbuf line;

	if (log->quiet)
		return;
	strbuf_init(&line);
	strbuf_add_format(&line, "%12.6f ", (double)net_loop_now_ns(log->loop) / 1e9);
	strbuf_add_safe(&line, slice_of_string(text));
	strbuf_add_char(&line, '\n');
	fputs(strbuf_text(&line), stderr);
	strbuf_deinit(&line);
}

struct err *endpoint_take_number(const char *option, const char *text, uint64_t max, uint64_t *out)
{
	static const char units[] = "kMGT";
	const char *unit;
	unsigned shift = 0;
	char *end;
	uint64_t value;

	if (*text < '0' || *text > '9')
		return err_new("%s=%s: no number", option, text);
	errno = 0;
	value = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
	}
	if (errno || *end || value > max >> shift)
		return err_new("%s=%s: no number up to %llu", option, text,
			       (unsigned long long)max);
	*out = value << shift;
	return NULL;
}

struct err *endpoint_take_speed(const struct options *options, double *speed)
{
	const char *text = options->speed;
	char *end;

	*speed = 1;
	if (!text)
		return NULL;
	*speed = strtod(text, &end);
	if (end == text || *end || !(*speed >= 1e-3 && *speed <= 1e6))
		return err_new("--speed=%s: no number from 0.001 to 1000000", text);
	return NULL;
}

static struct err *write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t done = write(fd, text, len);

		if (done < 0 && errno != EINTR)
			return err_new_errno(errno, "--ready-fd=%d: cannot be written to", fd);
		if (done > 0) {
			text += done;
			len -= (size_t)done;
		}
	}
	return NULL;
}

struct err *endpoint_say_ready(const struct options *options, struct strbuf *lines)
{
	const char *text = options->ready_fd;
	struct err *err;
	uint64_t fd;

	strbuf_add_text(lines, "ready\n");
	if (!text) {
		fputs(strbuf_text(lines), stdout);
		fflush(stdout);
		return NULL;
	}
	err = endpoint_take_number("--ready-fd", text, 65535, &fd);
	if (err)
		return err;
	err = write_all((int)fd, strbuf_text(lines), lines->len);
	if (!err && fd > STDERR_FILENO)
		close((int)fd);
	return err;
}

struct err *endpoint_open_diary(const struct options *options, const char *command, double speed,
				struct diary **out)
{
	char application[64];

	*out = NULL;
	if (!options->write_pcapng)
		return NULL;
	snprintf(application, sizeof(application), "nfsleuth %s", command);
	return diary_open(options->write_pcapng, application, speed, 0, out);
}

struct err *endpoint_close_diary(struct diary *d, struct err *err)
{
	struct err *own = diary_close(d);

	if (!err)
		return own;
	err_destroy(own);
	return err;
}

static void on_end(void *context, int number)
{
	(void)number;
	net_loop_stop(context);
}

struct err *endpoint_end_by_signal(struct net_loop *loop)
{
	struct err *err = net_loop_signal(loop, SIGTERM, on_end, loop);

	signal(SIGPIPE, SIG_IGN);
	return err ? err : net_loop_signal(loop, SIGINT, on_end, loop);
}

struct err *endpoint_read_file(const char *path, size_t max_bytes, struct strbuf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buffer[16384];
	ssize_t got;

	if (fd < 0)
		return err_new_errno(errno, "%s: cannot be opened", path);
	while ((got = read(fd, buffer, sizeof(buffer))) > 0 && out->len <= max_bytes)
		strbuf_add(out, buffer, (size_t)got);
	if (got < 0) {
		struct err *err = err_new_errno(errno, "%s: cannot be read", path);

		close(fd);
		return err;
	}
	close(fd);
	return out->len > max_bytes ? err_new("%s: longer than %zu bytes", path, max_bytes) : NULL;
}
