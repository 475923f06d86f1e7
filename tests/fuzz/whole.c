// SPDX-License-Identifier: GPL-2.0-or-later
/* See whole.h. Files are in memory (memfd_create(2)), and so is the standard output. */
#include "whole.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "cmd/command.h"
#include "fuzz.h"
#include "memory.h"
#include "text_check.h"

enum { PATH_BYTES = 32, VIEWS = 13 };

/* When the files were written, so that no date depends on the day: 2026-11-22. */
static const struct timespec written[2] = {{.tv_sec = 1795305600}, {.tv_sec = 1795305600}};

/* --- what cmd/command.c is to the commands; nobody reads what they say of files --- */

void command_tell_of_terminal(const struct options *options)
{
	(void)options;
}

void command_complain(const char *format, ...)
{
	(void)format;
}

void command_raise_file_limit(void)
{
}

bool command_is_path(const char *word)
{
	(void)word;
	return false;
}

const char *command_nearest(const char *typed, const char *(*name_at)(size_t index), size_t count)
{
	(void)typed;
	(void)name_at;
	(void)count;
	return NULL;
}

/* --- */

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "whole: %s\n", what);
	abort();
}

static int file_create(struct slice bytes)
{
	int fd = memfd_create("evidence", MFD_CLOEXEC);

	require(fd >= 0, "no memory for a file");
	require(write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len, "a file cannot be written");
	require(futimens(fd, written) == 0, "a file takes no date");
	return fd;
}

struct evidence_files {
	int fds[WHOLE_FILES_MAX];
	char paths[WHOLE_FILES_MAX][PATH_BYTES];
	const char *args[WHOLE_FILES_MAX + 1]; /* behind room for the name of a view */
	size_t count;
};

static void files_init(struct evidence_files *f, const struct slice *files, size_t count)
{
	f->count = count;
	for (size_t i = 0; i < count; i++) {
		f->fds[i] = file_create(files[i]);
		(void)snprintf(f->paths[i], PATH_BYTES, "/proc/self/fd/%d", f->fds[i]);
		f->args[i + 1] = f->paths[i];
	}
}

static void files_deinit(struct evidence_files *f)
{
	for (size_t i = 0; i < f->count; i++)
		close(f->fds[i]);
}

/* For whoever looks into a finding: the evidence that an input stands for, in the folder FUZZ_KEEP.
 */
static void keep(const struct slice *files, size_t count)
{
	const char *folder = getenv("FUZZ_KEEP");
	char path[4096];

	for (size_t i = 0; folder && i < count; i++) {
		FILE *to;

		(void)snprintf(path, sizeof(path), "%s/%zu", folder, i + 1);
		to = fopen(path, "wb");
		require(to && fwrite(files[i].ptr, 1, files[i].len, to) == files[i].len &&
				fclose(to) == 0,
			"the evidence cannot be kept");
	}
}

/* What a command wrote; the caller frees the bytes. */
static struct slice run(const struct command *command, const struct options *options)
{
	int to = memfd_create("output", MFD_CLOEXEC);
	int before;
	struct stat st;
	char *bytes;

	fflush(stdout);
	before = dup(STDOUT_FILENO);
	require(to >= 0 && before >= 0 && dup2(to, STDOUT_FILENO) >= 0, "no output");
	(void)command->run(options);
	fflush(stdout);
	require(dup2(before, STDOUT_FILENO) >= 0 && fstat(to, &st) == 0, "no way back");
	bytes = mem_alloc((size_t)st.st_size + 1, 1);
	require(pread(to, bytes, (size_t)st.st_size, 0) == st.st_size, "output cannot be read");
	close(before);
	close(to);
	return slice_make(bytes, (size_t)st.st_size);
}

static void release(struct slice bytes)
{
	free((void *)(uintptr_t)bytes.ptr);
}

/* A replay has few inputs, and time for all of it; see fuzz.h. */
static bool is_replay(void)
{
	return &fuzz_replays != NULL;
}

/* Tables forget where things were: nothing of it may be seen. */
static void reseed(uint64_t number)
{
	hash_seed[0] = number * UINT64_C(0x9e3779b97f4a7c15);
	hash_seed[1] = number * UINT64_C(0xd1b54a32d192ed03) | 1;
}

/* The second report is the first one again, or its other form; where inputs are replayed, both. */
static void check_report(const struct evidence_files *f, bool is_json)
{
	struct options options = {.args = f->args + 1,
				  .arg_count = f->count,
				  .color = COLOR_ALWAYS,
				  .threads = "1",
				  .no_sandbox = true};
	struct slice text, second;

	reseed(1);
	text = run(&command_diagnose, &options);
	require(text_is_safe(text), "the report is not safe on a terminal");
	reseed(2);
	options.threads = "2";
	if (!is_json || is_replay()) {
		second = run(&command_diagnose, &options);
		require(slice_equal(text, second), "two runs differ");
		release(second);
	}
	options.json = true;
	if (is_json || is_replay()) {
		second = run(&command_diagnose, &options);
		require(text_is_json(second), "the report is no JSON");
		release(second);
	}
	release(text);
}

static void check_command(const struct command *command, struct options *options, bool is_json)
{
	struct slice text;

	if (!is_json || is_replay()) {
		text = run(command, options);
		require(text_is_safe(text), "a view is not safe on a terminal");
		release(text);
	}
	options->json = true;
	if (is_json || is_replay()) {
		text = run(command, options);
		require(text.len == 0 || text_is_json(text), "a view is no JSON");
		release(text);
	}
}

/* One view of `show`, or a comparison of two files, or one with a table of measurements. */
static void check_view(struct evidence_files *f, size_t number, bool is_json)
{
	static const char *const views[VIEWS] = {
		"calls",
		"ops",
		"conns",
		"clients",
		"sessions",
		"locks",
		"dirs",
		"tasks",
		"timeline",
		"waits",
		"summary",
		"unknown",
		NULL /* compare */,
	};
	struct options options = {.args = f->args, .threads = "1", .no_sandbox = true};
	const char *view = views[number % VIEWS];

	f->args[0] = view;
	options.arg_count = f->count + 1;
	if (!view) {
		options.args = f->args + 1;
		options.arg_count = f->count > 1 ? 2 : 1;
	}
	check_command(view ? &command_show : &command_compare, &options, is_json);
}

/* Packed bytes grow as they like, in a window: what is allocated is no multiple of them. */
static bool is_packed(struct slice file)
{
	static const char *const magics[] = {"\x1f\x8b", "\x28\xb5\x2f\xfd", "\3757zXZ"};

	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		size_t len = strlen(magics[i]);

		if (file.len >= len && memcmp(file.ptr, magics[i], len) == 0)
			return true;
	}
	return false;
}

void whole_check(const struct slice *files, size_t count)
{
	struct evidence_files f = {0};
	size_t bytes = 0, peak, sum = 0;
	bool packed = false;

	for (size_t i = 0; i < count; i++) {
		bytes += files[i].len;
		packed |= is_packed(files[i]);
		for (size_t k = 0; k < files[i].len; k++)
			sum += files[i].ptr[k];
	}
	keep(files, count);
	files_init(&f, files, count);
	memory_watch();
	/* Of what takes the longest, as much as the bytes choose. */
	check_report(&f, sum / VIEWS & 1);
	check_view(&f, sum, sum / VIEWS & 2);
	peak = memory_peak_bytes();
	files_deinit(&f);
	if (getenv("FUZZ_TELL_MEMORY"))
		fprintf(stderr, "whole: %zu bytes, %zu allocated at once\n", bytes, peak);
	require(packed || peak <= WHOLE_BASE_BYTES + WHOLE_BYTES_PER_BYTE * bytes,
		"more memory than is stated");
}
