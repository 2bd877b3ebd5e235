"""What a row means beyond being said: topics, members, bans, redactions.

Each effect runs in the transaction of its row. A row is about its ``target`` or, where it has none,
about its author.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chat.protocol.errors import NoSuchMessage
from chat.protocol.values import SERVER, Draft, Kind, Role, Text, room_setting
from chat.server.storage import dialect
from chat.server.storage.scrub import mark
from chat.server.storage.search_index import forget_words
from chat.server.storage.transaction import LAST_SEQ, SEQ_BITS, Transaction

Effect = Callable[[Transaction, int, int, Draft], None]
"""Called with the transaction, the conversation, the row's seq, and its draft."""


def _subject(draft: Draft) -> int:
    return draft.author if draft.target is None else draft.target


def _words(draft: Draft) -> str:
    return draft.body.text if isinstance(draft.body, Text) else ""


def _add_member(transaction: Transaction, conversation: int, seq: int, draft: Draft, role: Role) -> None:
    # Who is a member already stays one since when it was.
    transaction.execute(
        "INSERT INTO members (conversation, account, role, joined_seq, joined, entered, readable_after)"
        " SELECT conversation, ?, ?, ?, ?, ?, CASE WHEN from_start THEN 0 ELSE ? END FROM rooms WHERE conversation = ?"
        " ON CONFLICT DO NOTHING",
        (_subject(draft), role.value, seq - 1, draft.time, draft.time, seq - 1, conversation),
    )


def _created(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    if draft.author != SERVER:
        _add_member(transaction, conversation, seq, draft, Role.OWNER)


def _joined(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    _add_member(transaction, conversation, seq, draft, Role.MEMBER)
    _uninvite(transaction, conversation, seq, draft)


def _left(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    transaction.execute("DELETE FROM members WHERE conversation = ? AND account = ?", (conversation, _subject(draft)))


def _invited(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    transaction.execute(
        dialect.replace("invitations", ("conversation", "account"), ("by", "created")),
        (conversation, _subject(draft), draft.author, draft.time),
    )


def _uninvite(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    transaction.execute(
        "DELETE FROM invitations WHERE conversation = ? AND account = ?", (conversation, _subject(draft))
    )


def _restrict(transaction: Transaction, conversation: int, kind: Kind, draft: Draft) -> None:
    transaction.execute(
        dialect.replace("restrictions", ("conversation", "account", "kind"), ("until", "by", "reason")),
        (conversation, _subject(draft), kind.value, draft.until, draft.author, _words(draft)),
    )


def _lift(transaction: Transaction, conversation: int, kind: Kind, draft: Draft) -> None:
    transaction.execute(
        "DELETE FROM restrictions WHERE conversation = ? AND account = ? AND kind = ?",
        (conversation, _subject(draft), kind.value),
    )


def _banned(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    _left(transaction, conversation, seq, draft)
    _uninvite(transaction, conversation, seq, draft)
    _restrict(transaction, conversation, Kind.BANNED, draft)


def _unbanned(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    _lift(transaction, conversation, Kind.BANNED, draft)


def _muted(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    _restrict(transaction, conversation, Kind.MUTED, draft)


def _unmuted(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    _lift(transaction, conversation, Kind.MUTED, draft)


def _role(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    transaction.execute(
        "UPDATE members SET role = ? WHERE conversation = ? AND account = ?",
        (Role(_words(draft)).value, conversation, _subject(draft)),
    )


def _topic(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    transaction.execute("UPDATE rooms SET topic = ? WHERE conversation = ?", (_words(draft), conversation))


def _setting(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    column, value = room_setting(_words(draft))
    transaction.execute(f"UPDATE rooms SET {column} = ? WHERE conversation = ?", (value, conversation))


def _closed(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    transaction.execute("UPDATE rooms SET deleted = ? WHERE conversation = ?", (draft.time, conversation))
    for table in ("members", "invitations", "restrictions"):
        transaction.execute(f"DELETE FROM {table} WHERE conversation = ?", (conversation,))


def _redaction(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    # Only what came before can be emptied; the rows stay, so that seq has no gap.
    if draft.ref is None or not 0 < draft.ref < seq:
        return
    transaction.flush()
    edits = transaction.connection.execute(
        "SELECT id FROM log WHERE id >> 32 = ? AND ref = ? AND kind = ?", (conversation, draft.ref, Kind.EDIT.value)
    ).fetchall()
    for id in (conversation << SEQ_BITS | draft.ref, *(id for (id,) in edits)):
        empty(transaction, id)
    mark(transaction)


def empty(transaction: Transaction, id: int) -> None:
    """Take the body out of a row and out of the search index; the row stays. `mark` it afterwards.

    :param id: the row's key in the log.
    """
    forget_words(transaction, id >> SEQ_BITS, id & LAST_SEQ, id & LAST_SEQ)
    transaction.execute("UPDATE log SET scheme = NULL, key = NULL, body = NULL WHERE id = ?", (id,))


def _edit(transaction: Transaction, conversation: int, seq: int, draft: Draft) -> None:
    # It may have been deleted since the edit was asked for; then its words must not come back.
    transaction.flush()
    id = conversation << SEQ_BITS | (draft.ref or 0)
    if not transaction.look("SELECT 1 FROM log WHERE id = ? AND body IS NOT NULL", (id,)):
        raise NoSuchMessage()


EFFECTS: Mapping[str, Effect] = {
    Kind.CREATED.value: _created,
    Kind.JOINED.value: _joined,
    Kind.INVITED.value: _invited,
    Kind.DECLINED.value: _uninvite,
    Kind.LEFT.value: _left,
    Kind.KICKED.value: _left,
    Kind.BANNED.value: _banned,
    Kind.UNBANNED.value: _unbanned,
    Kind.MUTED.value: _muted,
    Kind.UNMUTED.value: _unmuted,
    Kind.ROLE.value: _role,
    Kind.TOPIC.value: _topic,
    Kind.SETTING.value: _setting,
    Kind.CLOSED.value: _closed,
    Kind.REDACTION.value: _redaction,
    Kind.EDIT.value: _edit,
}
"""By the kind's word (the hash of an enum member is computed in Python, once for each message). A kind
that is not here means nothing beyond its row."""
