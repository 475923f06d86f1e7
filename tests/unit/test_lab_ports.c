// SPDX-License-Identifier: GPL-2.0-or-later
/* Questions to rpcbind and its answers, over IPv4 and over IPv6. */
#include "check.h"
#include "lab/rpc/ports.h"
#include "names/portmap.h"

static struct net_address address(const char *text)
{
	struct net_address a = {.any.sa_family = AF_UNSPEC};
	struct err *err = net_address_parse(text, 0, &a);

	CHECK_TEXT(err ? err_text(err) : "", "");
	err_destroy(err);
	return a;
}

TEST(getport_over_ipv4)
{
	struct net_address server = address("192.0.2.1");
	struct cursor good = cursor_make(slice_make("\0\0\x08\x01", 4));
	struct cursor large = cursor_make(slice_make("\0\1\0\0", 4));
	struct cursor none = cursor_make(slice_make("\0\0", 2));
	uint8_t memory[64];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
	uint16_t port;

	CHECK_EQ_U64(ports_version(&server), PMAP_VERS);
	CHECK_EQ_U64(ports_procedure(&server), PMAPPROC_GETPORT);
	ports_ask(&w, &server, true, 100021, 4);
	CHECK_BYTES(memory, xdr_writer_bytes(&w).len, "\0\1\x86\xb5\0\0\0\4\0\0\0\x11\0\0\0\0", 16);
	CHECK(ports_take(&good, &server, &port));
	CHECK_EQ_U64(port, 2049);
	CHECK(!ports_take(&large, &server, &port));
	CHECK(!ports_take(&none, &server, &port));
}

TEST(getaddr_over_ipv6)
{
	struct net_address server = address("2001:db8::1");
	struct cursor good = cursor_make(slice_make("\0\0\0\x07::1.8.1", 12));
	struct cursor none = cursor_make(slice_make("\0\0\0\0", 4));
	struct cursor cut = cursor_make(slice_make("\0\0\0\x09::1", 7));
	uint8_t memory[64];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
	uint16_t port = 5;

	CHECK_EQ_U64(ports_version(&server), RPCBVERS4);
	CHECK_EQ_U64(ports_procedure(&server), RPCBPROC_GETADDR);
	ports_ask(&w, &server, false, 100021, 4);
	CHECK_BYTES(memory, xdr_writer_bytes(&w).len,
		    "\0\1\x86\xb5\0\0\0\4\0\0\0\4tcp6\0\0\0\0\0\0\0\0", 24);
	CHECK(ports_take(&good, &server, &port));
	CHECK_EQ_U64(port, 2049);
	CHECK(ports_take(&none, &server, &port));
	CHECK_EQ_U64(port, 0);
	CHECK(!ports_take(&cut, &server, &port));
}

TEST(list_of_both)
{
	static const char v2[] = "\0\0\0\1\0\1\x86\xa3\0\0\0\3\0\0\0\x06\0\0\x08\x01"
				 "\0\0\0\1\0\1\x86\xa3\0\0\0\3\0\0\0\x11\0\0\x08\x01\0\0\0\0";
	static const char v4[] = "\0\0\0\1\0\1\x86\xa3\0\0\0\4\0\0\0\4tcp6\0\0\0\x07::1.8.1\0"
				 "\0\0\0\0\0\0\0\0";
	struct net_address four = address("192.0.2.1"), six = address("::1");
	struct cursor at = cursor_make(slice_make(v2, sizeof(v2) - 1));
	uint32_t program, version;
	uint16_t port;

	CHECK(ports_next(&at, &four, &program, &version, &port));
	CHECK(program == 100003 && version == 3 && port == 2049);
	CHECK(ports_next(&at, &four, &program, &version, &port));
	CHECK_EQ_U64(port, 0); /* UDP */
	CHECK(!ports_next(&at, &four, &program, &version, &port));
	at = cursor_make(slice_make(v4, sizeof(v4) - 1));
	CHECK(ports_next(&at, &six, &program, &version, &port));
	CHECK(program == 100003 && version == 4 && port == 2049);
	CHECK(!ports_next(&at, &six, &program, &version, &port));
	CHECK(cursor_ok(&at));
}
