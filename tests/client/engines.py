"""Engines on a whole server, with links that break when the test says so."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from chat.client.e2e.commands import TABLE
from chat.client.e2e.encryption import Encryption
from chat.client.e2e.key_files import KeyFiles
from chat.client.input.input_commands import CommandInput
from chat.client.model.conversation import ConversationModel, Key
from chat.client.model.failures import ClientFailure, Disconnected
from chat.client.model.send_queue import DraftStore, Outgoing
from chat.client.model.state import State
from chat.client.model.transfer_progress import TransferProgress
from chat.client.p2p.transfer import Transfer
from chat.client.session.draft_store import DiskDraftStore
from chat.client.session.encryption_api import NullEncryption
from chat.client.session.engine import Engine
from chat.client.session.login import Login
from chat.client.session.observer import Observer, Phase, Status
from chat.client.session.peer_api import NullPeers
from chat.client.session.protocol import ChatClient
from chat.client.session.sync import SyncMode
from chat.protocol.events import Entry, Event, Said, StoredAs
from chat.protocol.values import Text
from tests.client.link import FakeCertificate, Link, LinkCase, at_once
from tests.server.auth.fakes import COST
from tests.server.frontends.server import PASSWORD

CERTIFICATE = FakeCertificate(b"the server's")


class Screen:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.phases: list[Phase] = []
        self.status = Status(Phase.CLOSED)
        self.rows: list[Entry] = []
        self.events: list[Event] = []
        self.directs: list[tuple[str, str, str]] = []
        self.transfers: list[Transfer] = []
        self.findings: list[str] = []
        self.outcomes: list[tuple[Outgoing, StoredAs | None]] = []

    def status_changed(self, status: Status) -> None:
        self.status = status
        self.phases.append(status.phase)

    def rows_added(self, talk: ConversationModel, rows: Sequence[Entry], live: bool) -> None:
        self.rows += rows

    def happened(self, event: Event) -> None:
        self.events.append(event)

    def direct(self, user: str, author: str, text: str) -> None:
        self.directs.append((user, author, text))

    def transferred(self, transfer: TransferProgress) -> None:
        assert isinstance(transfer, Transfer), "a real one, which tests look into"
        if transfer not in self.transfers:
            self.transfers.append(transfer)

    def found(self, talk: ConversationModel | None, words: str, alarming: bool) -> None:
        self.findings.append(words)

    def settled(self, outgoing: Outgoing, stored: StoredAs | None) -> None:
        self.outcomes.append((outgoing, stored))

    def said(self) -> list[str]:
        """What was said, in the order in which it was shown."""
        return [row.body.text for row in self.rows if isinstance(row, Said) and isinstance(row.body, Text)]


class Desk:
    """An engine and everything around it.

    :ivar reachable: whether calls get through.
    :ivar address: from which they come.
    :ivar slow: whether nobody answers them.
    """

    def __init__(
        self,
        case: EngineCase,
        device: str,
        mode: SyncMode,
        drafts: DraftStore | None = None,
        keys: Path | None = None,
    ) -> None:
        self.case = case
        self._keys = keys
        self.reachable = True
        self.address = "192.0.2.7"
        self.direct: NullPeers | None = None
        self.slow = False
        self.screen = Screen()
        self.links: list[Link] = []
        self.tokens: list[str] = []
        self._device = device
        self._mode = mode
        self._drafts = drafts
        self.engine = self.engine_for(self.screen)
        self.keyboard = CommandInput(self.engine, case.server.clock.seconds)

    def engine_for(self, observer: Observer) -> Engine:
        """An engine of this desk, for whoever looks at it."""
        self.state = State(self._drafts)
        seconds = self.case.server.clock.seconds
        seals = NullEncryption()
        if self._keys is not None:
            key_files = KeyFiles(self._keys, cost=2)
            seals = Encryption(self.state, observer, key_files, self._device, seconds, at_once, TABLE)
        if isinstance(self._drafts, DiskDraftStore):
            self._drafts.seals = seals
        self.engine = Engine(
            self.state,
            observer,
            self.dial,
            self.case.server.clock.clock,
            lambda client: Login(client, at_once, least_cost=COST),
            device=self._device,
            keep_token=lambda account, token: self.tokens.append(token),
            kept_token=lambda account: self.tokens[-1] if self.tokens else "",
            mode=self._mode,
            direct=self.direct,
            seals=seals,
        )
        return self.engine

    def dial(self, tell: Callable[[Event], object], lost: Callable[[ClientFailure], object]) -> Deferred[ChatClient]:
        if not self.reachable:
            return fail(Failure(Disconnected("There is no answer.")))
        if self.slow:
            return Deferred()
        client = ChatClient(tell, trust=bytes.hex, lost=lost)
        self.links.append(Link(self.case.server, client, CERTIFICATE, address=self.address))
        self.case.links.append(self.links[-1])
        return client.ready.addCallback(lambda _: client)

    def types(self, line: str, room: str = "", person: str = "") -> Any:
        """Type a line, in a room or to a person; the outcome once there is one."""
        key = Key(not person, (room or person).lower())
        here = self.state.talk(key, room or person) if room or person else None
        return self.case.run_link(self.keyboard.typed(line, here))

    def talk(self, name: str, room: bool = True) -> ConversationModel:
        return self.state.talks[Key(room, name.lower())]

    def cut(self) -> None:
        """The connection breaks."""
        self.links[-1].cut()
        self.case.settle()


class EngineCase(LinkCase):
    settings = {"sessions": "per-device", "heartbeat": 10, "timeout": 30}  # noqa: RUF012

    def desk(
        self,
        device: str = "desk",
        mode: SyncMode = SyncMode.EVERYTHING,
        drafts: DraftStore | None = None,
        keys: Path | None = None,
    ) -> Desk:
        return Desk(self, device, mode, drafts, keys)

    def logged_in(
        self,
        name: str,
        room: str = "",
        mode: SyncMode = SyncMode.EVERYTHING,
        device: str = "desk",
        keys: Path | None = None,
    ) -> Desk:
        """Somebody who is there, with an account of that name, in a room.

        :param keys: the folder of the keys of that machine, for a client that has any.
        """
        desk = self.desk(device, mode, keys=keys)
        known = self.server.chat.directory.account(name) is not None
        way = desk.engine.log_in if known else desk.engine.register
        self.run_link(way(name, PASSWORD))
        if room:
            desk.types(f"connect {room}")
        self.quiet_link()
        return desk

    def quiet_link(self) -> None:
        """Let a few seconds pass."""
        for _ in range(5):
            self.pass_time(1)

    def pass_time(self, seconds: float) -> None:
        self.server.clock.stall(seconds)
        self.settle()

    def begin(self, work: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        """Begin something that will take its time."""
        return Deferred.fromCoroutine(work)
