"""How the screen looks: in two sizes, with wide characters, in both themes and without colour."""

from __future__ import annotations

import os
import time
from textwrap import dedent
from typing import Any

from rich.color import Color
from rich.style import Style

from tests.client.theatre import Play, ScreenCase

LEAST_CONTRAST = 2.5
"""Of text and its background, in the sense of WCAG 2: what is dim on purpose included."""


def luminance(color: Color) -> float:
    """See WCAG 2, "relative luminance"."""
    assert color.triplet is not None, "Textual paints in true colour"
    parts = [part / 255 for part in color.triplet]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(style: Style) -> float:
    assert style.color is not None and style.bgcolor is not None, "all is painted"
    low, high = sorted((luminance(style.color), luminance(style.bgcolor)))
    return (high + 0.05) / (low + 0.05)


class LooksCase(ScreenCase):
    def setUp(self) -> None:
        super().setUp()
        self.environment(TZ="UTC")
        self.addCleanup(time.tzset)
        time.tzset()
        self.bob = self.logged_in("bob", "lobby")

    def environment(self, **values: str) -> None:
        for name, value in values.items():
            before = os.environ.get(name)
            os.environ[name] = value
            if before is None:
                self.addCleanup(os.environ.pop, name)
            else:
                self.addCleanup(os.environ.__setitem__, name, before)

    def day(self, *then: Any, **more: Any) -> None:
        """A short day of talk; then look."""

        async def scene(play: Play) -> None:
            bob = self.bob
            await play.types("hello")
            bob.types("ann, 漢字 and 日本語 are twice as wide as others are, and this line is long", room="lobby")
            bob.types("/me waves", room="lobby")
            self.server.clock.epoch += 86_400
            bob.types("a new day", room="lobby")
            bob.types("message ann psst")
            await play.types("/whois nobody")
            for look in then:
                await look(play)

        self.play_as("ann", scene, room="lobby", **more)

    def looks(self, play: Play, expected: str) -> None:
        lines = [line for line in play.sees().splitlines() if line.strip()]
        self.assertEqual("\n".join(lines), dedent(expected).strip("\n"))

    def styles(self, play: Play) -> list[tuple[str, Style]]:
        """What stands on the screen, and how it is painted."""
        strips = play.app.screen._compositor.render_strips()
        painted = [(each.text, each.style or Style()) for strip in strips for each in strip]
        return [(text, style) for text, style in painted if any(char.isalnum() for char in text)]


class Sizes(LooksCase):
    def test_80_by_24(self) -> None:
        async def look(play: Play) -> None:
            self.looks(
                play,
                """
                >#lobby                #lobby
                 ● bob (1)            ──────────────── Sunday 26 November 2023 ────────────────
                                      12:00 * the server has created lobby.
                                      12:01 * bob has entered lobby.
                                      12:01 * ann has entered lobby.
                                      * You are in lobby (2 here: ann, bob).
                                      * What you type is said in lobby; type /help for the
                                        commands.
                                      12:01 ann: hello ✓
                                      12:01 bob: ann, 漢字 and 日本語 are twice as wide as
                                                 others are, and this line is long
                                      12:01 * bob waves
                                      ──────────────── Monday 27 November 2023 ────────────────
                                      12:01 bob: a new day
                                      ! No user nobody. Type list users to see them all.
                 ann on chat.example  F1: help
                """,
            )

        self.day(look)

    def test_40_by_12(self) -> None:
        async def look(play: Play) -> None:
            self.looks(
                play,
                """
                 #lobby
                12:01 ann: hello ✓
                12:01 bob: ann, 漢字 and 日本語 are
                           twice as wide as others are,
                           and this line is long       ▁
                12:01 * bob waves
                ─────── Monday 27 November 2023 ───────
                12:01 bob: a new day
                ! No user nobody. Type list users to
                  see them all.
                 1 unread elsewhere (F4)  ann on
                """,
            )
            await play.presses("f2")
            self.looks(
                play,
                """
                >#lobby
                 ● bob (1)
                 ann on chat.example  F1: help
                """,
            )

        self.day(look, size=(40, 12))


class Colours(LooksCase):
    def test_can_be_read_in_both_themes(self) -> None:
        async def look(play: Play) -> None:
            backgrounds = []
            for _ in range(2):
                for text, style in self.styles(play):
                    self.assertGreater(contrast(style), LEAST_CONTRAST, f"{text!r} in {play.app.theme}: {style}")
                backgrounds.append(next(style.bgcolor for text, style in self.styles(play) if "waves" in text))
                await play.presses("f6")
            self.assertEqual(len(set(backgrounds)), 2)

        self.day(look)

    def test_no_author_has_one_that_cannot_be_read(self) -> None:
        """Whatever the name, which decides on the colour."""
        names = ("carol", "dave", "eve", "frank", "grace", "heidi", "ivan", "judy", "mallory", "oscar")
        for name in names:
            self.logged_in(name, "lobby").types(f"I am {name}", room="lobby")
        self.test_can_be_read_in_both_themes()

    def test_of_people_in_one_room_differ_in_both_themes(self) -> None:
        people = ["ann", "bob"]
        for name in ("carol", "dave", "eve", "frank"):
            people.append(name)
            self.logged_in(name, "lobby").types(f"I am {name}", room="lobby")

        async def look(play: Play) -> None:
            for _ in range(2):
                styles = self.styles(play)
                named = {name: next(style.color for text, style in styles if text == f"{name}: ") for name in people}
                self.assertEqual(len(set(named.values())), len(people), f"{play.app.theme}: {named}")
                await play.presses("f6")

        self.day(look)

    def test_are_not_needed(self) -> None:
        """With NO_COLOR nothing is lost: marks say what colours say as well."""
        self.environment(NO_COLOR="1")

        async def look(play: Play) -> None:
            for text, style in self.styles(play):
                for color in (style.color, style.bgcolor):
                    if color is not None and color.triplet is not None:
                        self.assertEqual(len(set(color.triplet)), 1, f"{text!r}: {color}")
            for words in (">#lobby", "● bob (1)", "hello ✓", "! No user"):
                self.assertIn(words, play.sees())

        self.day(look)
