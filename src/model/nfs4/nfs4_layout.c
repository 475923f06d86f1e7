// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What numbers that should mean nothing to a client tell all the same.
 *
 * Linux nfsd builds a client ID of the time at which its network namespace's NFS service started
 * (seconds since 1970) and a counter, both in the byte order of the server, and a session ID of the
 * client ID, a sequence number and zero (fs/nfsd/nfs4state.c: gen_clid, gen_sessionid). nfs-ganesha
 * makes one number of its start time and a counter, and puts it into session IDs in the byte order
 * of the machine (src/SAL/nfs4_clientid.c: new_clientid, nfs41_session_id.c).
 */
#include "event/nfs4_date.h"
#include "model/nfs4/nfs4_internal.h"

/* More sessions in between than this: the number went backwards, or is none. */
enum { SESSION_STEPS_MAX = 1 << 30 };

int64_t nfs4_clientid_boot_s(enum nfs4_clientid_layout layout, uint64_t clientid)
{
	switch (layout) {
	case NFS4_LAYOUT_UNKNOWN:
		break;
	case NFS4_LAYOUT_NFSD_LE:
		return (int64_t)__builtin_bswap32((uint32_t)(clientid >> 32));
	case NFS4_LAYOUT_NFSD_BE:
	case NFS4_LAYOUT_GANESHA:
		return (int64_t)(clientid >> 32);
	}
	return -1;
}

int64_t nfs4_clientid_counter(enum nfs4_clientid_layout layout, uint64_t clientid)
{
	switch (layout) {
	case NFS4_LAYOUT_UNKNOWN:
		break;
	case NFS4_LAYOUT_NFSD_LE:
		return (int64_t)__builtin_bswap32((uint32_t)clientid);
	case NFS4_LAYOUT_NFSD_BE:
	case NFS4_LAYOUT_GANESHA:
		return (int64_t)(uint32_t)clientid;
	}
	return -1;
}

/* The number in a session ID (gen_sessionid: client ID, number, zero), as a number. */
static uint32_t session_number(enum nfs4_clientid_layout layout,
			       const uint8_t id[NFS4_SESSIONID_BYTES])
{
	const uint8_t *at = id + sizeof(uint64_t);
	bool big = layout == NFS4_LAYOUT_NFSD_BE;

	return (uint32_t)at[big ? 0 : 3] << 24 | (uint32_t)at[big ? 1 : 2] << 16 |
	       (uint32_t)at[big ? 2 : 1] << 8 | at[big ? 3 : 0];
}

int64_t nfs4_session_steps(enum nfs4_clientid_layout layout,
			   const uint8_t from[NFS4_SESSIONID_BYTES],
			   const uint8_t to[NFS4_SESSIONID_BYTES])
{
	uint32_t steps;

	if (layout != NFS4_LAYOUT_NFSD_LE && layout != NFS4_LAYOUT_NFSD_BE)
		return -1;
	steps = session_number(layout, to) - session_number(layout, from);
	return steps <= SESSION_STEPS_MAX ? (int64_t)steps : -1;
}

/* The layout under which the client ID holds a believable boot time, or UNKNOWN. */
static enum nfs4_clientid_layout layout_of(uint64_t clientid, struct stamp at)
{
	if (nfs4_date_plausible(nfs4_clientid_boot_s(NFS4_LAYOUT_NFSD_LE, clientid), at))
		return NFS4_LAYOUT_NFSD_LE;
	if (nfs4_date_plausible(nfs4_clientid_boot_s(NFS4_LAYOUT_NFSD_BE, clientid), at))
		return NFS4_LAYOUT_NFSD_BE;
	return NFS4_LAYOUT_UNKNOWN;
}

void nfs4_layout_learn(struct nfs4_server *server, uint64_t clientid,
		       const uint8_t sessionid[NFS4_SESSIONID_BYTES], struct stamp at)
{
	static const uint8_t reserved[4];
	uint64_t head;

	if (server->layout_proven || memcmp(sessionid + 12, reserved, sizeof(reserved)) != 0)
		return;
	memcpy(&head, sessionid, sizeof(head));
	if (head == __builtin_bswap64(clientid))
		server->layout = layout_of(clientid, at);
	else if (head == clientid &&
		 nfs4_date_plausible(nfs4_clientid_boot_s(NFS4_LAYOUT_GANESHA, clientid), at))
		server->layout = NFS4_LAYOUT_GANESHA;
	else
		return;
	server->layout_proven = server->layout != NFS4_LAYOUT_UNKNOWN;
}

void nfs4_layout_guess(struct nfs4_server *server, uint64_t clientid, struct stamp at)
{
	enum nfs4_clientid_layout layout = layout_of(clientid, at);

	if (server->layout_proven || server->layout_disproved)
		return;
	if (server->layout == NFS4_LAYOUT_UNKNOWN)
		server->layout = layout;
	/* One client ID that holds no date under the guess: it was a date by chance. */
	server->layout_disproved =
		server->layout == NFS4_LAYOUT_UNKNOWN || layout != server->layout;
	if (server->layout_disproved) {
		server->layout = NFS4_LAYOUT_UNKNOWN;
		server->boots_len = 0;
	}
}

void nfs4_boot_note(struct nfs4_server *server, uint64_t clientid, const struct provenance *at)
{
	int64_t boot_s = nfs4_clientid_boot_s(server->layout, clientid);
	uint32_t i;

	if (boot_s < 0)
		return;
	for (i = 0; i < server->boots_len; i++)
		if (server->boots[i].boot_s == boot_s)
			break;
	if (i == NFS4_BOOTS_MAX)
		return;
	if (i == server->boots_len) {
		server->boots_len++;
		server->boots[i] = (struct nfs4_boot){.boot_s = boot_s, .first = *at};
	} else if (boot_s != server->boot_current_s &&
		   server->boots[i].last.evidence == at->evidence) {
		server->boot_returns++;
	}
	server->boot_changes += server->boot_current_s && boot_s != server->boot_current_s;
	server->boot_current_s = boot_s;
	server->boots[i].last = *at;
}
