"""The main screen: the conversation on top, the input at the bottom, the side bar beside them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen

from chat.client.input.completion import complete
from chat.client.input.input_commands import CommandInput
from chat.client.model.conversation import ConversationModel, Key, span
from chat.client.model.failures import ClientFailure
from chat.client.model.state import State
from chat.client.screen.current_conversation import CurrentConversation
from chat.client.screen.deferred_bridge import twisted
from chat.client.screen.help import HelpScreen
from chat.client.screen.input_box import InputBox
from chat.client.screen.login_screen import PromptScreen
from chat.client.screen.message_list import MessageList
from chat.client.screen.presenter import Presenter
from chat.client.screen.settings_screen import SettingsScreen
from chat.client.screen.sidebar import SideBar, ordered
from chat.client.screen.status_bars import FilesBar, HintBar, StatusBar, TopicBar, status_line, topic_line
from chat.client.session.engine import Engine
from chat.client.session.observer import Phase
from chat.protocol.events import Deleted, Edited, Entry, LoggedOut, OwnSettings, RoomEntered, RoomLeft
from chat.protocol.grammar.context import Ask
from chat.protocol.names import fold
from chat.protocol.wire.sanitize import safe

NARROW = 60
"""Columns below which the side bar and the conversation take turns."""

PAINT_EVERY = 0.04
"""Seconds between two paintings of what has come: a burst is painted in a few of them."""


class ChatScreen(Screen[None]):
    """What the engine tells comes to its `hearing`.

    :param where: the server, as it is shown.
    :param secure: whether the connection is encrypted.
    :param bell: whether the terminal's bell may ring.
    """

    DEFAULT_CSS = """
    #body { height: 1fr; }
    ChatScreen.narrow SideBar { display: none; }
    ChatScreen.aside SideBar { display: none; }
    ChatScreen.narrow.listed SideBar { display: block; width: 1fr; }
    ChatScreen.narrow.listed #talk { display: none; }
    """

    class Again(Message):
        """Somebody whose connection was ended for good wants another one."""

    class Out(Message):
        """Somebody has logged out.

        :ivar leaving: whether to leave the program.
        """

        def __init__(self, leaving: bool) -> None:
            super().__init__()
            self.leaving = leaving

    AUTO_FOCUS = "InputBox"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", priority=True),
        Binding("f2", "aside", "Side bar", priority=True),
        Binding("f3", "app.switch", "Servers", priority=True),
        Binding("alt+down,ctrl+n", "go(1)", "Next conversation", priority=True),
        Binding("alt+up,ctrl+p", "go(-1)", "Previous conversation", priority=True),
        Binding("alt+right,f4", "waiting", "Next unread", priority=True),
        Binding("pageup", "page(-1)", "Scroll up", priority=True),
        Binding("pagedown", "page(1)", "Scroll down", priority=True),
        Binding("ctrl+end", "end", "Newest", priority=True),
        Binding("f5", "try_now", "Connect now", priority=True),
        Binding("f7", "settings", "Settings", priority=True),
        Binding("ctrl+c", "app.leave", "Leave", priority=True),
    ]

    def __init__(self, engine: Engine, where: str, secure: bool, bell: bool) -> None:
        super().__init__()
        self._engine = engine
        self._state: State = engine.state
        self._keyboard = CommandInput(engine, time.time)
        self._where = where
        self._secure = secure
        self._bell = bell
        self._here = CurrentConversation(self._state, self._changed)
        self._drafts: dict[Key | None, str] = {}
        self._dirty = False
        self._loading = False
        self.presenter = Presenter(
            self._state, self._here, arrived=self._arrived, put_out=lambda: self.open(None), changed=self._changed
        )

    def compose(self) -> ComposeResult:
        with Horizontal(id="body"):
            yield SideBar(self._state)
            with Vertical(id="talk"):
                yield TopicBar()
                yield MessageList(self._state)
        yield FilesBar()
        yield HintBar()
        yield InputBox(lambda text: complete(text, self._state, self._here.talk), self._state.typed)
        yield StatusBar()

    def on_mount(self) -> None:
        room = self._engine.current_room
        first = Key(True, fold(room)) if room else next(iter(ordered(self._state)), None)
        self.open(first if first in self._state.talks else None)
        if self._here.key is None:
            self._here.note("You are not in a room yet. Type list channels, then connect ROOM. F1 shows help.")
        for invited in self._state.invitations.values():
            self._here.show(invited)
        for offered in self._engine.direct.offers():
            self.presenter.transferred(offered)
        self._changed()

    def on_resize(self) -> None:
        self.set_class(self.size.width < NARROW, "narrow")

    # going from one conversation to another

    def open(self, key: Key | None, carry: bool = False) -> None:
        """Go to a conversation.

        :param carry: whether what is being written goes along; else it waits where it was begun, so that nobody says
            in one conversation what was meant for another.
        """
        if key != self._here.key and not carry:
            writing = self.query_one(InputBox)
            self._drafts[self._here.key] = writing.text
            writing.put(self._drafts.pop(key, ""))
        notes = self._here.go(key)
        talk = self._here.talk
        self.remove_class("listed")
        self.query_one(MessageList).open(talk, notes)
        if talk is not None:
            if not talk.rows:
                self._read_newest(talk)
            self._engine.sync.saw(talk)
        self._paint()

    @work
    async def _read_newest(self, talk: ConversationModel) -> None:
        try:
            await twisted(self._engine.sync.newest(talk))
        except ClientFailure:
            return  # the status line says it
        self._changed()

    def action_go(self, step: int) -> None:
        here = self._here.key
        keys = ordered(self._state, here)
        if keys:
            place = keys.index(here) if here in keys else -1 if step > 0 else 0
            self._go_to(keys[(place + step) % len(keys)])

    def action_waiting(self) -> None:
        waiting = [key for key in ordered(self._state) if key in self._state.talks and self._state.talks[key].unread]
        waiting.sort(key=lambda key: (not self._state.talks[key].mentions, key.room))
        if waiting:
            self.open(waiting[0])

    def on_side_bar_chosen(self, event: SideBar.Chosen) -> None:
        self._go_to(event.key)

    def _go_to(self, key: Key) -> None:
        self._state.talk(key, self._state.people.get(key.name, (key.name, ""))[0] if not key.room else "")
        self.open(key)

    def action_aside(self) -> None:
        self.toggle_class("listed" if self.has_class("narrow") else "aside")
        self._paint()

    # typing

    @work
    async def on_input_box_sent(self, event: InputBox.Sent) -> None:
        here = self._here.talk
        self._state.keep_typed()
        outcome = await twisted(self._keyboard.typed(event.text, here))
        while isinstance(outcome, Ask):
            asking = PromptScreen(outcome.missing.prompt or "?", outcome.missing.type.secret)
            answer = await self.app.push_screen_wait(asking)
            outcome = await twisted(self._keyboard.answered(outcome, answer, here))
        if isinstance(outcome, ConversationModel):
            self.open(outcome.key, carry=True)
        elif isinstance(outcome, RoomEntered):
            self.open(Key.of(outcome.conversation), carry=True)
        elif isinstance(outcome, RoomLeft):
            if self._here.talk is None:
                self.open(next((key for key in ordered(self._state) if key in self._state.talks), None))
        elif isinstance(outcome, LoggedOut):
            self.post_message(self.Out(outcome.closing))
            return
        elif isinstance(outcome, OwnSettings) and not outcome.changed:
            self._choose(outcome)
            return
        if outcome is not None and not isinstance(outcome, ConversationModel):
            self._here.show(outcome)
        self.query_one(MessageList).scroll_end(animate=False)
        self._changed()

    def on_input_box_hint(self, event: InputBox.Hint) -> None:
        self.query_one(HintBar).say(Text(safe(event.text)))

    # scrolling

    def action_page(self, step: int) -> None:
        feed = self.query_one(MessageList)
        if step < 0:
            feed.scroll_page_up(animate=False)
        else:
            feed.scroll_page_down(animate=False)

    def action_end(self) -> None:
        self.query_one(MessageList).scroll_end(animate=False)

    def on_message_list_moved(self) -> None:
        talk = self._here.talk
        if talk is not None and self.query_one(MessageList).at_end:
            self._engine.sync.saw(talk)
        self._changed()

    def on_message_list_older_wanted(self) -> None:
        talk = self._here.talk
        if talk is not None and not self._loading:
            self._loading = True
            self._read_older(talk)

    @work
    async def _read_older(self, talk: ConversationModel) -> None:
        try:
            added = await twisted(self._engine.sync.older(talk))
        except ClientFailure:
            return  # the status line says it
        finally:
            self._loading = False
        if added and talk is self._here.talk:
            self.query_one(MessageList).prepended(added)

    # what is shown

    def _arrived(self, talk: ConversationModel, rows: Sequence[Entry]) -> None:
        """Rows have come in the conversation that one is in."""
        feed = self.query_one(MessageList)
        for row in rows:
            feed.changed_from(row.ref if isinstance(row, Edited | Deleted) and talk.holds(row.ref) else span(row)[0])
        if self.app.app_focus and feed.at_end:
            self._engine.sync.saw(talk)

    def _changed(self) -> None:
        """Paint soon; many changes are painted at once."""
        if not self._dirty:
            self._dirty = True
            self.set_timer(PAINT_EVERY, self._paint)

    def _paint(self) -> None:
        self._dirty = False
        if not self.is_mounted:
            return
        if self.presenter.rings() and self._bell:
            self.app.bell()
        if self._here.put_out:
            self.open(None)
            return
        self.query_one(MessageList).draw()
        side = self.query_one(SideBar)
        if side.display:
            side.show(self._here.key)
        self.query_one(FilesBar).say(self.presenter.carried.bars())
        talk = self._here.talk
        sealed = self._engine.seals.state_of(talk) if talk is not None else ""
        self.query_one(TopicBar).update(topic_line(self._state, talk, sealed))
        status = self._engine.status
        line = status_line(
            self._state,
            status,
            self._here.key,
            where=self._where,
            secure=self._secure,
            listed=side.display,
            at_end=self.query_one(MessageList).at_end,
        )
        self.query_one(StatusBar).show(line, status.phase not in (Phase.ONLINE, Phase.CATCHING_UP))

    def _choose(self, settings: OwnSettings) -> None:
        """Show the page of settings."""
        rooms = [talk.title for key, talk in self._state.talks.items() if key.room and talk.member]
        self.app.push_screen(SettingsScreen(settings, rooms, lambda line: twisted(self._keyboard.typed(line, None))))

    def action_settings(self) -> None:
        self.on_input_box_sent(InputBox.Sent("/set"))

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self._state.table))

    def action_try_now(self) -> None:
        if self._engine.status.phase is Phase.ENDED:
            self.post_message(self.Again())
        else:
            self._engine.try_now()
