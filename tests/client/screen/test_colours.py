"""Names have colours: apart from each other where people talk together, and the same ones for as long as one looks."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.client.model.conversation import ConversationModel, Key
from chat.client.screen import colours as colours_module
from chat.client.screen.colours import STYLES, Colours
from chat.protocol.events import Said
from chat.protocol.values import Conversation, Kind, Text

NAMES = ("ann", "bob", "carol", "dave", "eve", "frank", "grace", "heidi", "ivan", "judy", "mallory", "oscar")


class AName(SynchronousTestCase):
    def setUp(self) -> None:
        self.colours = Colours()
        self.ops, self.fun = (self.talk(id, name) for id, name in enumerate(("ops", "fun"), start=1))

    def talk(self, id: int, name: str) -> ConversationModel:
        talk = ConversationModel(Key(True, name), name)
        talk.be(Conversation(id, name))
        return talk

    def says(self, talk: ConversationModel, *authors: str) -> list[int]:
        """:returns: which colours these have."""
        for author in authors:
            assert talk.conversation is not None
            talk.add(Said(talk.conversation, talk.high + 1, Kind.TEXT, author, "desk", 1_000, Text("hello")))
        return [STYLES.index(self.colours.of(author, talk)) for author in authors]

    def test_has_one_of_its_own_where_there_are_enough(self) -> None:
        given = self.says(self.ops, *NAMES)
        self.assertEqual(sorted(given), sorted([*range(len(STYLES))] * 2))

    def test_keeps_it_in_every_room_and_however_it_is_written(self) -> None:
        before = self.says(self.ops, *NAMES)
        self.assertEqual(self.says(self.fun, *reversed(NAMES)), before[::-1])
        self.assertEqual(self.says(self.ops, "ANN"), before[:1])

    def test_has_the_same_one_every_time_where_it_comes_first(self) -> None:
        for name in NAMES:
            self.assertEqual(self.colours.of(name, self.talk(3, "den")), Colours().of(name, self.talk(3, "den")))

    def test_is_set_apart_from_those_who_talk_there_and_from_nobody_else(self) -> None:
        alike = [name for name in NAMES if Colours().of(name, self.ops) == Colours().of("ann", self.ops)][:2]
        self.assertEqual(len(alike), 2)
        self.assertEqual(len({*self.says(self.ops, alike[0]), *self.says(self.fun, alike[1])}), 1)
        self.colours = Colours()
        self.assertEqual(len({*self.says(self.ops, *alike)}), 2)

    def test_is_forgotten_when_there_are_too_many(self) -> None:
        self.patch(colours_module, "MOST_NAMES", 5)
        for number in range(20):
            self.says(self.ops, f"guest{number}")
            self.assertLessEqual(len(self.colours._given), 5)
