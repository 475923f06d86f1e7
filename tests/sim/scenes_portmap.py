# SPDX-License-Identifier: GPL-2.0-or-later
"""A portmapper that has no port of a service, where that is missed and where it is not."""
from .build import Client, Server
from .scene import scene
from .scenes_locks import getport, nfs, null

MOUNT = 100005


@scene("portmap-unanswered")
def portmapper_without_mount(net):
    """mountd is not registered: a host that has a mount of NFSv3 asks for its port in vain, as it
    wants to mount another export, again and again. What is mounted works."""
    work = nfs(net, "app-01")
    for _ in range(8):
        getport(net, "app-02", 0, program=MOUNT)
        net.wait(10)
        null(net, work)


@scene(None)
def portmapper_asked_beside_nfs4(net):
    """The twin: a server of NFSv4 alone, and a monitor that asks its portmapper for mountd all the
    time. Nobody needs it."""
    client = Client(net, Server(net), "192.0.2.31", "web-01").mount().work()
    for _ in range(8):
        getport(net, "app-02", 0, program=MOUNT)
        net.wait(10)
        client.work()
