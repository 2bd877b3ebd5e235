"""Storing one row: the path that every message takes.

All refusals come before the first change, so that one costs its batch nothing (``chat.server.storage.group_commit``).
"""

from __future__ import annotations

import hashlib
from typing import Final

from chat.protocol.errors import ChatError, MailboxFull, RetryMismatch
from chat.protocol.values import Draft, Origin, Pair, Row, Sealed, Stored
from chat.server.interfaces import Committed
from chat.server.storage import dialect
from chat.server.storage.row_effects import EFFECTS
from chat.server.storage.transaction import LAST_SEQ, SEQ_BITS, Transaction

_MARK: Final = "SELECT " + dialect.greatest(
    "coalesce((SELECT max(seq) FROM received WHERE account = :account AND conversation = :pair), 0)",
    "coalesce((SELECT seq FROM read WHERE account = :account AND conversation = :pair), 0)",
)
"""Up to where the other one of a pair has what was said there."""


def append(
    transaction: Transaction, draft: Draft, origin: Origin | None = None, refusal: ChatError | None = None
) -> Stored:
    """Give a draft its seq, store it, and apply what it means; see `chat.server.interfaces.IStore.append`."""
    where = draft.conversation
    conversation = transaction.pair(where) if isinstance(where, Pair) else where
    retry = draft.retry
    if retry is not None:
        stored = _stored_before(transaction, conversation, draft, retry)
        if stored is not None:
            return stored
    if refusal is not None:
        raise refusal
    if draft.most_waiting is not None and conversation is not None:
        _check_mailbox(transaction, conversation, draft, draft.most_waiting)
    if conversation is None:
        assert isinstance(where, Pair)
        conversation = transaction.new_pair(where)

    seq = transaction.last(conversation) + 1
    kind, author, device, time, body = draft.kind, draft.author, draft.device, draft.time, draft.body
    scheme = key = None
    content: str | bytes | None = None
    if isinstance(body, Sealed):
        scheme, key, content = body.scheme, body.key, body.ciphertext
    elif body is not None:
        content = body.text
    transaction.add(
        (conversation << SEQ_BITS | seq, kind, author, device, time, draft.ref, draft.target, scheme, key, content),
        Committed(draft, Row(conversation, seq, kind, author, device, time, body, draft.ref, draft.target), origin),
    )
    if retry is not None:
        transaction.remember((author, device, retry), (_digest(conversation, draft), conversation, seq, time))
    effect = EFFECTS.get(kind)
    if effect is not None:
        effect(transaction, conversation, seq, draft)
    return Stored(conversation, seq, time)


def _stored_before(transaction: Transaction, conversation: int | None, draft: Draft, retry: str) -> Stored | None:
    """What an earlier try with this retry id stored."""
    found = transaction.earlier((draft.author, draft.device, retry))
    if found is None:
        return None
    digest, conversation_then, seq, time = found
    if conversation != conversation_then or _digest(conversation_then, draft) != digest:
        raise RetryMismatch()
    return Stored(conversation_then, seq, time, repeated=True)


def _digest(conversation: int, draft: Draft) -> bytes:
    """The SHA-256 of what the sender asked for: all but the times, which a second try has of its own."""
    body = draft.body
    content = b""
    form = "none"
    if isinstance(body, Sealed):
        form, content = f"sealed {body.scheme!r} {body.key!r}", body.ciphertext
    elif body is not None:
        form, content = "text", body.text.encode()
    head = f"{conversation} {draft.kind.value} {draft.ref} {draft.target} {form}\n"
    return hashlib.sha256(head.encode() + content).digest()


def _check_mailbox(transaction: Transaction, conversation: int, draft: Draft, most: int) -> None:
    """Refuse when too many rows of the author wait for the other one of the pair.

    In a room, and in a note to oneself, nothing waits in this sense.
    """
    last = transaction.last(conversation)
    if last < most:
        return
    pair = draft.conversation
    if not isinstance(pair, Pair):
        found = transaction.look("SELECT low, high FROM pairs WHERE conversation = ?", (conversation,))
        if found is None:
            return
        pair = Pair(*found)
    recipient = pair.beside(draft.author)
    if recipient == draft.author:
        return
    mark = transaction.look(
        _MARK,
        {"account": recipient, "pair": conversation},
    )[0]
    if last - mark < most:
        return
    transaction.flush()
    low = conversation << SEQ_BITS
    waiting = transaction.look(
        "SELECT count(*) FROM (SELECT 1 FROM log WHERE id > ? AND id <= ? AND author = ? LIMIT ?)",
        (low | mark, low | LAST_SEQ, draft.author, most),
    )[0]
    if waiting >= most:
        raise MailboxFull()
