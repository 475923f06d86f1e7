/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What rules know of a client's timers: those of its mounts, and whether what was seen came when
 * the kernel's arithmetic (timing/schedule.h) says that it comes.
 */
#ifndef DIAGNOSE_RULES_TIMERS_H
#define DIAGNOSE_RULES_TIMERS_H

#include "diagnose/rule.h"
#include "model/logs.h"
#include "model/mount.h"
#include "model/overdue.h"
#include "timing/schedule.h"

enum { TIMERS_PROGRAM_NFS = 100003, TIMERS_PROGRAM_NLM = 100021 };

/* How far the clocks of a log and of a capture on one host may be apart, and how exact a log is:
 * dmesg -T has whole seconds, and what it computes is off by as much again. */
#define TIMERS_CLOCK_NS (2 * STAMP_NS_PER_S)

/*
 * The mount of this server that the evidence tells, of the host whose evidence lies in the folder
 * of `beside` before those of others; NULL: none, or several whose timers differ. The server is
 * known by its address, or by the name by which the mount calls it (either may be NULL).
 */
const struct mount_record *timers_mount(const struct rule_input *in, const struct endpoint *server,
					const char *server_name, uint32_t beside);

/* True when the two entries of the list of evidence lie in one folder: they are of one host. */
bool timers_one_folder(const struct rule_input *in, uint32_t a, uint32_t b);

/*
 * True when the connection's client can only be the host that wrote the log: one capture lies
 * beside it and shows no other client of this server, or all captures show one client and all logs
 * that complain are of one host.
 */
bool timers_same_host(const struct rule_input *in, const struct logs_interval *v,
		      const struct conn *conn);

/* The RPC program that a log calls so: "nfs", "lockd"; 0: another. */
uint32_t timers_program(const char *name);

/* The timers in words: "timeo=600,retrans=2", "lockd's timers". */
const char *timers_text(struct diagnosis *d, const struct timing_call *call);

/*
 * What the arithmetic says to the complaint that begins the interval: that it came when it must, or
 * that it did not, or that the call was never sent. Adds the cites that prove it. Empty: it cannot
 * be compared with anything.
 */
const char *timers_confirm(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			   const struct logs_interval *v);

/*
 * What the first repetition of calls, `after_ns` behind the call, tells of the client's timers:
 * whose they are, and whether the mount's options agree. Cites the mount's line. Empty: nothing.
 */
const char *timers_of_repeat(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			     const struct conn *conn, uint32_t program, int64_t after_ns);

/* True when a call of this program to this server, of any client, waited when the kernel
 * complained. */
bool timers_any_waiting(const struct rule_input *in, const struct logs_interval *v);

/* The server of the complaint on the wire: by its address, or as the only one. NULL: not known. */
const struct endpoint *timers_server(const struct rule_input *in, const struct logs_subject *of);

/* The timers of the calls that the interval is about: lockd's, those of the mount, or the defaults.
 * *mount is NULL where the evidence does not tell the mount's. */
struct timing_call timers_of(const struct rule_input *in, const struct logs_interval *v,
			     const struct mount_record **mount);

#endif
