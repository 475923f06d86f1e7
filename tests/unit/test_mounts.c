// SPDX-License-Identifier: GPL-2.0-or-later
/* Mounts as hosts tell them: from lines to the model. */
#include "check.h"
#include "ingest/mounts.h"
#include "model/mount.h"

struct read {
	struct mounts *mounts;
	struct event_board board;
	struct mount_model model;
};

static void read_lines(struct read *r, const char *const *lines, size_t count)
{
	*r = (struct read){.mounts = mounts_create()};
	mount_model_init(&r->model);
	mount_model_attach(&r->model, &r->board);
	for (size_t i = 0; i < count; i++)
		mounts_take_line(r->mounts, 0, i + 1, slice_of_string(lines[i]));
	mounts_emit(r->mounts, &r->board);
}

static void read_end(struct read *r)
{
	mount_model_deinit(&r->model);
	mounts_destroy(r->mounts);
}

static const struct mount_record *record(const struct read *r, size_t i)
{
	return *(struct mount_record **)vec_at(&r->model.records, i);
}

#define READ(r, lines) read_lines(r, lines, sizeof(lines) / sizeof((lines)[0]))

TEST(mounts_in_all_forms_are_the_same)
{
	static const char *const lines[] = {
		"/mnt/a from srv:/data",
		" Flags:\trw,vers=3,soft,proto=tcp,timeo=100,retrans=3,addr=192.0.2.10",
		"",
		"srv:/data on /mnt/a type nfs "
		"(rw,vers=3,soft,proto=tcp,timeo=100,retrans=3,addr=192.0.2.10)",
		"> srv:/data /mnt/a nfs "
		"rw,vers=3,soft,proto=tcp,timeo=100,retrans=3,addr=192.0.2.10 0 0",
		"device srv:/data mounted on /mnt/a with fstype nfs statvers=1.1",
		"\topts:\trw,vers=3,soft,proto=tcp,timeo=100,retrans=3,addr=192.0.2.10",
		"36 35 0:40 / /mnt/a rw,relatime shared:1 - nfs srv:/data "
		"rw,vers=3,soft,proto=tcp,timeo=100,retrans=3,addr=192.0.2.10",
	};
	static const uint64_t at[] = {2, 4, 5, 7, 8};
	struct read r;

	READ(&r, lines);
	CHECK_EQ_U64(r.model.records.len, 5);
	CHECK_EQ_U64(mounts_count(r.mounts, 0), 5);
	for (size_t i = 0; i < r.model.records.len; i++) {
		const struct mount_record *m = record(&r, i);

		CHECK_TEXT(m->server, "srv");
		CHECK_TEXT(m->export, "/data");
		CHECK_TEXT(m->mount_point, "/mnt/a");
		CHECK(m->server_is_address && m->server_at.addr[15] == 10);
		CHECK(m->timing_known && m->timing.vers == 3 && m->timing.timeo_ds == 100 &&
		      m->timing.retrans == 3 && m->timing.failure == TIMING_SOFT);
		CHECK_EQ_U64(m->at.frame, at[i]);
	}
	read_end(&r);
}

TEST(mounts_by_address)
{
	static const char *const lines[] = {
		"[fd00::1]:/b /mnt/b nfs4 rw,vers=4.2 0 0",
		"fd00::1:/b /mnt/b nfs4 rw 0 0",
		"192.0.2.7:/b /mnt/b nfs4 rw 0 0",
	};
	struct read r;

	READ(&r, lines);
	CHECK_EQ_U64(r.model.records.len, 3);
	for (size_t i = 0; i < r.model.records.len; i++) {
		CHECK(record(&r, i)->server_is_address);
		CHECK(record(&r, i)->timing.vers == 4 && record(&r, i)->timing.has_vers);
		CHECK_TEXT(record(&r, i)->export, "/b");
	}
	read_end(&r);
}

TEST(mounts_as_tickets_quote_them)
{
	static const char *const lines[] = {
		"(ro,relatime,vers=4.2,soft,proto=tcp,timeo=10,retrans=2,addr=xx.xx.xx.xx)",
		"rw,relatime,vers=4.2,hard,proto=tcp,timeo=10,retrans=2,local_lock=none",
		"mount -t nfs -o vers=4.2,soft,timeo=10,retrans=2 192.0.2.10:share /mnt",
		"# mount -o vers=4.2,timeo=10,retrans=2 192.0.2.10:/share /mnt # as it was",
		"$ sudo mount.nfs4 -v -o vers=4.2,timeo=10,retrans=2 192.0.2.10:/share /mnt",
	};
	struct read r;

	READ(&r, lines);
	CHECK_EQ_U64(r.model.records.len, 5);
	for (size_t i = 0; i < r.model.records.len; i++) {
		const struct mount_record *m = record(&r, i);

		CHECK(m->timing_known && m->timing.vers == 4 && m->timing.timeo_ds == 10);
		CHECK(m->server_is_address == (i >= 2));
		CHECK_TEXT(m->server, i >= 2 ? "192.0.2.10" : "");
		CHECK_TEXT(m->mount_point, i >= 2 ? "/mnt" : "");
	}
	read_end(&r);
}

TEST(twin_what_is_no_mount_of_nfs)
{
	static const char *const lines[] = {
		"device tmp mounted on /tmp with fstype tmpfs",
		"\topts:\trw,vers=3",
		"#srv:/g /mnt/g nfs defaults 0 0",
		"srv:/g on /mnt/g type cifs (rw)",
		"srv:/g /mnt/g ext4 rw 0 0",
		"device nothing mounted on /mnt/g with fstype nfs",
		" Flags:\trw",
		"/mnt/e from srv:/e",
		"some other line",
		" Flags:\trw,soft",
		"he went on from here: to there",
		"an nfs mount of srv:/x, on it, type nfs (",
		"rw,relatime,vers=3.0,cache=strict,uid=0",
		"(rw,vers=4.2)",
		"rw,vers=3,rsize=1024,proto=tcp and more",
		"mount -t cifs -o vers=3.0 srv:/x /mnt",
		"mount -o loop,ro a:b /mnt",
		"mount -t nfs srv:/x /mnt",
		"mount --bind /a /b",
		"mount",
	};
	struct read r;

	READ(&r, lines);
	CHECK_EQ_U64(r.model.records.len, 0);
	read_end(&r);
}

TEST(mounts_options_that_cannot_be_read_are_kept_as_text)
{
	static const char *const lines[] = {"srv:/a /mnt nfs rw,timeo=soon 0 0"};
	struct read r;

	READ(&r, lines);
	CHECK_EQ_U64(r.model.records.len, 1);
	CHECK(!record(&r, 0)->timing_known);
	CHECK_TEXT(record(&r, 0)->options, "rw,timeo=soon");
	read_end(&r);
}
