"""The types of what programs say about files that lie on the server."""

from __future__ import annotations

from base64 import b64decode
from typing import Annotated

from chat.protocol.errors import BadUsage
from chat.protocol.grammar.durations import NumberType
from chat.protocol.grammar.parameters import ParameterType, base64_length
from chat.protocol.values import MOST_PIECES, PIECE_BYTES


class PieceType(ParameterType):
    """A piece of a file, sealed."""

    form = "PIECE"
    json = f"string of base 64, of at most {PIECE_BYTES:,} bytes"
    most_bytes = base64_length(PIECE_BYTES)

    def from_json(self, value: object) -> bytes:
        if not isinstance(value, str) or not value:
            raise BadUsage(f"a piece has 1 to {PIECE_BYTES:,} bytes, in base 64")
        try:
            return b64decode(value, validate=True)
        except ValueError:
            raise BadUsage("that is not base 64") from None


Piece = Annotated[bytes, PieceType()]
FileId = Annotated[int, NumberType(1, 2**53 - 1)]
PieceCount = Annotated[int, NumberType(1, MOST_PIECES)]
PieceNumber = Annotated[int, NumberType(0, MOST_PIECES - 1)]
