/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of a run share; nobody else includes this. */
#ifndef CMD_RUN_PRIVATE_H
#define CMD_RUN_PRIVATE_H

#include "cmd/run.h"
#include "evidence/packet_list.h"

struct run_input {
	struct capture *capture;
	uint32_t evidence;
	struct run *run; /* for run_take_journal */
};

/* A list of packets that a text held. */
struct run_packets {
	const char *path;
	struct capture *capture; /* NULL: nothing of it can be used */
	struct packet_list_stats stats;
	uint32_t evidence; /* of what else the text is; UINT32_MAX: nothing */
};

void run_refuse(struct run *r, const char *path, const char *problem);

/* The text has ended: keeps its list of packets, if it has one. */
bool run_packets_end_text(struct run *r, const char *path, uint32_t evidence);

/* After all files: lists of packets are evidence where no capture is. */
void run_packets_settle(struct run *r);

void run_packets_deinit(struct run *r);

#endif
