"""The front end for programs: one JSON object a line, both ways."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from chat.protocol.errors import BadFrame, TooLong, UnknownCommand
from chat.protocol.events import Event, Refused, Reply
from chat.protocol.grammar.context import Call
from chat.protocol.values import value
from chat.protocol.wire.jsonlines import Request, decode, encode, encode_parts, request_id
from chat.server.core.dispatcher import attempt
from chat.server.frontends.audience import Audience
from chat.server.frontends.contract import FrontEnd, NoCall
from chat.server.frontends.line_decoder import TOO_LONG
from chat.server.interfaces import Features, IAudience

FRAME_BYTES = 64 * 1024
"""The longest frame, without its end."""

FEATURES = Features(
    acknowledges=True,
    tokens=True,
    gaps=True,
    opens_sealed=True,
    receipts=True,
    crowd_presence=True,
    every_occupancy=True,
)

_MEANINGLESS = frozenset((BadFrame.code, TooLong.code, UnknownCommand.code))
"""Why frames are refused that mean nothing at all."""


@value
class Asked(Call):
    """A call that came as a request, whose id the reply carries."""

    id: str | int | None = None


class JsonFrontEnd(FrontEnd):
    """One program."""

    __slots__ = ()

    features = FEATURES
    most_bytes = FRAME_BYTES

    def decode(self, frame: object) -> Call | NoCall:
        if frame is TOO_LONG:
            too_long = Refused(TooLong.code, f"A frame can have at most {FRAME_BYTES:,} bytes; this one was ignored.")
            return _refusal(too_long, None)
        assert isinstance(frame, bytes), "a frame is bytes or TOO_LONG"
        if not frame.strip():
            return NoCall()
        request = attempt(decode, frame)
        if isinstance(request, Refused):
            return _refusal(request, request_id(frame))
        call = attempt(self._call, request)
        return _refusal(call, request.id) if isinstance(call, Refused) else call

    def _call(self, request: Request) -> Asked:
        verb = self.line.service.table.get(request.cmd)
        if verb is None:
            raise UnknownCommand(f"There is no command {request.cmd[:40]}; commands lists them.")
        arguments = dict(request.args)
        if request.retry is not None:
            arguments["retry"] = request.retry
        if "retry" in arguments and not any(each.name == "retry" for each in verb.parameters):
            raise BadFrame(f"{verb.name} is not stored, so it cannot have a retry id.")
        return Asked(verb, verb.decode(arguments), request.id)

    def render(self, shown: Event | Reply, call: Call | None = None) -> bytes | Iterator[bytes]:
        id = call.id if isinstance(call, Asked) else None
        return encode(shown, id) if call is None else encode_parts(shown, id) or encode(shown, id)

    def audience_key(self, conversation: int) -> Hashable:
        return "json"

    def new_audience(self, conversation: int) -> IAudience:
        return Audience(encode, self.line.turn, FEATURES)


def _refusal(why: Refused, id: str | int | None) -> NoCall:
    """The answer to a frame that is no command."""
    return NoCall(encode(why, id), refused=True, unknown=why.code in _MEANINGLESS)
