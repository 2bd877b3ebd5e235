"""What a session is told: events, which come by themselves, and replies, which answer one command.

All are frozen values; people are named by their names, times are milliseconds since the epoch. An
event knows nothing of how it is shown: ``chat.wire`` has one rendering of each for every format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from chat.keys import DeviceKeys
from chat.values import Body, Conversation, Device, Kind, Rank, Role

# --- rows of a log, live or from history ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody said something in a room or privately.

    :param kind: `Kind.TEXT`, `Kind.ACTION` or `Kind.SEALED`.
    :param body: nothing where it was deleted or forgotten.
    :param again: whether the reader may have been shown it before.
    """

    conversation: Conversation
    seq: int
    kind: Kind
    author: str
    device: str
    time: int
    body: Body | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """Somebody wrote an own message anew.

    :param ref: the seq of the message that this replaces, in the same conversation.
    :param body: nothing where it was deleted or forgotten.
    :param again: whether the reader may have been shown it before.
    """

    conversation: Conversation
    seq: int
    ref: int
    author: str
    device: str
    time: int
    body: Body | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message was emptied, with all its edits; its place in the log stays.

    :param ref: the seq of that message, in the same conversation.
    :param of: who had written it.
    """

    conversation: Conversation
    seq: int
    ref: int
    author: str
    of: str
    time: int


PrivateEntry: TypeAlias = Said | Edited | Deleted
"""What stands in a private conversation."""


@dataclass(frozen=True, slots=True)
class TopicChanged:
    """Somebody set the topic of a room; empty for none."""

    conversation: Conversation
    seq: int
    author: str
    time: int
    topic: str


@dataclass(frozen=True, slots=True)
class RoomChanged:
    """An owner changed a setting of a room.

    :param setting: ``private``, ``history``, ``slow`` or ``sealed``.
    :param value: ``on`` or ``off``; ``start`` or ``joining``; seconds; ``on``.
    """

    conversation: Conversation
    seq: int
    author: str
    time: int
    setting: str
    value: str


@dataclass(frozen=True, slots=True)
class MembershipChanged:
    """A row about who belongs to a room and who may do what there.

    :param kind: created, joined, left, invited, declined, kicked, banned, unbanned, muted, unmuted or role.
    :param target: whom it is about; the author's own name where it is about the author.
    :param detail: the reason, or the new role.
    :param until: the end of a ban or mute, where it has one; only in a live event.
    """

    conversation: Conversation
    seq: int
    kind: Kind
    author: str
    target: str
    time: int
    detail: str = ""
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """Rows that this reader does not get (said by somebody blocked): no loss."""

    conversation: Conversation
    first: int
    last: int


Entry: TypeAlias = Said | Edited | Deleted | TopicChanged | RoomChanged | MembershipChanged | Skipped
"""What stands in a history."""


# --- events that are not stored -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Broadcasted:
    """Somebody told everybody who is online; it is not kept."""

    author: str
    time: int
    text: str


@dataclass(frozen=True, slots=True)
class Presence:
    """People came, went, or are away.

    :param state: ``online``, ``offline``, ``away`` or ``back``.
    :param others: how many more a long burst had, beyond those named.
    :param text: what somebody who is away left as a note.
    """

    users: tuple[str, ...]
    state: str
    others: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Invited:
    """The reader may enter a room: ``connect`` accepts, ``decline`` does not."""

    conversation: Conversation
    author: str
    time: int


@dataclass(frozen=True, slots=True)
class AskedConsent:
    """Somebody asks for the address of the reader's client: ``consent`` gives it, ``refuse`` says no."""

    author: str


@dataclass(frozen=True, slots=True)
class Address:
    """Somebody gave the address of a client that listens there.

    :param address: the one that the server sees.
    :param port: 1 to 65535.
    :param others: those of the client's own networks.
    """

    author: str
    address: str
    port: int
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentRefused:
    """Somebody does not give an address."""

    author: str


@dataclass(frozen=True, slots=True)
class AddressChanged:
    """The owner of an address that the reader was given is elsewhere now."""

    author: str


@dataclass(frozen=True, slots=True)
class Removed:
    """This session itself is out of a room: it left it elsewhere, was kicked or banned."""

    conversation: Conversation
    kind: Kind
    author: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SignedOut:
    """This session is no longer logged in; its connection stays.

    :param reason: in whole words.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """What one has set for oneself; told unasked where another session of one's own has changed it.

    :param style: ``plain`` or ``classic``.
    :param time: whether live lines begin with the time.
    :param timezone: as the IANA database has it, or empty for the server's own.
    :param bell: whether private messages and mentions ring the bell.
    :param quiet: the rooms that are not shown in full while things happen there: room to ``on`` or ``mentions``.
    :param changed: the setting that this very command has changed, or empty.
    """

    style: str
    time: bool
    timezone: str
    bell: bool
    quiet: Mapping[str, str]
    realname: str
    changed: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """The server ends this connection.

    :param reason: in whole words.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What those who run the server say to everybody.

    :param text: in whole words.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """A device of the other one of a pair provably has everything up to this row."""

    conversation: Conversation
    seq: int


@dataclass(frozen=True, slots=True)
class Kept:
    """The other one of a pair is gone and may not have got everything up to this row; it is kept for the next login."""

    conversation: Conversation
    seq: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """Something happened on the server: who, when, from where and how much, never what.

    :param kind: of the row that was stored, or ``connected``, ``logged-in``, ``login-refused``, ``broadcast`` ...
    :param account: a name, or empty.
    :param session: the number of a connection, or 0.
    :param network: what limits count by, or empty.
    :param conversation: as programs name it (``r2``), or empty.
    :param size: bytes that were said.
    """

    time: int
    kind: str
    account: str = ""
    session: int = 0
    network: str = ""
    conversation: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to this very device lies in its inbox, sealed for it alone.

    :param number: counts up; `inbox.acknowledge` takes everything up to one out.
    :param device: of the author.
    """

    number: int
    author: str
    device: str
    time: int
    body: bytes


@dataclass(frozen=True, slots=True)
class KeysChanged:
    """Somebody has other keys than before, or keys for another device: look before the next word is sealed."""

    user: str


@dataclass(frozen=True, slots=True)
class KeysLeft:
    """What this device has left to hand out; told unasked where others have taken some of it.

    :param one_time: how many one-time keys wait.
    :param fallback_used: whether it is time for another fallback key.
    """

    one_time: int
    fallback_used: bool


Event: TypeAlias = (
    Entry
    | Broadcasted
    | Presence
    | Invited
    | AskedConsent
    | Address
    | ConsentRefused
    | AddressChanged
    | Removed
    | SignedOut
    | OwnSettings
    | Closing
    | Notice
    | Delivered
    | Kept
    | Traffic
    | Letter
    | KeysChanged
    | KeysLeft
)


# --- replies --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was done.

    :param code: stable, from `chat.errors`.
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Welcome:
    """The answer to ``hello``: what a program needs to know before it logs in."""

    server: str
    version: str
    limits: Mapping[str, int]
    features: tuple[str, ...]
    auth: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a login without the password has to be proven over; ``scram`` is to follow within a minute.

    :param scram: the server's first message (RFC 5802); its salt is a bcrypt salt string.
    """

    scram: str


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A session is logged in.

    :param token: logs this device in again without the password.
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
class LoggedOut:
    """The session is logged out and its connection stays; or it closes, after ``quit``.

    :param account: who was logged in, or empty.
    """

    account: str = ""
    closing: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the reader stands in one conversation (see `chat.values.Waiting`).

    :param sealed: whether it is a room into which nothing is said in the clear.
    """

    conversation: Conversation
    first: int
    last: int
    received: int
    read: int
    unread: int
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Resumed:
    """Live events flow from here on; everything up to each ``last`` is in the history.

    :param current: the room that was entered last, or nothing.
    :param invitations: the rooms that one is invited to.
    """

    conversations: tuple[Standing, ...]
    inbox: int
    current: str | None
    invitations: tuple[Invited, ...] = ()


@dataclass(frozen=True, slots=True)
class RoomEntered:
    """The session is in a room.

    :param created: whether the room was made by this very command.
    """

    conversation: Conversation
    topic: str
    occupants: tuple[str, ...]
    unread: int
    created: bool = False
    joined: bool = False
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class RoomLeft:
    """The session is no longer a member of a room."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Person:
    """One line of a list of people.

    :param state: ``online``, ``offline`` or ``away``.
    """

    name: str
    state: str
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class People:
    """A list of people.

    :param title: ``online``, ``users``, ``members`` or ``blocked``.
    :param room: the room whose members these are, or empty.
    :param more: how many did not fit.
    """

    title: str
    people: tuple[Person, ...]
    room: str = ""
    more: int = 0


@dataclass(frozen=True, slots=True)
class RoomLine:
    """One line of a list of rooms."""

    conversation: Conversation
    topic: str
    occupants: int
    members: int
    joined: bool
    unread: int = 0
    private: bool = False
    invited_by: str = ""
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """What a room is like, and who runs it.

    :param history: from where on newcomers read: ``start`` or ``joining``.
    :param slow: seconds between two lines of one person, 0 for none.
    """

    conversation: Conversation
    topic: str
    created: int
    private: bool
    history: str
    slow: int
    members: int
    owners: tuple[str, ...]
    moderators: tuple[str, ...]
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Rooms:
    """A list of rooms: all that one may see, or one's own."""

    rooms: tuple[RoomLine, ...]
    mine: bool
    more: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """A page of one conversation, oldest first.

    :param more: whether more remains in the direction that was asked for.
    :param first: the first seq that the log still holds.
    """

    conversation: Conversation
    entries: tuple[Entry, ...]
    more: bool
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, in all conversations that the reader may read, the newest first.

    :param more: whether older ones were left out.
    """

    entries: tuple[Entry, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Missed:
    """What a person missed, in order: one page for each conversation, and how much is left."""

    pages: tuple[History, ...]
    remaining: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What anybody may know of somebody.

    :param since: when the oldest session of now began, or the last one ended.
    """

    name: str
    realname: str
    rank: Rank
    state: str
    away: str
    created: int
    since: int
    rooms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session of one's own.

    :param since: when it logged in.
    :param current: whether it is the session that asks.
    """

    device: str
    address: str
    since: int
    current: bool


@dataclass(frozen=True, slots=True)
class Devices:
    """Where an account is signed in, and the devices that may come back without a password."""

    sessions: tuple[SessionLine, ...]
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class VerbHelp:
    """What ``help`` knows of one verb; made from the command table."""

    verb: str
    aliases: tuple[str, ...]
    form: str
    summary: str
    detail: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Help:
    """All verbs by group, or one verb in full.

    :param groups: ``(title, verbs)``; empty when ``verb`` is given.
    """

    groups: tuple[tuple[str, tuple[VerbHelp, ...]], ...] = ()
    verb: VerbHelp | None = None


@dataclass(frozen=True, slots=True)
class CommandTable:
    """The verb table as plain JSON values, for grammar, help and completion in a client."""

    commands: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class PublishedDevice:
    """One device of somebody.

    :param keys: nothing where it has published none: whoever is signed in there reads nothing that is sealed.
    """

    device: str
    keys: DeviceKeys | None


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """What somebody has published.

    :param account_key: what signs the devices, or nothing.
    :param devices: all that have keys, and those without that were signed in within 30 days.
    """

    user: str
    account_key: bytes | None
    devices: tuple[PublishedDevice, ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of those who were asked for; who does not exist, or blocks who asks, is left out."""

    people: tuple[PublishedKeys, ...]


@dataclass(frozen=True, slots=True)
class ClaimedKey:
    """A key of somebody's device that was handed out: to nobody else, unless it is the fallback key.

    :param number: of the key, which its signature covers.
    """

    user: str
    device: str
    number: int
    key: bytes
    signature: bytes
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class ClaimedKeys:
    """One key of each device that has any; the others are left out."""

    keys: tuple[ClaimedKey, ...]


@dataclass(frozen=True, slots=True)
class NamedDevice:
    """A device, and whose it is."""

    user: str
    device: str


@dataclass(frozen=True, slots=True)
class LettersKept:
    """The letters are in the inboxes, on disk.

    :param refused: devices that got none: they have no keys, their inbox is full, or their owner blocks who sent it.
    """

    refused: tuple[NamedDevice, ...] = ()


@dataclass(frozen=True, slots=True)
class Inbox:
    """What lies in the inbox of this device, the oldest first.

    :param more: whether more follows.
    """

    letters: tuple[Letter, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to ``ping``."""


@dataclass(frozen=True, slots=True)
class TimeNow:
    """The server's time, and since when it runs."""

    time: int
    up_since: int


# --- replies for those who run the server ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a listing.

    :param unit: how its cells are meant: ``time`` (milliseconds since the epoch), ``bytes``, ``seconds``, or empty for
        words, numbers and truth values.
    """

    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Some rows of a table, in order.

    :param rows: a cell for each column; ``None`` where there is nothing to say.
    :param more: how many rows follow.
    :param next: what to give as ``after`` to get those that follow, or empty.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: int = 0
    next: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known, and its value; see `Column` for the units."""

    name: str
    value: Any
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one thing."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """What lets the owner of an account choose a password, once.

    :param until: when it ends.
    """

    account: str
    secret: str
    until: int


Reply: TypeAlias = (
    Refused
    | Done
    | StoredAs
    | Welcome
    | Challenge
    | LoggedIn
    | LoggedOut
    | Resumed
    | RoomEntered
    | RoomLeft
    | RoomSettings
    | People
    | Rooms
    | History
    | Found
    | Missed
    | Profile
    | Devices
    | OwnSettings
    | Help
    | CommandTable
    | Keys
    | KeysLeft
    | ClaimedKeys
    | LettersKept
    | Inbox
    | Pong
    | TimeNow
    | Listing
    | Facts
    | OneTimeCode
)
