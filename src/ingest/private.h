/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of ingest share among themselves; nobody else includes this. */
#ifndef INGEST_PRIVATE_H
#define INGEST_PRIVATE_H

#include "ingest/flow/flow.h"
#include "ingest/ingest.h"
#include "ingest/rpc/call_table.h"
#include "ingest/rpc/orphan.h"
#include "ingest/rpc/undecoded.h"
#include "proto/ipfrag.h"

struct ends;
struct names_version;

struct ingest {
	struct ingest_options options;
	const struct event_board *board;
	struct ends *ends; /* NULL: one capture, or nobody wants EVENT_WIRE */
	struct evidence_list *evidence;
	struct flow_table flows;
	const struct rpc_ahead *ahead; /* of the packet in work; NULL: none */
	struct ipfrag *fragments;
	struct call_table calls;
	struct call_queue settled; /* only where somebody wants EVENT_RPC_SETTLED */
	struct pool conn_calls;    /* struct flow_calls */
	struct orphans orphans;
	uint64_t undecoded[UNDECODED_COUNT];
	struct ingest_undecoded list[UNDECODED_COUNT]; /* made by ingest_finish */
	size_t list_len;
	struct ingest_totals totals;
	struct vec health; /* struct ingest_health, by evidence index */
	bool closed;       /* after ingest_finish: only totals and lists are left */
	struct ingest_version {
		uint32_t program, number;
		const struct names_version *version;
	} version;     /* found last, see ingest_version_find */
	void *scratch; /* room for one decoded value of any type, with keep_text */
	size_t scratch_bytes;
};

/* What is wrong with one capture, gathered while it is read. */
struct ingest_health {
	uint64_t cut_packets, cut_first_frame;
	uint64_t lost_acked_bytes, lost_first_frame;
	uint64_t lost_bytes; /* of which it is not known whether the receiver had them */
	uint64_t data_segments, holes;
	uint64_t spoken_for; /* packets of connections for which another capture speaks */
};

/* The record for the evidence; valid until the next one is asked for. */
struct ingest_health *ingest_health_of(struct ingest *in, uint32_t evidence);

/* --- rpc.c: the layer above the flows --- */

void ingest_rpc_upper(struct ingest *in, struct flow_upper *out);

/* Tells all calls that wait in the queue of settled ones. After the last flow ended. */
void ingest_rpc_finish(struct ingest *in);

/* --- nfs4_call.c, nfs4_reply.c: COMPOUND and CB_COMPOUND --- */

/* Operations of one COMPOUND that get a text, with keep_text. */
enum { INGEST_OPS_TEXT_MAX = 256 };

/* Reads the arguments into the call; the cursor stands on them. Tells damage in the call. */
void ingest_nfs4_call(struct ingest *in, struct pending_call *p, struct cursor *c);

/* Reads the results into the call that they answer; sets its status. */
void ingest_nfs4_reply(const struct ingest *in, struct pending_call *p, struct cursor *c);

/* --- told_*.c: what arguments and results of other programs tell; the cursors are copies --- */

void ingest_told_call(struct pending_call *p, const struct cursor *args);
void ingest_told_reply(struct pending_call *p, const struct cursor *results);

void ingest_told_nlm(struct pending_call *p, struct cursor c, bool reply);
void ingest_told_nsm(struct pending_call *p, struct cursor args);

/* The status that a reply to a call of NLM tells; NFS4_STATUS_NONE: none. */
uint32_t ingest_nlm_status(uint32_t procedure, struct cursor results);
void ingest_told_listing(struct pending_call *p, struct cursor c, bool reply);

/* READDIR in a COMPOUND: arguments (with the handle of the PUTFH before it) and results. */
void ingest_told_readdir4(struct pending_call *p, const struct file_handle *dir,
			  struct cursor args);
void ingest_told_readdir4_reply(struct pending_call *p, struct cursor results);

/* A copy of a handle; one that is not here whole is not known. */
void ingest_keep_handle(struct file_handle *kept, struct xdr_opaque handle);

/* What rpc_call.object and name_hash hold; 0: not here whole. */
uint32_t ingest_object(struct xdr_opaque handle);
uint32_t ingest_name(struct xdr_opaque name);

/* --- net.c: ICMP and ARP --- */

void ingest_net(struct ingest *in, const struct provenance *at, const struct packet *packet);

/* --- plan.c --- */

/* The payload of a READ or WRITE in the head of a long record; see proto/rpc_record.h. With
 * keep_text, what is behind the bytes that a text shows of it. */
struct rpc_range ingest_plan(void *context, struct flow *flow, enum conn_side from,
			     struct cursor head);

/* --- text.c: decoded values as one line of text, for viewers --- */

/* Bytes of an opaque that a text shows; a multiple of four. */
enum { INGEST_BYTES_SHOWN_MAX = 128 };

struct xdr_type;

/* The text of a value of this type at the cursor; malloc'ed, never NULL. Advances the cursor. */
char *ingest_text_type(struct ingest *in, const struct xdr_type *type, struct cursor *c);

/* The same for one operation of a COMPOUND or CB_COMPOUND. */
char *ingest_text_op(struct cursor c, bool callback, bool reply);

/* A fixed text for a fault, or NULL for none. */
const char *ingest_fault_text(enum cursor_fault fault);

static inline struct provenance provenance_of(const struct flow *flow,
					      const struct tcp_frame *frame)
{
	return (struct provenance){
		.evidence = flow->conn.evidence, .frame = frame->number, .at = frame->at};
}

#endif
