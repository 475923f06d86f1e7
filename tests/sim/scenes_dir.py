# SPDX-License-Identifier: GPL-2.0-or-later
"""Listings of directories that take long, each for its own reason, and some that only look like it."""
from . import ops
from .build import SECOND, Connection
from .scene import pair, scene

DIR = b"dir-handle-000042"


def entries(first, count):
    """Entries with ascending cookies, 1000 apart."""
    return [(1000 * i, f"file-{i:05}", b"entry-%06d" % i) for i in range(first, first + count)]


def step(client, cookie, found, eof=False, after_s=0.04):
    return client.sequence(ops.putfh(DIR), ops.readdir(cookie, found, eof), after_s=after_s)


def listing(client, count, a_step=50, after_s=0.04):
    """A listing to its end; the entries."""
    cookie, found = 0, entries(1, count)
    for at in range(0, count, a_step):
        part = found[at : at + a_step]
        step(client, cookie, part, at + a_step >= count, after_s)
        cookie = part[-1][0]
    return found


def change(client, value):
    client.sequence(ops.putfh(DIR), ops.getattr_change(value))


@scene("dir-attribute-storm")
def dir_names_looked_up_one_by_one(net):
    """A client lists a directory of 320 entries over 40 ms; somebody else changes the directory, and
    the client looks up each name by a call of its own."""
    _, a, b = pair(net)
    b.mount()
    a.mount()
    change(a, 7)
    found = listing(a, 320)
    b.open()
    change(a, 8)
    for _, name, handle in found:
        a.sequence(ops.putfh(DIR), ops.lookup(name), ops.getfh(handle), ops.getattr_size(),
                   after_s=0.04)  # fmt: skip
    b.work()


@scene("dir-attribute-storm")
def dir_attributes_outlived(net):
    """The attributes of each entry are asked for one by one: they were trusted for a shorter time
    than the listing took."""
    _, a, b = pair(net)
    b.mount()
    a.mount()
    for _, _, handle in listing(a, 320, a_step=40, after_s=0.5):
        a.sequence(ops.putfh(handle), ops.getattr_size(), after_s=0.04)
    b.work()


@scene(None)
def dir_files_read_after_listing(net):
    """Twin: as many GETATTR of a directory's entries, but the files are read as well: that is work."""
    _, a, _ = pair(net)
    a.mount()
    for _, _, handle in listing(a, 320):
        a.sequence(ops.putfh(handle), ops.getattr_size(), after_s=0.04)
        a.sequence(ops.putfh(handle), ops.read(a.stateid, b"data"), after_s=0.01)


@scene(None)
def dir_one_file_watched(net):
    """Twin: a directory is listed, and one of its files is asked for 320 times by a program that waits
    for it to change."""
    _, a, _ = pair(net)
    a.mount()
    handle = listing(a, 320)[100][2]
    for _ in range(320):
        a.sequence(ops.putfh(handle), ops.getattr_size(), after_s=0.04)


@scene("dir-listing-restarted")
def dir_listing_starts_over(net):
    """A client begins to list a directory again after each change of it, and does not come to the
    end."""
    _, a, b = pair(net)
    a.mount()
    b.mount()
    for turn in range(8):
        change(a, 100 + turn)
        cookie = 0
        for i in range(4):
            part = entries(1 + 20 * i, 20)
            step(a, cookie, part, after_s=0.4)
            cookie = part[-1][0]
        b.open()


@scene(None)
def dir_first_names_only(net):
    """Twin: a program looks at the first names of a directory again and again; it does not change."""
    _, a, _ = pair(net)
    a.mount()
    for _ in range(8):
        change(a, 100)
        step(a, 0, entries(1, 20), after_s=0.4)
        step(a, 20_000, entries(21, 20), after_s=0.4)
        net.wait(1)


@scene("dir-cookie-loop")
def dir_cookies_in_a_circle(net):
    """The server's cookies lead back to where the listing was before."""
    _, a, _ = pair(net)
    a.mount()
    step(a, 0, entries(1, 20))
    cookie = 20_000
    for turn in range(12):
        part = entries(21, 20) if turn % 3 == 0 else entries(41 + 20 * (turn % 3), 20)
        if turn % 3 == 2:
            part = part[:-1] + [(20_000, "file-again", b"entry-000020")]
        step(a, cookie, part)
        cookie = part[-1][0]


@scene("dir-cookie-loop")
def dir_listing_without_end(net):
    """From some place on the server answers READDIR with no entry and without the end."""
    _, a, _ = pair(net)
    a.mount()
    step(a, 0, entries(1, 20))
    for _ in range(30):
        step(a, 20_000, [])


@scene(None)
def dir_empty_reply_once(net):
    """Twin: one reply has no entry, and the listing goes on behind it; two processes list at once."""
    _, a, _ = pair(net)
    a.mount()
    step(a, 0, entries(1, 20))
    step(a, 20_000, [])
    step(a, 0, entries(1, 20))
    step(a, 20_000, entries(21, 20))
    step(a, 20_000, entries(21, 20))
    step(a, 40_000, entries(41, 5), True)
    step(a, 40_000, entries(41, 5), True)


@scene("dir-server-slow", also=["rpc-server-slow"])
def dir_slow_at_the_server(net):
    """Each READDIR of one directory takes 8 s at the server; other calls are answered at once."""
    _, a, b = pair(net)
    a.mount()
    b.mount()
    cookie = 0
    for i in range(4):
        part = entries(1 + 20 * i, 20)
        step(a, cookie, part, i == 3, after_s=8)
        cookie = part[-1][0]
        b.work(10, 0.05)


@scene([None, "rpc-server-slow"])
def dir_slow_as_all_is(net):
    """Twin: READDIR takes 8 s, and so do all other calls."""
    _, a, b = pair(net)
    a.mount()
    b.mount()
    cookie = 0
    for i in range(4):
        part = entries(1 + 20 * i, 20)
        step(a, cookie, part, i == 3, after_s=8)
        cookie = part[-1][0]
        for _ in range(6):
            b.sequence(ops.putfh(b"file-handle-0007"), ops.getattr_size(), after_s=8)


def pages(net, answer_s, round_trip_s=0.0004, count=59, beside=None):
    """A listing whose answers come so late each; its connection's handshake tells the path."""
    _, a, b = pair(net)
    a.mount()
    b.mount()
    a.conn = Connection(net, a.address, 811, a.server.address).open(round(round_trip_s * SECOND))
    cookie = 0
    for i in range(count):
        part = entries(1 + 20 * i, 20)
        step(a, cookie, part, i == count - 1, after_s=answer_s)
        cookie = part[-1][0]
        if beside:
            b.sequence(ops.putfh(b"file-handle-0007"), ops.getattr_size(), after_s=beside)


@scene("dir-server-slow", confidence_max="possible")
def dir_pages_slow_alone(net):
    """59 pages of 0.4 s each over a path of less than a millisecond; nobody else calls."""
    pages(net, 0.4)


@scene("dir-server-slow", confidence_max="likely")
def dir_pages_slow_beside_others(net):
    """59 pages of 0.4 s each, while another client's GETATTR takes 2 ms."""
    pages(net, 0.4, beside=0.002)


@scene(None)
def dir_pages_over_a_long_way(net):
    """Twin: 59 pages of 0.4 s each, and the handshake took 0.4 s as well: it is the way."""
    pages(net, 0.4, round_trip_s=0.4)


@scene(None)
def dir_pages_slow_as_all_is(net):
    """Twin: pages of 0.4 s, and another client's GETATTR takes as long."""
    pages(net, 0.4, beside=0.3)
