"""The inboxes of devices: letters from one device to another, kept until they are acknowledged."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence

from chat.protocol.device_keys import InboxMessage as Sent
from chat.protocol.device_keys import StoredLetter
from chat.protocol.events import Inbox, Letter, LettersKept, NamedDevice
from chat.server.core.key_directory import KeyDirectory
from chat.server.core.node import Node
from chat.server.core.rooms import account_of
from chat.server.core.user import ChatUser, Session
from chat.server.interfaces import Ephemeral, IBus

_ARRIVED = "letter"
"""The name of what the bus carries to the account of the reader."""


class Inboxes:
    """The inboxes of all devices."""

    def __init__(self, node: Node, bus: IBus, keys: KeyDirectory) -> None:
        self._node = node
        self._bus = bus
        self._keys = keys

    async def send(self, session: Session, letters: Sequence[tuple[str, str, bytes]]) -> LettersKept:
        """Put letters into inboxes, each on disk before anybody is told of it.

        :param letters: for whom, for which device, and what.
        :returns: with the devices that got none.
        """
        node, author = self._node, account_of(session)
        now = node.now()
        node.may_say(author, now)
        reachable = {each.id for each in self._keys.reachable(session, [user for user, _, _ in letters])}
        sent: list[Sent] = []
        refused: list[NamedDevice] = []
        for user, device, body in letters:
            person = node.directory.account(user)
            if person is None or person.id not in reachable:
                refused.append(NamedDevice(user, device))
            else:
                sent.append(Sent(person.id, device, body))
        numbers = await node.store.put_into_inboxes(author, session.device, sent, now)
        for letter, number in zip(sent, numbers, strict=True):
            if number is None:
                refused.append(NamedDevice(node.directory.name_of(letter.account), letter.device))
            else:
                self._tell(letter, StoredLetter(number, author, session.device, now, letter.body))
        return LettersKept(tuple(refused))

    async def read(self, session: Session, after: int, limit: int) -> Inbox:
        """What lies in the inbox of a session's device."""
        found = await self._node.store.inbox(account_of(session), session.device, after, limit + 1)
        return Inbox(tuple(self._shown(each) for each in found[:limit]), len(found) > limit)

    async def acknowledge(self, session: Session, upto: int) -> None:
        """The session's device has everything up to this number: it is deleted."""
        await self._node.store.empty_inbox(account_of(session), session.device, upto)

    def _shown(self, letter: StoredLetter) -> Letter:
        author = self._node.directory.name_of(letter.author)
        return Letter(letter.number, author, letter.device, letter.time, letter.body)

    # who is told

    def _tell(self, letter: Sent, stored: StoredLetter) -> None:
        fields: dict[str, str | int | bool | None] = {
            "for": letter.device,
            "number": stored.number,
            "author": stored.author,
            "device": stored.device,
            "time": stored.time,
            "body": b64encode(stored.body).decode(),
        }
        self._bus.publish([("account", letter.account)], Ephemeral(_ARRIVED, fields))

    def follow(self, user: ChatUser, published: Ephemeral) -> None:
        """A letter has come for one of this user's devices."""
        if published.name != _ARRIVED:
            return
        number, author, device, time, body = (
            published.fields[name] for name in ("number", "author", "device", "time", "body")
        )
        assert isinstance(number, int) and isinstance(author, int) and isinstance(time, int), "made by _tell()"
        assert isinstance(device, str) and isinstance(body, str), "made by _tell()"
        event = self._shown(StoredLetter(number, author, device, time, b64decode(body)))
        for session in user.sessions:
            if session.live and session.mind.features.opens_sealed and session.device == published.fields["for"]:
                session.mind.deliver(event)
