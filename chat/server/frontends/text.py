"""The front end for people: lines of text in, lines of text out.

What a line means is decided by ``chat.protocol.grammar``, how an event looks by ``chat.protocol.wire.text``, and what
stands between them is a `PromptState`. Here is what happens to those who come, and who go on while their past is being
read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator, Mapping
from dataclasses import replace

from chat.protocol.events import (
    Closing,
    Deleted,
    Edited,
    Event,
    History,
    LoggedIn,
    LoggedOut,
    Missed,
    OwnSettings,
    Refused,
    Removed,
    Reply,
    Resumed,
    RoomEntered,
    RoomLeft,
    Said,
    SignedOut,
    Skipped,
    StoredAs,
)
from chat.protocol.grammar.context import Call
from chat.protocol.names import fold
from chat.protocol.preferences import Notify
from chat.protocol.values import Conversation
from chat.protocol.wire.text import (
    arrival,
    greeting,
    history_lines,
    invitation_summary,
    more_waiting,
    render_parts,
    waiting_summary,
)
from chat.protocol.wire.view import notice
from chat.server.core.user import ChatUser
from chat.server.frontends.contract import Link, newer
from chat.server.frontends.cooperative import collect
from chat.server.frontends.delivery_proof import DeliveryProof
from chat.server.frontends.line_decoder import Lines
from chat.server.frontends.pipeline import Pipeline
from chat.server.frontends.prompt_state import LINE_BYTES, PromptState
from chat.server.frontends.text_audience import BELL, FEATURES, AudienceKey
from chat.server.interfaces import IAudience

PRIVATE_LINES = 200
"""The most private messages that are shown after login; the rest comes with ``catchup``."""

_TOLD = b""
"""The welcome of somebody who was signed out while it was made: that was told, and came last."""


class TextFrontEnd:
    """One person's netcat."""

    __slots__ = (
        "_dialogue",
        "_held_back",
        "_holds",
        "_link",
        "_past",
        "_pipeline",
        "_receipts",
        "_service",
        "_told",
        "outbox",
        "peer",
    )

    features = FEATURES
    most_bytes = LINE_BYTES

    def __init__(self, link: Link) -> None:
        self._link = link
        self._service = link.service
        self.outbox = link.outbox
        self.peer = link.peer
        self._dialogue = PromptState(link)
        self._receipts: DeliveryProof | None = None
        self._held_back: list[Event] | None = None
        self._holds = 0
        self._past: tuple[dict[int, int], ...] = ()
        self._told: dict[int, int] = {}
        self._pipeline = Pipeline(self, link.turn)

    # bytes in

    def lines(self, lines: Lines) -> None:
        if self._receipts is not None:
            self._receipts.heard()
        self._dialogue.greeted = True
        self._pipeline.feed(lines)

    def silent(self) -> None:
        if self._dialogue.greeted:
            return
        self._dialogue.greeted = True
        online = self._service.sign_in.count_shown()
        host, port = self._link.tls_at or ("", None)
        settings = self._service.settings
        words = greeting(settings.name, online, self.peer.encrypted, host, port, settings.registration)
        self.outbox.write(self._dialogue.text(words))

    def input_ended(self) -> None:
        if self._receipts is not None:
            self._receipts.ended()
        self._pipeline.end()

    def finished(self) -> None:
        if self._receipts is not None:
            self._receipts.ended()

    def lost(self) -> None:
        self._pipeline.close()

    def read(self, line: object) -> Call | bytes:
        return self._dialogue.read(line)

    # commands and their replies (`chat.server.frontends.pipeline.Answering`)

    def perform(self, call: Call) -> Awaitable[Reply]:
        if call.verb.name == "catchup":
            self._let_go()  # the answers before are written, and what was held behind them came before this
            self._hold_back()
        return self._link.session.perform(call)

    async def respond(self, call: Call, reply: Reply) -> bytes:
        if isinstance(reply, StoredAs) and reply.as_expected:
            return b""
        if isinstance(reply, LoggedIn):
            return await self._arrive(call, reply)
        if isinstance(reply, LoggedOut):
            return self._depart(reply)
        if isinstance(reply, RoomEntered):
            self._move(reply.conversation)
            self._note_quiet_rooms()
        elif isinstance(reply, RoomLeft):
            self._left(reply.conversation)
        elif isinstance(reply, Missed):
            return await self._catch_up(call, reply)
        elif isinstance(reply, OwnSettings):
            self._note_quiet_rooms()
        elif isinstance(reply, Refused):
            if call.verb.name == "catchup":
                self._let_go_after(())
            return self._dialogue.refused(call, reply, self._pipeline)
        elif (parts := render_parts(reply, self._dialogue.view())) is not None:
            return await self._page(parts) or b""
        return self._dialogue.shown(reply)

    async def _page(self, parts: Iterator[str]) -> bytes | None:
        """What may be long, made in several turns; None where who asked for it was signed out meanwhile."""
        user = self._link.session.user
        lines = await collect(parts, self._link.turn)
        return self._dialogue.text("".join(lines)) if self._link.session.user is user else None

    async def _arrive(self, call: Call, reply: LoggedIn) -> bytes:
        """Show what waited: how much, then the private messages, then the rooms."""
        self._link.logged_in()
        self._hold_back()
        pages: tuple[History, ...] = ()
        try:
            shown, pages = await self._welcome(call, reply)
        finally:
            self._let_go_after(pages)
        return shown

    async def _welcome(self, call: Call, reply: LoggedIn) -> tuple[bytes, tuple[History, ...]]:
        session, dialogue, table = self._link.session, self._dialogue, self._service.table
        dialogue.begin()
        shown = [dialogue.shown(reply)]
        if not dialogue.prompted and not dialogue.tipped and call.arguments.get("password"):
            dialogue.tipped = True
            tip = "Tip: without the password, login NAME asks for it on a line of its own."
            shown.append(dialogue.text(notice(tip, dialogue.view())))
        resumed = await session.perform(Call(table["resume"], {}))
        user = session.user
        if user is None:
            return _TOLD, ()
        if not isinstance(resumed, Resumed):
            return b"".join(shown) + dialogue.shown(resumed), ()
        receipts = self._receipts = self._new_receipts(user, resumed)
        self._note_quiet_rooms()
        rooms = {each.conversation.room: each.conversation for each in resumed.conversations if each.conversation.room}
        self._move(rooms.get(resumed.current or ""))
        missed = await session.perform(Call(table["missed"], {"limit": PRIVATE_LINES}))
        if session.user is not user:
            return _TOLD, ()
        view = dialogue.view()
        pages: tuple[History, ...] = ()
        shown.append(dialogue.text(waiting_summary(resumed.conversations, view)))
        if isinstance(missed, Missed):
            pages = missed.pages
            lines = await self._page(history_lines([entry for page in pages for entry in page.entries], view))
            if lines is None:
                return _TOLD, ()
            shown += [lines, dialogue.text(more_waiting(missed.remaining, view))]
            if not missed.remaining:
                pairs = [each.conversation.id for each in resumed.conversations if each.conversation.partner]
                receipts.caught_up(pairs)
        words = invitation_summary(resumed.invitations, view) + arrival(sorted(rooms), resumed.current, view)
        shown.append(dialogue.text(words))
        return b"".join(shown), pages

    def _new_receipts(self, user: ChatUser, resumed: Resumed) -> DeliveryProof:
        link = self._link
        rooms, proofs = link.session.rooms, self._service.delivery.of(link.session, user.account.id)
        here = [each for each in resumed.conversations if each.conversation.partner or each.conversation.id in rooms]
        began = {each.conversation.id: each.last for each in here}
        behind = [each.conversation.id for each in here if each.unread]
        return DeliveryProof(
            link.session, self.outbox, self._service.clock, began, behind, proofs.proven, proofs.unproven, link.telnet
        )

    def write(self, answer: bytes) -> None:
        self.outbox.write(answer)
        if self._dialogue.prompt is not None and answer and not answer.endswith(b"\n"):
            self.outbox.ask(answer[answer.rfind(b"\n") + 1 :], self._dialogue.text("\n"))

    def pause(self, paused: bool) -> None:
        self._link.pause(paused)

    def drained(self) -> None:
        self._link.hang_up()

    def _depart(self, reply: LoggedOut) -> bytes:
        self._dialogue.end()
        self._held_back = None
        if reply.closing:
            self._pipeline.close()
            self._link.turn.soon(lambda: self._link.hang_up(asked=True))
        else:
            self._link.watch_login()
        return self._dialogue.shown(reply)

    def _move(self, room: Conversation | None) -> None:
        """Talk in another room from now on, or in none."""
        moved = [each.id for each in (self._dialogue.room, room) if each is not None]
        self._dialogue.move(room)
        self._service.rooms.reseat(self._link.session, moved)

    def _left(self, room: Conversation) -> None:
        here = self._dialogue.room
        if here is not None and here.id == room.id:
            self._move(None)

    def _note_quiet_rooms(self) -> None:
        session = self._link.session
        if self._receipts is not None and session.user is not None:
            account = session.user.account.id
            quiet = [id for id, room in session.rooms.items() if room.notify_of(account) is not Notify.ALL]
            self._receipts.quiet(quiet)

    # the past while the present goes on

    def _hold_back(self) -> None:
        """Hold back what happens while the past is being read, so that it comes after it; may overlap."""
        if not self._holds:
            self._told = {id: room.last for id, room in self._link.session.rooms.items()}
        self._holds += 1
        self.outbox.hold()

    async def _catch_up(self, call: Call, reply: Missed) -> bytes:
        receipts, pages = self._receipts, tuple(_until(reply.pages, self._told))
        if receipts is not None:
            pages = tuple(map(receipts.again, pages))
        try:
            parts = render_parts(replace(reply, pages=pages), self._dialogue.view())
            assert parts is not None, "what one missed may be long"
            shown = await self._page(parts)
            if shown is None:
                pages = ()
            elif receipts is not None:  # only now, as from here on it is looked at whether all has arrived
                if not reply.remaining:
                    receipts.caught_up(self._rooms_called(call.arguments.get("room")))
                for page in pages:
                    receipts.asked(page.conversation.id, page.last)
        finally:
            self._let_go_after(pages)
        return shown or b""

    def _rooms_called(self, word: str | None) -> list[int] | None:
        """The room that a command names, if one is there; None where it names none."""
        if word is None:
            return None
        name = fold(word)
        return [id for id, room in self._link.session.rooms.items() if room.record.name.folded == name]

    def _let_go_after(self, pages: tuple[History, ...]) -> None:
        shown = {page.conversation.id: page.last for page in pages}
        if self._receipts is not None:
            for page in pages:
                self._receipts.shown(page.conversation.id, page.last)
        self._past += (shown,)
        self._link.turn.soon(self._let_go)

    def _let_go(self) -> None:
        """Let come what was held back while pages were read that are shown by now."""
        past, self._past = self._past, ()
        if not past:
            return
        self._holds -= len(past)
        held = newer(self._held_back or (), lambda conversation: max(shown.get(conversation, 0) for shown in past))
        if self._holds:
            self._held_back = held
            return
        self._held_back = None
        for event in held:
            self.deliver(event)
        self.outbox.release()

    # the mind

    @property
    def called(self) -> str:
        """The folded name of who is logged in."""
        user = self._link.session.user
        return user.account.name.folded if user is not None else ""

    def audience_key(self, conversation: int) -> AudienceKey:
        session, here = self._link.session, self._dialogue.room
        room = session.rooms.get(conversation)
        notify = Notify.ALL if room is None or session.user is None else room.notify_of(session.user.account.id)
        current = here is not None and here.id == conversation
        return AudienceKey.of(self._dialogue.preferences, notify, telnet=self._link.telnet is not None, current=current)

    def new_audience(self, conversation: int) -> IAudience:
        return self.audience_key(conversation).audience(conversation, self._link.turn)

    def deliver(self, event: Event) -> None:
        if isinstance(event, (Said, Edited, Deleted)) and event.conversation.partner:
            if self._holds:
                if self._held_back is None:
                    self._held_back = []
                self._held_back.append(event)
                return
            if self._receipts is not None:
                self._receipts.live(event.conversation.id, event.seq)
            from_partner = isinstance(event, Said) and event.author == event.conversation.partner
            if from_partner and self._dialogue.preferences.bell:
                self.outbox.write(BELL)
        elif isinstance(event, Removed):
            self._left(event.conversation)
        elif isinstance(event, SignedOut):
            self._dialogue.end()
            self._held_back = None
            self._link.watch_login()
        elif isinstance(event, OwnSettings):
            self._note_quiet_rooms()
            return
        if shown := self._dialogue.shown(event):
            self.outbox.write(shown)

    def shown(self) -> Mapping[int, int]:
        return self._receipts.newly() if self._receipts is not None else {}

    def flush(self) -> None:
        """The session is being signed out; what it was shown may still be proven."""
        if self._receipts is not None:
            self._receipts.close()

    def probe(self) -> Awaitable[bool]:
        return self._link.shows_life()

    def slow_down(self, seconds: float) -> None:
        self._pipeline.rest(self._service.node.sleeper.wait(seconds))

    def close(self, reason: str) -> None:
        self._pipeline.close()
        if self._pipeline.reading:  # what is being read is the reason, and is answered first
            self._link.turn.soon(lambda: self.close(reason))
            return
        self._dialogue.leave_prompt()
        self.outbox.write(self._dialogue.shown(Closing(reason)))
        self._link.hang_up()


def _until(pages: Iterable[History], told: Mapping[int, int]) -> Iterator[History]:
    """Pages without what comes live behind them.

    :param told: the newest seq of each room when its events began to be held back.
    """
    for page in pages:
        last = told.get(page.conversation.id, page.last)
        entries = tuple(each for each in page.entries if isinstance(each, Skipped) or each.seq <= last)
        if entries:
            yield replace(page, entries=entries, last=min(page.last, last))
