// SPDX-License-Identifier: GPL-2.0-or-later
/* What files are, which of them there are, and captures opened by their path. */
#include "base/strbuf.h"
#include "capfile/write.h"
#include "check.h"
#include "evidence/capture.h"
#include "evidence/sniff.h"
#include "evidence/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(files_are_told_by_their_first_bytes)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum sniff_kind kind;
	} files[] = {
		{"\xd4\xc3\xb2\xa1", 4, SNIFF_PCAP},
		{"\xa1\xb2\x3c\x4d", 4, SNIFF_PCAP},
		{"\n\r\r\n\0\0\0\x1c\x1a\x2b\x3c\x4d", 12, SNIFF_PCAPNG},
		{"\n\r\r\n\0\0\0\x1c\0\0\0\0", 12, SNIFF_UNKNOWN},
		{"", 0, SNIFF_EMPTY},
		{"\0\0\0\0\0\0", 6, SNIFF_EMPTY},
		{" \n\n", 3, SNIFF_EMPTY},
		{"Nov 22 01:09:29 host kernel: nfs: server x not responding\n", 57, SNIFF_TEXT},
		{"\x1b[31mred\x1b[0m gr\xc3\xbcn\r\n", 20, SNIFF_TEXT},
		{"\177ELF\2\1\1\0", 8, SNIFF_ELF},
		{"KDUMP   \0\0", 10, SNIFF_KDUMP},
		{"\1\2\3\4\5\6\0\0\0\0\1\2", 12, SNIFF_UNKNOWN},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *copy = check_copy(files[i].bytes, files[i].len);

		CHECK_EQ_U64(sniff_bytes(slice_make(copy, files[i].len)), files[i].kind);
		free(copy);
	}
}

static void write_file(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	if (!CHECK(file != NULL))
		return;
	fwrite(bytes, 1, len, file);
	fclose(file);
}

TEST(captures_are_opened_or_the_error_says_why)
{
	char path[] = "/tmp/nfsleuth-evidence-XXXXXX";
	struct capture *capture = NULL;
	struct capfile_packet p;
	struct strbuf file;
	struct err *err;

	close(mkstemp(path));
	err = capture_open(path, &capture);
	CHECK(err && strstr(err_text(err), "is empty"));
	err_destroy(err);
	write_file(path, "hello, world\n", 13);
	err = capture_open(path, &capture);
	CHECK(err && strstr(err_text(err), "is not a packet capture (text)"));
	err_destroy(err);

	strbuf_init(&file);
	pcap_write_header(&file, 1, 65535);
	pcap_write_packet(&file, stamp_utc(5), slice_make("x", 1), 1);
	write_file(path, file.data, file.len);
	err = capture_open(path, &capture);
	if (CHECK(!err)) {
		CHECK_TEXT(capture_path(capture), path);
		CHECK(capture_seekable(capture));
		CHECK(capture_next(capture, &p) == CAPFILE_PACKET);
		CHECK_EQ_U64(capture_offset(capture), file.len);
		CHECK(capture_next(capture, &p) == CAPFILE_END);
		capture_destroy(capture);
	}
	strbuf_deinit(&file);
	remove(path);
}

/* "outcome path" of every file, without the directory. */
static void list_files(struct strbuf *out, const struct vec *files, const char *root)
{
	for (size_t i = 0; i < files->len; i++) {
		const struct walk_file *file = vec_at(files, i);

		strbuf_add_format(out, "%d %s\n", (int)file->outcome,
				  strncmp(file->path, root, strlen(root)) == 0
					  ? file->path + strlen(root)
					  : file->path);
	}
}

/* Goes into a new folder; root: a template of mkdtemp, old: where the test was. */
static bool enter_scratch(char *root, char *old, size_t old_bytes)
{
	return CHECK(mkdtemp(root) != NULL) && CHECK(getcwd(old, old_bytes) != NULL) &&
	       CHECK(chdir(root) == 0);
}

/* The folder is empty again. */
static void leave_scratch(const char *root, const char *old)
{
	CHECK(chdir(old) == 0);
	CHECK(rmdir(root) == 0);
}

TEST(directories_are_walked_in_order)
{
	char root[] = "/tmp/nfsleuth-walk-XXXXXX";
	const char *args[3] = {root, "/tmp/nfsleuth-walk-missing", "-"};
	struct strbuf list;
	struct strbuf want;
	struct vec files;
	char old[4096];

	if (!enter_scratch(root, old, sizeof(old)))
		return;
	mkdir("b", 0700);
	mkdir("b/deep", 0700);
	write_file("c.log", "c", 1);
	write_file("a.log", "a", 1);
	write_file("b/deep/x.pcap", "x", 1);
	CHECK(symlink("..", "b/deep/loop") == 0);
	CHECK(symlink("../a.log", "b/again") == 0);
	CHECK(symlink("nowhere", "b/dangling") == 0);
	CHECK(mkfifo("b/pipe", 0600) == 0);

	walk_expand(args, 3, &files);
	strbuf_init(&list);
	list_files(&list, &files, root);
	strbuf_init(&want);
	strbuf_add_format(&want,
			  "%d /a.log\n%d /b/again\n%d /b/dangling\n%d /b/deep/x.pcap\n"
			  "%d /b/pipe\n%d /c.log\n%d /tmp/nfsleuth-walk-missing\n%d -\n",
			  WALK_CANDIDATE, WALK_SAME, WALK_NOWHERE, WALK_CANDIDATE, WALK_SPECIAL,
			  WALK_CANDIDATE, WALK_MISSING, WALK_CANDIDATE);
	CHECK_TEXT(strbuf_text(&list), strbuf_text(&want));
	walk_deinit(&files);
	strbuf_deinit(&list);
	strbuf_deinit(&want);

	remove("b/pipe");
	remove("b/dangling");
	remove("b/again");
	remove("b/deep/loop");
	remove("b/deep/x.pcap");
	remove("b/deep");
	remove("b");
	remove("a.log");
	remove("c.log");
	leave_scratch(root, old);
}

/*
 * People collect evidence by links at the top of a directory. Further down, where a copied system
 * has its own, they must not show a file of this machine as its.
 */
TEST(links_out_of_a_directory_are_followed_at_its_top_alone)
{
	char root[] = "/tmp/nfsleuth-walk-XXXXXX";
	const char *inside[1] = {"in"};
	const char *both[2] = {"in/below/file", "in"};
	static const char *const made[] = {
		"in/below/file", "in/below/z-directory", "in/directory", "in/file",
		"in/mtab",       "in/nowhere",           "in/own.log",   "in/z-own",
		"beside/on",     "beside/other.log"};
	struct strbuf list, want;
	struct vec files;
	char old[4096];

	if (!enter_scratch(root, old, sizeof(old)))
		return;
	mkdir("in", 0700);
	mkdir("in/below", 0700);
	mkdir("beside", 0700);
	write_file("mine.log", "m", 1);
	write_file("beside/other.log", "o", 1);
	write_file("in/own.log", "x", 1);
	CHECK(symlink("../mine.log", "beside/on") == 0);
	CHECK(symlink("../../mine.log", "in/below/file") == 0);
	CHECK(symlink("../../beside", "in/below/z-directory") == 0);
	CHECK(symlink("../beside", "in/directory") == 0);
	CHECK(symlink("../mine.log", "in/file") == 0);
	CHECK(symlink("/proc/self/mounts", "in/mtab") == 0);
	CHECK(symlink("/nonexistent/x", "in/nowhere") == 0);
	CHECK(symlink("own.log", "in/z-own") == 0);
	strbuf_init(&list);
	walk_expand(inside, 1, &files);
	list_files(&list, &files, "in");
	CHECK(((struct walk_file *)vec_at(&files, 3))->led_out);
	CHECK(!((struct walk_file *)vec_last(&files))->led_out);
	walk_deinit(&files);
	/* What is named itself is wanted, link or not. */
	walk_expand(both, 2, &files);
	CHECK_EQ_U64(files.len, 10);
	CHECK_EQ_U64(((struct walk_file *)vec_at(&files, 0))->outcome, WALK_CANDIDATE);
	walk_deinit(&files);
	strbuf_init(&want);
	strbuf_add_format(&want,
			  "%d /below/file\n%d /below/z-directory\n%d /directory/on\n"
			  "%d /directory/other.log\n%d /file\n%d /mtab\n%d /nowhere\n"
			  "%d /own.log\n%d /z-own\n",
			  WALK_OUTSIDE, WALK_OUTSIDE, WALK_OUTSIDE, WALK_CANDIDATE, WALK_CANDIDATE,
			  WALK_OUTSIDE, WALK_NOWHERE, WALK_CANDIDATE, WALK_SAME);
	CHECK_TEXT(strbuf_text(&list), strbuf_text(&want));
	strbuf_deinit(&want);
	strbuf_deinit(&list);
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++)
		remove(made[i]);
	remove("mine.log");
	CHECK(rmdir("beside") == 0 && rmdir("in/below") == 0 && rmdir("in") == 0);
	leave_scratch(root, old);
}
