/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files about kernel logs share; nobody else includes this. */
#ifndef INGEST_LOG_PRIVATE_H
#define INGEST_LOG_PRIVATE_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "evidence/klog/klog.h"
#include "ingest/log/log.h"
#include "ingest/log/log_marks.h"
#include "ingest/log/log_wire.h"
#include "ingest/tasks.h"
#include "ingest/trace/traces.h"

/* A year that stands for "not known": a leap year, so that every date exists in it. */
enum { LOG_YEAR_NONE = 1972, LOG_STRANGE_SHOWN = 3 };

/* A LOG rule may log each packet, or everybody who knocks at a host: room is left for others. */
enum { LOG_PACKETS_MAX = 8192, LOG_PACKETS_OTHER_MAX = 2048 };

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
	bool told;          /* by a log; else it is the folder's name */
	bool has_at;        /* the next is valid, unless two logs tell different ones */
	bool torn;          /* they do */
	struct endpoint at; /* its address, by what log and captures share */
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
	/* Its earliest and latest line: a text may quote a log twice. Without lines that tell no
	 * time */
	struct klog_head head_low, head_high;
	int64_t low_ns, high_ns; /* by which these two are compared with others */
	int32_t year;            /* of the first line without a year; 0: not known */
	int32_t year_seen;       /* the latest year of any date in the file; 0: none */
	bool has_boot_offset;
	int64_t boot_offset_ns; /* UTC (or local time) of zero, for lines that have only that */
	bool has_zone;          /* told by the user, or found */
	int64_t zone_s;         /* seconds east of UTC, of lines without a zone */
	bool by_complaint; /* the boot is told by a complaint alone: any client's wait would do */
	int64_t error_ns;  /* how far its times may be off the captures'; -1: not known */
	uint64_t copies;   /* records that another file has */
	struct log_jumps {
		uint64_t count;
		uint64_t line; /* the first line behind the first one */
		int64_t ns;    /* how far that was; negative: backwards */
	} jumps;               /* of the file's own clock */
	struct log_seasons {
		uint64_t count; /* how often summer time began or ended */
		uint64_t line;  /* the first line behind the first time */
		bool begins;    /* that time */
	} seasons;              /* of lines without a zone */
	uint64_t tasks;         /* found in it */
	uint64_t trace_lines;   /* of a kernel's trace */
	uint64_t strange;       /* lines that are no part of a log, of tasks or of a trace */
	uint64_t strange_lines[LOG_STRANGE_SHOWN]; /* the first of them */
	int64_t trace_first_ns,
		trace_last_ns;              /* of the trace, since boot; valid with trace_lines */
	const struct log_file *trace_clock; /* whose boot is that of the trace; NULL: none known */
	uint64_t trace_lost;                /* times that the tracer lost something */
	uint64_t trace_unused;              /* trace_lines of events that tell nothing here */
	uint64_t trace_copies;              /* facts of it that another file of the host has */
};

/* A journal inside of a capture. */
struct log_journal {
	uint32_t evidence;
	uint64_t kernel_lines;
};

/* An entry of a journal inside of a capture that tells a fact. */
struct log_entry {
	uint32_t evidence;
	uint64_t frame;
	int64_t at_ns;
	struct slice text;
};

struct logs {
	struct log_options options;
	struct evidence_list *evidence;
	struct arena arena;
	struct vec records;    /* struct log_record, by file until settled, then by time */
	struct vec files;      /* struct log_file */
	struct vec hosts;      /* struct log_host */
	struct map host_names; /* by name: a log of many hosts names one in each line */
	struct vec clocks;     /* struct log_clock */
	struct vec names;      /* struct log_name, see log_name.c */
	struct tasks *tasks;
	struct traces *traces;
	struct log_wire wire;
	struct log_marks marks;
	uint64_t dropped;                /* facts above the cap */
	uint64_t packets, packets_other; /* LOG_PACKET kept: all, and those at no port of NFS's */
	uint64_t copies;
	struct vec journals; /* struct log_journal, by evidence: journals inside of captures */
	struct vec entries;  /* struct log_entry, in order of the packets */
	size_t entries_told;
	uint64_t journal_facts;
	logs_plain_fn *plain; /* NULL: nobody wants them */
	void *plain_context;
	logs_unknown_fn *unknown; /* likewise */
	void *unknown_context;
};

/* The host by name, made if it is new. */
uint32_t log_host_of(struct logs *l, struct slice name, bool told);

/*
 * log_name.c: the host of the folder of `path` as a text in it tells; NULL: none does, or hosts of
 * other folders have the same name.
 */
const char *log_name_of(const struct logs *l, const char *path);

/* Enters the hosts into the list of evidence; they are settled. */
void log_names_enter(const struct logs *l);

/* sizeof(struct log_name) */
size_t log_name_bytes(void);

/* log_journal.c: tells the entries up to this time that were not told yet. */
void log_journal_tell(struct logs *l, const struct event_board *board, int64_t until_ns);

/* log_jump.c: the same date in the same zone: how far they are apart their times of day tell. */
bool log_same_day(const struct klog_head *a, const struct klog_head *b);

/*
 * log_jump.c: looks at the times of two kernel lines of one host that follow each other, and counts
 * a clock that was set in between.
 */
void log_jump_look(struct log_file *f, const struct klog_head *before, const struct klog_head *h,
		   uint64_t line);

/* What is remembered from line to line to follow summer time. */
struct log_season {
	bool seen, stopped;
	struct klog_head last;
	uint32_t host;   /* of the last line, or LOG_HOST_NONE */
	int64_t moved_s; /* since the first line; west is negative */
};

/*
 * log_jump.c: where lines of local time jump by the hour that summer time is, the head's zone_s is
 * set, so that it goes on in the zone of the file's first line. All lines of the file, in order;
 * `host` wrote this one (LOG_HOST_NONE: not told).
 */
void log_season_follow(struct log_season *s, struct log_file *f, struct klog_head *head,
		       uint32_t host, uint64_t line);

/* What is to be said of the file's jumps. */
void log_jumps_note(const struct logs *l, const struct log_file *f);

/* log_time.c: years, zones and boot times; sets `at` of all records. */
void log_times_settle(struct logs *l, struct stamp capture);

/* A head's time in this file, after log_times_settle. */
struct stamp log_head_stamp(const struct log_file *f, const struct klog_head *h);

/* What another text tells of a host's boot, roughly: its clock and uptime. */
struct log_clock {
	uint32_t evidence;
	const char *path; /* that of the host is in the same folder */
	int64_t boot_ns;  /* UTC */
	int64_t error_ns; /* off by so much at most */
};

/* What a line of a log is to the captures. */
enum log_join_kind {
	LOG_JOIN_REPLY,      /* "OK" is the reply */
	LOG_JOIN_COMPLAINT,  /* "not responding" comes a timeout after the first call */
	LOG_JOIN_INTRODUCED, /* NFSv4 was loaded for the mount that begins there */
	LOG_JOIN_LOADED,     /* NFS was loaded in the second that the client's verifier tells */
	LOG_JOIN_STARTED,    /* nfsd started in the second that its client IDs tell */
	LOG_JOIN_RECOVERED,  /* locks are found lost when the client has its state anew */
	LOG_JOIN_OUTAGE,     /* a link was down in a silence of the host */
	LOG_JOIN_UPTIME,     /* no line: the client's credentials tell its uptime */
};

/* A line of a strong kind that speaks for another offset than that which was taken. */
struct log_dissent {
	bool known;
	enum log_join_kind kind;
	uint64_t line;
	struct slice text;
	struct provenance frame;
	int64_t apart_ns; /* by it, times were so much later */
};

/* How a file's own times and those of the captures are joined; see log_wire_join. */
struct log_join {
	enum log_join_kind kind;
	size_t fits;       /* how many waits of the log are waits on the wire under the offset */
	bool ambiguous;    /* several offsets fit: none is taken */
	bool weak;         /* one wait fits, of a length that others may have by chance */
	int64_t offset_ns; /* to be added to the file's own time */
	int64_t error_ns;
	/* What decided: a line of the log and its frame. */
	uint64_t line;
	struct slice text;
	struct provenance frame;
	struct endpoint client; /* whose wait that is; LOG_JOIN_STARTED: the server */
	bool one_client;        /* all that fits is of that one */
	bool named;             /* log and captures tell one name of the host */
	bool outage;            /* a link was down in a silence of the host */
	bool uptime;            /* the uptime that its credentials tell agrees */
	bool loop;              /* nearly all lines about lost locks are at a recovery */
	bool sole; /* one line alone, but of a strong kind, of the only host that may have it */
	bool other_name;    /* a host that may fit calls itself otherwise than the log does */
	int64_t timeout_ns; /* COMPLAINT: how long after the first call */
};

/* Which offsets may be: within max_ns of centre_ns, and near a multiple of step_ns (0: any). */
struct log_join_range {
	int64_t centre_ns, max_ns, step_ns;
};

/* log_align.c */
bool log_offset_may_be(const struct log_join_range *range, int64_t offset_ns);

/*
 * log_align.c: looks for the offset under which the file's complaints and "OK" lines are what the
 * wire shows. `own_ns` are the records' times by the file's own clock, by index from f->first;
 * INT64_MIN: a record does not tell it, and is left out.
 */
struct log_join log_wire_join(const struct logs *l, const struct log_file *f, const int64_t *own_ns,
			      const struct log_join_range *range);

/* A line of the log (by its record) may be this of the captures. */
typedef void log_fit_fn(void *context, size_t record, const struct log_join *join);

/*
 * log_align.c: hands on all that log_wire_join chooses from, and complaints of lockd without an end
 * for each timeout that a kernel may have had.
 */
void log_wire_fits(const struct logs *l, const struct log_file *f, const int64_t *own_ns,
		   log_fit_fn *take, void *context);

/*
 * True when a client whose wait this is would complain so, then: its call is as old as a timeout,
 * and not answered. at_ns is off by slack_ns at most.
 */
bool log_wire_wait_is(const struct log_fact *complaint, const struct log_wire_wait *wait,
		      int64_t at_ns, int64_t slack_ns);

/* True when a wait of the complaint's program and server goes on at that time by the captures. */
bool log_wire_has_wait(const struct logs *l, const struct log_fact *complaint, int64_t at_ns,
		       int64_t slack_ns);

/*
 * log_anchor.c: looks for the one host and the one offset under which lines of several kinds are
 * what the captures show. `by_boot`: the file's own times count from boot. `certain`: the range is
 * known otherwise, so that one line is enough.
 */
struct log_join log_anchor_join(const struct logs *l, const struct log_file *f,
				const int64_t *own_ns, const struct log_join_range *range,
				bool by_boot, bool certain);

/* log_anchor.c: a line of a strong kind, of the same host, that speaks against what was taken. */
struct log_dissent log_anchor_dissent(const struct logs *l, const struct log_file *f,
				      const int64_t *own_ns, const struct log_join *taken);

/* --- log_reason.c --- */

/* `"lockd: server X OK" in line 7 is the reply in frame 9 of e1`. */
void log_join_add_reason(const struct logs *l, struct strbuf *out, const struct log_join *join);

/* What speaks for another offset, if something does. */
void log_dissent_add(const struct logs *l, struct strbuf *out, const struct log_dissent *dissent);

/* log_time.c: a time since boot in this file, after log_times_settle. */
struct stamp log_boot_stamp(const struct log_file *f, int64_t boot_ns);

/* log_settle.c: true when the two paths are of one folder. */
bool log_same_folder(const char *a, const char *b);

/* log_zone.c: the zone of lines without one; sets has_zone and zone_s, and says what is assumed. */
void log_zones_settle(struct logs *l);

/* log_whose.c: which client of the captures wrote a log; the times are settled. */
void log_clients_settle(struct logs *l);

/* log_boot.c: the boot of lines that tell the time since boot only, and what that rests on. */
void log_boots_settle(struct logs *l);

/* Local time of a head with a date, as if its zone were UTC. Its year must be known, or is 1972. */
int64_t log_head_wall_ns(const struct log_file *f, const struct klog_head *h);

/* log_copy.c: marks records that another file has as copies; the times are settled. */
void log_copies_settle(struct logs *l);

/* Pairs of `of` and `by` that have one text at a time offset_ns apart, in order. For log_time.c. */
size_t log_pairs_count(const struct logs *l, const struct log_file *of, const struct log_file *by,
		       int64_t offset_ns);

#endif
