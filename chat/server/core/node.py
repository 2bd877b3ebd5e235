"""What the parts of the service share: who and what is here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred

from chat.protocol.errors import ChatError, DiskFull
from chat.protocol.events import Event
from chat.protocol.values import Account, Origin
from chat.server.core.audiences import Audiences
from chat.server.core.counters import Counters
from chat.server.core.credential_epochs import CredentialEpochs
from chat.server.core.directory import Directory
from chat.server.core.name_index import NameIndex
from chat.server.core.room import Room
from chat.server.core.sanctions import Sanctions
from chat.server.core.sleeper import Sleeper
from chat.server.core.throttle import Throttle
from chat.server.core.traffic_log import TrafficLog
from chat.server.core.user import ChatUser, Session
from chat.server.interfaces import IClock, IMind, IStore
from chat.server.settings.schema import Settings


@dataclass(slots=True)
class Node:
    """The state of one node, in memory.

    :ivar sessions: every connection, by the number of its session.
    :ivar users: the accounts that are present, by id.
    :ivar present: the same, by folded name.
    :ivar rooms: every room, by the id of its conversation.
    :ivar room_names: the same, by folded name.
    :ivar private_rooms: the ids of those that are entered by invitation only.
    :ivar memberships: the rooms that an account is a member of, by account.
    :ivar invitations: the rooms that an account is invited to, by account.
    :ivar everyone: all sessions that events flow to.
    :ivar full: whether the floor of free disk is reached.
    :ivar epochs: how often the credentials of each account were changed.
    :ivar deleting: the accounts that are being deleted: nobody signs in to them any more.
    :ivar stopping: whether commands are refused because the end is near.
    :ivar started: milliseconds since the epoch.
    """

    settings: Settings
    store: IStore
    clock: IClock
    name: str = "local"
    sessions: dict[int, Session] = field(default_factory=dict)
    users: dict[int, ChatUser] = field(default_factory=dict)
    present: NameIndex[ChatUser] = field(default_factory=lambda: NameIndex(corrects=False))
    rooms: dict[int, Room] = field(default_factory=dict)
    room_names: NameIndex[Room] = field(default_factory=NameIndex)
    private_rooms: set[int] = field(default_factory=set)
    memberships: dict[int, set[int]] = field(default_factory=dict)
    invitations: dict[int, set[int]] = field(default_factory=dict)
    deleting: set[int] = field(default_factory=set)
    everyone: Audiences = field(default_factory=Audiences)
    stopping: bool = False
    full: bool = False
    _sessions_made: int = 0
    directory: Directory = field(init=False)
    sanctions: Sanctions = field(init=False)
    traffic_log: TrafficLog = field(init=False)
    sleeper: Sleeper = field(init=False)
    throttle: Throttle = field(init=False)
    counters: Counters = field(default_factory=Counters)
    epochs: CredentialEpochs = field(default_factory=CredentialEpochs)
    started: int = field(init=False)

    def __post_init__(self) -> None:
        self.directory = Directory()
        self.sanctions = Sanctions(self.store)
        self.traffic_log = TrafficLog(self.directory, self.sessions, self.rooms, self.clock)
        self.sleeper = Sleeper(self.clock)
        self.throttle = Throttle(lambda: self.settings, self.clock)
        self.started = self.now()

    def next_session(self) -> int:
        """The number of another session; never used twice."""
        self._sessions_made += 1
        return self._sessions_made

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int(self.clock.seconds() * 1000)

    def mind_of(self, origin: Origin | None) -> tuple[IMind, ...]:
        """The mind of the session that an act came from, if it is here."""
        if origin is None or origin.node != self.name:
            return ()
        session = self.sessions.get(origin.session)
        return (session.mind,) if session is not None else ()

    def may_say(self, account: int, when: int) -> None:
        """Whether the server takes anything new from an account, wherever it is said.

        :param when: milliseconds since the epoch.
        :raises Muted: on the whole server.
        :raises DiskFull: below the floor of free disk.
        """
        self.sanctions.may_speak(account, when)
        if self.full:
            raise DiskFull()

    def set_account(self, account: Account) -> None:
        """Replace an account by a newer value of itself, wherever it is held."""
        self.directory.add_account(account)
        user = self.users.get(account.id)
        if user is not None:
            user.account = account

    def sessions_of(self, account: int) -> tuple[Session, ...]:
        """The sessions of an account; none where nobody is here."""
        user = self.users.get(account)
        return tuple(user.sessions) if user is not None else ()

    def minds_of(self, account: int) -> list[IMind]:
        """The sessions of an account that events flow to; none where nobody is here."""
        return [session.mind for session in self.sessions_of(account) if session.live]

    def tell(self, account: int, event: Event) -> None:
        """Tell all sessions of an account that events flow to."""
        for mind in self.minds_of(account):
            mind.deliver(event)


def unattended(write: Deferred[Any]) -> None:
    """Let a write go on that nobody waits for.

    When the disk refuses it the store has said so in the log; the mark or date that was not written is
    merely older than it could be.
    """
    write.addErrback(lambda failure: failure.trap(ChatError) and None)
