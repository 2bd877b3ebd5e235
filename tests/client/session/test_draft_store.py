"""`chat.client.session.draft_store`: lines that a program did not live to send."""

from __future__ import annotations

import stat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from chat.client.cli.factory import make_drafts
from chat.client.e2e.encryption import Encryption
from chat.client.model.conversation import Key
from chat.client.model.failures import ClientFailure
from chat.client.model.send_queue import Fate, NullDraftStore, Outgoing, SendQueue
from chat.client.session.draft_store import MOST_DAYS, WRITE_EVERY, DiskDraftStore
from chat.client.session.encryption_api import NullEncryption
from chat.client.session.endpoint import ServerAddress
from chat.client.session.observer import Phase
from chat.client.session.profiles import Files
from chat.protocol.grammar.context import Ask
from tests.client.engines import Desk, EngineCase
from tests.server.frontends.server import PASSWORD

HERE = ServerAddress("chat.example")
LOBBY = Key(True, "lobby")


class Reactor(Clock):
    """A clock that can be asked to stop."""

    def __init__(self) -> None:
        super().__init__()
        self.at_the_end: list[Any] = []

    def addSystemEventTrigger(self, phase: str, event: str, work: Any) -> None:
        self.at_the_end.append(work)

    def stops(self) -> None:
        for work in self.at_the_end:
            work()


class DraftCase(EngineCase):
    def setUp(self) -> None:
        super().setUp()
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.data = Path(folder.name) / "data"
        self.files = Files(Path(folder.name) / "config", self.data)
        self.reactor = Reactor()

    def drafts(self, device: str = "desk") -> DiskDraftStore:
        return make_drafts(self.reactor, self.files, HERE, device, self.server.clock.seconds)

    def kept(self, account: str = "ann", device: str = "desk") -> list[str]:
        return [each["text"] for each in self.files.unsent(HERE, account, device)]

    def start(self, **more: Any) -> Desk:
        """Another start of the same program."""
        return self.desk(drafts=self.drafts(), **more)

    def in_a_room(self) -> Desk:
        ann = self.start()
        self.run_link(ann.engine.register("ann", PASSWORD))
        ann.types("connect lobby")
        return ann

    def offline(self, desk: Desk, *lines: str) -> None:
        desk.reachable = False
        desk.cut()
        for line in lines:
            desk.types(line, room="lobby")

    def leaves(self, desk: Desk) -> None:
        self.run_link(desk.engine.leave())
        self.reactor.stops()


class LinesThatWait(DraftCase):
    def test_are_sent_at_the_next_start_in_order_and_once(self) -> None:
        bob = self.logged_in("bob", "lobby")
        ann = self.in_a_room()
        self.offline(ann, "one", "two\nlines", "/me waves")
        self.leaves(ann)
        self.assertEqual(self.kept(), ["one", "two\nlines", "waves"])
        again = self.start()
        self.run_link(again.engine.log_in("ann", PASSWORD))
        self.quiet_link()
        self.assertEqual(bob.screen.said(), ["one", "two\nlines", "waves"])
        self.assertEqual(len(again.state.unsent), 0)
        self.leaves(again)
        self.assertEqual(self.kept(), [])

    def test_keep_their_retry_ids_so_one_that_was_stored_unheard_is_stored_once(self) -> None:
        bob = self.logged_in("bob", "lobby")
        ann = self.in_a_room()
        self.begin(ann.keyboard.typed("stored unheard", ann.talk("lobby")))
        self.links[-1].far.sends(self.links[-1].near.value())
        self.server.settle()
        ann.reachable = False
        self.links[-1].cut()
        self.leaves(ann)
        self.assertEqual(self.kept(), ["stored unheard"])
        again = self.start()
        self.run_link(again.engine.log_in("ann", PASSWORD))
        self.quiet_link()
        self.assertEqual(bob.screen.said(), ["stored unheard"])
        self.assertEqual(again.screen.said(), ["stored unheard"])

    def test_wait_for_their_own_account(self) -> None:
        ann = self.in_a_room()
        self.offline(ann, "of ann")
        self.leaves(ann)
        again = self.start()
        self.run_link(again.engine.register("carol", PASSWORD))
        self.assertEqual(len(again.state.unsent), 0)
        again.types("/logout")
        self.run_link(again.engine.log_in("ann", PASSWORD))
        self.quiet_link()
        self.assertIn("of ann", again.screen.said())

    def test_wait_for_a_week_at_most_as_the_server_forgets_their_retry_ids(self) -> None:
        drafts = self.drafts()
        now, day = int(self.server.clock.seconds() * 1000), 86_400_000
        old, young = (Outgoing(LOBBY, "say", {}, "x", now - days * day) for days in (MOST_DAYS + 1, MOST_DAYS - 1))
        drafts.keep("ann", [old, young])
        self.assertEqual([each.fate for each in drafts.lines("ann")], [Fate.REFUSED, Fate.SENDING])

    def test_that_have_waited_too_long_are_shown_as_refused(self) -> None:
        ann = self.in_a_room()
        self.offline(ann, "too old")
        next(iter(ann.state.unsent)).time = 0
        ann.types("young enough", room="lobby")
        self.leaves(ann)
        again = self.start()
        self.run_link(again.engine.log_in("ann", PASSWORD))
        self.assertEqual([each.text for each in again.state.refused[LOBBY]], ["too old"])


class UnderKeys(DraftCase):
    """What may have been meant for a sealed conversation lies on no disk in the clear."""

    def setUp(self) -> None:
        super().setUp()
        self.keys = self.data / "keys"

    def in_a_room(self) -> Desk:
        ann = self.start(keys=self.keys)
        self.run_link(ann.engine.register("ann", PASSWORD))
        ann.types("connect lobby")
        return ann

    def dies(self, desk: Desk) -> None:
        """Nothing is saved any more."""
        seals = desk.engine.seals
        assert isinstance(seals, Encryption) and seals.ring is not None
        seals.ring.database.close()
        seals.ring = None
        desk.engine.close()
        self.settle()

    def again(self) -> Desk:
        ann = self.start(keys=self.keys)
        self.run_link(ann.engine.log_in("ann", PASSWORD))
        self.quiet_link()
        return ann

    def on_disk(self) -> bytes:
        return b"".join(each.read_bytes() for each in self.data.rglob("*") if each.is_file())

    def types(self, desk: Desk, *lines: str) -> None:
        """Lines of input, as the screen keeps them."""
        for line in lines:
            desk.state.typed.append(line)
            desk.state.keep_typed()

    def test_lines_that_wait_are_there_again_and_cannot_be_read_before(self) -> None:
        bob = self.logged_in("bob", "lobby")
        ann = self.in_a_room()
        self.offline(ann, "the launch code")
        self.leaves(ann)
        self.assertNotIn(b"launch", self.on_disk())
        again = self.again()
        self.assertEqual(bob.screen.said(), ["the launch code"])
        self.leaves(again)

    def test_lines_of_input_are_there_again_and_cannot_be_read_before(self) -> None:
        ann = self.in_a_room()
        self.types(ann, "the launch code", "is\nhere")
        self.reactor.advance(WRITE_EVERY)
        self.dies(ann)
        self.assertNotIn(b"launch", self.on_disk())
        again = self.again()
        self.assertEqual(again.state.typed, ["the launch code", "is\nhere"])
        self.leaves(again)

    def test_a_logout_takes_them_along_and_the_next_login_brings_them_back(self) -> None:
        ann = self.in_a_room()
        self.types(ann, "the launch code")
        ann.types("/logout")
        self.assertEqual(ann.state.typed, [])
        self.run_link(ann.engine.log_in("ann", PASSWORD))
        self.assertEqual(ann.state.typed, ["the launch code"])
        self.leaves(ann)

    def test_what_lay_there_in_the_clear_is_read_once_and_removed(self) -> None:
        bob = self.logged_in("bob", "lobby")
        before = super().in_a_room()
        self.types(before, "an old line")
        self.offline(before, "unsent and old")
        self.leaves(before)
        self.assertIn(b"unsent and old", self.on_disk())
        ann = self.again()
        self.types(ann, "a new line")
        self.assertEqual(bob.screen.said(), ["unsent and old"])
        self.leaves(ann)
        for name in ("history", "unsent.json"):
            self.assertFalse((self.data / name).exists(), name)
        self.assertNotIn(b"old", self.on_disk())
        again = self.again()
        self.assertEqual(again.state.typed, ["an old line", "a new line"])
        self.assertEqual(bob.screen.said(), ["unsent and old"])
        self.leaves(again)

    def test_what_lies_there_in_the_clear_stays_as_long_as_it_cannot_be_put_under_keys(self) -> None:
        before = super().in_a_room()
        self.types(before, "an old line")
        self.leaves(before)
        ann = self.start(keys=self.keys)

        def fail() -> None:
            raise ClientFailure("the disk is full")

        ann.engine.seals.save = fail  # type: ignore[method-assign]  # a disk that is full
        self.run_link(ann.engine.log_in("ann", PASSWORD))
        self.assertEqual(self.files.typed(), ["an old line"])
        ann.engine.seals.close()

    def test_while_they_are_locked_nothing_is_kept_and_nothing_lost(self) -> None:
        bob = self.logged_in("bob", "lobby")
        ann = self.in_a_room()
        self.types(ann, "an old line")
        self.offline(ann, "unsent and old")
        self.leaves(ann)
        locked = self.start(keys=self.keys)
        self.run_link(locked.engine.connect())
        self.run_link(locked.engine.log_in_by_token(ann.tokens[-1]))
        self.types(locked, "the launch code")
        locked.reachable = False
        locked.cut()
        locked.types("is here", room="lobby")
        self.assertEqual(len(locked.state.unsent), 0)
        self.assertIn("Type: unlock", locked.state.refused[LOBBY][0].why)
        self.reactor.advance(WRITE_EVERY)
        self.assertFalse((self.data / "history").exists() or (self.data / "unsent.json").exists())
        self.assertEqual(bob.screen.said(), [])
        locked.reachable = True
        self.quiet_link()
        ask = locked.types("unlock", room="lobby")
        self.assertIsInstance(ask, Ask)
        self.run_link(locked.keyboard.answered(ask, PASSWORD, None))
        self.quiet_link()
        self.assertEqual(bob.screen.said(), ["unsent and old"])
        self.assertEqual(locked.state.typed, ["an old line", "the launch code"])
        self.leaves(locked)


class OpenKeys(NullEncryption):
    """Keys under which nothing lies yet."""

    def recall(self, account: str, name: str) -> list[Any] | None:
        return []

    def keep(self, account: str, name: str, lines: list[Any]) -> bool:
        return True


class Late(NullDraftStore):
    """Keys are opened late, and under them lies a line."""

    def __init__(self) -> None:
        self.waiting = [Outgoing(LOBBY, "say", {}, "typed yesterday", 0)]

    def lines(self, account: str) -> list[Outgoing]:
        return self.waiting


class Recalling(TestCase):
    def test_what_waited_was_typed_before_what_was_typed_meanwhile(self) -> None:
        unsent = SendQueue(Late())
        on_its_way, another = (Outgoing(LOBBY, "say", {}, text, 1) for text in ("typed today", "and this"))
        unsent.put(on_its_way)
        unsent.put(another)
        unsent.recall()
        self.assertEqual([each.text for each in unsent], ["typed yesterday", "typed today", "and this"])
        unsent.done(on_its_way)
        self.assertEqual([each.text for each in unsent], ["typed yesterday", "and this"])


class TheFile(DraftCase):
    def test_is_for_nobody_else_and_written_within_moments(self) -> None:
        ann = self.in_a_room()
        self.offline(ann, "secret")
        self.assertEqual(self.kept(), [])
        self.reactor.advance(WRITE_EVERY)
        self.assertEqual(self.kept(), ["secret"])
        self.assertEqual(stat.S_IMODE((self.data / "unsent.json").stat().st_mode), 0o600)

    def test_that_makes_no_sense_is_an_empty_one(self) -> None:
        self.data.mkdir()
        for nonsense in ("", "[1]", '{"ann@desk chat.example": 7}', '{"ann@desk chat.example": [1, {"room": 1}]}'):
            (self.data / "unsent.json").write_text(nonsense)
            self.assertEqual(self.drafts().lines("ann"), [])

    def test_that_cannot_be_written_is_written_later_and_keeps_no_other_from_it(self) -> None:
        drafts, write = self.disk_is_full()
        drafts.keep("ann", [Outgoing(LOBBY, "say", {"room": "lobby"}, "it waits", 0, "retry")])
        self.reactor.advance(WRITE_EVERY)
        self.assertEqual((self.kept(), self.files.typed()), (["it waits"], []))
        self.files.keep_typed = write  # type: ignore[method-assign]
        self.reactor.stops()
        self.assertEqual(self.files.typed(), ["it was typed"])

    def test_that_could_not_be_written_does_not_come_once_it_is_under_keys(self) -> None:
        drafts, write = self.disk_is_full()
        self.reactor.advance(WRITE_EVERY)
        drafts.seals = OpenKeys()
        self.assertEqual(drafts.typed("ann"), ["it was typed"])
        self.files.keep_typed = write  # type: ignore[method-assign]
        drafts.keep_typed("ann", ["it was typed", "and more"])
        self.reactor.stops()
        self.assertEqual(self.files.typed(), [])

    def disk_is_full(self) -> tuple[DiskDraftStore, Any]:
        """:returns: a drafts with a line that was typed, and what will write such lines when there is room again."""

        def fail(lines: list[str]) -> None:
            raise ClientFailure("the disk is full")

        drafts, write = self.drafts(), self.files.keep_typed
        self.files.keep_typed = fail  # type: ignore[method-assign]
        drafts.keep_typed("ann", ["it was typed"])
        return drafts, write

    def test_that_cannot_be_written_keeps_nobody_from_talking(self) -> None:
        ann = self.in_a_room()
        self.data.mkdir()
        (self.data / "lock").mkdir()
        ann.types("hello", room="lobby")
        self.reactor.advance(WRITE_EVERY)
        self.assertEqual(ann.screen.status.phase, Phase.ONLINE)
        self.assertEqual(ann.screen.said(), ["hello"])
