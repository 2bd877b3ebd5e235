"""Replies that say what became of a command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chat.protocol.events.live import Invited
from chat.protocol.values import Conversation, Rank, value


@dataclass(frozen=True, slots=True)
class Refused:
    """The request was refused; nothing was done.

    :param code: stable, from `chat.protocol.errors`.
    :param text: what happened and what to do next, in one line.
    :param suggest: what was probably meant.
    :param ask: the argument worth asking again.
    :param wait: seconds after which the same may be tried again.
    """

    code: str
    text: str
    suggest: str | None = None
    ask: str | None = None
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """It is done.

    :param text: what a person is told, in whole words, or nothing where it shows by itself.
    """

    text: str = ""


@value
class StoredAs:
    """The message is on disk.

    :param present: for a private message, whether its recipient is here; ``None`` in a room.
    :param away: the note of a recipient who is here but away.
    """

    conversation: Conversation
    seq: int
    time: int
    present: bool | None = None
    away: str | None = None
    repeated: bool = False

    @property
    def as_expected(self) -> bool:
        """Whether there is nothing to say of it to a person, who sees the line on the screen."""
        return self.present is not False and self.away is None


@dataclass(frozen=True, slots=True)
class Welcome:
    """The answer to ``hello``: what a program needs to know before it logs in; with another ``database`` than before
    the server was set up anew, and nothing that a program holds of it counts any more.

    :param database: 32 digits, which stay the same for as long as the accounts and the log do; empty where not told.
    :param restored: when a backup was put in place last, milliseconds since the epoch, or 0: with a later one than
        before, what came after the backup is gone, and its seqs are given anew (`Restored` says which).
    :param registration: who can make an account: ``open`` for everybody, ``code`` for whoever has an invitation code,
        ``closed`` for nobody.
    """

    server: str
    version: str
    limits: Mapping[str, int]
    features: tuple[str, ...]
    auth: tuple[str, ...]
    database: str = ""
    restored: int = 0
    registration: str = "open"


@dataclass(frozen=True, slots=True)
class Challenge:
    """The challenge of a login by SCRAM; ``scram`` must follow within a minute.

    :param scram: the server's first message (RFC 5802); its salt is a bcrypt salt string.
    """

    scram: str


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A session is logged in.

    :param token: logs this device in again without the password; empty where there is none.
    :param heartbeat: seconds between two signs of life, for those who promised them.
    :param created: whether the account was made by this very command.
    :param scram: the server's final message, where the password was proven and not sent: check its signature.
    """

    account: str
    rank: Rank
    device: str
    token: str
    heartbeat: int
    created: bool = False
    scram: str = ""


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """The password has been changed; the other sessions and all tokens have ended.

    :param token: logs this device in again, for programs.
    """

    token: str = ""


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The session is logged out; its connection stays open, or closes after ``quit``.

    :param account: who was logged in, or empty.
    """

    account: str = ""
    closing: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the reader stands in one conversation (see `chat.protocol.values.Waiting`).

    :param sealed: whether it is a room into which nothing is said in the clear.
    :param delivered: up to where some device of the other person provably has everything; 0 for a room.
    """

    conversation: Conversation
    first: int
    last: int
    received: int
    read: int
    unread: int
    sealed: bool = False
    delivered: int = 0


@dataclass(frozen=True, slots=True)
class Resumed:
    """Live events start here; everything up to each ``last`` is in the history.

    :param current: the room that was entered last, or nothing.
    :param invitations: the rooms that one is invited to.
    """

    conversations: tuple[Standing, ...]
    inbox: int
    current: str | None
    invitations: tuple[Invited, ...] = ()


@dataclass(frozen=True, slots=True)
class Restored:
    """Up to where the reader's conversations are unchanged after a restored backup.

    :param marks: up to which seq each is still what it was, by its id; those that are not named are as they were.
    """

    marks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RoomEntered:
    """The session is in a room.

    :param occupants: who is there, by name, as far as they are listed.
    :param created: whether the room was made by this very command.
    :param others: how many more are there than are listed.
    """

    conversation: Conversation
    topic: str
    occupants: tuple[str, ...]
    unread: int
    created: bool = False
    joined: bool = False
    sealed: bool = False
    others: int = 0


@dataclass(frozen=True, slots=True)
class RoomLeft:
    """The session is no longer a member of a room."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to ``ping``."""


@dataclass(frozen=True, slots=True)
class TimeNow:
    """The server's time, and since when it has been running."""

    time: int
    up_since: int
