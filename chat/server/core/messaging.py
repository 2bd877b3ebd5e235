"""What people say: in a room, privately, and to everybody."""

from __future__ import annotations

from chat.protocol.errors import BlockedByRecipient, NobodyToReplyTo, TooFast
from chat.protocol.events import Broadcasted, StoredAs
from chat.protocol.values import Account, Body, Draft, Kind, Pair, Sealed
from chat.protocol.values.quantities import time_left
from chat.server.core.idempotency import DeferredRefusal
from chat.server.core.node import Node
from chat.server.core.rooms import RoomService, account_of
from chat.server.core.row_events import private_conversation
from chat.server.core.user import Session
from chat.server.interfaces import Ephemeral, IBus, Published

_EVERYONE = ("node", 0)


class Messaging:
    def __init__(self, node: Node, bus: IBus, rooms: RoomService) -> None:
        self._node = node
        self._bus = bus
        self._rooms = rooms
        self._bus.subscribe(_EVERYONE, self._follow)

    async def say(self, session: Session, word: str, body: Body, kind: Kind, retry: str | None) -> StoredAs:
        """Say something in a room: checked and queued in one step, stored, told.

        :param word: the name of the room.
        :param kind: `Kind.TEXT` or `Kind.ACTION`; a sealed body is `Kind.SEALED`.
        :param retry: the sender's retry id, or nothing.
        """
        room = self._rooms.named(session, word)
        now = self._node.now()
        user, account = session.user, account_of(session)
        checked = DeferredRefusal(retry)
        with checked:
            self._node.may_say(account, now)
            room.may_speak(account, now)
            room.may_take(body)
            room.pace(account, self._node.clock.monotonic())
        if isinstance(body, Sealed):
            kind = Kind.SEALED
        draft = Draft(room.id, kind, account, session.device, now, body, retry=retry)
        stored = await self._node.store.append(draft, session.origin, checked.refusal)
        if user is not None:
            user.last_said = stored.conversation, stored.seq
        return StoredAs(room.conversation, stored.seq, stored.time, repeated=stored.repeated)

    async def message(self, session: Session, other: Account, body: Body, retry: str | None) -> StoredAs:
        """Write to somebody privately; kept when that person is not here.

        :raises BlockedByRecipient: or `MailboxFull`.
        """
        node = self._node
        user, account = session.user, account_of(session)
        now = node.now()
        blocked = node.directory.blocks(other.id, account)
        checked = DeferredRefusal(retry)
        with checked:
            node.may_say(account, now)
            if blocked:
                raise BlockedByRecipient()
        # Sent again from before the block, it is answered as before, and tells nothing of now.
        recipient = node.users.get(other.id) if not blocked else None
        present = recipient is not None and recipient.live
        pair = Pair.of(account, other.id)
        draft = Draft(
            pair,
            Kind.SEALED if isinstance(body, Sealed) else Kind.TEXT,
            account,
            session.device,
            now,
            body,
            retry=retry,
            most_waiting=None if present else node.settings.mailbox,
        )
        stored = await node.store.append(draft, session.origin, checked.refusal)
        if user is not None:
            user.last_said = stored.conversation, stored.seq
        conversation = private_conversation(stored.conversation, pair, account, node.directory)
        note = recipient.away if recipient is not None and present and other.id != account else None
        return StoredAs(conversation, stored.seq, stored.time, present, note, stored.repeated)

    async def reply(self, session: Session, body: Body, retry: str | None) -> StoredAs:
        """Write to who wrote to this user last.

        :raises NobodyToReplyTo: when nobody did since it logged in.
        """
        assert session.user is not None, "perform lets only users act"
        last = session.user.last_from
        other = self._node.directory.account_by_id(last) if last is not None else None
        if other is None:
            raise NobodyToReplyTo()
        return await self.message(session, other, body, retry)

    def broadcast(self, session: Session, text: str) -> bool:
        """Tell everybody who is online; nothing of it is stored.

        :returns: whether everybody got it: False when anybody blocks its author. Whether they are here is not told.
        :raises TooFast: beyond the broadcasts a minute that one person has.
        """
        user = session.user
        assert user is not None, "perform lets only users act"
        self._node.sanctions.may_speak(user.account.id, self._node.now())
        when = self._node.clock.monotonic()
        allowed, wait = self._node.throttle.broadcasts.of(user.account.id, when).take(when)
        if not allowed:
            raise TooFast(f"Too many broadcasts. Wait {time_left(round(wait * 1000))}.", wait=wait)
        fields: dict[str, str | int | bool | None] = {
            "author": user.account.id,
            "text": text,
            "time": self._node.now(),
        }
        self._node.traffic_log.note("broadcast", session, len(text.encode()))
        self._bus.publish([_EVERYONE], Ephemeral("broadcast", fields, session.origin))
        return not self._node.directory.blockers_of(user.account.id)

    def _follow(self, published: Published) -> None:
        if not isinstance(published, Ephemeral) or published.name != "broadcast":
            return
        node = self._node
        author, text, when = (published.fields[name] for name in ("author", "text", "time"))
        assert isinstance(author, int) and isinstance(text, str) and isinstance(when, int), "made by broadcast()"
        omit = list(node.mind_of(published.origin))
        for account in node.directory.blockers_of(author):
            omit.extend(node.minds_of(account))
        node.everyone.post(Broadcasted(node.directory.name_of(author), when, text), omit)
