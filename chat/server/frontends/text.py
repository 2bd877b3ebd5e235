"""The front end for people: lines of text in, lines of text out.

What a line means is decided by ``chat.protocol.grammar``, how an event looks by ``chat.protocol.wire.text``, and what
stands between them is a `PromptState`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from chat.protocol.events import (
    Closing,
    Event,
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
    StoredAs,
)
from chat.protocol.grammar.context import Call
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
from chat.server.frontends.contract import FrontEnd, Line, NoCall
from chat.server.frontends.prompt_state import LINE_BYTES, PromptState
from chat.server.frontends.text_audience import BELL, FEATURES, AudienceKey
from chat.server.interfaces import IAudience


class TextFrontEnd(FrontEnd):
    """One person's netcat."""

    __slots__ = ("_state",)

    features = FEATURES
    most_bytes = LINE_BYTES

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._state = PromptState(line)

    def greeting(self) -> bytes:
        service, peer = self.line.service, self.line.peer
        host, port = self.line.link.tls_at or ("", None)
        settings, online = service.settings, service.sign_in.count_shown()
        return self._state.text(greeting(settings.name, online, peer.encrypted, host, port, settings.registration))

    def decode(self, frame: object) -> Call | NoCall:
        return self._state.read(frame)

    @property
    def asking(self) -> bool:
        return self._state.prompt is not None

    # how it looks

    def render(self, shown: Event | Reply, call: Call | None = None) -> bytes | Iterator[bytes]:
        state = self._state
        if call is None:
            return self._render_event(shown)
        if isinstance(shown, StoredAs) and shown.as_expected:
            return b""
        if isinstance(shown, LoggedIn):
            return state.shown(shown) + self._tip(call)
        parts = render_parts(shown, state.view())
        return state.shown(shown) if parts is None else map(state.text, parts)

    def _render_event(self, event: Event | Reply) -> bytes:
        if isinstance(event, OwnSettings):
            return b""  # who changed them in another session knows
        shown = self._state.shown(event)
        if isinstance(event, Said) and self._state.preferences.bell and event.author == event.conversation.partner:
            return BELL + shown
        return shown

    def _tip(self, call: Call) -> bytes:
        """How to keep a password off the screen, once."""
        state = self._state
        if state.prompted or state.tipped or not call.arguments.get("password"):
            return b""
        state.tipped = True
        tip = "Tip: type login NAME without the password; the server then asks for it."
        return state.text(notice(tip, state.view()))

    def refused(self, call: Call, reply: Refused) -> bytes:
        return self._state.refused(call, reply)

    def arrival(self, resumed: Resumed, missed: Missed | None) -> Iterator[bytes]:
        """How much waited, then the private messages, then the rooms."""
        text, view = self._state.text, self._state.view()
        yield text(waiting_summary(resumed.conversations, view))
        if missed is not None:
            yield from map(text, history_lines([entry for page in missed.pages for entry in page.entries], view))
            yield text(more_waiting(missed.remaining, view))
        rooms = sorted(each.conversation.room for each in resumed.conversations if each.conversation.room)
        yield text(invitation_summary(resumed.invitations, view) + arrival(rooms, resumed.current, view))

    # where somebody is

    def follow(self, change: Event | Reply) -> None:
        if isinstance(change, RoomEntered):
            self._move(change.conversation)
        elif isinstance(change, (RoomLeft, Removed)):
            here = self._state.room
            if here is not None and here.id == change.conversation.id:
                self._move(None)
        elif isinstance(change, LoggedIn):
            self._state.begin()
        elif isinstance(change, Resumed):
            places = (each.conversation for each in change.conversations)
            self._move(next((each for each in places if each.room and each.room == change.current), None))
        elif isinstance(change, (LoggedOut, SignedOut)):
            self._state.end()
        elif isinstance(change, Closing):
            self._state.leave_prompt()

    def _move(self, room: Conversation | None) -> None:
        """Talk in another room from now on, or in none."""
        moved = [each.id for each in (self._state.room, room) if each is not None]
        self._state.move(room)
        self.line.service.rooms.reseat(self.line.session, moved)

    # among those who see the same

    def partly_shown(self) -> Collection[int]:
        session = self.line.session
        if session.user is None:
            return ()
        account = session.user.account.id
        return [id for id, room in session.rooms.items() if room.notify_of(account) is not Notify.ALL]

    def audience_key(self, conversation: int) -> AudienceKey:
        session, here = self.line.session, self._state.room
        room = session.rooms.get(conversation)
        notify = Notify.ALL if room is None or session.user is None else room.notify_of(session.user.account.id)
        current = here is not None and here.id == conversation
        return AudienceKey.of(
            self._state.preferences, notify, telnet=self.line.link.telnet is not None, current=current
        )

    def new_audience(self, conversation: int) -> IAudience:
        return self.audience_key(conversation).audience(conversation, self.line.turn)
