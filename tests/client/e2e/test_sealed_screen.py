"""The full screen of somebody with keys: getting in, talking, what is sealed and what it says of that, leaving."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from chat.client.screen.input_box import InputBox
from chat.client.screen.message_list import MessageList
from tests.client.e2e.people import WORDS, SealedCase
from tests.client.theatre import HERE, Play, ScreenCase
from tests.server.frontends.server import PASSWORD

ASKED = "Password of ann, to unlock your keys:"


class KeysCase(ScreenCase, SealedCase):
    def start(self, *scenes: Callable[[Play], Awaitable[None]], **more: Any) -> None:
        """One run of ann's program, which ends by Ctrl-C, so that the next one finds the keys free."""

        async def run(play: Play) -> None:
            try:
                for each in scenes:
                    await each(play)
            finally:
                await play.presses("ctrl+c")

        self.play(run, keys=self.folder / "ann", **more)

    async def comes(self, play: Play) -> None:
        """A new account."""
        await play.presses("f4")
        await play.types("ann")
        await play.types(PASSWORD)

    async def comes_back(self, play: Play) -> None:
        """By the token of last time, and the password for the keys alone."""
        self.assertIn(ASKED, play.sees())
        await play.types(PASSWORD)


class ADay(KeysCase):
    def test_with_keys(self) -> None:
        bob = self.enters("bob", "lobby")

        async def scene(play: Play) -> None:
            await self.comes(play)
            self.assertIn("ann on chat.example", play.sees())
            await play.types("/connect lobby")
            await play.presses(*"hello", "enter")
            self.assertIn("ann: hello ✓", play.line("ann: hello"))
            self.assertNotIn("encrypted", play.line("#lobby   "))
            await play.types(f"message bob {WORDS}")
            self.assertEqual(self.sealed(bob), [WORDS])
            self.assertIn(f"🔒ann: {WORDS} ✓", play.sees())
            self.assertIn("● bob (online)  encrypted", play.sees())
            bob.types("message ann where?")
            await play.settle()
            self.assertIn("bob: where?", play.sees())

            await play.types("/create den")
            await play.types("/room sealed on")
            self.assertIn("#den  encrypted", play.sees())
            bob.types("connect den")
            await play.types("for members alone")
            self.assertEqual(self.sealed(bob)[-1], "for members alone")
            await play.presses("alt+down")
            self.assertIn(">#lobby", play.sees())
            await play.presses("alt+down")
            self.assertIn(">● bob", play.sees())

        self.start(scene)
        self.assertEqual(self.online(), ["bob"])
        self.assertNotIn(WORDS.encode(), self.recorded())

    def test_in_a_small_window(self) -> None:
        self.enters("bob")

        async def scene(play: Play) -> None:
            await self.comes(play)
            await play.types(f"message bob {WORDS}")
            self.assertIn("● bob (online)  encrypted", play.sees())
            await play.types("/verify bob yes")
            self.assertIn("● bob (online)  encrypted, verified", play.sees())

        self.start(scene, size=(40, 12))

    def test_scrolling_through_what_was_sealed(self) -> None:
        bob = self.enters("bob")

        async def scene(play: Play) -> None:
            await self.comes(play)
            for number in range(130):
                bob.types(f"message ann line {number}.")
            await play.presses("f4")
            self.assertIn("line 129.", play.sees())

        async def again(play: Play) -> None:
            await self.comes_back(play)
            await play.presses("alt+down")
            feed = play.app.screen.query_one(MessageList)
            self.assertIn("line 129.", play.sees())
            for _ in range(20):
                await play.presses("pageup")
                if feed.talk is not None and feed.talk.complete and feed.scroll_offset.y == 0:
                    break
            self.assertIn("line 0.", play.sees())
            self.assertNotIn("unreadable", play.sees())
            await play.presses("ctrl+end")
            self.assertIn("line 129.", play.sees())

        self.start(scene)
        self.start(again)


class AnotherDay(KeysCase):
    """The second start of the same program."""

    def setUp(self) -> None:
        super().setUp()
        self.bob, ann = self.enters("bob"), self.enters("ann")
        ann.types(f"message bob {WORDS}")
        self.run_link(ann.engine.leave())
        self.files.keep_token(HERE, "ann", "desk", ann.tokens[-1])

    def test_asks_for_the_password_of_the_keys_until_it_is_right(self) -> None:
        async def scene(play: Play) -> None:
            self.assertIn(ASKED, play.sees())
            await play.types("wrong horse")
            self.assertIn("Wrong passphrase", play.sees())
            self.assertIn("Password of ann, to unlock", play.sees())
            await play.types(PASSWORD)
            self.assertNotIn("horse", play.sees())
            await play.presses("alt+down")
            self.assertIn(f"ann: {WORDS} ✓", play.sees())

        self.start(scene)

    def test_brings_back_what_was_typed(self) -> None:
        async def scene(play: Play) -> None:
            await self.comes_back(play)
            await play.types("message bob what was typed")

        async def again(play: Play) -> None:
            await self.comes_back(play)
            await play.presses("up")
            self.assertEqual(play.app.screen.query_one(InputBox).text, "message bob what was typed")

        self.start(scene)
        self.start(again)
        self.assertEqual(self.files.typed(), [])

    def test_without_keys_shows_nothing_that_is_sealed_until_they_are_unlocked(self) -> None:
        async def scene(play: Play) -> None:
            await play.presses("escape")
            self.assertIn("ann on chat.example", play.sees())
            await play.presses("alt+down")
            self.assertIn("encrypted, keys locked", play.sees())
            self.assertNotIn("fridge", play.sees())
            await play.types("said in the open?")
            self.assertIn("✗ Not sent: your keys", play.sees())
            self.assertEqual(self.bob.screen.said(), [WORDS])
            await play.types("/unlock")
            self.assertIn("Passphrase of your keys:", play.sees())
            await play.types(PASSWORD)
            self.assertIn("Your keys are unlocked.", play.sees())
            self.assertIn(f"ann: {WORDS}", play.sees())
            self.assertIn("● bob (online)  encrypted", play.sees())

        self.start(scene)

    def test_a_search_stays_here_until_the_person_says_more(self) -> None:
        self.bob.types("create lobby2")
        self.bob.types("the fridge is empty", room="lobby2")

        async def scene(play: Play) -> None:
            await self.comes_back(play)
            await play.types("/connect lobby2")
            await play.types("/search fridge")
            self.assertIn("code is on the fridge", play.sees())
            self.assertIn("type !", play.sees())
            self.assertNotIn(b'"cmd":"search"', self.recorded())
            await play.types("!")
            self.assertIn(b'"cmd":"search"', self.recorded())

        self.start(scene)

    def test_a_key_that_has_changed_is_told_at_once_and_nothing_is_sent_before_it_is_accepted(self) -> None:
        async def scene(play: Play) -> None:
            await self.comes_back(play)
            await play.presses("alt+down")
            self.bob.engine.close()
            bob = self.enters("bob", machine="another one of bob's")
            await play.settle()
            bob.types("/link new")
            await play.settle()
            self.assertIn("bob", play.line("HAS CHANGED"))
            await play.types("are you bob?")
            self.assertNotIn("are you bob?", bob.screen.said())
            self.assertIn("✗ Not sent.", play.line("are you bob?"))
            await play.types("/accept bob")
            await play.types("now then")
            self.assertEqual(self.sealed(bob), ["now then"])

        self.start(scene)
