"""What was said, said better or taken back: an edit and a redaction are rows that refer to another."""

from __future__ import annotations

from chat.protocol.errors import BadUsage, BlockedByRecipient, Forbidden, NoSuchMessage
from chat.protocol.events import StoredAs
from chat.protocol.values import SPOKEN, Body, Draft, Kind, Pair, Row, parse_msgid, parse_reference
from chat.server.core.history import HistoryReader
from chat.server.core.idempotency import DeferredRefusal
from chat.server.core.node import Node
from chat.server.core.rooms import account_of
from chat.server.core.user import Session


class Edits:
    def __init__(self, node: Node, past: HistoryReader) -> None:
        self._node = node
        self._past = past

    async def edit(self, session: Session, msgid: str | None, body: Body, retry: str | None) -> StoredAs:
        """Write an own message anew; it stands in the log beside what it replaces.

        :param msgid: of a message or of an edit of it; nothing for what this user said last.
        :raises NoSuchMessage: when there is none, or its words are gone.
        :raises Forbidden: when somebody else wrote it.
        """
        row = await self._find(session, msgid)
        account = account_of(session)
        if row.author != account:
            raise Forbidden("You can edit only your own messages.")
        node, now = self._node, self._node.now()
        room = node.rooms.get(row.conversation)
        place: int | Pair = row.conversation
        most = None
        checked = DeferredRefusal(retry)
        if room is not None:
            with checked:
                node.may_say(account, now)
                room.may_speak(account, now)
                room.may_take(body)
                room.pace(account, node.clock.monotonic())
        else:
            place = pair = await self._past.pair(account, row.conversation)
            other = pair.beside(account)
            with checked:
                node.may_say(account, now)
                if node.directory.blocks(other, account):
                    raise BlockedByRecipient()
            recipient = node.users.get(other)
            most = None if recipient is not None and recipient.live else node.settings.mailbox
        draft = Draft(place, Kind.EDIT, account, session.device, now, body, row.seq, retry=retry, most_waiting=most)
        stored = await node.store.append(draft, session.origin, checked.refusal)
        conversation, _ = await self._past.by_id(session, row.conversation)
        return StoredAs(conversation, stored.seq, stored.time, repeated=stored.repeated)

    async def delete(self, session: Session, msgid: str | None) -> None:
        """Empty an own message, or in a room that one moderates anybody's.

        :param msgid: see `edit`.
        :raises NoSuchMessage: when there is none, or its words are gone.
        :raises Forbidden: when somebody else wrote it, and one is no moderator there.
        """
        row = await self._find(session, msgid)
        account = account_of(session)
        room = self._node.rooms.get(row.conversation)
        to: int | Pair = row.conversation
        if room is None:
            if row.author != account:
                raise Forbidden("You can delete only your own private messages.")
            to = await self._past.pair(account, row.conversation)
        elif row.author != account:
            assert session.user is not None, "account_of has seen to it"
            room.may_moderate(Kind.REDACTION, account, session.user.account.rank, row.author)
        now = self._node.now()
        draft = Draft(to, Kind.REDACTION, account, session.device, now, ref=row.seq, target=row.author)
        await self._node.store.append(draft, session.origin)

    async def _find(self, session: Session, msgid: str | None) -> Row:
        """The message that is meant, for somebody who may read it."""
        if msgid is not None:
            reference, seq = parse_msgid(msgid)
            conversation = parse_reference(reference)[1]
        elif session.user is not None and session.user.last_said is not None:
            conversation, seq = session.user.last_said
        else:
            raise BadUsage(
                "You have not said anything since you logged in. Name a message by its id; history shows the ids."
            )
        _, readable_after = await self._past.by_id(session, conversation)
        row = await self._row(conversation, seq)
        if row is not None and row.kind is Kind.EDIT and row.ref is not None:
            row = await self._row(conversation, row.ref)
        if row is None or row.seq <= readable_after or row.kind not in SPOKEN or row.body is None:
            raise NoSuchMessage()
        return row

    async def _row(self, conversation: int, seq: int) -> Row | None:
        page = await self._node.store.history(conversation, after=seq - 1, before=seq + 1, limit=1)
        return page.rows[0] if page.rows else None
