"""The session of one connection, whatever format its lines have.

A front end (`chat.server.frontends.contract.FrontEnd`) is a decoder and a renderer. What every session needs is here:

* Commands run, and are answered, in the order of the lines (`chat.server.frontends.pipeline`).
* What happens while the past is being read is shown after it, and nothing twice (`chat.server.frontends.held_events`).
* What the peer has received is concluded from its socket, unless it says so itself
  (`chat.server.frontends.delivery_proof`). Such a peer is shown what it missed as soon as it has logged in.
* A peer that sends too much, or nothing that means anything, pays for it and is read more slowly.
* Whoever promised heartbeats and falls silent is disconnected.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from chat.protocol.errors import NotLoggedIn
from chat.protocol.events import (
    Closing,
    Event,
    History,
    LoggedIn,
    LoggedOut,
    Missed,
    OwnSettings,
    PrivateEntry,
    Refused,
    Removed,
    Reply,
    Resumed,
    RoomEntered,
    RoomLeft,
    SignedOut,
    Skipped,
    Welcome,
)
from chat.protocol.grammar.context import Call
from chat.protocol.names import fold
from chat.server.core.service import ChatService
from chat.server.core.throttle import READ_FOR_ONE
from chat.server.core.user import ChatUser, Session
from chat.server.frontends.contract import FrontEnd, Line, Link, whole
from chat.server.frontends.cooperative import collect
from chat.server.frontends.delivery_proof import DeliveryProof
from chat.server.frontends.heartbeat_timeout import HeartbeatTimeout
from chat.server.frontends.held_events import HeldEvents
from chat.server.frontends.line_decoder import Lines
from chat.server.frontends.pipeline import Pipeline
from chat.server.interfaces import Features, IAudience, ITurn

PRIVATE_LINES = 200
"""The most private messages that are shown after login; the rest comes with ``catchup``."""

_TOLD = b""
"""The welcome of somebody who was signed out while it was made: that was told, and came last."""


class LineSession:
    """The front end's end of a session (`chat.server.interfaces.IMind`), between a connection and a front end.

    :ivar link: the connection.
    :ivar front: decodes and renders.
    """

    __slots__ = ("_heartbeats", "_held", "_pipeline", "_proof", "front", "link", "outbox", "peer")

    def __init__(self, link: Link, front_end: Callable[[Line], FrontEnd]) -> None:
        self.link = link
        self.outbox = link.outbox
        self.peer = link.peer
        self._held: HeldEvents | None = None
        self._heartbeats: HeartbeatTimeout | None = None
        self._proof: DeliveryProof | None = None
        self._pipeline = Pipeline(self, link.turn)
        self.front = front_end(self)

    # what front ends may ask

    @property
    def service(self) -> ChatService:
        return self.link.service

    @property
    def session(self) -> Session:
        return self.link.session

    @property
    def turn(self) -> ITurn:
        return self.link.turn

    @property
    def lines_wait(self) -> bool:
        """Whether lines wait for their turn."""
        return self._pipeline.waiting

    def drop_lines(self) -> int:
        """Forget the lines that wait.

        :returns: how many there were.
        """
        return self._pipeline.drop()

    # the connection's side

    def lines(self, lines: Lines) -> None:
        """Take lines; each is read when its turn comes."""
        if self._proof is not None:
            self._proof.heard()
        if self._heartbeats is not None:
            self._heartbeats.heard()
        self._pipeline.feed(lines)

    def silent(self) -> None:
        """The peer has waited for a moment: a person expects to be greeted."""
        if words := self.front.greeting():
            self.outbox.write(words)

    def input_ended(self) -> None:
        """The peer sends no more, but may still read."""
        self.finished()
        self._pipeline.end()

    def finished(self) -> None:
        """The peer has ended the connection in order, or has acknowledged everything that was sent."""
        if self._proof is not None:
            self._proof.ended()

    def lost(self) -> None:
        """The connection is gone."""
        if self._heartbeats is not None:
            self._heartbeats.stop()
        self._pipeline.close()

    # the pipeline's side (`chat.server.frontends.pipeline.PipelineHandler`)

    def read(self, line: Any) -> Call | bytes:
        meaning = self.front.decode(line)
        if isinstance(meaning, Call):
            if len(line) > READ_FOR_ONE and self.link.session.user is None:  # nothing a guest may do needs so many
                self.service.node.throttle.charge(self.session, len(line) / READ_FOR_ONE)
            return meaning
        throttle = self.service.node.throttle
        if meaning.refused:
            size = len(line) if isinstance(line, bytes) else self.front.most_bytes
            throttle.refused(self.session, size, unknown=meaning.unknown)
        else:
            throttle.charge(self.session)
        return meaning.answer

    def perform(self, call: Call) -> Awaitable[Reply]:
        if call.verb.name in _READS and self._reads_past(call):
            self._let_go()  # the answers before are written, and what was held behind them came before this
            self._hold_back()
        return self.link.session.perform(call)

    def respond(self, call: Call, reply: Reply) -> bytes | Awaitable[bytes]:
        """Turn a reply into bytes, after the session and the front end have followed what it means."""
        follow = _FOLLOWED.get(type(reply))
        if follow is not None:
            return follow(self, call, reply)
        rendered = self.front.render(reply, call)
        return rendered if isinstance(rendered, bytes) else self._render_long(rendered, call)

    def write(self, answer: bytes) -> None:
        self.outbox.write(answer)
        if answer[-1:] != b"\n" and answer and self.front.asking:
            line_end = b"\n" if self.link.telnet is None else b"\r\n"
            self.outbox.ask(answer[answer.rfind(b"\n") + 1 :], line_end)

    def pause(self, paused: bool) -> None:
        self.link.pause(paused)

    def drained(self) -> None:
        self.link.hang_up()

    # replies that change the session

    async def _render(self, call: Call, reply: Reply) -> bytes:
        rendered = self.front.render(reply, call)
        return rendered if isinstance(rendered, bytes) else await self._render_long(rendered, call)

    async def _render_long(self, parts: Iterator[bytes], call: Call) -> bytes:
        page = await self._page(parts)
        if page is not None:
            return page
        if self.front.features.typed_by_people:  # who was told
            return b""
        return whole(self.front.render(Refused(NotLoggedIn.code, NotLoggedIn.text), call))

    async def _page(self, parts: Iterator[bytes]) -> bytes | None:
        """What may be long, made in several turns; None where who asked for it was signed out meanwhile."""
        user = self.session.user
        page = await collect(parts, self.turn)
        return b"".join(page) if self.session.user is user else None

    async def _followed(self, call: Call, reply: Reply) -> bytes:
        self.front.follow(reply)
        self._note_partly_shown()
        return await self._render(call, reply)

    async def _refused(self, call: Call, reply: Refused) -> bytes:
        if self._reads_past(call):
            self._let_go_after({})
        return self.front.refused(call, reply)

    async def _welcomed(self, call: Call, reply: Welcome) -> bytes:
        if self.session.heartbeat:
            if self._heartbeats is None:
                self._heartbeats = HeartbeatTimeout(self.link)
            self._heartbeats.heard()  # the promise may be all that ever comes
        return await self._render(call, reply)

    async def _logged_out(self, call: Call, reply: LoggedOut) -> bytes:
        self.front.follow(reply)
        if self._held is not None:
            self._held.clear()
        if reply.closing:
            self._pipeline.close()
            self.turn.soon(lambda: self.link.hang_up(asked=True))
        else:
            self.link.watch_login()
        return await self._render(call, reply)

    async def _logged_in(self, call: Call, reply: LoggedIn) -> bytes:
        """Show what waited, where the peer does not ask for it itself."""
        self.link.logged_in()
        self.front.follow(reply)
        if self.front.features.acknowledges:
            return await self._render(call, reply)
        self._hold_back()
        pages: tuple[History, ...] = ()
        try:
            shown, pages = await self._welcome(call, reply)
        finally:
            self._let_go_after(_last(pages))
        return shown

    async def _welcome(self, call: Call, reply: LoggedIn) -> tuple[bytes, tuple[History, ...]]:
        session, front, table = self.session, self.front, self.service.table
        shown = await self._render(call, reply)
        resumed = await session.perform(Call(table["resume"], {}))
        user = session.user
        if user is None:
            return _TOLD, ()
        if not isinstance(resumed, Resumed):
            return shown + await self._render(call, resumed), ()
        proof = self._proof = self._new_proof(user, resumed)
        self._note_partly_shown()
        front.follow(resumed)
        missed = await session.perform(Call(table["missed"], {"limit": PRIVATE_LINES}))
        if session.user is not user:
            return _TOLD, ()
        waited = missed if isinstance(missed, Missed) else None
        arrival = await self._page(front.arrival(resumed, waited))
        if arrival is None:
            return _TOLD, ()
        if waited is not None and not waited.remaining:
            proof.caught_up([each.conversation.id for each in resumed.conversations if each.conversation.partner])
        return shown + arrival, waited.pages if waited is not None else ()

    def _new_proof(self, user: ChatUser, resumed: Resumed) -> DeliveryProof:
        session, service = self.session, self.service
        marks = service.delivery.of(session, user.account.id)
        here = [
            each for each in resumed.conversations if each.conversation.partner or each.conversation.id in session.rooms
        ]
        began = {each.conversation.id: each.last for each in here}
        behind = [each.conversation.id for each in here if each.unread]
        return DeliveryProof(
            session, self.outbox, service.clock, began, behind, marks.proven, marks.unproven, self.link.telnet
        )

    def _note_partly_shown(self) -> None:
        if self._proof is not None and self.session.user is not None:
            self._proof.quiet(self.front.partly_shown())

    # the past while the present goes on

    def _reads_past(self, call: Call) -> bool:
        """Whether a command reads what was missed, so that what happens meanwhile has to wait."""
        return call.verb.name == ("resume" if self.front.features.acknowledges else "catchup")

    async def _resumed(self, call: Call, reply: Resumed) -> bytes:
        if self._reads_past(call):
            self._let_go_after({each.conversation.id: each.last for each in reply.conversations})
        return await self._render(call, reply)

    async def _caught_up(self, call: Call, reply: Missed) -> bytes:
        if not self._reads_past(call):
            return await self._render(call, reply)
        proof, told = self._proof, self._held.told if self._held is not None else {}
        pages = tuple(_until(reply.pages, told))
        if proof is not None:
            pages = tuple(map(proof.again, pages))
        try:
            rendered = self.front.render(replace(reply, pages=pages), call)
            shown = rendered if isinstance(rendered, bytes) else await self._page(rendered)
            if shown is None:
                pages = ()
            elif proof is not None:  # only now, as from here on it is looked at whether all has arrived
                if not reply.remaining:
                    proof.caught_up(self._rooms_called(call.arguments.get("room")))
                for page in pages:
                    proof.asked(page.conversation.id, page.last)
        finally:
            self._let_go_after(_last(pages))
        return shown or b""

    def _rooms_called(self, word: str | None) -> list[int] | None:
        """The room that a command names, if one is there; None where it names none."""
        if word is None:
            return None
        name = fold(word)
        return [id for id, room in self.session.rooms.items() if room.record.name.folded == name]

    def _hold_back(self) -> None:
        """Hold back what happens while the past is being read, so that it comes after it; may overlap."""
        if self._held is None:
            self._held = HeldEvents({id: room.last for id, room in self.session.rooms.items()})
        self._held.begin()
        self.outbox.hold()

    def _let_go_after(self, shown: Mapping[int, int]) -> None:
        """:param shown: the last seq that is shown of each conversation, as part of the past."""
        if self._proof is not None:
            for id, last in shown.items():
                self._proof.shown(id, last)
        if self._held is not None:
            self._held.read(shown)
            self.turn.soon(self._let_go)

    def _let_go(self) -> None:
        """Let come what was held back while pages were read that are shown by now."""
        events = self._held.release() if self._held is not None else None
        if events is None:
            return
        self._held = None
        for event in events:
            self.deliver(event)
        self.outbox.release()

    # the mind

    @property
    def features(self) -> Features:
        return self.front.features

    @property
    def called(self) -> str:
        """The folded name of who is logged in."""
        user = self.session.user
        return user.account.name.folded if user is not None else ""

    def audience_key(self, conversation: int) -> Hashable:
        return self.front.audience_key(conversation)

    def new_audience(self, conversation: int) -> IAudience:
        return self.front.new_audience(conversation)

    def deliver(self, event: Event) -> None:
        if isinstance(event, PrivateEntry):
            if self._held is not None:
                self._held.add(event)
                return
            if self._proof is not None:
                self._proof.live(event.conversation.id, event.seq)
        elif isinstance(event, (Removed, SignedOut, OwnSettings)):
            self._change(event)
        if shown := whole(self.front.render(event)):
            self.outbox.write(shown)

    def _change(self, event: Removed | SignedOut | OwnSettings) -> None:
        self.front.follow(event)
        if isinstance(event, OwnSettings):
            self._note_partly_shown()
        elif isinstance(event, SignedOut):
            if self._held is not None:
                self._held.clear()
            if self.front.features.typed_by_people:  # a program may keep its connection, to log in once more
                self.link.watch_login()

    def shown(self) -> Mapping[int, int] | None:
        if self._proof is not None:
            return self._proof.newly()
        return None if self.front.features.acknowledges else {}

    def flush(self) -> None:
        """The session is being signed out; what it was shown may still be proven."""
        if self._proof is not None:
            self._proof.close()

    def probe(self) -> Awaitable[bool]:
        return self.link.shows_life()

    def slow_down(self, seconds: float) -> None:
        self._pipeline.rest(self.service.node.sleeper.wait(seconds))

    def close(self, reason: str) -> None:
        self._pipeline.close()
        if self._pipeline.reading:  # what is being read is the reason, and is answered first
            self.turn.soon(lambda: self.close(reason))
            return
        closing = Closing(reason)
        self.front.follow(closing)
        self.outbox.write(whole(self.front.render(closing)))
        self.link.hang_up()


_READS = frozenset(("catchup", "resume"))

_FOLLOWED: dict[type, Callable[[LineSession, Call, Any], Awaitable[bytes]]] = {
    LoggedIn: LineSession._logged_in,
    LoggedOut: LineSession._logged_out,
    Missed: LineSession._caught_up,
    OwnSettings: LineSession._followed,
    Refused: LineSession._refused,
    Resumed: LineSession._resumed,
    RoomEntered: LineSession._followed,
    RoomLeft: LineSession._followed,
    Welcome: LineSession._welcomed,
}
"""The replies that mean something for the session."""


def _last(pages: Iterable[History]) -> dict[int, int]:
    """How far each conversation is shown by these pages."""
    return {page.conversation.id: page.last for page in pages}


def _until(pages: Iterable[History], told: Mapping[int, int]) -> Iterator[History]:
    """Pages without what comes live behind them.

    :param told: the newest seq of each room when its events began to be held back.
    """
    for page in pages:
        last = told.get(page.conversation.id, page.last)
        entries = tuple(each for each in page.entries if isinstance(each, Skipped) or each.seq <= last)
        if entries:
            yield replace(page, entries=entries, last=min(page.last, last))
