// SPDX-License-Identifier: GPL-2.0-or-later
/* See tap.h. */
#include "lab/scene/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/stamp.h"
#include "capfile/write.h"

/* A frame of the ring holds a packet of MTU 1500 with its headers; 16 MiB in all. */
enum {
	FRAME_BYTES = 2048,
	BLOCK_BYTES = 1 << 16,
	BLOCKS = 256,
	RING_BYTES = BLOCK_BYTES * BLOCKS,
	FRAMES = RING_BYTES / FRAME_BYTES,
	FLUSH_BYTES = 1 << 18,
	LINKTYPE_ETHERNET = 1,
};

int64_t scene_clock_wall_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * STAMP_NS_PER_S + now.tv_nsec;
}

static struct err *ring_open(struct tap *t, const char *link)
{
	struct tpacket_req request = {.tp_block_size = BLOCK_BYTES,
				      .tp_block_nr = BLOCKS,
				      .tp_frame_size = FRAME_BYTES,
				      .tp_frame_nr = FRAMES};
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_ALL),
				      .sll_ifindex = (int)if_nametoindex(link)};
	int version = TPACKET_V2;

	t->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (t->fd < 0)
		return err_new_errno(errno, "no capture: socket of packets");
	if (setsockopt(t->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0 ||
	    setsockopt(t->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) != 0)
		return err_new_errno(errno, "no capture: ring of packets");
	t->ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd, 0);
	if (t->ring == MAP_FAILED) {
		t->ring = NULL;
		return err_new_errno(errno, "no capture: memory of its ring");
	}
	if (bind(t->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return err_new_errno(errno, "no capture of %s", link);
	return NULL;
}

static struct err *flush(struct tap *t)
{
	if (t->out.len > 0 && fwrite(t->out.data, 1, t->out.len, t->file) != t->out.len)
		return err_new_errno(errno, "cannot write a capture");
	strbuf_reset(&t->out);
	return NULL;
}

struct err *tap_init(struct tap *t, const char *link, const char *path, const char *label,
		     struct scene_clock clock)
{
	struct err *err;

	*t = (struct tap){.fd = -1, .clock = clock};
	strbuf_init(&t->out);
	t->file = fopen(path, "we");
	if (!t->file)
		return err_new_errno(errno, "%s", path);
	err = ring_open(t, link);
	if (err)
		return err;
	pcapng_write_section(&t->out, label, NULL);
	pcapng_write_interface(&t->out, LINKTYPE_ETHERNET, 0, link);
	return flush(t);
}

void tap_deinit(struct tap *t)
{
	if (t->ring)
		(void)munmap(t->ring, RING_BYTES);
	if (t->fd >= 0)
		(void)close(t->fd);
	if (t->file)
		(void)fclose(t->file);
	strbuf_deinit(&t->out);
	*t = (struct tap){.fd = -1};
}

static void write_frame(struct tap *t, const struct tpacket2_hdr *h)
{
	int64_t wall_ns = h->tp_sec * STAMP_NS_PER_S + h->tp_nsec;
	struct slice bytes = slice_make((const uint8_t *)h + h->tp_mac, h->tp_snaplen);

	pcapng_write_packet(&t->out, 0, stamp_utc(scene_clock_story_ns(&t->clock, wall_ns)), bytes,
			    h->tp_len, NULL);
	t->packets++;
}

struct err *tap_take(struct tap *t)
{
	for (;;) {
		struct tpacket2_hdr *h = (void *)(t->ring + t->next * FRAME_BYTES);

		if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			break;
		write_frame(t, h);
		__atomic_store_n(&h->tp_status, (uint32_t)TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		t->next = (t->next + 1) % FRAMES;
		if (t->out.len > FLUSH_BYTES) {
			struct err *err = flush(t);

			if (err)
				return err;
		}
	}
	return flush(t);
}

struct err *tap_finish(struct tap *t)
{
	struct tpacket_stats stats = {0};
	socklen_t len = sizeof(stats);
	struct err *err = tap_take(t);

	if (getsockopt(t->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
		t->dropped = stats.tp_drops;
	if (!err && fflush(t->file) != 0)
		err = err_new_errno(errno, "cannot write a capture");
	return err;
}
