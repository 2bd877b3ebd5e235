"""Clients that have each other's addresses and keys, on a network that is recorded and cut."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.client.model.failures import ClientFailure
from chat.client.model.transfer_progress import Stage
from chat.client.p2p.connection import Identity
from chat.client.p2p.message_channel import MessageChannel
from chat.client.p2p.peer_transfer import PeerTransfers
from chat.client.p2p.peers import Peers
from chat.client.p2p.transfer import Transfer
from chat.protocol.events import Address
from tests.client.e2e.crypto_people import Person, meet
from tests.client.link import at_once
from tests.client.p2p.net import Host, Net

HOME, ELSEWHERE = "129.35.26.1", "198.51.100.9"


class Letters:
    """Implements `chat.client.p2p.message_channel.DeviceCipher` for people who can be claimed keys of."""

    def __init__(self, me: Person, others: Mapping[str, Person]) -> None:
        self._me = me
        self._others = others

    async def seal(self, user: str, device: str, content: Mapping[str, Any]) -> bytes:
        keys = self._me.pins.device(user, device)
        assert keys is not None
        if not self._me.letters.knows(keys):
            self._me.letters.begin(keys, self._others[user].claimed())
        return self._me.letters.seal(user, device, keys, content)

    def open(self, user: str, device: str, body: bytes) -> Any:
        keys = self._me.pins.device(user, device)
        assert keys is not None
        return self._me.letters.open(user, device, keys, body)


class Client:
    """One client, its folder, and what it was told."""

    def __init__(self, case: ClientCase, name: str, address: str, folder: Path) -> None:
        self.person = Person(name)
        self.host = Host(case.net, address)
        self.folder = folder
        self.read: list[Any] = []
        self.told: list[tuple[str, Stage, int]] = []
        self.changes = 0
        case.people[name] = self.person
        letters = Letters(self.person, case.people)
        self.peers = Peers(self.host, Identity(self.person.own, self.person.pins), letters, self._joined)
        self.carrier = PeerTransfers(self.peers, folder, at_once, self.host, self._changed)

    def _joined(self, line: MessageChannel) -> None:
        line.read = lambda content: self._letter(line, content)
        line.taken = lambda kind, body: self.carrier.taken(line, kind, body)
        self.carrier.joined(line)

    def _letter(self, line: MessageChannel, content: Any) -> None:
        if content["type"] == "file":
            self.carrier.offered(line, content)
        elif content["type"] == "nonsense":
            raise ClientFailure("That is not understood.")
        else:
            self.read.append(content)

    def _changed(self, transfer: Transfer) -> None:
        self.changes += 1
        self.told.append((transfer.offer.name, transfer.stage, transfer.percent))

    @property
    def stages(self) -> list[Stage]:
        """Through which stages transfers went, each named once in a row."""
        found = [stage for _, stage, _ in self.told]
        return [stage for place, stage in enumerate(found) if found[place - 1 : place] != [stage]]

    def files(self) -> dict[str, bytes]:
        """What lies in the folder."""
        return {each.name: each.read_bytes() for each in self.folder.iterdir()} if self.folder.exists() else {}


class ClientCase(SynchronousTestCase):
    """Bob has ann's address, and ann has let him in."""

    def setUp(self) -> None:
        self.net = Net()
        self.people: dict[str, Person] = {}
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.home = Path(temporary.name)
        self.ann = Client(self, "ann", HOME, self.home / "ann")
        self.bob = Client(self, "bob", ELSEWHERE, self.home / "bob")
        for each in (self.ann, self.bob):
            self.addCleanup(each.carrier.close)
        meet(self.ann.person, self.bob.person)
        self.bob.peers.learn(Address("ann", HOME, self.ann.peers.listen("bob", 51_791)))

    def begin(self, work: Any) -> Deferred[Any]:
        """Begin something, and let everything come that needs no time."""
        outcome = Deferred.fromCoroutine(work)
        self.net.settle()
        return outcome

    def run_now(self, work: Any) -> Any:
        return self.successResultOf(self.begin(work))

    def fails(self, work: Any, *kinds: type[Exception]) -> str:
        return str(self.failureResultOf(self.begin(work), *kinds).value)

    def line(self) -> MessageChannel:
        """Bob's line to ann."""
        line: MessageChannel = self.run_now(self.bob.peers.channel_to("ann"))
        return line
