# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes about the state of single files: stateids, delegations, callbacks, DELAY."""
import struct

from . import ops
from .build import Client, Connection, Server, callback_bytes
from .scene import pair, scene
from .scenes_nlm import call, exchange, reply

STATEID, DELAY, RECALL = "nfs4-stateid-loop", "nfs4-delay-loop", "nfs4-recall-unanswered"
BACK, TEST = "nfs4-backchannel-down", "nfs4-test-stateid-loop"

FILE, OTHER_FILE, ROOT = b"file-handle-0007", b"file-handle-0044", b"root-handle-0001"


def stateid(tag, seqid=1):
    return ops.u32(seqid) + tag.ljust(12, "-").encode()[:12]


def backoff(times, first=0.1, most=15.0):
    """How long a Linux client waits after each NFS4ERR_DELAY."""
    return [min(first * 2**i, most) for i in range(times)]


def put_off(net, client, others, step, times, handle=FILE):
    """The operation is answered DELAY so many times, while the others work."""
    for pause in backoff(times):
        client.sequence(ops.putfh(handle), step.fails(ops.DELAY))
        net.wait(pause / 2)
        for other in others:
            other.work(1, 0)
        net.wait(pause / 2)


def hold(client, handle=FILE):
    """The client opens the file and is given a delegation."""
    step = ops.open_fh(client.id, "open id:1", stateid("open-a"), delegation=stateid("deleg-a"))
    client.sequence(ops.putfh(handle), step, ops.getattr_size())


def want(client):
    return ops.open_fh(client.id, "open id:2", stateid("open-b"), access=2)


# -- one stateid -----------------------------------------------------------------------------------


@scene(STATEID)
def close_answered_old_stateid(net):
    """CLOSE of one file is answered OLD_STATEID, and the client sends the same stateid again, ten
    times a second for ten seconds; other files are served."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    for i in range(100):
        a.sequence(ops.putfh(FILE), ops.close(stateid("open-a", 3)).fails(ops.OLD_STATEID))
        net.wait(0.1)
        if i % 10 == 0:
            a.sequence(ops.putfh(OTHER_FILE), ops.access(), ops.getattr_size())
            b.work(1, 0)


@scene(None)
def close_answered_old_stateid_in_a_burst(net):
    """Five CLOSEs overtake OPENs and are answered OLD_STATEID; each is sent again with the next
    seqid, and succeeds."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    for i in range(5):
        for seqid in range(1, 4):
            step = ops.close(stateid(f"open-{i}", seqid))
            a.sequence(ops.putfh(FILE), step.fails(ops.OLD_STATEID) if seqid < 3 else step)
        net.wait(3)
        b.work(1, 0)


@scene(None)
def writes_answered_bad_stateid_once_each(net):
    """The server has dropped an open: forty WRITEs that were under way are answered BAD_STATEID
    within a moment; the file is opened anew and the writes succeed."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    old, new = stateid("open-old"), stateid("open-new")
    for i in range(40):
        a.sequence(ops.putfh(FILE), ops.write(old, b"x" * 64, i).fails(ops.BAD_STATEID))
    a.sequence(ops.putfh(FILE), ops.open_fh(a.id, "open id:1", new, 2), ops.getattr_size())
    for i in range(40):
        a.sequence(ops.putfh(FILE), ops.write(new, b"x" * 64, i))
        net.wait(0.2)
    b.work()


# -- DELAY -----------------------------------------------------------------------------------------


@scene(DELAY)
def commit_delayed_after_remove(net):
    """COMMIT of a file that was removed while it is open is answered DELAY for ever (nfsd before
    147abcacee33)."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    a.sequence(ops.putfh(FILE), ops.write(stateid("open-a"), b"x" * 64))
    a.sequence(ops.putfh(ROOT), ops.remove("data.log"))
    put_off(net, a, [b], ops.commit(), 12)


@scene(None)
def commit_delayed_for_a_while(net):
    """COMMIT is put off four times within two seconds, then answered."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    for _ in range(6):
        a.sequence(ops.putfh(FILE), ops.write(stateid("open-a"), b"x" * 64))
        put_off(net, a, [b], ops.commit(), 4)
        a.sequence(ops.putfh(FILE), ops.commit())
        net.wait(20)


@scene(None)
def open_delayed_without_recall(net):
    """OPEN of one file is answered DELAY for two minutes; the capture at the server shows all
    clients, the recall of a delegation for another file, and none for this one. One that was sent
    before the capture began it could not show."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    hold(b, OTHER_FILE)
    a.sequence(ops.putfh(OTHER_FILE), want(a).fails(ops.DELAY))
    b.callback(ops.cb_recall(stateid("deleg-a"), OTHER_FILE))
    b.sequence(ops.putfh(OTHER_FILE), ops.delegreturn(stateid("deleg-a")))
    net.wait(0.1)
    a.sequence(ops.putfh(OTHER_FILE), want(a), ops.getattr_size())
    put_off(net, a, [b], want(a), 14)


@scene(None)
def open_delayed_seen_at_the_victim(net):
    """The same, in a capture at the waiting client: whether another client's delegation is being
    recalled cannot be seen."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    put_off(net, a, [a], want(a), 14)


# -- recalls ---------------------------------------------------------------------------------------


@scene(RECALL)
def recall_not_answered(net):
    """The holder of a delegation does not answer the recall, though its other calls go on; another
    client's OPEN is put off for 90 s, then the server takes the delegation away."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    hold(a)
    net.wait(5)
    b.sequence(ops.putfh(FILE), want(b).fails(ops.DELAY))
    a.callback(ops.cb_recall(stateid("deleg-a"), FILE), answered=False)
    put_off(net, b, [a], want(b), 12)
    b.sequence(ops.putfh(FILE), want(b), ops.getattr_size())
    b.work()


@scene(None)
def recall_answered_at_once(net):
    """Recalls that are answered within milliseconds, eight times: one DELAY each for the other
    client."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    for i in range(8):
        hold(a)
        net.wait(5)
        b.sequence(ops.putfh(FILE), want(b).fails(ops.DELAY))
        a.callback(ops.cb_recall(stateid("deleg-a"), FILE))
        a.sequence(ops.putfh(FILE), ops.delegreturn(stateid("deleg-a")))
        net.wait(0.1)
        b.sequence(ops.putfh(FILE), want(b), ops.getattr_size())
        b.work(1)


@scene([RECALL, None], confidence_max="likely")
def recall_not_answered_at_the_holder(net):
    """The capture is the holder's: a recall that it does not answer, while its calls go on."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    hold(a)
    a.callback(ops.cb_recall(stateid("deleg-a"), FILE), answered=False)
    a.work(30, 1)


@scene(RECALL)
def recall_of_two_holders(net):
    """Two clients hold read delegations for the file: one returns its own at once, the other does not
    answer. It is the other that the third waits for."""
    srv, a, b = pair(net)
    c = Client(net, srv, "192.0.2.33", "web-03", sport=955)
    for client in (a, b, c):
        client.mount().work()
    hold(a)
    step = ops.open_fh(c.id, "open id:9", stateid("open-c"), delegation=stateid("deleg-c"))
    c.sequence(ops.putfh(FILE), step, ops.getattr_size())
    net.wait(5)
    b.sequence(ops.putfh(FILE), want(b).fails(ops.DELAY))
    c.callback(ops.cb_recall(stateid("deleg-c"), FILE))
    a.callback(ops.cb_recall(stateid("deleg-a"), FILE), answered=False)
    c.sequence(ops.putfh(FILE), ops.delegreturn(stateid("deleg-c")))
    put_off(net, b, [a, c], want(b), 12)


@scene(RECALL)
def recall_acknowledged_returned_late(net):
    """The holder acknowledges the recall at once and returns the delegation only 50 s later."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    hold(a)
    net.wait(5)
    b.sequence(ops.putfh(FILE), want(b).fails(ops.DELAY))
    a.callback(ops.cb_recall(stateid("deleg-a"), FILE))
    put_off(net, b, [a], want(b), 9)
    a.sequence(ops.putfh(FILE), ops.delegreturn(stateid("deleg-a")))
    b.sequence(ops.putfh(FILE), want(b), ops.getattr_size())
    b.work()


@scene(None)
def recall_returned_after_write_back(net):
    """The holder writes back what it has for six seconds before it returns the delegation."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    hold(a)
    net.wait(5)
    b.sequence(ops.putfh(FILE), want(b).fails(ops.DELAY))
    a.callback(ops.cb_recall(stateid("deleg-a"), FILE))
    for pause in backoff(6):
        b.sequence(ops.putfh(FILE), want(b).fails(ops.DELAY))
        for i in range(8):
            a.sequence(ops.putfh(FILE), ops.write(stateid("open-a"), b"x" * 512, i * 512))
        net.wait(pause)
    a.sequence(ops.putfh(FILE), ops.delegreturn(stateid("deleg-a")))
    b.sequence(ops.putfh(FILE), want(b), ops.getattr_size())
    b.work()


# -- the backchannel -------------------------------------------------------------------------------


@scene(BACK)
def backchannel_down_bound_in_vain(net):
    """Each reply to SEQUENCE says CB_PATH_DOWN; BIND_CONN_TO_SESSION is answered OK every few
    seconds and changes nothing (nfsd before 02579b2)."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    for _ in range(8):
        a.sequence(ops.putfh(FILE), ops.getattr_size(), flags=ops.CB_PATH_DOWN_FLAG)
        a.compound(ops.bind_conn(a.session))
        net.wait(4)
        b.work(1, 0)


@scene(None)
def backchannel_bound_after_reconnection(net):
    """After each of four reconnections one reply says CB_PATH_DOWN_SESSION; BIND_CONN_TO_SESSION
    cures it."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    for i in range(4):
        a.conn.close()
        a.connect(sport=830 + i)
        a.sequence(
            ops.putfh(FILE), ops.getattr_size(), flags=ops.CB_PATH_DOWN_SESSION_FLAG
        )
        a.compound(ops.bind_conn(a.session))
        a.work(3)
        net.wait(20)
        b.work(1, 0)


@scene(BACK, also=[RECALL])
def backchannel_down_others_wait(net):
    """The server says that it cannot call the holder of a delegation back; no recall is sent, and
    another client's OPEN is put off for 80 s."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    hold(a)
    for pause in backoff(11):
        a.sequence(ops.putfh(OTHER_FILE), ops.getattr_size(), flags=ops.CB_PATH_DOWN_FLAG)
        b.sequence(ops.putfh(FILE), want(b).fails(ops.DELAY))
        net.wait(pause)


@scene(BACK)
def callback_path_down_v40(net):
    """RENEW of a 4.0 client is answered CB_PATH_DOWN for three minutes."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01", minor=0).mount0().work0()
    b = Client(net, srv, "192.0.2.32", "web-02", sport=922, minor=0).mount0().work0()
    for _ in range(4):
        a.renew(status=ops.CB_PATH_DOWN)
        a.work0()
        b.renew()
        net.wait(60)


# -- TEST_STATEID ----------------------------------------------------------------------------------


def test_all(net, client, flags, verdict, rounds, pause_s):
    for _ in range(rounds):
        for i in range(6):
            client.sequence(ops.test_stateid(stateid(f"deleg-{i}"), verdict), flags=flags)
        net.wait(pause_s)


@scene(TEST)
def revoked_flag_stays_set(net):
    """RECALLABLE_STATE_REVOKED is set in every reply though nothing is revoked any more: the client
    tests its six delegations again and again."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    test_all(net, a, ops.RECALLABLE_REVOKED_FLAG, ops.OK, 15, 1)
    b.work()


@scene(None)
def revoked_state_is_freed(net):
    """Some delegations are revoked: the flag is set, each stateid is tested once, what is gone is
    freed, and the flag is cleared. That happens five times, minutes apart."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    for _ in range(5):
        test_all(net, a, ops.RECALLABLE_REVOKED_FLAG, ops.OK, 1, 0)
        a.sequence(
            ops.test_stateid(stateid("deleg-x"), ops.DELEG_REVOKED),
            flags=ops.RECALLABLE_REVOKED_FLAG,
        )
        a.sequence(
            ops.free_stateid(stateid("deleg-x")), flags=ops.RECALLABLE_REVOKED_FLAG
        )
        a.work()
        net.wait(200)
        b.work(1)


@scene(TEST, also=[STATEID])
def test_stateid_leads_nowhere(net):
    """A stateid is refused with STALE_STATEID by WRITE, tested, said to be good, and used again:
    twice a second for half a minute (a server that answers what has no place in 4.1)."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    for _ in range(60):
        step = ops.write(stateid("open-a"), b"x" * 64)
        a.sequence(ops.putfh(FILE), step.fails(ops.STALE_STATEID))
        a.sequence(ops.test_stateid(stateid("open-a"), ops.STALE_STATEID))
        net.wait(0.5)
    b.work()


@scene([RECALL, BACK])
def recall_not_answered_v40(net):
    """A 4.0 server connects to the holder's callback port and recalls a delegation over that
    connection; the holder does not answer."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01", minor=0).mount0().work0()
    b = Client(net, srv, "192.0.2.32", "web-02", sport=922, minor=0).mount0().work0()
    step = ops.open_fh(a.id, "open id:1", stateid("open-a"), delegation=stateid("deleg-a"))
    a.compound(ops.putfh(FILE), step, ops.getattr_size())
    back = Connection(net, srv.address, 700, a.address, 46097).open()
    b.compound(ops.putfh(FILE), want(b).fails(ops.DELAY))
    recall = [ops.cb_recall(stateid("deleg-a"), FILE)]
    back.send(0, callback_bytes(recall, 0, net.number(), ident=1))
    back.acknowledge(1)
    for pause in backoff(12):
        b.compound(ops.putfh(FILE), want(b).fails(ops.DELAY))
        net.wait(pause)
        a.work0(1, 0)


# -- locks -----------------------------------------------------------------------------------------

LOCKS, LEASE = "nfs4-lock-reclaim-failed", "nfs4-lease-expired"


def take_lock(client, status=ops.OK, reclaim=False):
    step = ops.lock(stateid("open-a"), stateid("lock-a"), "lock id:1", client.id, reclaim)
    client.sequence(ops.putfh(FILE), step.fails(status) if status else step)


def silent_then_lost(net, lock_first, unlock=False):
    """One client, with a lock or without, is silent for longer than its lease."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    if lock_first:
        take_lock(a)
    if unlock:
        a.sequence(ops.putfh(FILE), ops.locku(stateid("lock-a")))
    a.work(1)
    for _ in range(4):
        net.wait(50)
        b.work(1, 0)
    a.refused_call()
    a.recover()
    return a, b


@scene(LEASE, found=[LOCKS])
def lock_lost_and_given_up(net):
    """A client holds a lock when its lease expires. Its reclaim of the open is answered NO_GRACE, it
    opens the file anew and, as Linux does, does not ask for the lock again."""
    a, b = silent_then_lost(net, True)
    a.open(reclaim=True, status=ops.NO_GRACE)
    a.reclaim_complete()
    a.open()
    a.work(12, 1)
    b.work()


@scene(LEASE, found=[LOCKS])
def lock_lost_reclaim_refused(net):
    """The same with a client that asks for its lock again, and is answered NO_GRACE."""
    a, b = silent_then_lost(net, True)
    take_lock(a, ops.NO_GRACE, reclaim=True)
    a.reclaim_complete()
    a.open()
    a.work(2, 1)
    b.work()


@scene(LEASE)
def lock_given_back_before_the_loss(net):
    """The client had unlocked the file before its lease expired: nothing but the open is lost, and
    that is had anew."""
    a, b = silent_then_lost(net, True, unlock=True)
    a.open(reclaim=True, status=ops.NO_GRACE)
    a.reclaim_complete()
    a.open()
    a.work(12, 1)
    b.work()


@scene(LEASE)
def lock_taken_again_after_the_loss(net):
    """The client takes its lock again after the recovery (recover_lost_locks=1), and gets it."""
    a, b = silent_then_lost(net, True)
    a.open(reclaim=True, status=ops.NO_GRACE)
    a.reclaim_complete()
    a.open()
    take_lock(a)
    a.work(12, 1)
    b.work()


# -- handles ---------------------------------------------------------------------------------------

ESTALE = "file-handle-stale"


def nfsd_handle(fsid, number, root=False):
    """A handle as Linux nfsd makes it: fsid= in the export, then the file's number."""
    head = bytes([1, 0, 1, 0 if root else 1]) + struct.pack("<I", fsid)
    return head if root else head + struct.pack("<II", number, 77)


def getattr3(conn, xid, handle, status=ops.OK):
    attributes = ops.u32(1, 0o644, 1, 0, 0) + ops.u64(4096, 4096) + ops.u32(0, 0) + ops.u64(9, 7)
    results = ops.u32(status) + (b"" if status else attributes + ops.u32(*range(6)))
    exchange(conn, call(xid, 100003, 3, 1, ops.opaque(handle)), reply(xid, results))


@scene(ESTALE)
def handles_stale_after_failover_v3(net):
    """The address moves to another node, on which the export has another fsid: the client connects
    anew, and each of its handles is stale, that of the root as well."""
    conn = Connection(net, "192.0.2.31", 801, "192.0.2.10").open()
    handles = [nfsd_handle(5, 0, root=True)] + [nfsd_handle(5, i) for i in range(6)]
    for i in range(20):
        getattr3(conn, 100 + i, handles[i % 7])
        net.wait(0.5)
    conn.reset()
    net.wait(8)
    conn = Connection(net, "192.0.2.31", 801, "192.0.2.10").open()
    for i in range(20):
        getattr3(conn, 200 + i, handles[i % 7], ops.STALE)
        net.wait(0.5)


@scene(None)
def handles_stale_of_removed_files_v3(net):
    """Somebody removes a tree: six handles are stale, the root and other files of the export are
    not."""
    conn = Connection(net, "192.0.2.31", 801, "192.0.2.10").open()
    handles = [nfsd_handle(5, i) for i in range(6)]
    for i in range(20):
        getattr3(conn, 100 + i, handles[i % 6])
        net.wait(0.5)
    for i in range(60):
        getattr3(conn, 200 + i, handles[i % 6], ops.STALE)
        net.wait(0.2)
        if i % 6 == 5:
            getattr3(conn, 300 + i, nfsd_handle(5, 0, root=True))


@scene(ESTALE)
def handles_stale_v41(net):
    """An export is taken away under a running 4.1 server: PUTFH of each handle is answered STALE,
    the session goes on, and so does another export."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    handles = [nfsd_handle(5, 0, root=True)] + [nfsd_handle(5, i) for i in range(6)]
    for i in range(14):
        a.sequence(ops.putfh(handles[i % 7]), ops.getattr_size())
        net.wait(0.3)
    for i in range(20):
        a.sequence(ops.putfh(handles[i % 7]).fails(ops.STALE))
        a.sequence(ops.putfh(nfsd_handle(6, 1)), ops.getattr_size())
        net.wait(0.3)
    b.work()
