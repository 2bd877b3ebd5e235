"""`chat.client.model.message_status`: what both screens show of a message that was sealed, or should have been."""

from __future__ import annotations

from datetime import UTC

from twisted.trial.unittest import SynchronousTestCase

from chat.client.model.conversation import ConversationModel, Key
from chat.client.model.message_status import InTheClear, Opened, Unopened
from chat.client.model.state import State
from chat.client.screen.colours import Colours
from chat.client.screen.line_layout import LineLayout
from chat.client.screen.status_bars import topic_line
from chat.protocol.events import Edited, Said
from chat.protocol.values import Conversation, Kind, Sealed, Text
from chat.protocol.wire.text import View, render

BOB = Conversation(3, partner="bob")
DEN = Conversation(4, room="den")
SEALED = Sealed("megolm.v1", "key", b"...")


def said(body: Text, conversation: Conversation = BOB, kind: Kind = Kind.TEXT) -> Said:
    return Said(conversation, 1, kind, "bob", "phone", 0, body)


class Marks(SynchronousTestCase):
    def test_line_by_line(self) -> None:
        view = View(current=4, zone=UTC)
        for body, words in (
            (Text("hi"), "bob (private): hi\n"),
            (Opened("hi"), "bob (private, encrypted): hi\n"),
            (InTheClear("hi"), "bob (private, NOT ENCRYPTED): hi\n"),
            (Unopened("no key", SEALED), "bob (private, unreadable): no key\n"),
        ):
            self.assertEqual(render(said(body), view), words)
        self.assertEqual(render(said(Opened("hi"), DEN), view), "bob (encrypted): hi\n")
        self.assertEqual(render(said(Opened("waves"), DEN, Kind.ACTION), view), "* bob (encrypted) waves\n")

    def test_an_edit_line_by_line(self) -> None:
        edited = Edited(BOB, 2, 1, "bob", "phone", 0, Opened("hi"))
        self.assertEqual(render(edited, View(zone=UTC)), "bob (private, encrypted) (edited): hi\n")

    def test_nobody_can_write_a_mark(self) -> None:
        """What somebody types stands after the colon, wherever it is shown."""
        self.assertEqual(
            render(said(Text("(private, encrypted): hi")), View(zone=UTC)), "bob (private): (private, encrypted): hi\n"
        )

    def test_on_the_screen(self) -> None:
        talk = ConversationModel(Key(False, "bob"), "bob")
        drawing = LineLayout(60, UTC, "ann", lambda said: False, Colours())
        for body, words in (
            (Text("hi"), "00:00 bob: hi"),
            (Opened("hi"), "00:00 🔒bob: hi"),
            (InTheClear("hi"), "00:00 NOT ENCRYPTED: bob: hi"),
            (Unopened("no key", SEALED), "00:00 unreadable: bob: no key"),
        ):
            (strip,) = drawing.row(said(body), talk)
            self.assertEqual(strip.text, words)

    def test_above_the_conversation(self) -> None:
        talk = ConversationModel(Key(False, "bob"), "bob")
        self.assertTrue(topic_line(State(), talk, "sealed, verified").plain.endswith("(offline)  sealed, verified"))
