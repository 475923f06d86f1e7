/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files about kernel logs share; nobody else includes this. */
#ifndef INGEST_LOG_PRIVATE_H
#define INGEST_LOG_PRIVATE_H

#include "base/arena.h"
#include "base/vec.h"
#include "evidence/klog.h"
#include "ingest/log.h"

/* A year that stands for "not known": a leap year, so that every date exists in it. */
enum { LOG_YEAR_NONE = 1972 };

#define LOG_HOST_NONE UINT32_MAX

struct log_record {
	struct log_fact fact; /* its texts lie in the arena */
	uint64_t text_hash;
	uint32_t file; /* index into logs.files */
	uint32_t host; /* index into logs.hosts; LOG_HOST_NONE: the line does not tell */
	uint64_t line;
	struct klog_head head; /* host and tag are not kept */
	struct stamp at;       /* settled */
	bool copy;             /* another file has it */
};

struct log_host {
	const char *name;
	bool told; /* by a log; else it is the folder's name */
};

/* One file. */
struct log_file {
	uint32_t evidence;
	const char *path;
	struct stamp written;
	struct klog_stats stats;
	size_t first, last;  /* its records: [first, last) in order of the file */
	uint32_t host;       /* of lines that tell none; LOG_HOST_NONE until settled */
	uint32_t hosts_told; /* how many different hosts its lines name, up to 2 */
	struct klog_head head_first, head_last; /* of the kernel's first and last line */
	int32_t year;                           /* of the first line without a year; 0: not known */
	int32_t year_seen; /* the latest year of any date in the file; 0: none */
	bool has_boot_offset;
	int64_t boot_offset_ns; /* UTC (or local time) of zero, for lines that have only that */
	uint64_t copies;        /* records that another file has */
};

/* A journal inside of a capture. */
struct log_journal {
	uint32_t evidence;
	uint64_t kernel_lines;
};

/* An entry of a journal inside of a capture, from before logs_settle. */
struct log_early {
	uint32_t evidence;
	uint64_t frame;
	struct slice text;
};

struct logs {
	struct log_options options;
	struct evidence_list *evidence;
	struct arena arena;
	struct vec records; /* struct log_record, by file until settled, then by time */
	struct vec files;   /* struct log_file */
	struct vec hosts;   /* struct log_host */
	uint64_t dropped;   /* facts above the cap */
	uint64_t copies;
	struct vec journals; /* struct log_journal, by evidence: journals inside of captures */
	struct vec early;    /* struct log_early */
	uint64_t journal_facts;
	bool settled;
	size_t emitted;
	logs_plain_fn *plain; /* NULL: nobody wants them */
	void *plain_context;
};

/* The host by name, made if it is new. */
uint32_t log_host_of(struct logs *l, struct slice name, bool told);

/* log_journal.c: tells the entries that came before logs_settle. */
void log_journal_tell_early(struct logs *l, const struct event_board *board);

/* log_time.c: years, zones and boot times; sets `at` of all records. */
void log_times_settle(struct logs *l, struct stamp capture);

/* A head's time in this file, after log_times_settle. */
struct stamp log_head_stamp(const struct logs *l, const struct log_file *f,
			    const struct klog_head *h);

/* log_copy.c: marks records that another file has as copies; the times are settled. */
void log_copies_settle(struct logs *l);

/* Pairs of `of` and `by` that have one text at a time offset_ns apart, in order. For log_time.c. */
size_t log_pairs_count(const struct logs *l, const struct log_file *of, const struct log_file *by,
		       int64_t offset_ns);

#endif
