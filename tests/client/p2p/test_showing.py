"""What goes from client to client looks different from what goes by way of the server, on both screens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from chat.client.cli.line_output import Printer
from chat.client.model.conversation import Key
from chat.client.model.transfer_progress import Stage
from chat.client.p2p.offer import Offer
from chat.client.p2p.transfer import Transfer
from chat.client.screen.transfer_bars import TransferBars, direct_lines
from chat.client.session.engine import Engine
from chat.client.session.observer import Observer
from chat.client.session.peer_api import NullPeers
from tests.client.engines import Desk
from tests.client.theatre import Play, ScreenCase


def transfer(incoming: bool = True) -> Transfer:
    return Transfer(Offer(bytes(16), "notes.txt", 4096, bytes(32), bytes(32)), "bob", "phone", incoming)


class LineByLine(SynchronousTestCase):
    def setUp(self) -> None:
        self.written: list[str] = []
        self.printer = Printer(self.written.append)

    def test_a_direct_line_says_that_it_is_one(self) -> None:
        self.printer.direct("bob", "bob", "hello\n! forged")
        self.assertEqual("".join(self.written), "bob (direct): hello\nbob| ! forged\n")

    def test_ones_own_is_confirmed(self) -> None:
        self.printer.direct("bob", "ann", "hello")
        self.assertEqual(self.written, ["* Delivered directly to bob.\n"])

    def test_a_file_is_told_of_a_few_times(self) -> None:
        file = transfer()
        self.printer.transferred(file)
        file.stage = Stage.MOVING
        for done in range(0, 4096, 64):
            file.done = done
            self.printer.transferred(file)
        file.stage, file.path = Stage.DONE, Path("/home/ann/notes.txt")
        self.printer.transferred(file)
        self.assertEqual(
            self.written,
            [
                "* bob offers you a file: notes.txt (4.0 KiB). To accept: getfile bob. To decline: refusefile bob\n",
                "* notes.txt from bob: 0 % of 4.0 KiB\n",
                "* notes.txt from bob: 25 % of 4.0 KiB\n",
                "* notes.txt from bob: 50 % of 4.0 KiB\n",
                "* notes.txt from bob: 75 % of 4.0 KiB\n",
                "* Received notes.txt (4.0 KiB) from bob: /home/ann/notes.txt\n",
            ],
        )

    def test_who_only_wants_one_room_sees_none_of_it(self) -> None:
        self.printer.only = lambda talk: True
        self.printer.direct("bob", "bob", "hello")
        self.printer.transferred(transfer())
        self.assertEqual(self.written, [])


class Lines(SynchronousTestCase):
    def test_nobody_can_pretend_to_be_the_client(self) -> None:
        self.assertEqual(direct_lines("bob", "hi\n* ann left", False), "bob (direct): hi\nbob| * ann left")
        self.assertEqual(direct_lines("ann", "hi", True), "ann (direct): hi ✓✓")

    def test_a_bar_while_a_file_moves(self) -> None:
        carried, file = TransferBars(), transfer(incoming=False)
        self.assertEqual(carried.changed(file), "* Offered notes.txt (4.0 KiB) to bob.")
        self.assertEqual(carried.bars().plain, "")
        file.stage, file.done = Stage.MOVING, 1024
        self.assertEqual(carried.changed(file), "")
        self.assertEqual(carried.bars().plain, "█" * 5 + "░" * 15 + " notes.txt to bob: 25 % of 4.0 KiB")
        file.stage, file.why = Stage.CUT, "The link is lost."
        self.assertEqual(carried.changed(file), "* notes.txt to bob: 25 %. The link is lost.")
        file.stage = Stage.DONE
        self.assertEqual(carried.changed(file), "* bob has received notes.txt (4.0 KiB).")
        self.assertEqual(carried.bars().plain, "")


class OnTheScreen(ScreenCase):
    def test_a_direct_line_and_a_file(self) -> None:
        async def scene(play: Play) -> None:
            play.app.observer.direct("bob", "bob", "under the doormat")
            file = transfer()
            play.app.observer.transferred(file)
            await play.settle()
            play.line("bob (direct): under the doormat")
            play.line("bob offers you a file: notes.txt (4.0 KiB)")
            file.stage, file.done = Stage.MOVING, 2048
            play.app.observer.transferred(file)
            await play.settle()
            self.assertIn("█" * 10 + "░" * 10, play.line("notes.txt from bob: 50 %"))
            play.app.observer.direct("bob", "ann", "thanks")
            await play.settle()
            play.line("ann (direct): thanks ✓✓")
            self.assertNotIn(Key(False, "bob"), play.desk.state.talks)

        self.play_as("ann", scene, room="lobby")

    def test_each_stage_of_a_file_is_told_once_however_fast_they_follow(self) -> None:
        async def scene(play: Play) -> None:
            file = transfer(incoming=False)
            for stage in (Stage.OFFERED, Stage.MOVING, Stage.DONE):
                file.stage = stage
                play.app.observer.transferred(file)
            await play.settle()
            play.line("Offered notes.txt (4.0 KiB) to bob.")
            play.line("bob has received notes.txt (4.0 KiB).")

        self.play_as("ann", scene, room="lobby")


class Waiting(NullPeers):
    """Somebody has left a file while nobody was here."""

    def offers(self) -> list[Transfer]:
        return [transfer()]


class AtTheStart(ScreenCase):
    def desk(self, *args: Any, **more: Any) -> Desk:
        desk = super().desk(*args, **more)
        desk.direct = Waiting()
        return desk

    def test_what_was_offered_meanwhile_is_shown(self) -> None:
        async def scene(play: Play) -> None:
            play.line("bob offers you a file: notes.txt (4.0 KiB)")

        self.play_as("ann", scene)


class BeforeTheStart(ScreenCase):
    """A letter that came while one was away is read before there is a screen to show it on."""

    def desk(self, *args: Any, **more: Any) -> Desk:
        desk = super().desk(*args, **more)
        make = desk.engine_for

        def engine_for(observer: Observer) -> Engine:
            engine, file = make(observer), transfer(incoming=False)
            file.stage = Stage.DONE
            engine.direct.begin = lambda: observer.transferred(file)  # type: ignore[method-assign]
            return engine

        desk.engine_for = engine_for  # type: ignore[method-assign]
        return desk

    def test_what_became_of_a_file_meanwhile_is_shown(self) -> None:
        async def scene(play: Play) -> None:
            play.line("bob has received notes.txt (4.0 KiB).")

        self.logged_in("ann", "lobby", device="den")
        self.play_as("ann", scene)
