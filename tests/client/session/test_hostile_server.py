"""What a hostile server may send: nothing of it harms the terminal, grows without bound, or ends the program."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta, timezone
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chat.client.input.completion import MOST as MOST_COMPLETIONS
from chat.client.input.completion import complete
from chat.client.model.conversation import MOST_AHEAD, MOST_ROWS
from chat.client.model.failures import ServerNotTrusted
from chat.client.model.state import MOST_NAMES, MOST_TALKS, State
from chat.client.screen.colours import Colours
from chat.client.screen.current_conversation import MOST_NOTES, Notes
from chat.client.screen.help import HelpScreen
from chat.client.screen.line_layout import LineLayout
from chat.client.screen.message_list import MessageList
from chat.client.screen.sidebar import entry as side_line
from chat.client.screen.sidebar import ordered
from chat.client.screen.status_bars import status_line, topic_line
from chat.client.session.encryption_api import NullEncryption
from chat.client.session.observer import Phase, Status
from chat.client.session.sync import MOST_PAGES, Sync, SyncMode
from chat.protocol.events import Entry, Event, Notice, Presence, Said
from chat.protocol.grammar.table_codec import MOST_VERBS, read_table
from chat.protocol.values import Conversation, Kind, Text
from chat.protocol.wire.text import View, render
from tests.client.engines import Screen
from tests.client.session.test_protocol import ClientCase
from tests.client.theatre import Play, ScreenCase
from tests.protocol.wire.strategies import ANYTHING, SHOWN, Maker
from tests.protocol.wire.test_sanitize import harmful

ROOM = Conversation(2, room="ops")
ATTACK = "\x1b]0;owned\x07\x1b[31m\x9b2J\u202ered\r\n! fake"
FAR = timezone(timedelta(hours=14))
MAKER = Maker(ANYTHING)


def said(seq: int, text: str = "x", conversation: Conversation = ROOM) -> Said:
    return Said(conversation, seq, Kind.TEXT, "eve", "phone", 0, Text(text))


class NothingButText(ClientCase):
    def assert_harmless(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.assertEqual([char for char in line if harmful(char)], [], line)

    @settings(max_examples=150)
    @given(st.one_of([MAKER.make(kind) for kind in get_args(Event)]), st.integers(10, 80))
    def test_reaches_the_screen_from_any_event(self, event: Any, width: int) -> None:
        state = State()
        state.be("ann")
        state.take(event)
        drawing = LineLayout(width, FAR, "ann", state.names_me, Colours())
        if isinstance(event, Entry):
            talk = state.talk_of(event.conversation)
            strips = drawing.row(event, talk)
            if (day := drawing.date_of(event)) is not None:
                strips.append(drawing.day(day))
            self.assert_harmless(strip.text for strip in strips)
            self.assertEqual([strip.text for strip in strips[1:-1] if not strip.text.startswith("  ")], [])
            self.assert_harmless([topic_line(state, talk).plain])
        for key in ordered(state):
            self.assert_harmless([side_line(state, key, False).plain])
        shown = render(event, View(current=None, now=0, zone=FAR))
        self.assert_harmless(strip.text for strip in drawing.note(shown))

    @settings(max_examples=100)
    @given(st.one_of([MAKER.make(kind) for kind in SHOWN]))
    def test_reaches_the_screen_from_any_answer(self, shown: Any) -> None:
        text = render(shown, View(current=None, now=0, zone=FAR))
        self.assert_harmless(text.split("\n"))

    @given(ANYTHING)
    def test_reaches_the_status_line(self, text: str) -> None:
        state = State()
        state.be("ann")
        status = Status(Phase.WAITING, text, 1.0)
        line = status_line(state, status, None, where="here", secure=True, listed=True, at_end=True)
        self.assert_harmless([line.plain])


class NothingWithoutBound(ClientCase):
    """Bounds are the client's, whatever is sent."""

    def test_conversations_people_and_invitations(self) -> None:
        state = State()
        for number in range(MOST_TALKS + 100):
            state.take(said(1, conversation=Conversation(number + 1, room=f"room{number}")))
        self.assertEqual(len(state.talks), MOST_TALKS)
        for page in range(MOST_NAMES // 1_000 + 2):
            state.take(Presence(tuple(f"name{page}x{number}" for number in range(1_000)), "online"))
        self.assertEqual(len(state.people), MOST_NAMES)
        self.assertLess(len(ordered(state)), MOST_TALKS + 500)

    def test_rows_and_rows_that_wait_for_others(self) -> None:
        state = State()
        for seq in range(1, MOST_ROWS * 5 // 4):
            state.take(said(seq))
        talk = state.talk_of(ROOM)
        self.assertLess(len(talk.rows), MOST_ROWS * 6 // 5)
        for seq in range(MOST_ROWS * 2, MOST_ROWS * 2 + 3 * MOST_AHEAD, 2):
            state.take(said(seq))
        self.assertEqual(len(talk._ahead), MOST_AHEAD)

    def test_notes_and_completions(self) -> None:
        notes = Notes()
        for number in range(3 * MOST_NOTES):
            notes.add(0, str(number))
        self.assertEqual(len(notes.lines), MOST_NOTES)
        state = State()
        state.take(Presence(tuple(f"name{number}" for number in range(1_000)), "online"))
        self.assertLessEqual(len(complete("hi name", state, None)[1]), MOST_COMPLETIONS)

    def test_verbs(self) -> None:
        verb = {"name": "x", "aliases": [], "spoken": [], "group": "", "access": "anyone", "parameters": []}
        more = {"bare": "never", "private": False, "programs": False, "summary": ATTACK}
        table = read_table({**verb, **more, "name": f"verb{number}"} for number in range(10 * MOST_VERBS))
        self.assertLessEqual(len(list(table.verbs)), MOST_VERBS)

    def test_a_history_without_an_end(self) -> None:
        state = State()
        sync = Sync(state, Screen(), Clock(), SyncMode.NEWEST, NullEncryption())
        talk = state.talk_of(ROOM)
        talk.begin_at(1)
        reading = Deferred.fromCoroutine(sync._fill(self.client, talk, 0))
        for number in range(1, MOST_PAGES + 1):
            row = {"type": "said", "kind": "text", "msgid": f"r2.{number}", "conversation": {"id": "r2", "room": "ops"}}
            row |= {"from": "eve", "device": "", "body": {"text": "x"}, "time": "2026-11-20T09:12:03.120Z"}
            page = {"type": "history", "id": number, "conversation": row["conversation"], "first": 1, "more": True}
            self.says(json.dumps(page | {"last": 2**40, "messages": [row]}).encode() + b"\n")
        self.failureResultOf(reading, ServerNotTrusted)
        self.distrusted("does not end")


class NoFrame(ClientCase):
    """None ends the program: each ends the connection, or is understood."""

    def test_of_nested_huge_or_wrong_values(self) -> None:
        row = {"type": "said", "kind": "text", "msgid": "r2.1", "conversation": {"id": "r2", "room": "ops"}}
        row |= {"from": "eve", "device": "", "body": {"text": "x"}, "time": "2026-11-20T09:12:03.120Z"}
        self.says(json.dumps(row).encode() + b"\n")
        self.assertEqual((len(self.events), self.reasons), (1, []))
        wrong: list[dict[str, Any]] = [
            {"msgid": "r2.99999999999999999999999"},
            {"msgid": 7},
            {"conversation": None},
            {"body": {"text": None}},
            {"time": "99999-01-01T00:00:00Z"},
            {"time": 1e308},
            {"from": {}},
            {"kind": "nonsense"},
        ]
        frames = [
            b"[" * 900,
            b'{"type":' * 150,
            b'{"type":"said","body":' + b"[" * 400 + b"]" * 400 + b"}",
            b'{"type":"pong","id":' + b"9" * 900 + b"}",
            b"\xff\xfe{}",
            b"null",
            b'"text"',
            b'{"type":["said"]}',
            b'{"type":{"a":1}}',
            *(json.dumps(row | change).encode() for change in wrong),
        ]
        for frame in frames:
            self.setUp()
            self.says(frame + b"\n")
            (reason,) = self.reasons
            self.assertIsInstance(reason, ServerNotTrusted, frame)


class OnTheScreen(ScreenCase):
    def test_attacks_by_every_way_stay_text(self) -> None:
        async def scene(play: Play) -> None:
            feed = play.app.screen.query_one(MessageList)
            talk = play.desk.talk("lobby")
            conversation = talk.conversation
            assert conversation is not None, "one is in it"
            tell = play.desk.engine._take
            tell(said(talk.high + 1, ATTACK, conversation))
            tell(Said(conversation, talk.high + 1, Kind.ACTION, ATTACK, "phone", 0, Text(ATTACK)))
            tell(Presence((ATTACK,), "online"))
            tell(Notice(ATTACK))
            await play.settle()
            self.assertIn("owned", play.sees())
            await play.types(f"/whois {ATTACK}")
            strips = [strip.text for strip in feed._strips] + play.sees().splitlines()
            self.assertEqual([char for line in strips for char in line if harmful(char)], [])
            self.assertEqual([line for line in play.sees().splitlines() if line.startswith("!")], [])
            play.desk.state.table = read_table(
                [verb.as_json() | {"summary": ATTACK} for verb in play.desk.state.table.verbs]
            )
            await play.presses("f1")
            self.assertIsInstance(play.app.screen, HelpScreen)
            self.assertEqual([char for char in play.sees() if harmful(char) and char != "\n"], [])

        self.play_as("ann", scene, room="lobby")
