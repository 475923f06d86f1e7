/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mount of NFS, as a host tells it: what `mount` and `nfsstat -m` print, /proc/mounts,
 * mountstats. Texts are borrowed: a sink copies what it keeps.
 */
#ifndef EVENT_MOUNT_H
#define EVENT_MOUNT_H

#include "base/slice.h"
#include "event/ident.h"

struct mount_fact {
	struct slice server;      /* as it was given to mount: a name or an address */
	struct slice export;      /* the path on the server */
	struct slice mount_point; /* blanks may be written as \040 */
	struct slice fstype;      /* "nfs", "nfs4"; empty: not told */
	struct slice options;     /* "rw,vers=3,..." */
	/* Where the server is: option addr=, or `server` where that is an address. Port 0. */
	bool server_is_address;
	struct endpoint server_at;
	/* Where the client is: option clientaddr= of NFSv4. Port 0. Told with statistics only. */
	bool has_client;
	struct endpoint client_at;
};

#endif
