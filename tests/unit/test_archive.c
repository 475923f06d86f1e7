// SPDX-License-Identifier: GPL-2.0-or-later
/* Tar archives: the forms of names, what is passed over, what is cut or damaged. */
#include "base/mem.h"
#include "base/strbuf.h"
#include "capfile/archive.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCK = 512 };

static void pad(struct strbuf *tar)
{
	static const char zero[BLOCK];

	if (tar->len % BLOCK)
		strbuf_add(tar, zero, BLOCK - tar->len % BLOCK);
}

/* A header and the contents. */
static void add(struct strbuf *tar, const char *name, char type, const char *text)
{
	char block[BLOCK] = {0};
	unsigned sum = 0;

	snprintf(block, 100, "%s", name);
	snprintf(block + 124, 12, "%011o", (unsigned)strlen(text));
	snprintf(block + 136, 12, "%011o", 1700000000u);
	memset(block + 148, ' ', 8);
	block[156] = type;
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (uint8_t)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	strbuf_add(tar, block, BLOCK);
	strbuf_add_text(tar, text);
	pad(tar);
}

static void finish(struct strbuf *tar)
{
	static const char zero[2 * BLOCK];

	strbuf_add(tar, zero, sizeof(zero));
}

/* "name=contents;" of all members; then the fault. */
static char *list(struct slice bytes)
{
	struct source *outer = source_create_memory(bytes);
	struct archive_member *member = mem_alloc(1, sizeof(*member));
	struct archive a = archive_make(outer);
	struct strbuf out;

	strbuf_init(&out);
	while (archive_next(&a, member)) {
		struct source *s = source_borrow_member(outer, member->bytes, member->name);
		struct slice got = source_peek(s, 100);

		strbuf_add_format(&out, "%.20s=%.*s;", member->name, (int)got.len,
				  (const char *)got.ptr);
		source_destroy(s);
	}
	if (a.fault)
		strbuf_add_text(&out, a.fault);
	free(member);
	source_destroy(outer);
	return strbuf_take(&out);
}

static void check_list(const struct strbuf *tar, const char *want)
{
	char *got = list(slice_make(tar->data, tar->len));

	CHECK_TEXT(got, want);
	free(got);
}

TEST(archive_members_and_what_is_passed_over)
{
	struct strbuf tar;

	strbuf_init(&tar);
	add(&tar, "a", '0', "alpha");
	add(&tar, "link", '2', "");
	add(&tar, "folder/", '5', "");
	add(&tar, "empty", '0', "");
	add(&tar, "b", '0', "beta");
	finish(&tar);
	check_list(&tar, "a=alpha;empty=;b=beta;");
	strbuf_deinit(&tar);
}

TEST(archive_long_names)
{
	struct strbuf tar;

	strbuf_init(&tar);
	add(&tar, "././@LongLink", 'L', "long/name");
	add(&tar, "short", '0', "x");
	add(&tar, "PaxHeader", 'x', "17 path=pax/name\n22 mtime=1700000001.5\n");
	add(&tar, "other", '0', "y");
	add(&tar, "PaxHeader", 'x', "99 path=pax/name\n");
	add(&tar, "plain", '0', "z");
	finish(&tar);
	check_list(&tar, "long/name=x;pax/name=y;plain=z;");
	strbuf_deinit(&tar);
}

TEST(archive_damage)
{
	struct strbuf tar;

	strbuf_init(&tar);
	add(&tar, "a", '0', "alpha");
	add(&tar, "b", '0', "beta");
	tar.data[2 * BLOCK] ^= 1;
	check_list(&tar, "a=alpha;the archive is damaged: a header has a wrong checksum");
	strbuf_deinit(&tar);
}

TEST(archive_cut_anywhere)
{
	struct strbuf tar;

	strbuf_init(&tar);
	add(&tar, "././@LongLink", 'L', "long/name");
	add(&tar, "a", '0', "alpha");
	finish(&tar);
	for (size_t len = 0; len <= tar.len; len++) {
		uint8_t *copy = check_copy(tar.data, len);
		char *got = list(slice_make(copy, len));

		if (len >= 3 * BLOCK + 5 && len < 4 * BLOCK)
			CHECK(strncmp(got, "long/name=alpha;", 16) == 0);
		free(got);
		free(copy);
	}
	strbuf_deinit(&tar);
}

TEST(archive_member_by_path)
{
	char path[] = "/tmp/test_archive_XXXXXX", inner[64], missing[64];
	int fd = mkstemp(path);
	struct source *s = NULL;
	struct strbuf tar;
	struct err *err;

	strbuf_init(&tar);
	add(&tar, "one", '0', "first");
	add(&tar, "two", '0', "second");
	finish(&tar);
	CHECK(fd >= 0 && write(fd, tar.data, tar.len) == (ssize_t)tar.len);
	snprintf(inner, sizeof(inner), "%s/two", path);
	snprintf(missing, sizeof(missing), "%s/../three", path);
	CHECK(!source_open(inner, &s));
	CHECK(source_seekable(s));
	for (int turn = 0; turn < 2; turn++) {
		struct slice got = source_peek(s, 100);

		CHECK_BYTES(got.ptr, got.len, "second", 6);
		source_rest(s);
	}
	source_destroy(s);
	err = source_open(missing, &s);
	CHECK(err != NULL);
	err_destroy(err);
	unlink(path);
	close(fd);
	strbuf_deinit(&tar);
}
