// SPDX-License-Identifier: GPL-2.0-or-later
/* See output.h. */
#include "cmd/output.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* What open(2) would have given a new file: mkstemp makes it private. */
static mode_t output_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

static struct err *output_open_temporary(struct output *o)
{
	struct strbuf name;
	int fd;

	strbuf_init(&name);
	strbuf_add_format(&name, "%s.XXXXXX", o->path);
	o->temporary = strbuf_take(&name);
	fd = mkstemp(o->temporary);
	if (fd < 0) {
		free(o->temporary);
		o->temporary = NULL;
		return err_new_errno(errno, "%s: cannot be written", o->path);
	}
	if (fchmod(fd, output_mode()) == 0)
		o->file = fdopen(fd, "w");
	if (!o->file) {
		close(fd);
		return err_new_errno(errno, "%s: cannot be written", o->path);
	}
	return NULL;
}

struct err *output_init(struct output *o, const char *path)
{
	struct err *err = NULL;
	struct stat st;

	*o = (struct output){.path = path, .keeper.fd = -1};
	if (!path) {
		o->file = stdout;
	} else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		o->file = fopen(path, "w");
		if (!o->file)
			err = err_new_errno(errno, "%s: cannot be written", path);
	} else {
		err = output_open_temporary(o);
	}
	if (err)
		output_deinit(o);
	return err;
}

void output_deinit(struct output *o)
{
	if (o->file && o->file != stdout)
		fclose(o->file);
	if (o->temporary) {
		if (o->keeper.fd >= 0)
			(void)keeper_end(&o->keeper, false);
		else
			unlink(o->temporary);
		free(o->temporary);
	}
	*o = (struct output){.keeper.fd = -1};
}

struct err *output_keep(struct output *o)
{
	return o->temporary ? keeper_start(&o->keeper, o->temporary, o->path) : NULL;
}

static int output_rename(struct output *o)
{
	if (o->keeper.fd >= 0)
		return keeper_end(&o->keeper, true);
	return rename(o->temporary, o->path) == 0 ? 0 : errno;
}

void output_write(struct output *o, struct strbuf *text)
{
	fwrite(strbuf_text(text), 1, text->len, o->file);
	strbuf_reset(text);
}

struct err *output_commit(struct output *o)
{
	const char *name = o->path ? o->path : "standard output";
	bool failed = ferror(o->file) || fflush(o->file) != 0;
	int outcome;

	if (failed)
		return err_new_errno(errno, "%s: cannot be written", name);
	if (!o->path)
		return NULL;
	failed = fclose(o->file) != 0;
	o->file = NULL;
	if (failed)
		return err_new_errno(errno, "%s: cannot be written", name);
	if (!o->temporary)
		return NULL;
	outcome = output_rename(o);
	if (outcome != 0)
		return err_new_errno(outcome, "%s: cannot be written", name);
	free(o->temporary);
	o->temporary = NULL;
	return NULL;
}

struct err *output_write_whole(const char *path, struct strbuf *text)
{
	struct output output;
	struct err *err = output_init(&output, path);

	if (err)
		return err;
	output_write(&output, text);
	err = output_commit(&output);
	output_deinit(&output);
	return err;
}
