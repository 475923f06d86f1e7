// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages of clients and servers before faults that change whatever fits, and portmap's answers
 * before a proxy: the first byte says how
 * much of the rest is the call, the rest is the reply to it.
 */
#include "fuzz.h"
#include "lab/fault/fault.h"
#include "lab/proxy/portmap.h"

static const char script[] =
	"when any every 2 do status NFS4ERR_DELAY, corrupt call handle\n"
	"when NFS3.LOOKUP|NFS3.READ path *a* do answer NFS3ERR_JUKEBOX, xid, cut reply at 30\n"
	"when NLM do answer NLM4_DENIED_NOLOCKS, corrupt reply status with 0102030405\n"
	"when OPEN|LOOKUP|GETATTR|CB_RECALL do answer 10008, duplicate reply\n"
	"when any status NFS4_OK do status SYSTEM_ERR, corrupt reply at 5\n"
	"when any status 0 do corrupt reply status\n";

static void apply(const struct fault_verdict *v, const struct fault_message *m, struct strbuf *out)
{
	bool is_whole = false;

	fault_verdict_apply(v, m, out);
	if (v->answer)
		fault_answer_build(&v->answer->status, v->answer_op, m, out, &is_whole);
}

static uint16_t port_of(void *context, uint32_t program, bool is_udp, uint16_t port)
{
	(void)context;
	return program && !is_udp ? (uint16_t)(port ^ 1) : 0;
}

static void tell(void *context, const struct fault_firing *firing)
{
	struct strbuf *out = context;

	strbuf_reset(out);
	fault_firing_add_text(out, firing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fault_peer client = {.port = 1};
	struct fault_engine *engine = fault_engine_create(1, 0);
	size_t call_len = size ? (size_t)data[0] * (size - 1) / 255 : 0;
	struct slice call = slice_make(data + (size > 0), call_len);
	struct slice reply = slice_make(call.ptr + call_len, size ? size - 1 - call_len : 0);
	struct fault_paths paths;
	struct fault_message m;
	struct fault_verdict v;
	struct fault_call kept;
	struct portmap_question question;
	struct strbuf out, log;

	strbuf_init(&out);
	strbuf_init(&log);
	fault_paths_init(&paths);
	fault_engine_on_fired(engine, tell, &log);
	err_destroy(fault_engine_add(engine, "fuzz", slice_of_string(script)));
	for (int turn = 0; turn < 4; turn++) {
		if (!fault_message_read_call(call, 0, turn == 3, &client, &paths, &m))
			break;
		fault_engine_judge(engine, &m, NULL, 0, &v);
		apply(&v, &m, &out);
		fault_call_keep(&m, &kept);
		kept.plan = v.plan;
		portmap_question_read(&m, &question);
		if (!fault_message_read_reply(reply, 0, &kept, &client, &paths, &m))
			continue;
		fault_engine_judge(engine, &m, &kept.plan, 0, &v);
		apply(&v, &m, &out);
		portmap_reply_rewrite(&m, &question, "192.0.2.1", port_of, NULL, &out);
	}
	strbuf_deinit(&out);
	strbuf_deinit(&log);
	fault_paths_deinit(&paths);
	fault_engine_destroy(engine);
	return 0;
}
