# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes that two captures show, one at each end: where segments are lost, and where they are not."""
from . import ops
from .build import Client, Server
from .ends import AT_CLIENT, AT_SERVER, Big, Ends
from .scene import scene

ENDS = (AT_CLIENT, AT_SERVER)
PAUSES = (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)


def _client(net, srv=None, host="web-01", address="192.0.2.31", sport=801):
    return Client(net, srv or Server(net), address, host, sport=sport)


def _busy(clients, rounds=20):
    for _ in range(rounds):
        for c in clients:
            c.work(1, 0.1)


def _in_vain(net, ends, client, others, lost=True):
    """A call that is sent again and again while others work; whether it arrives or not."""
    client.sequence(ops.putfh(b"file-handle-0007"), ops.getattr_size(), answered=False)
    first = net.packets[-1]
    if lost:
        ends.lost()
    for pause in PAUSES:
        net.wait(pause / 2)
        _busy(others, 1)
        net.wait(pause / 2)
        ends.again(first)
        if lost:
            ends.lost()
        else:
            client.conn.acknowledge(1)  # the server's answer, which does not arrive
            ends.lost()
    return first


@scene("tcp-path-silent", captures=ENDS)
def ends_client_to_server_lost(net):
    """A client's call and all its retransmissions leave the client and never arrive at the server, whose
    capture goes on with other clients: lost on the way there."""
    ends, srv = Ends(net), Server(net)
    a = _client(net, srv).mount()
    b = _client(net, srv, "web-02", "192.0.2.32", 922).mount()
    _busy([a, b])
    _in_vain(net, ends, a, [b])
    _busy([b], 30)


@scene(None, captures=ENDS)
def ends_server_capture_misses(net):
    """The server's capture misses segments that the server had: it answers them. Nothing is lost."""
    ends, srv = Ends(net), Server(net)
    a = _client(net, srv).mount()
    _busy([a])
    for _ in range(6):
        a.sequence(ops.putfh(b"file-handle-0007"), ops.getattr_size(), answered=False)
        ends.missed(AT_SERVER)
        a.conn.send(1, a.reply_bytes([ops.sequence(a.session, a.seqs[0], 0, 64, 0)]))
        a.conn.acknowledge(0)
        net.wait(2)
    _busy([a])


@scene("tcp-path-silent", captures=ENDS)
def ends_server_to_client_lost(net):
    """A call and its retransmissions arrive, the server acknowledges each, and no acknowledgement comes
    back: lost on the way back."""
    ends, srv = Ends(net), Server(net)
    a = _client(net, srv).mount()
    b = _client(net, srv, "web-02", "192.0.2.32", 922).mount()
    _busy([a, b])
    _in_vain(net, ends, a, [b], lost=False)
    _busy([b], 30)


@scene(None, captures=ENDS)
def ends_clocks_drift(net):
    """All is well; the server's clock is 3.5 s off and gains 80 ms in 1000 s, and what the client sends
    in large segments is cut on the way by its network card."""
    ends, srv = Ends(net, delay_s=0.00002, drift_ppm=80), Server(net)  # answers come behind what they answer
    ends.cut_bytes = 100
    a = _client(net, srv).mount()
    a.conn = _as_big(a.conn)
    for _ in range(12):
        _busy([a], 6)
        net.wait(10)


def _as_big(conn):
    big = Big.__new__(Big)
    big.__dict__.update(conn.__dict__)
    return big


@scene("tcp-path-silent", captures=ENDS)
def ends_translated(net):
    """The client's address and port are translated between the two captures; then its calls no longer
    arrive. One connection, not two."""
    ends, srv = Ends(net), Server(net)
    ends.translated["192.0.2.31"] = ("198.51.100.9", 20000)
    a = _client(net, srv).mount()
    b = _client(net, srv, "web-02", "192.0.2.32", 922).mount()
    _busy([a, b])
    _in_vain(net, ends, a, [b])
    _busy([b], 30)


@scene(None, captures=ENDS)
def ends_translated_and_healthy(net):
    """The same translation, and all is well."""
    ends, srv = Ends(net), Server(net)
    ends.translated["192.0.2.31"] = ("198.51.100.9", 20000)
    _busy([_client(net, srv).mount()], 40)


RING = ("client-0.pcap", "client-1.pcap", "client-2.pcap", AT_SERVER)


@scene("tcp-path-silent", captures=RING)
def ends_ring_buffer(net):
    """The client's capture is a ring of three files, the server's is one that holds most and was stopped
    before the server went away: only the client's last file shows that."""
    ends, srv = Ends(net), Server(net)
    ends.rings[AT_CLIENT], ends.until[AT_SERVER] = [5, 10], 16
    a = _client(net, srv).mount()
    _busy([a], 240)
    _in_vain(net, ends, a, [])
    net.wait(2)


@scene(None, captures=RING)
def ends_ring_buffer_and_healthy(net):
    """The same files, and the client works on after the server's capture was stopped."""
    ends, srv = Ends(net), Server(net)
    ends.rings[AT_CLIENT], ends.until[AT_SERVER] = [5, 10], 16
    _busy([_client(net, srv).mount()], 300)


def _client_capture_starts_now(net, ends):
    """What was until now only the server's capture shows: that is the fuller one, and speaks."""
    for packet in net.packets:
        ends.only[id(packet)] = AT_SERVER


@scene("tcp-path-silent", captures=ENDS)
def ends_lost_and_the_server_speaks(net):
    """As ends-client-to-server-lost, and the server's capture holds more: the client's was begun later.
    What is sent in vain is in the client's alone."""
    ends, srv = Ends(net), Server(net)
    a = _client(net, srv).mount()
    b = _client(net, srv, "web-02", "192.0.2.32", 922).mount()
    _busy([a, b])
    _client_capture_starts_now(net, ends)
    _busy([a, b])
    _in_vain(net, ends, a, [b])
    _busy([b], 30)


@scene(None, captures=ENDS)
def ends_hole_in_the_server_capture(net):
    """The twin: the server's capture was interrupted, and the client, whose capture was begun later, is
    answered all the while."""
    ends, srv = Ends(net), Server(net)
    a = _client(net, srv).mount()
    _busy([a], 40)
    _client_capture_starts_now(net, ends)
    ends.holes[AT_SERVER] = [(6, 20)]
    for _ in range(4):
        _busy([a], 4)
        a.sequence(ops.putfh(b"file-handle-0007"), ops.getattr_size(), answered=False)
        for _ in range(2):
            net.wait(1)
            ends.again(net.packets[-1])
        a.conn.send(1, a.reply_bytes([ops.sequence(a.session, a.seqs[0], 0, 64, 0)]))
        a.conn.acknowledge(0)
    _busy([a], 20)
    net.wait(5)
    _busy([a], 20)


@scene(None, captures=ENDS)
def ends_client_capture_misses(net):
    """The twin of ends-server-to-client-lost: the client's capture misses answers that the client had: it
    goes on with its next call each time."""
    ends, srv = Ends(net), Server(net)
    a = _client(net, srv).mount()
    _busy([a])
    for _ in range(6):
        a.sequence(ops.putfh(b"file-handle-0007"), ops.getattr_size(), answered=False)
        a.conn.send(1, a.reply_bytes([ops.sequence(a.session, a.seqs[0], 0, 64, 0)]))
        ends.missed(AT_CLIENT)
        a.conn.acknowledge(0)
        net.wait(2)
    _busy([a])


@scene(
    None,
    captures=("client-0.pcap", "client-1.pcap", "client-2.pcap", "server-0.pcap", "server-2.pcap"),
)
def ends_ring_buffers_with_a_hole(net):
    """Both captures are rings, and the server's second file is gone. All is well: what passed meanwhile was
    not captured, and not lost."""
    ends, srv = Ends(net), Server(net)
    ends.rings[AT_CLIENT], ends.rings[AT_SERVER] = [5, 14], [4, 13]
    ends.gone.add("server-1.pcap")
    _busy([_client(net, srv).mount()], 180)
