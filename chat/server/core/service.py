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
from chat.server.core.delivery_receipts import Delivery
from chat.server.core.device_inbox import Inboxes
from chat.server.core.disk_space import Space
from chat.server.core.edits import Corrections
from chat.server.core.file_relay import KeptFiles
from chat.server.core.history import Past
from chat.server.core.key_directory import KeyDirectory
from chat.server.core.messaging import Talk
from chat.server.core.moderation import Moderation
from chat.server.core.node import House, unattended
from chat.server.core.preferences import Choices
from chat.server.core.retention import Retention
from chat.server.core.rooms import Rooms
from chat.server.core.search import Search
from chat.server.core.secure_erase import SecureErase
from chat.server.core.shutdown import Ending
from chat.server.core.sign_in import People
from chat.server.core.token_theft import TokenTheft
from chat.server.core.user import Session
from chat.server.interfaces import Committed, IBus, IClock, IDoor, IHost, IStore, Logged
from chat.server.settings.schema import Settings

SETTLING = 1.0
"""Seconds that the end waits for what is on its way to the disk, to tell people what became of it."""

DATABASE: Final = "database"
"""The name of the secret that tells one database from another."""


class ChatService:
    """One node: its people, rooms, talk and past.

    :ivar door: how sessions become somebody; given by the composition root before the start.
    :ivar host: the process around it; given likewise.
    """

    door: IDoor
    host: IHost

    def __init__(self, settings: Settings, store: IStore, bus: IBus, clock: IClock, table: Table) -> None:
        self.settings = settings
        self.clock = clock
        self.table = table
        self.store = store
        self.house = House(settings, store, bus, clock)
        self.directory = self.house.directory
        self.rooms = Rooms(self.house, table)
        self.moderation = Moderation(self.house, self.rooms)
        self.delivery = Delivery(self.house)
        self.keys = KeyDirectory(self.house)
        self.inboxes = Inboxes(self.house, self.keys)
        self.people = People(self.house, self.rooms, self.delivery)
        self.people.followers += (self.keys.follow, self.inboxes.follow)
        self.people.keys_changed = self.keys.changed
        self.token_theft = TokenTheft(self.house, self.people, self.people.alerts)
        self.choices = Choices(self.house, self.rooms)
        self.deletion = Deletion(self.house, self.rooms, self.moderation, self.people)
        self.talk = Talk(self.house, self.rooms)
        self.past = Past(self.house, self.rooms, self.delivery)
        self.corrections = Corrections(self.house, self.past)
        self.search = Search(self.house, self.rooms)
        self.ending = Ending(self.house, lambda reason: self.host.stop(reason))
        self.administration = Administration(self.house, self.rooms, self.people, self.deletion)
        self.retention = Retention(self.house)
        self.secure_erase = SecureErase(self.house)
        self.files = KeptFiles(self.house)
        self.space = Space(self.house)
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
        self.house.sanctions.fill(snapshot.sanctions)
        self.house.epochs.fill(snapshot.epochs)
        self.token_theft.fill(snapshot.alerts)
        self.restored = snapshot.restored
        self.rooms.load(snapshot.rooms)
        unattended(Deferred.fromCoroutine(self.delivery.marks.note_crash(snapshot.cut_off, self.house.now())))
        await self.rooms.open_lobby()
        unattended(self.store.secret(DATABASE).addCallback(lambda _: None))  # to be there when the disk takes no more
        await self.search.start()
        self.retention.start()
        self.secure_erase.start()
        self.files.start()
        self.space.start()
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
        self.house.stopping = True
        self.people.presence.stop()
        self.search.stop()
        self.retention.stop()
        self.secure_erase.stop()
        self.files.stop()
        self.space.stop()
        self.deletion.stop()
        self.house.pauses.end()
        # What is on its way to the disk is answered first, and then every line that was typed ahead is refused.
        await race([self.store.settle(), self.clock.sleep(SETTLING)])
        for session in tuple(self.house.sessions.values()):
            session.mind.close(reason)
            self.people.sign_out(session)
        if last_words is not None:
            await last_words()
        self.house.traffic.end()
        await self.store.stop()

    def apply(self, settings: Settings) -> None:
        """Go on with other settings."""
        self.settings = self.house.settings = settings

    def connected(self, session: Session) -> None:
        """A connection was made."""
        self.house.sessions[session.id] = session
        self.house.traffic.connected(session)

    def disconnected(self, session: Session) -> None:
        """A connection has ended, however it did."""
        session.gone = True
        logout = session.logout
        if logout is not None:
            logout()
        self.people.sign_out(session)
        if self.house.sessions.pop(session.id, None) is not None:
            self.house.traffic.disconnected(session)

    def ended(self, session: Session) -> None:
        """After `disconnected`: its connection is gone for good, so that nothing more can be proven."""
        self.delivery.ended(session)

    def _committed(self, rows: Sequence[Committed]) -> None:
        """The sink of the store: publish each row, in commit order."""
        publish, note = self._bus.publish, self.search.note
        self.house.counts.stored(rows, self.clock.monotonic())
        for draft, row, origin in rows:
            to = draft.conversation
            note(row.conversation)
            if isinstance(to, Pair):
                publish((("account", to.low), ("account", to.high)), Logged(row, to, draft, origin))
            else:
                publish((("room", row.conversation),), Logged(row, None, draft, origin))
        self.house.traffic.stored(rows)


def _name_of(secret: bytes) -> str:
    return sha256(secret).hexdigest()[:32]


def _no_name(failure: Failure) -> str:
    failure.trap(StoreUnavailable, Busy)
    return ""
