"""What every front end has without writing it: a toy one proves it."""

from __future__ import annotations

from pathlib import Path

from chat.server.core.dispatcher import Dispatcher
from chat.server.frontends.connection import FRONT_ENDS, ChatFactory
from tests.server.frontends import csv_front_end
from tests.server.frontends.csv_front_end import CsvFrontEnd
from tests.server.frontends.server import PASSWORD, Caller, ServerCase, SlowReads


class ANewFrontEnd(ServerCase):
    """Events as CSV: one small file, and one line in the table."""

    def setUp(self) -> None:
        super().setUp()
        FRONT_ENDS["csv"] = CsvFrontEnd
        self.addCleanup(FRONT_ENDS.pop, "csv")
        chat, turn, counter = self.server.chat, self.server.turn, self.server.counter
        self.server.factories["csv"] = ChatFactory("csv", chat, Dispatcher(chat), turn, counter)

    def reader(self, name: str) -> Caller:
        """Somebody who has an account and a room, and reads CSV."""
        caller = self.call("csv")
        known = self.server.chat.directory.account(name) is not None
        caller.types(f"{'login' if known else 'new'},{name},{PASSWORD}")
        return caller

    def rows(self, caller: Caller, *kinds: str) -> list[str]:
        return [row for row in caller.sees() if row.partition(",")[0] in kinds]

    def test_takes_less_than_80_lines(self) -> None:
        self.assertLess(len(Path(csv_front_end.__file__).read_text().splitlines()), 80)

    def test_says_and_hears(self) -> None:
        ann, bob = self.reader("ann"), self.person("bob", "lobby")
        ann.types("connect,lobby", 'say,"hello, bob",lobby')
        self.assertIn("ann: hello, bob", bob.gets())
        ann.gets()
        bob.types("hi ann")
        (row,) = self.rows(ann, "Said")
        self.assertIn("lobby", row)
        self.assertIn("hi ann", row)

    def test_answers_in_the_order_of_the_lines(self) -> None:
        ann = self.reader("ann")
        ann.gets()
        ann.sends(b"connect,lobby\nsay,one,lobby\nnonsense\nping\n")
        kinds = [row.partition(",")[0] for row in ann.sees()]
        self.assertEqual(kinds, ["RoomEntered", "StoredAs", "Refused", "Pong"])

    def test_is_shown_what_waited_until_it_provably_has_it(self) -> None:
        ann, bob = self.reader("ann"), self.person("bob")
        ann.hangs_up(orderly=False)
        bob.types("message ann are you there?")
        for _ in range(2):
            ann = self.reader("ann")
            (row,) = self.rows(ann, "Said")
            self.assertIn("are you there?", row)
            ann.hangs_up(orderly=False)
        ann = self.reader("ann")
        self.server.advance(2)
        ann.types("ping")
        self.server.advance(2)
        ann.types("quit")
        ann.finishes()
        self.assertEqual(self.rows(self.reader_again(ann), "Said"), [])

    def reader_again(self, before: Caller) -> Caller:
        before.hangs_up()
        return self.reader("ann")

    def test_what_comes_while_the_past_is_read_comes_after_it(self) -> None:
        ann, bob = self.reader("ann"), self.person("bob")
        bob.types("message ann first")
        ann.hangs_up(orderly=False)
        reading = SlowReads(self.server.store, "missed")
        ann = self.reader("ann")
        bob.types("message ann second")
        reading.release()
        self.assertEqual(
            ["first" if "first" in row else "second" for row in self.rows(ann, "Said")], ["first", "second"]
        )

    def test_pays_for_what_means_nothing(self) -> None:
        guest = self.call("csv")
        guest.types(*["nonsense"] * 10)
        self.assertIn("Closing,Disconnected: none of the first 10 lines was a command.", guest.sees())
        self.assertTrue(guest.ended)

    def test_is_told_why_the_server_ends_it(self) -> None:
        ann = self.reader("ann")
        ann.gets()
        ann.protocol.session.mind.close("The server is shutting down.")
        self.assertEqual(ann.sees(), ["Closing,The server is shutting down."])
        self.assertTrue(ann.ended)
