"""The front end for programs: one JSON object a line, both ways."""

from __future__ import annotations

from collections.abc import Awaitable, Hashable, Iterator

from chat.protocol.errors import BadFrame, NotLoggedIn, TooLong, UnknownCommand
from chat.protocol.events import Closing, Event, LoggedIn, LoggedOut, PrivateEntry, Refused, Reply, Resumed, Welcome
from chat.protocol.grammar.context import Call
from chat.protocol.values import value
from chat.protocol.wire.jsonlines import Request, decode, encode, encode_parts, request_id
from chat.server.core.dispatcher import attempt
from chat.server.core.throttle import READ_FOR_ONE
from chat.server.frontends.audience import Audience
from chat.server.frontends.contract import Link, newer
from chat.server.frontends.cooperative import collect
from chat.server.frontends.line_decoder import TOO_LONG, Lines
from chat.server.frontends.pipeline import Pipeline
from chat.server.interfaces import Features, IAudience, IDelayed

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


class JsonFrontEnd:
    """One program."""

    __slots__ = ("_held_back", "_link", "_pipeline", "_service", "_watch", "outbox", "peer")

    features = FEATURES
    most_bytes = FRAME_BYTES

    def __init__(self, link: Link) -> None:
        self._link = link
        self._service = link.service
        self.outbox = link.outbox
        self.peer = link.peer
        self._held_back: list[Event] | None = None
        self._watch = Silence(link)
        self._pipeline = Pipeline(self, link.turn)

    # frames in

    def lines(self, lines: Lines) -> None:
        self._watch.heard()
        self._pipeline.feed(lines)

    def silent(self) -> None:
        pass

    def input_ended(self) -> None:
        self._pipeline.end()

    def finished(self) -> None:
        pass

    def lost(self) -> None:
        self._watch.stop()
        self._pipeline.close()

    def read(self, line: object) -> Call | bytes:
        if line is TOO_LONG:
            too_long = Refused(TooLong.code, f"A frame has at most {FRAME_BYTES:,} bytes; this one was not read.")
            return self._refuse(too_long, None, FRAME_BYTES)
        assert isinstance(line, bytes), "a line is bytes or TOO_LONG"
        if not line.strip():
            self._service.node.throttle.charge(self._link.session)
            return b""
        request = attempt(decode, line)
        if isinstance(request, Refused):
            return self._refuse(request, request_id(line), len(line))
        call = attempt(self._call, request)
        if isinstance(call, Refused):
            return self._refuse(call, request.id, len(line))
        if len(line) > READ_FOR_ONE and self._link.session.user is None:  # nothing that a guest may do needs so many
            self._service.node.throttle.charge(self._link.session, len(line) / READ_FOR_ONE)
        return call

    def _refuse(self, why: Refused, id: str | int | None, size: int) -> bytes:
        """Answer a frame that is no command.

        :param size: of the frame in bytes.
        """
        self._service.node.throttle.refused(self._link.session, size, unknown=why.code in _MEANINGLESS)
        return encode(why, id)

    def _call(self, request: Request) -> Asked:
        verb = self._service.table.get(request.cmd)
        if verb is None:
            raise UnknownCommand(f"There is no command {request.cmd[:40]}; commands lists them.")
        arguments = dict(request.args)
        if request.retry is not None:
            arguments["retry"] = request.retry
        if "retry" in arguments and not any(each.name == "retry" for each in verb.parameters):
            raise BadFrame(f"{verb.name} is not stored, so it takes no retry id.")
        return Asked(verb, verb.decode(arguments), request.id)

    # commands and their replies (`chat.server.frontends.pipeline.Answering`)

    def perform(self, call: Call) -> Awaitable[Reply]:
        if call.verb.name == "resume":
            self._held_back = []
            self.outbox.hold()
        return self._link.session.perform(call)

    async def respond(self, call: Call, reply: Reply) -> bytes:
        assert isinstance(call, Asked), "made by _call"
        if self._held_back is not None and call.verb.name == "resume":
            standings = reply.conversations if isinstance(reply, Resumed) else ()
            shown = {each.conversation.id: each.last for each in standings}
            self._link.turn.soon(lambda: self._let_go(shown))
        if isinstance(reply, Welcome):
            self._watch.heard()  # the promise may be all that ever comes
        elif isinstance(reply, LoggedIn):
            self._link.logged_in()
        elif isinstance(reply, LoggedOut):
            if reply.closing:
                self._pipeline.close()
                self._link.turn.soon(self._link.hang_up)
            else:
                self._link.watch_login()
        elif (parts := encode_parts(reply, call.id)) is not None:
            return await self._page(parts, call)
        return encode(reply, call.id)

    async def _page(self, parts: Iterator[bytes], call: Asked) -> bytes:
        user = self._link.session.user
        page = await collect(parts, self._link.turn)
        if self._link.session.user is not user:
            return encode(Refused(NotLoggedIn.code, NotLoggedIn.text), call.id)
        return b"".join(page)

    def write(self, answer: bytes) -> None:
        self.outbox.write(answer)

    def pause(self, paused: bool) -> None:
        self._link.pause(paused)

    def drained(self) -> None:
        self._link.hang_up()

    def _let_go(self, shown: dict[int, int]) -> None:
        held, self._held_back = self._held_back, None
        for event in newer(held or (), lambda conversation: shown.get(conversation, 0)):
            self.deliver(event)
        self.outbox.release()

    # the mind

    def audience_key(self, conversation: int) -> Hashable:
        return "json"

    def new_audience(self, conversation: int) -> IAudience:
        return Audience(encode, self._link.turn, FEATURES)

    def deliver(self, event: Event) -> None:
        if self._held_back is not None and isinstance(event, PrivateEntry):
            self._held_back.append(event)
        else:
            self.outbox.write(encode(event))

    def shown(self) -> None:
        """Programs say themselves what they have."""

    def flush(self) -> None:
        """Nothing was held back."""

    def probe(self) -> Awaitable[bool]:
        return self._link.shows_life()

    def slow_down(self, seconds: float) -> None:
        self._pipeline.rest(self._service.node.sleeper.wait(seconds))

    def close(self, reason: str) -> None:
        self._pipeline.close()
        if self._pipeline.reading:  # what is being read is the reason, and is answered first
            self._link.turn.soon(lambda: self.close(reason))
            return
        self.outbox.write(encode(Closing(reason)))
        self._link.hang_up()


class Silence:
    """Ends the connection of a program that promised heartbeats and has fallen silent."""

    __slots__ = ("_heard", "_link", "_over", "_timer")

    def __init__(self, link: Link) -> None:
        self._link = link
        self._heard = 0.0
        self._over = False
        self._timer: IDelayed | None = None

    def heard(self) -> None:
        """A frame has come."""
        clock = self._link.service.clock
        self._heard = clock.monotonic()
        if self._timer is None and self._link.session.heartbeat and not self._over:
            self._wait(self._link.service.settings.timeout)

    def stop(self) -> None:
        self._over = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _wait(self, seconds: float) -> None:
        self._timer = self._link.deadline(seconds, self._check)

    def _check(self) -> None:
        timeout = self._link.service.settings.timeout
        if self._link.unread():  # it is not silent: so many of its requests wait that nothing is read
            self._heard = self._link.service.clock.monotonic()
        left = self._heard + timeout - self._link.service.clock.monotonic()
        if left > 0:
            self._wait(left)
        else:
            self._link.session.mind.close(f"No sign of life for {timeout} seconds.")
