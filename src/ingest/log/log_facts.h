/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a message of a kernel log means: one table of wordings, from the kernels' own sources.
 * Texts of the fact are borrowed from the message.
 */
#ifndef INGEST_LOG_FACTS_H
#define INGEST_LOG_FACTS_H

#include "event/log.h"

/*
 * The fact that a message tells. `kernel`: the kernel wrote it; of other programs only what they
 * say of links and of logged packets (ulogd) is taken. False: it tells none that we know.
 */
bool log_fact_parse(struct slice text, bool kernel, struct log_fact *out);

/* The host name that systemd tells when it sets it; empty: this is no such message. */
struct slice log_hostname_parse(struct slice text);

/* --- log_gate.c --- */

/* Words of which one stands in every message that tells a fact. */
enum log_gate {
	LOG_GATE_NOT_RESPONDING,
	LOG_GATE_SERVER,
	LOG_GATE_LOCKS,
	LOG_GATE_RECLAIM,
	LOG_GATE_MANAGER,
	LOG_GATE_RECOVERY,
	LOG_GATE_CLIENTID,
	LOG_GATE_INCORRECT,
	LOG_GATE_TRACKING,
	LOG_GATE_GRACE,
	LOG_GATE_LOCKD,
	LOG_GATE_OUT_OF_SYNC,
	LOG_GATE_FILEID,
	LOG_GATE_FRAGMENT,
	LOG_GATE_LOCKUP,
	LOG_GATE_BLOCKED,
	LOG_GATE_MEMORY,
	LOG_GATE_LINUX,
	LOG_GATE_LINK,
	LOG_GATE_LINK_UPPER,
	LOG_GATE_CARRIER,
	LOG_GATE_ACTIVE,
	LOG_GATE_NETFS,
	LOG_GATE_RESOLVER,
	LOG_GATE_PACKET,
	LOG_GATE_CONNTRACK,
	LOG_GATE_PM,
	LOG_GATE_UPCALL,
	LOG_GATE_READDIR,
	LOG_GATE_COUNT, /* at most 32 */
};

/* One bit for each gate that stands in the text. */
uint32_t log_gates_find(struct slice text);

/* The words of a gate: static. */
const char *log_gate_text(enum log_gate gate);

/*
 * log_link.c: what network drivers, bonding, IPv6 and network daemons say of links. `gates` are
 * those of the text.
 */
bool log_link_parse(struct slice text, uint32_t gates, struct log_fact *out);

/* log_packet.c: packets that a packet filter's rule logs (net/netfilter/nf_log_syslog.c). */
bool log_packet_parse(struct slice text, uint32_t gates, struct log_fact *out);

/* --- log_stack.c: a hung task and the lines behind its first one --- */

/* True when the line goes on with the report of a hung task. */
bool log_stack_goes_on(struct slice text);

/* Looks for the functions in fact->detail. */
void log_stack_parse(struct log_fact *fact);

/* An address in its usual form (and no name), into the endpoint with port 0. */
bool log_address_parse(struct slice text, struct endpoint *out);

#endif
