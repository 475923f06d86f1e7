# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes over UDP that two captures show: datagrams without an IP identification, as Linux sends them."""
import socket

from .ends import AT_CLIENT, AT_SERVER, Ends
from .packet import UDP, Packet
from .scene import scene
from .scenes_timers import getattr_call, getattr_reply

CLIENT, SERVER = "192.0.2.31", "192.0.2.10"
BOTH = (AT_CLIENT, AT_SERVER)


class Datagrams:
    """A client's socket and a server's."""

    def __init__(self, net, sport=801, dport=2049):
        self.net, self.at = net, [(CLIENT, sport), (SERVER, dport)]

    def send(self, side, message):
        """An RPC message, without the record mark of TCP."""
        (src, sport), (dst, dport) = self.at[side], self.at[1 - side]
        addresses = socket.inet_aton(src), socket.inet_aton(dst)
        self.net.emit(Packet(self.net.now, *addresses, UDP, sport, dport, message[4:]))

    def ask(self, lose_calls=0, lose_replies=0, miss_calls=0, miss_replies=0):
        """GETATTR, sent again by a timer of 1.1 s that doubles until an answer comes."""
        net, xid, timer = self.net, self.net.number(), 1.1
        for i in range(1 + lose_calls + lose_replies):
            self.send(0, getattr_call(xid))
            if i < lose_calls:
                net.ends.lost()
            elif miss_calls:
                net.ends.missed(AT_SERVER)
            if i >= lose_calls:
                net.wait(0.003)
                self.send(1, getattr_reply(xid))
                if i < lose_calls + lose_replies:
                    net.ends.lost()
                else:
                    if miss_replies:
                        net.ends.missed(AT_CLIENT)
                    break
            net.wait(timer)
            timer *= 2
        net.wait(0.2)


def busy(udp, rounds=30):
    for _ in range(rounds):
        udp.ask()


@scene("rpc-retransmission", captures=BOTH)
def ends_udp_calls_lost(net):
    """Calls are lost between the client's capture and the server's, and sent again."""
    Ends(net)
    udp = Datagrams(net)
    busy(udp)
    for copies in (1, 2, 1, 2):
        udp.ask(lose_calls=copies)
        busy(udp, 3)
    busy(udp)


@scene("rpc-retransmission", captures=BOTH)
def ends_udp_replies_lost(net):
    """Calls arrive, and what answers them is lost on the way back."""
    Ends(net)
    udp = Datagrams(net)
    busy(udp)
    for copies in (1, 2, 1, 2):
        udp.ask(lose_replies=copies)
        busy(udp, 3)
    busy(udp)


@scene(None, captures=BOTH)
def ends_udp_healthy(net):
    """The twin: all arrives."""
    Ends(net)
    busy(Datagrams(net), 90)


@scene(None, captures=BOTH)
def ends_udp_capture_misses(net):
    """The twin: the server's capture misses calls; they are answered, so they came."""
    Ends(net)
    udp = Datagrams(net)
    busy(udp)
    for _ in range(6):
        udp.ask(miss_calls=1)
        busy(udp, 3)
    busy(udp)


@scene(None, captures=BOTH)
def ends_udp_client_capture_misses(net):
    """The twin: the client's capture misses answers; the client does not ask again, so they came."""
    Ends(net)
    udp = Datagrams(net)
    busy(udp)
    for _ in range(6):
        udp.ask(miss_replies=1)
        busy(udp, 3)
    busy(udp)


@scene(None, captures=BOTH)
def ends_udp_a_long_way(net):
    """The twin: the way takes 0.6 s there and back each, longer than what two copies are told apart by."""
    Ends(net, delay_s=0.6)
    udp = Datagrams(net)
    busy(udp, 60)
