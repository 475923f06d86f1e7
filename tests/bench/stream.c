// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A capture without end: writes a block (a pcap file of replicate.py) to standard output again and
 * again, each time with later stamps and with hosts that were not there before, as replicate.py
 * does, but as fast as a pipe takes it. Where the lower address of a packet gains what the higher
 * one loses, its checksums stay right. When the networks are used up, it begins again with the
 * first ones, whose ports are others then.
 *
 * Usage: stream BLOCK.pcap BYTES
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_HEADER = 24,
	RECORD_HEADER = 16,
	IP_AT = RECORD_HEADER + 14, /* behind Ethernet, in a record */
	LOW_NET = 0x0A00,           /* as in replicate.py: first two octets of an address */
	HIGH_NET = 0x7800,
};

/* A packet of the block: where it stands, and where its lower and its higher address are. */
struct row {
	size_t at, low, high;
	size_t low_port, high_port; /* of the transport, when it is there; else 0 */
	size_t sum;                 /* the checksum of the transport; 0: none */
};

struct block {
	uint8_t *data;
	size_t len;
	struct row *rows;
	size_t rows_len;
	unsigned worlds; /* networks that it uses up */
	uint32_t seconds;
};

static void die(const char *what)
{
	fprintf(stderr, "stream: %s: %s\n", what,
		errno ? strerror(errno) : "no block of replicate.py");
	exit(2);
}

static uint32_t get_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_le32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

static unsigned get_be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void put_be16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* Reads the file into the caller's block; it is never freed. */
static void block_read(struct block *b, const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat st;

	if (!file || fstat(fileno(file), &st) != 0)
		die(path);
	b->len = (size_t)st.st_size;
	b->data = malloc(b->len + 1);
	if (!b->data || fread(b->data, 1, b->len, file) != b->len)
		die(path);
	fclose(file);
}

/* A packet from `low` to `high`, or back, as replicate.py writes them. */
static bool row_fill(const struct block *b, struct row *row, size_t at, size_t len)
{
	const uint8_t *ip = b->data + at + IP_AT;
	size_t transport;
	bool up;

	if (len < IP_AT + 20)
		return false;
	up = get_be16(ip + 12) < get_be16(ip + 16);
	transport = IP_AT + (size_t)(ip[0] & 15) * 4;
	*row = (struct row){.at = at, .low = at + IP_AT + (up ? 12 : 16)};
	row->high = at + IP_AT + (up ? 16 : 12);
	if (len < transport + 18)
		return true;
	row->low_port = at + transport + (up ? 0 : 2);
	row->high_port = at + transport + (up ? 2 : 0);
	row->sum = at + transport + (ip[9] == 6 ? 16 : 6);
	return true;
}

static void block_index(struct block *b)
{
	uint32_t first = 0, last = 0;

	b->rows = calloc(b->len / RECORD_HEADER + 1, sizeof(*b->rows));
	if (!b->rows)
		die("rows");
	errno = 0;
	for (size_t at = FILE_HEADER; at < b->len;) {
		size_t left = b->len - at, len;
		unsigned world;

		if (left < RECORD_HEADER)
			die("record");
		len = RECORD_HEADER + (size_t)get_le32(b->data + at + 8);
		if (len > left || !row_fill(b, &b->rows[b->rows_len], at, len))
			die("packet");
		world = get_be16(b->data + b->rows[b->rows_len].low) - LOW_NET + 1;
		if (world > b->worlds)
			b->worlds = world;
		last = get_le32(b->data + at);
		if (b->rows_len++ == 0)
			first = last;
		at += len;
	}
	if (b->rows_len == 0 || b->worlds > (HIGH_NET - LOW_NET) / 2)
		die("networks");
	b->seconds = last - first + 1;
}

/* Another port of the client's, the one that is no server's; its checksum stays right. */
static void row_turn_port(struct block *b, const struct row *row)
{
	size_t place = row->low_port;
	unsigned sum, old;

	if (!place)
		return;
	if (get_be16(b->data + place) == 2049 || get_be16(b->data + place) == 111)
		place = row->high_port;
	old = get_be16(b->data + place);
	put_be16(b->data + place, old ^ 0x0400);
	sum = get_be16(b->data + row->sum);
	if (sum == 0)
		return;
	sum = (sum ^ 0xFFFF) + (old ^ 0xFFFF) + (old ^ 0x0400);
	sum = (sum & 0xFFFF) + (sum >> 16);
	sum = (sum & 0xFFFF) + (sum >> 16);
	put_be16(b->data + row->sum, sum ^ 0xFFFF);
}

/* Moves the block on: later, and `by` networks further (negative: back to the first ones). */
static void block_move(struct block *b, int by)
{
	for (size_t i = 0; i < b->rows_len; i++) {
		const struct row *row = &b->rows[i];
		uint8_t *low = b->data + row->low, *high = b->data + row->high;

		put_le32(b->data + row->at, get_le32(b->data + row->at) + b->seconds);
		put_be16(low, (unsigned)((int)get_be16(low) + by));
		put_be16(high, (unsigned)((int)get_be16(high) - by));
		if (by < 0)
			row_turn_port(b, row);
	}
}

static void write_all(const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t done = write(STDOUT_FILENO, data, len);

		if (done < 0 && errno != EINTR)
			die("standard output");
		if (done > 0) {
			data += done;
			len -= (size_t)done;
		}
	}
}

int main(int argc, char **argv)
{
	struct block b = {0};
	unsigned long long left;
	unsigned used;

	if (argc != 3) {
		fputs("usage: stream BLOCK.pcap BYTES\n", stderr);
		return 2;
	}
	left = strtoull(argv[2], NULL, 10);
	block_read(&b, argv[1]);
	block_index(&b);
	write_all(b.data, FILE_HEADER);
	for (used = b.worlds;; used += b.worlds) {
		size_t len = b.len - FILE_HEADER;

		write_all(b.data + FILE_HEADER, len);
		if (left <= len)
			return 0;
		left -= len;
		if (used + b.worlds <= (HIGH_NET - LOW_NET) / 2) {
			block_move(&b, (int)b.worlds);
			continue;
		}
		block_move(&b, -(int)(used - b.worlds));
		used = 0;
	}
}
