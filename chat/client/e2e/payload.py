"""The payload of an encrypted message: who wrote it, on which device, where, and after which message."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256

from chat.client.e2e.cross_signing import statement
from chat.client.model.failures import NotGenuine
from chat.protocol.names import fold
from chat.protocol.values import BODY_BYTES, Conversation, Sealed


def place(conversation: Conversation, reader: str) -> str:
    """What a conversation is called inside an envelope: the same for all its readers, and for no other one.

    A room has the id that is never given twice; a pair its two names, as its first message has no id yet.
    """
    if conversation.room:
        return conversation.reference
    return "with " + " ".join(sorted((fold(reader), fold(conversation.partner))))


def digest_of(place: str, author: str, device: str, sealed: Sealed) -> str:
    """What stands for a message in the envelopes of those that follow it."""
    return sha256(statement("chat message 1", place, fold(author), device, sealed.key, sealed.ciphertext)).hexdigest()


@dataclass(frozen=True, slots=True)
class Payload:
    """The inside of a sealed message.

    :param author: folded.
    :param place: see `place`.
    :param count: of what this device has sealed for that conversation, from 1 and without gaps.
    :param after: the seq of the last sealed message that its author had seen there, 0 for none.
    :param digest: of that message.
    :param text: what was said.
    :param action: whether it is shown as an action (``* bob waves``).
    :param ref: the seq that it replaces, where it is an edit.
    """

    author: str
    device: str
    place: str
    count: int
    after: int
    digest: str
    text: str
    action: bool = False
    ref: int = 0

    def encode(self) -> bytes:
        """As it is sealed."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, plain: bytes) -> Payload:
        """Read what was sealed.

        :raises NotGenuine: when it is no envelope.
        """
        try:
            given = json.loads(plain)
            envelope = cls(**{name: given[name] for name in cls.__slots__})
        except (ValueError, TypeError, KeyError, RecursionError):
            envelope = None
        if envelope is None or any(type(getattr(envelope, name)) is not kind for name, kind in _KINDS.items()):
            raise NotGenuine("This encrypted message is not valid.")
        return envelope


_KINDS = {
    **dict.fromkeys(("author", "device", "place", "digest", "text"), str),
    **dict.fromkeys(("count", "after", "ref"), int),
    "action": bool,
}

MOST_TEXT = BODY_BYTES * 3 // 4
"""Bytes of the longest text, which leaves room for the envelope and the seal around it."""
