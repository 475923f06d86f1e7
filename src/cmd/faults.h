/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The faults of an endpoint: those of --fault and --script, those that come and go by way of the
 * socket of --control, the clock of those with "at", and the lines that tell of them.
 *
 * A fault that fired is a line on standard output, with --json an object.
 */
#ifndef CMD_FAULTS_H
#define CMD_FAULTS_H

#include "cmd/options.h"
#include "lab/fault/fault.h"
#include "net/control.h"
#include "net/timer.h"

struct faults {
	struct net_loop *loop; /* borrowed */
	struct fault_engine *engine;
	struct net_control *control; /* NULL: none was asked for */
	struct net_timer tick;       /* the next fault with "at" */
	bool json;
};

/*
 * ops: what a server does to its own state, NULL for others. In the caller's memory, which must
 * stay where it is. On failure nothing is left to be deinitialised.
 */
struct err *faults_init(struct faults *f, struct net_loop *loop, const struct options *options,
			const struct fault_server_ops *ops, void *context);
void faults_deinit(struct faults *f);

#endif
