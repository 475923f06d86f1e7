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
 * say of links is taken. False: it tells none that we know.
 */
bool log_fact_parse(struct slice text, bool kernel, struct log_fact *out);

/* The host name that systemd tells when it sets it; empty: this is no such message. */
struct slice log_hostname_parse(struct slice text);

/* log_link.c: what network drivers, bonding, IPv6 and network daemons say of links. */
bool log_link_parse(struct slice text, struct log_fact *out);

/* --- log_stack.c: a hung task and the lines behind its first one --- */

/* True when the line goes on with the report of a hung task. */
bool log_stack_goes_on(struct slice text);

/* Looks for the functions in fact->detail. */
void log_stack_parse(struct log_fact *fact);

/* An address in its usual form (and no name), into the endpoint with port 0. */
bool log_address_parse(struct slice text, struct endpoint *out);

#endif
