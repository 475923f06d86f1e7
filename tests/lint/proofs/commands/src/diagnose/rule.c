static const char *const texts[] = {
	"ask: `rpcinfo -p %s`",
	"ask: `rpcinfo -p SERVER`, as %s does; or `ss -tn`",
	"ask, in words that go on: `tcpdump -i any "
	"host %-10s and port 2049`",
	"`mount -o timeo=%u`",
};
