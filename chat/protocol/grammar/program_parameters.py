"""Parameters that only programs give: proofs, marks, retry ids, addresses, pieces of files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from chat.protocol.errors import BadUsage
from chat.protocol.grammar.durations import NumberType
from chat.protocol.grammar.parameters import ParameterType, base64_length, read_base64
from chat.protocol.values import MOST_PIECES, PIECE_BYTES, Verifier, parse_reference

SCRAM_LENGTH = 512
"""The most bytes of a message of SCRAM: preparing a longer name would cost more than the proof."""


class ScramType(ParameterType):
    """A message of SCRAM (RFC 5802)."""

    secret = True
    json = f"string of at most {SCRAM_LENGTH} bytes"
    most_bytes = SCRAM_LENGTH

    def read(self, word: str) -> str:
        if not word:
            raise BadUsage(f"a SCRAM message must have 1 to {SCRAM_LENGTH} bytes")
        return word


class VerifierType(ParameterType):
    """What is stored instead of a password, its bytes in base 64; whether it will do, `chat.protocol.passwords`
    says."""

    form = "VERIFIER"
    secret = True
    json = "object: salt, iterations, stored_key, server_key"

    def from_json(self, value: object) -> Verifier:
        if not isinstance(value, Mapping):
            raise BadUsage("expected an object with salt, iterations, stored_key and server_key")
        iterations = value.get("iterations")
        if type(iterations) is not int:
            raise BadUsage("iterations must be a number")
        salt, stored_key, server_key = (
            read_base64(value.get(each), 128, each) for each in ("salt", "stored_key", "server_key")
        )
        return Verifier(salt, iterations, stored_key, server_key)


class DigestType(ParameterType):
    """A SHA-256."""

    json = "string: 32 bytes in base64"

    def read(self, word: str) -> bytes:
        if len(word) != 44:
            raise BadUsage("expected a SHA-256: 32 bytes in 44 characters of base64")
        return read_base64(word, 44)


class RetryType(ParameterType):
    """What makes a repeated send the same message: 11 to 64 characters, so that 64 random bits fit."""

    form = "RETRY"
    json = "string of 11 to 64 characters"

    def read(self, word: str) -> str:
        if not 11 <= len(word) <= 64:
            raise BadUsage("a retry id must have 11 to 64 characters")
        return word


class FlagType(ParameterType):
    json = "true or false"

    def from_json(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise BadUsage("expected true or false")
        return value


class ConversationType(ParameterType):
    """A conversation as programs name it: ``r2``, ``k4``; read as its id."""

    form = "CONVERSATION"
    most_bytes = 32

    def read(self, word: str) -> int:
        try:
            return parse_reference(word)[1]
        except ValueError as error:
            raise BadUsage(str(error)) from None


class AddressesType(ParameterType):
    """IP addresses."""

    form = "ADDRESSES"
    most_bytes = 64
    json = "array of strings"

    def from_json(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or len(value) > 20 or not all(isinstance(each, str) for each in value):
            raise BadUsage("expected an array of at most 20 strings")
        for each in value:
            self.bound(each)
        return tuple(value)


class MarksType(ParameterType):
    """Sequence numbers by conversation: ``{"r2": 4712}``; at most 1,000 of them."""

    form = "MARKS"
    json = "object: conversation to seq"

    def from_json(self, value: object) -> dict[int, int]:
        if not isinstance(value, Mapping) or len(value) > 1_000:
            raise BadUsage("expected an object of at most 1,000 conversations")
        conversations = ConversationType()
        marks: dict[int, int] = {}
        for reference, seq in value.items():
            if isinstance(seq, bool) or not isinstance(seq, int) or not 0 <= seq < 2**32:
                raise BadUsage(f"the mark of {str(reference)[:40]!r} is not a seq")
            conversations.bound(reference)
            marks[conversations.from_json(reference)] = seq
        return marks


class PieceType(ParameterType):
    """An encrypted piece of a file."""

    form = "PIECE"
    json = f"base64 string of at most {PIECE_BYTES:,} bytes"
    most_bytes = base64_length(PIECE_BYTES)

    def from_json(self, value: object) -> bytes:
        if not value:
            raise BadUsage(f"a piece must have 1 to {PIECE_BYTES:,} bytes, in base64")
        return read_base64(value, self.most_bytes)


ScramMessage = Annotated[str, ScramType()]
Digest = Annotated[bytes, DigestType()]
NewVerifier = Annotated[Verifier, VerifierType()]
ConversationId = Annotated[int, ConversationType()]
Marks = Annotated[dict[int, int], MarksType()]
Retry = Annotated[str, RetryType()]
Flag = Annotated[bool, FlagType()]
Port = Annotated[int, NumberType(1, 65_535)]
Addresses = Annotated[tuple[str, ...], AddressesType()]
Seq = Annotated[int, NumberType(0, 2**32 - 1)]
Moment = Annotated[int, NumberType(0, 2**53 - 1)]
"""Milliseconds since the epoch."""
Piece = Annotated[bytes, PieceType()]
FileId = Annotated[int, NumberType(1, 2**53 - 1)]
PieceCount = Annotated[int, NumberType(1, MOST_PIECES)]
PieceNumber = Annotated[int, NumberType(0, MOST_PIECES - 1)]
