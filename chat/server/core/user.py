"""Who is here: sessions, and the accounts that are present through them.

A session is one connection and its identity; a user, cred's avatar, is an account with at least one session. Both are
plain state: `chat.server.core.sign_in` moves it, `chat.server.core.dispatcher` is the door through which a front end
acts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from zope.interface import implementer

from chat.protocol.events import Reply
from chat.protocol.grammar.context import Call
from chat.protocol.values import DEFAULT_DEVICE, Account, Origin, Peer, Rank
from chat.server.core.rate_limit import TokenBucket
from chat.server.core.room import Room
from chat.server.interfaces import IChatUser, IMind, Proven

_NOBODY: frozenset[int] = frozenset()
"""One for all; an empty set of one's own takes 216 bytes."""


class RefusedLogin(NamedTuple):
    """A login that was right, but for which there was no place.

    :param proven: what a takeover of it hands to the realm.
    :param when: seconds that never jump.
    """

    proven: Proven
    when: float


class PendingReceipt(NamedTuple):
    """Private messages of one conversation that a session was shown without a proof, up to a seq."""

    reader: int
    author: int
    seq: int


class Session:
    """One connection and its identity.

    :ivar user: who is logged in, or nothing.
    :ivar device: the name that its login carried.
    :ivar epoch: the epoch of the account's credentials in which it was last known to stand for the account.
    :ivar since: when it logged in, milliseconds since the epoch.
    :ivar live: whether events flow to it (`Rooms.resume` was called).
    :ivar gone: whether its connection has ended.
    :ivar rooms: the rooms it is in, by conversation.
    :ivar owed: the private messages whose arrival is not proven, by conversation
        (`chat.server.core.delivery_receipts`), or nothing.
    :ivar noted: fires when it is on disk that its device has a session, or could not be written; or nothing.
    :ivar refusal: what ``takeover`` would take over.
    :ivar exchange: the login without a password that has begun here (`chat.server.auth.scram`), or nothing.
    :ivar logout: cred's logout of the avatar.
    :ivar token: the SHA-256 of a token that its device has shown, valid or not, or nothing.
    :ivar heartbeat: whether its program promised heartbeats.
    :ivar unknown: lines that meant nothing, while a guest has sent no others; or nothing.
    :ivar wasted: lines refused as too fast, or as unreadable while there was a debt, since the last command.
    :ivar operator: who operates the server through this session without an account, as people may read it, or empty.
    """

    __slots__ = (
        "_perform",
        "bucket",
        "device",
        "epoch",
        "exchange",
        "gone",
        "heartbeat",
        "id",
        "live",
        "logout",
        "mind",
        "noted",
        "operator",
        "origin",
        "owed",
        "refusal",
        "rooms",
        "since",
        "token",
        "unknown",
        "user",
        "wasted",
    )

    def __init__(
        self,
        id: int,
        node: str,
        mind: IMind,
        bucket: TokenBucket,
        perform: Callable[[Session, Call], Awaitable[Reply]],
    ) -> None:
        self.id = id
        self.origin = Origin(node, id)
        self.mind = mind
        self.bucket = bucket
        self._perform = perform
        self.user: ChatUser | None = None
        self.device = DEFAULT_DEVICE
        self.epoch = 0
        self.since = 0
        self.live = False
        self.gone = False
        self.heartbeat = False
        self.unknown: int | None = 0
        self.wasted = 0
        self.operator = ""
        self.rooms: dict[int, Room] = {}
        self.owed: dict[int, PendingReceipt] | None = None
        self.noted: Deferred[None] | None = None
        self.refusal: RefusedLogin | None = None
        self.exchange: Any = None
        self.logout: Callable[[], object] | None = None
        self.token: bytes | None = None

    @property
    def peer(self) -> Peer:
        """Where it comes from, with what is known of who is there; for counting wrong passwords."""
        peer = self.mind.peer
        account = self.user.account.id if self.user is not None else 0
        return replace(peer, account=account, token=self.token) if account or self.token else peer

    @property
    def administers(self) -> bool:
        """Whether it may do what only administrators may."""
        return bool(self.operator) or (self.user is not None and self.user.account.rank is Rank.ADMINISTRATOR)

    @property
    def admin(self) -> str:
        """What stands before the administrators' commands where they are typed for this session."""
        return "chatctl" if self.operator else "admin"

    @property
    def actor(self) -> str:
        """Who acts through it, as people may read it."""
        return self.operator or (self.user.name if self.user is not None else "nobody")

    def perform(self, call: Call) -> Awaitable[Reply]:
        """Run a command in the name of this session; the only way in for a front end.

        :param call: a verb with its arguments, as the grammar read them.
        :returns: the one reply; what is refused is a `chat.protocol.events.Refused`, never an exception.
        """
        return self._perform(self, call)


@implementer(IChatUser)
class ChatUser:
    """An account that is present, through its sessions on this node.

    :ivar contacts: the accounts it has a private conversation with.
    :ivar away: the note it left, empty for none, or nothing when it is not away.
    :ivar last_from: the account that wrote to it privately last.
    :ivar last_said: the conversation and the seq of what it said last, since it is here.
    """

    __slots__ = (
        "account",
        "away",
        "contacts",
        "last_from",
        "last_said",
        "sessions",
        "since",
        "unsubscribe",
    )

    def __init__(self, account: Account, since: int) -> None:
        self.account = account
        self.since = since
        self.sessions: list[Session] = []
        self.contacts = _NOBODY
        self.away: str | None = None
        self.last_from: int | None = None
        self.last_said: tuple[int, int] | None = None
        self.unsubscribe: Callable[[], None] = _nothing

    @property
    def name(self) -> str:
        return self.account.name.shown

    @property
    def live(self) -> bool:
        """Whether events flow to any of its sessions."""
        return True in [session.live for session in self.sessions]  # `any` takes three times as long

    @property
    def state(self) -> str:
        return "online" if self.away is None else "away"


def _nothing() -> None:
    """What a user without subscriptions has to end."""
