# SPDX-License-Identifier: GPL-2.0-or-later
"""A scene is a function that plays an incident on a Net, and what a diagnosis may say about it."""
from dataclasses import dataclass, field

from .build import Client, Net, Server

SCENES = {}


@dataclass
class Scene:
    name: str
    play: object
    headline: list  # the ids that the headline may be; None among them: no headline
    found: list = field(default_factory=list)
    also: list = field(default_factory=list)
    confidence_max: str = None
    also_if_cut: dict = field(default_factory=dict)  # {id: confidence}: not ruled out when damaged
    truth: str = ""
    texts: tuple = ()  # names of the logs and lists beside the capture: `play` fills net.texts
    captures: tuple = ("capture.pcap",)  # names; several where `play` makes Ends
    told: dict = field(default_factory=dict)  # what else `play` says is true

    def files(self):
        """({name: capture}, {name: text})."""
        net = Net()
        self.play(net)
        self.told = net.truth
        captures = net.ends.captures() if net.ends else {"capture.pcap": net.capture()}
        assert sorted(net.texts) == sorted(self.texts), self.name
        assert sorted(captures) == sorted(self.captures), self.name
        return captures, net.texts

    def expect(self):
        reading = {
            "files": [*self.captures, *self.texts], "headline": self.headline, "found": self.found,
            "also": self.also, "issue": 1,
        }  # fmt: skip
        if self.confidence_max:
            reading["confidence_max"] = self.confidence_max
        if self.also_if_cut:
            reading["also_if_cut"] = self.also_if_cut
        return [reading]


def scene(
    headline, found=(), also=(), confidence_max=None, also_if_cut=None, texts=(),
    captures=("capture.pcap",),
):  # fmt: skip
    """Registers a function as a scene named after it; its docstring is the truth about it."""

    def register(func):
        name = func.__name__.replace("_", "-")
        ids = [headline] if headline is None or isinstance(headline, str) else list(headline)
        SCENES[name] = Scene(
            name, func, ids, list(found), list(also), confidence_max,
            also_if_cut or {}, " ".join(func.__doc__.split()), tuple(texts), tuple(captures),
        )  # fmt: skip
        return func

    return register


def pair(net, **server):
    """A server with two clients of different names."""
    srv = Server(net, **server)
    return (
        srv,
        Client(net, srv, "192.0.2.31", "web-01", sport=801),
        Client(net, srv, "192.0.2.32", "web-02", sport=922),
    )
