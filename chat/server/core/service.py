"""The chat service: what front ends and commands act on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Final

from twisted.internet.defer import Deferred, race
from twisted.python.failure import Failure

from chat.protocol.errors import Busy, StoreUnavailable
from chat.protocol.grammar.verbs import Table
from chat.protocol.values import Pair
from chat.server.core.administration import Administration
from chat.server.core.deletion import Deletion
from chat.server.core.delivery_receipts import DeliveryReceipts
from chat.server.core.device_inbox import Inboxes
from chat.server.core.disk_space import DiskSpaceMonitor
from chat.server.core.edits import Edits
from chat.server.core.file_relay import FileRelay
from chat.server.core.history import HistoryReader
from chat.server.core.key_directory import KeyDirectory
from chat.server.core.messaging import Messaging
from chat.server.core.moderation import Moderation
from chat.server.core.node import Node, unattended
from chat.server.core.preferences import PreferenceService
from chat.server.core.retention import Retention
from chat.server.core.rooms import RoomService
from chat.server.core.search import Search
from chat.server.core.secure_erase import SecureErase
from chat.server.core.shutdown import Shutdown
from chat.server.core.sign_in import SignInService
from chat.server.core.token_theft import TokenTheft
from chat.server.core.user import Session
from chat.server.interfaces import Committed, IAuthenticator, IBus, IClock, IHost, IStore, Logged
from chat.server.settings.schema import Settings

SETTLING = 1.0
"""Seconds that the end waits for what is on its way to the disk, to tell people what became of it."""

FIRST_LOOK = 60.0
"""Seconds after the start in which nobody looks for what can be removed: everybody comes back just then."""

DATABASE: Final = "database"
"""The name of the secret that tells one database from another."""


class ChatService:
    """One node: its people, rooms, talk and past.

    :ivar door: how sessions become somebody; given by the composition root before the start.
    :ivar host: the process around it; given likewise.
    """

    authenticator: IAuthenticator
    host: IHost

    def __init__(self, settings: Settings, store: IStore, bus: IBus, clock: IClock, table: Table) -> None:
        self.settings = settings
        self.clock = clock
        self.table = table
        self.store = store
        self.node = Node(settings, store, clock)
        self.directory = self.node.directory
        self.rooms = RoomService(self.node, bus, table)
        self.moderation = Moderation(self.node, self.rooms)
        self.delivery = DeliveryReceipts(self.node, bus)
        self.keys = KeyDirectory(self.node, bus)
        self.inboxes = Inboxes(self.node, bus, self.keys)
        self.sign_in = SignInService(self.node, bus, self.rooms, self.delivery)
        self.sign_in.followers += (self.keys.follow, self.inboxes.follow)
        self.sign_in.keys_changed = self.keys.changed
        self.token_theft = TokenTheft(self.node, self.sign_in, self.sign_in.alerts)
        self.preferences = PreferenceService(self.node, self.rooms)
        self.deletion = Deletion(self.node, self.rooms, self.moderation, self.sign_in)
        self.messaging = Messaging(self.node, bus, self.rooms)
        self.history = HistoryReader(self.node, self.rooms, self.delivery)
        self.edits = Edits(self.node, self.history)
        self.search = Search(self.node, self.rooms)
        self.shutdown = Shutdown(self.node, lambda reason: self.host.stop(reason))
        self.administration = Administration(self.node, self.rooms, self.sign_in, self.deletion)
        self.retention = Retention(self.node)
        self.secure_erase = SecureErase(self.node)
        self.files = FileRelay(self.node)
        self.disk_space = DiskSpaceMonitor(self.node)
        self._background = (
            *(self.search.indexing, self.search.rebuilding, self.deletion.erasure, self.files.sweep),
            *(self.retention.task, self.secure_erase.task, self.disk_space.task),
        )
        self._bus = bus
        self._database = ""
        self.restored = 0
        """When a backup was put in place last, milliseconds since the epoch; 0 when that never was."""

    async def start(self) -> None:
        """Take over what is on disk.

        :raises StoreUnavailable: when the first room cannot be made.
        """
        snapshot = self.store.start(self._committed)
        self.directory.fill(snapshot.accounts, snapshot.blocks)
        self.node.sanctions.fill(snapshot.sanctions)
        self.node.epochs.fill(snapshot.epochs)
        self.token_theft.fill(snapshot.alerts)
        self.restored = snapshot.restored
        self.rooms.load(snapshot.rooms)
        unattended(Deferred.fromCoroutine(self.delivery.marks.note_crash(snapshot.cut_off, self.node.now())))
        await self.rooms.open_lobby()
        unattended(self.store.secret(DATABASE).addCallback(lambda _: None))  # to be there when the disk takes no more
        await self.search.start()
        self.retention.task.start(FIRST_LOOK)
        self.secure_erase.task.start(FIRST_LOOK)
        self.files.sweep.run()
        self.disk_space.task.run()
        self.deletion.start()

    async def database(self) -> str:
        """Which one this is: 32 digits that another one does not have, and that say nothing of the secret.

        Empty when it has no secret yet and the disk takes none: clients log in all the same.
        """
        if not self._database:
            self._database = await self.store.secret(DATABASE).addCallbacks(_name_of, _no_name)
        return self._database

    async def stop(self, reason: str, last_words: Callable[[], Awaitable[None]] | None = None) -> None:
        """Tell every connection, end it, and commit what waits.

        :param reason: what people are told, in whole words.
        :param last_words: waits until connections have ended, which may prove what was received.
        """
        self.node.stopping = True
        self.sign_in.presence.stop()
        for task in self._background:
            task.stop()
        self.node.sleeper.end()
        # What is on its way to the disk is answered first, and then every line that was typed ahead is refused.
        await race([self.store.settle(), self.clock.sleep(SETTLING)])
        for session in tuple(self.node.sessions.values()):
            session.mind.close(reason)
            self.sign_in.sign_out(session)
        if last_words is not None:
            await last_words()
        self.node.traffic_log.end()
        await self.store.stop()

    def apply(self, settings: Settings) -> None:
        """Go on with other settings."""
        self.settings = self.node.settings = settings

    def connected(self, session: Session) -> None:
        """A connection was made."""
        self.node.sessions[session.id] = session
        self.node.traffic_log.connected(session)

    def disconnected(self, session: Session) -> None:
        """A connection has ended, however it did."""
        session.gone = True
        logout = session.logout
        if logout is not None:
            logout()
        self.sign_in.sign_out(session)
        if self.node.sessions.pop(session.id, None) is not None:
            self.node.traffic_log.disconnected(session)

    def ended(self, session: Session) -> None:
        """After `disconnected`: its connection is gone for good, so that nothing more can be proven."""
        self.delivery.ended(session)

    def _committed(self, rows: Sequence[Committed]) -> None:
        """The sink of the store: publish each row, in commit order."""
        publish, note = self._bus.publish, self.search.note
        self.node.counters.stored(rows, self.clock.monotonic())
        for draft, row, origin in rows:
            to = draft.conversation
            note(row.conversation)
            if isinstance(to, Pair):
                publish((("account", to.low), ("account", to.high)), Logged(row, to, draft, origin))
            else:
                publish((("room", row.conversation),), Logged(row, None, draft, origin))
        self.node.traffic_log.stored(rows)


def _name_of(secret: bytes) -> str:
    return sha256(secret).hexdigest()[:32]


def _no_name(failure: Failure) -> str:
    failure.trap(StoreUnavailable, Busy)
    return ""
