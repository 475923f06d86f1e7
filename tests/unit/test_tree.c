// SPDX-License-Identifier: GPL-2.0-or-later
/* The file system that the server serves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lab/serve/tree/tree.h"
#include "lab/serve/tree/tree_text.h"

enum { MANY = 1000000 };

static struct tree *make(const char *text)
{
	struct tree *t = tree_create(NULL, 77, 1000);
	struct err *err = tree_text_add(t, slice_of_string(text), 1000);

	CHECK(err == NULL);
	err_destroy(err);
	return t;
}

/* The fileid of a path; 0 and a failed check when there is none. */
static uint64_t at(const struct tree *t, const char *path)
{
	uint64_t id = tree_root(t);

	while (*path == '/') {
		size_t len = strcspn(++path, "/");

		if (!CHECK_EQ_U64(tree_lookup(t, id, slice_make(path, len), &id), TREE_OK))
			return 0;
		path += len;
	}
	return id;
}

static struct tree_attr attr_of(const struct tree *t, uint64_t id)
{
	struct tree_attr attr = {0};

	CHECK_EQ_U64(tree_getattr(t, id, &attr), TREE_OK);
	return attr;
}

static uint64_t add(struct tree *t, uint64_t dir, const char *name, enum tree_kind kind,
		    enum tree_status want)
{
	struct tree_new what = {.kind = kind, .mode = 0644, .target = slice_of_string("there")};
	uint64_t id = 0;

	CHECK_EQ_U64(tree_make(t, dir, slice_of_string(name), &what, 2000, &id), want);
	return id;
}

static struct slice text_of(const char *text)
{
	return slice_of_string(text);
}

TEST(tree_of_a_description)
{
	struct tree *t = make("# all kinds\n"
			      "dir /a mode=0700 uid=5 gid=6\n\n"
			      "file /a/b\\040c text=hello # said\n"
			      "file /deep/er/f size=3k\n"
			      "link /l target=a\n"
			      "fifo /q\nblock /d major=8 minor=1\ndir / mode=01777\n");
	struct tree_attr attr = attr_of(t, at(t, "/a"));
	struct slice target;

	CHECK_EQ_U64(attr.mode, 0700);
	CHECK_EQ_U64(attr.uid, 5);
	CHECK_EQ_U64(attr.gid, 6);
	CHECK_EQ_U64(attr_of(t, at(t, "/a/b c")).size, 5);
	CHECK_EQ_U64(attr_of(t, at(t, "/deep/er/f")).size, 3072);
	CHECK_EQ_U64(attr_of(t, at(t, "/d")).major, 8);
	CHECK_EQ_U64(attr_of(t, tree_root(t)).mode, 01777);
	CHECK_EQ_U64(attr_of(t, tree_root(t)).nlink, 4);
	CHECK_EQ_U64(tree_readlink(t, at(t, "/l"), &target), TREE_OK);
	CHECK_BYTES(target.ptr, target.len, "a", 1);
	CHECK_EQ_U64(tree_readlink(t, at(t, "/q"), &target), TREE_INVAL);
	tree_destroy(t);
}

static void check_wrong(const char *text, const char *want)
{
	struct tree *t = tree_create(NULL, 1, 0);
	struct err *err = tree_text_add(t, slice_of_string(text), 0);

	CHECK_TEXT(err ? err_text(err) : "none", want);
	err_destroy(err);
	tree_destroy(t);
}

TEST(tree_description_says_what_is_wrong)
{
	check_wrong("dir /a\nfoo /b",
		    "line 2: foo: no kind of node (dir, file, link, fifo, socket, "
		    "block, char)");
	check_wrong("dir", "line 1: dir: a path is missing");
	check_wrong("dir a", "line 1: a: a path begins with /");
	check_wrong("dir /a\ndir /a", "line 2: /a: is there already");
	check_wrong("file /a\nfile /a/b", "line 2: /a/b: a part of it is no directory");
	check_wrong("file /a size=x", "line 1: size=x: no number");
	check_wrong("file /a mode=9", "line 1: mode=9: no number up to 4095");
	check_wrong("file /a size=9000000T",
		    "line 1: size=9000000T: no number up to 9223372036854775807");
	check_wrong("file /a entries=5", "line 1: entries: a file has no such property");
	check_wrong("link /a", "line 1: /a: target= is missing");
	check_wrong("dir /a size=5", "line 1: /a: properties that do not go together");
	check_wrong("file /a big", "line 1: big: a property is written NAME=VALUE");
}

TEST(handles_know_their_tree)
{
	struct tree *t = make("file /a\n"), *again = make("file /a\n");
	struct tree *other = tree_create(NULL, 78, 0);
	uint8_t handle[TREE_HANDLE_BYTES];
	struct slice h = slice_make(handle, sizeof(handle));
	uint64_t id = 0;

	tree_handle_make(t, at(t, "/a"), handle);
	CHECK_EQ_U64(tree_handle_find(t, h, &id), TREE_OK);
	CHECK_EQ_U64(id, at(t, "/a"));
	CHECK_EQ_U64(tree_handle_find(again, h, &id), TREE_OK);
	CHECK_EQ_U64(tree_handle_find(other, h, &id), TREE_STALE);
	CHECK_EQ_U64(tree_remove(t, tree_root(t), text_of("a"), TREE_REMOVE_FILE, 5), TREE_OK);
	CHECK_EQ_U64(tree_handle_find(t, h, &id), TREE_STALE);
	CHECK_EQ_U64(tree_handle_find(t, slice_make(handle, 23), &id), TREE_BADHANDLE);
	handle[3] ^= 1;
	CHECK_EQ_U64(tree_handle_find(again, h, &id), TREE_BADHANDLE);
	tree_destroy(t);
	tree_destroy(again);
	tree_destroy(other);
}

TEST(names_are_made_linked_and_removed)
{
	struct tree *t = make("");
	uint64_t root = tree_root(t), dir = add(t, root, "d", TREE_DIR, TREE_OK);
	uint64_t file = add(t, dir, "f", TREE_FILE, TREE_OK), found;

	add(t, dir, "f", TREE_FILE, TREE_EXIST);
	add(t, dir, "", TREE_FILE, TREE_INVAL);
	add(t, dir, "..", TREE_FILE, TREE_INVAL);
	add(t, dir, "a/b", TREE_FILE, TREE_INVAL);
	add(t, file, "x", TREE_FILE, TREE_NOTDIR);
	add(t, 12345, "x", TREE_FILE, TREE_STALE);
	add(t, dir, "none", TREE_NONE, TREE_BADTYPE);
	CHECK_EQ_U64(tree_link(t, file, root, text_of("g"), 3000), TREE_OK);
	CHECK_EQ_U64(tree_link(t, dir, root, text_of("h"), 3000), TREE_ISDIR);
	CHECK_EQ_U64(tree_link(t, file, root, text_of("g"), 3000), TREE_EXIST);
	CHECK_EQ_U64(attr_of(t, file).nlink, 2);
	CHECK_EQ_I64(attr_of(t, file).ctime_ns, 3000);
	CHECK_EQ_U64(tree_remove(t, root, text_of("d"), TREE_REMOVE_DIR, 1), TREE_NOTEMPTY);
	CHECK_EQ_U64(tree_remove(t, root, text_of("d"), TREE_REMOVE_FILE, 1), TREE_ISDIR);
	CHECK_EQ_U64(tree_remove(t, dir, text_of("f"), TREE_REMOVE_DIR, 1), TREE_NOTDIR);
	CHECK_EQ_U64(tree_remove(t, dir, text_of("f"), TREE_REMOVE_FILE, 1), TREE_OK);
	CHECK_EQ_U64(tree_remove(t, dir, text_of("f"), TREE_REMOVE_FILE, 1), TREE_NOENT);
	CHECK_EQ_U64(tree_lookup(t, root, text_of("g"), &found), TREE_OK);
	CHECK_EQ_U64(found, file);
	CHECK_EQ_U64(tree_remove(t, root, text_of("d"), TREE_REMOVE_ANY, 1), TREE_OK);
	CHECK_EQ_U64(attr_of(t, root).nlink, 2);
	CHECK_EQ_U64(tree_lookup(t, dir, text_of("."), &found), TREE_STALE);
	tree_destroy(t);
}

TEST(exclusive_creation_is_told_by_its_verifier)
{
	struct tree *t = make("");
	struct tree_new what = {.kind = TREE_FILE, .verifier = (const uint8_t *)"verifier"};
	uint64_t first, again;

	CHECK_EQ_U64(tree_make(t, tree_root(t), text_of("x"), &what, 1, &first), TREE_OK);
	CHECK_EQ_U64(tree_make(t, tree_root(t), text_of("x"), &what, 1, &again), TREE_OK);
	CHECK_EQ_U64(first, again);
	what.verifier = (const uint8_t *)"another!";
	CHECK_EQ_U64(tree_make(t, tree_root(t), text_of("x"), &what, 1, &again), TREE_EXIST);
	tree_destroy(t);
}

static enum tree_status move(struct tree *t, const char *from_dir, const char *from,
			     const char *to_dir, const char *to)
{
	return tree_rename(t, at(t, from_dir), text_of(from), at(t, to_dir), text_of(to), 4000);
}

TEST(rename_as_rename_2)
{
	struct tree *t = make("dir /a/b\ndir /c/full/x\nfile /a/f\nfile /a/g\n");
	uint64_t f = at(t, "/a/f"), b = at(t, "/a/b"), parent;
	uint64_t g = at(t, "/a/g");
	struct tree_attr unused;

	CHECK_EQ_U64(move(t, "", "a", "/a/b", "z"), TREE_INVAL);
	CHECK_EQ_U64(move(t, "", "a", "", "a"), TREE_OK);
	CHECK_EQ_U64(move(t, "/a", "f", "", "c"), TREE_ISDIR);
	CHECK_EQ_U64(move(t, "/a", "b", "/a", "f"), TREE_NOTDIR);
	CHECK_EQ_U64(move(t, "/a", "b", "/c", "full"), TREE_NOTEMPTY);
	CHECK_EQ_U64(move(t, "/a", "none", "/c", "full"), TREE_NOENT);
	CHECK_EQ_U64(move(t, "/a", "f", "/a", "g"), TREE_OK);
	CHECK_EQ_U64(at(t, "/a/g"), f);
	CHECK_EQ_U64(tree_getattr(t, g, &unused), TREE_STALE);
	CHECK_EQ_U64(move(t, "/a", "b", "/c", "b"), TREE_OK);
	CHECK_EQ_U64(tree_parent(t, b, &parent), TREE_OK);
	CHECK_EQ_U64(parent, at(t, "/c"));
	CHECK_EQ_U64(attr_of(t, at(t, "/a")).nlink, 2);
	CHECK_EQ_U64(attr_of(t, at(t, "/c")).nlink, 4);
	tree_destroy(t);
}

static void check_content(struct tree *t, uint64_t id, uint64_t offset, const uint8_t *want,
			  uint32_t len)
{
	uint8_t *got = malloc(len);
	uint32_t count = 0;
	bool eof;

	CHECK_EQ_U64(tree_read(t, id, offset, len, got, &count, &eof), TREE_OK);
	CHECK_BYTES(got, count, want, len);
	free(got);
}

TEST(content_is_pattern_zeroes_and_what_was_written)
{
	enum { LEN = 50000, OFFSET = 16379 };
	struct tree *t = make("file /p size=50000\n");
	uint64_t id = at(t, "/p");
	struct tree_set cut = {.what = TREE_SET_SIZE, .size = 20000};
	uint8_t want[LEN], got[8];
	uint32_t count;
	bool eof;

	for (size_t i = 0; i < LEN; i++)
		want[i] = tree_pattern_byte(id, i);
	check_content(t, id, 0, want, LEN);
	check_content(t, id, 3, want + 3, 20);
	memcpy(want + OFFSET, "across a chunk", 14);
	CHECK_EQ_U64(tree_write(t, id, OFFSET, text_of("across a chunk"), 5000), TREE_OK);
	check_content(t, id, 0, want, LEN);
	CHECK_EQ_I64(attr_of(t, id).mtime_ns, 5000);
	CHECK_EQ_U64(tree_setattr(t, id, &cut, 6000), TREE_OK);
	cut.size = LEN;
	CHECK_EQ_U64(tree_setattr(t, id, &cut, 6000), TREE_OK);
	memset(want + 20000, 0, LEN - 20000);
	check_content(t, id, 0, want, LEN);
	CHECK_EQ_U64(tree_read(t, id, LEN - 2, 8, got, &count, &eof), TREE_OK);
	CHECK_EQ_U64(count, 2);
	CHECK(eof);
	CHECK_EQ_U64(tree_read(t, id, LEN + 2, 8, got, &count, &eof), TREE_OK);
	CHECK_EQ_U64(count, 0);
	CHECK_EQ_U64(tree_read(t, tree_root(t), 0, 8, got, &count, &eof), TREE_ISDIR);
	CHECK_EQ_U64(tree_write(t, id, UINT64_MAX, text_of("x"), 1), TREE_FBIG);
	tree_destroy(t);
}

TEST(memory_is_limited)
{
	struct tree_limits limits = {.data_bytes_max = 40000, .nodes_max = 3};
	struct tree *t = tree_create(&limits, 1, 0);
	uint64_t a = add(t, tree_root(t), "a", TREE_FILE, TREE_OK);
	struct tree_space space;
	uint8_t *data = calloc(1, 40000);

	CHECK_EQ_U64(tree_write(t, a, 0, slice_make(data, 40000), 1), TREE_NOSPC);
	CHECK_EQ_U64(tree_write(t, a, 0, slice_make(data, 30000), 1), TREE_OK);
	CHECK_EQ_U64(tree_write(t, a, 0, slice_make(data, 30000), 1), TREE_OK);
	CHECK_EQ_U64(tree_write(t, a, INT64_C(1) << 40, slice_make(data, 1), 1), TREE_NOSPC);
	add(t, tree_root(t), "b", TREE_FILE, TREE_OK);
	add(t, tree_root(t), "c", TREE_FILE, TREE_NOSPC);
	CHECK_EQ_U64(tree_remove(t, tree_root(t), text_of("a"), TREE_REMOVE_ANY, 1), TREE_OK);
	tree_space(t, &space);
	CHECK_EQ_U64(space.free_bytes, 40000);
	CHECK_EQ_U64(space.free_nodes, 1);
	free(data);
	tree_destroy(t);
}

TEST(removed_file_stays_for_its_holder)
{
	struct tree *t = make("file /a text=still\n");
	uint64_t id = at(t, "/a");
	struct tree_attr unused;

	CHECK_EQ_U64(tree_hold(t, id), TREE_OK);
	CHECK_EQ_U64(tree_remove(t, tree_root(t), text_of("a"), TREE_REMOVE_ANY, 1), TREE_OK);
	CHECK_EQ_U64(attr_of(t, id).nlink, 0);
	check_content(t, id, 0, (const uint8_t *)"still", 5);
	CHECK_EQ_U64(tree_link(t, id, tree_root(t), text_of("b"), 1), TREE_NOENT);
	tree_release(t, id);
	CHECK_EQ_U64(tree_getattr(t, id, &unused), TREE_STALE);
	CHECK_EQ_U64(tree_hold(t, id), TREE_STALE);
	tree_destroy(t);
}

/* Entries from the cookie on, and the sum of their cookies in *sum. */
static uint64_t count_entries(const struct tree *t, uint64_t dir, uint64_t cookie, uint64_t *sum)
{
	struct tree_walk walk;
	struct tree_entry entry;
	uint64_t count = 0;

	*sum = 0;
	if (!CHECK_EQ_U64(tree_walk_begin(t, dir, cookie, &walk), TREE_OK))
		return 0;
	for (; tree_walk_next(&walk, &entry); count++)
		*sum += entry.cookie;
	return count;
}

TEST(made_up_directory_has_a_million_entries)
{
	struct tree *t = make("dir /big entries=1000000 size=100\n");
	uint64_t dir = at(t, "/big"), id = at(t, "/big/file0123456"), sum, found;
	struct tree_space space;
	struct tree_walk walk;
	struct tree_entry entry;

	CHECK_EQ_U64(count_entries(t, dir, 0, &sum), MANY + 2);
	CHECK_EQ_U64(tree_walk_begin(t, dir, TREE_COOKIE_DOTS + 123456, &walk), TREE_OK);
	CHECK(tree_walk_next(&walk, &entry));
	CHECK_BYTES(entry.name.ptr, entry.name.len, "file0123456", 11);
	CHECK_EQ_U64(entry.fileid, id);
	CHECK_EQ_U64(attr_of(t, id).size, 100);
	CHECK_EQ_U64(tree_lookup(t, dir, text_of("file1000000"), &found), TREE_NOENT);
	CHECK_EQ_U64(tree_lookup(t, dir, text_of("file00000001"), &found), TREE_NOENT);
	CHECK_EQ_U64(tree_walk_begin(t, dir, MANY + 3, &walk), TREE_BAD_COOKIE);
	tree_space(t, &space);
	CHECK_EQ_U64(space.total_nodes - space.free_nodes, 2);
	tree_destroy(t);
}

TEST(made_up_entries_change_like_others)
{
	struct tree *t = make("dir /big entries=1000\n");
	uint64_t dir = at(t, "/big"), five = at(t, "/big/file0000005"), sum, found;
	struct tree_attr unused;

	CHECK_EQ_U64(tree_write(t, five, 0, text_of("new"), 9), TREE_OK);
	CHECK_EQ_U64(attr_of(t, at(t, "/big/file0000005")).size, 3);
	CHECK_EQ_U64(move(t, "/big", "file0000005", "", "out"), TREE_OK);
	CHECK_EQ_U64(at(t, "/out"), five);
	check_content(t, five, 0, (const uint8_t *)"new", 3);
	found = at(t, "/big/file0000007");
	CHECK_EQ_U64(tree_remove(t, dir, text_of("file0000007"), TREE_REMOVE_FILE, 9), TREE_OK);
	CHECK_EQ_U64(tree_getattr(t, found, &unused), TREE_STALE);
	CHECK_EQ_U64(count_entries(t, dir, 0, &sum), 1000);
	/* The same name again is another file, and comes last. */
	found = add(t, dir, "file0000007", TREE_FILE, TREE_OK);
	CHECK_EQ_U64(at(t, "/big/file0000007"), found);
	CHECK_EQ_U64(count_entries(t, dir, TREE_COOKIE_DOTS + 1000, &sum), 1);
	CHECK_EQ_U64(tree_remove(t, tree_root(t), text_of("big"), TREE_REMOVE_DIR, 9),
		     TREE_NOTEMPTY);
	tree_destroy(t);
}

TEST(cookies_are_stable_while_names_come_and_go)
{
	struct tree *t = make("");
	uint64_t root = tree_root(t), sum;
	char name[16];
	struct tree_walk walk;
	struct tree_entry entry;

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		add(t, root, name, TREE_FILE, TREE_OK);
	}
	for (int i = 0; i < 1000; i += i % 10 == 8 ? 2 : 1) {
		snprintf(name, sizeof(name), "n%d", i);
		CHECK_EQ_U64(tree_remove(t, root, text_of(name), TREE_REMOVE_ANY, 1), TREE_OK);
	}
	CHECK_EQ_U64(count_entries(t, root, 0, &sum), 102);
	/* Behind one that is gone. */
	CHECK_EQ_U64(tree_walk_begin(t, root, TREE_COOKIE_DOTS + 1 + 500, &walk), TREE_OK);
	CHECK(tree_walk_next(&walk, &entry));
	CHECK_BYTES(entry.name.ptr, entry.name.len, "n509", 4);
	CHECK_EQ_U64(entry.cookie, TREE_COOKIE_DOTS + 1 + 509);
	tree_destroy(t);
}

TEST(permission_bits)
{
	static const uint32_t groups[] = {7, 8};
	struct tree_attr attr = {.kind = TREE_FILE, .mode = 0640, .uid = 1, .gid = 8};
	struct tree_cred root = {0}, owner = {.uid = 1}, other = {.uid = 2, .gid = 2};
	struct tree_cred member = {.uid = 2, .gid = 2, .gids_len = 2, .gids = groups};

	CHECK(tree_may(&attr, &root, TREE_MAY_READ | TREE_MAY_WRITE));
	CHECK(!tree_may(&attr, &root, TREE_MAY_EXECUTE));
	CHECK(tree_may(&attr, &owner, TREE_MAY_READ | TREE_MAY_WRITE));
	CHECK(tree_may(&attr, &member, TREE_MAY_READ));
	CHECK(!tree_may(&attr, &member, TREE_MAY_WRITE));
	CHECK(!tree_may(&attr, &other, TREE_MAY_READ));
}
