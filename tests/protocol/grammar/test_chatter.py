"""Ordinary lines of a room are said: hardly any is held, and none does anything else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import ChatError
from chat.protocol.grammar.context import Call, Held
from chat.protocol.grammar.parser import read
from tests.protocol.grammar.chatter import AFTER_A_VERB, PEOPLE, ROOMS, made, written
from tests.protocol.grammar.town import LOBBY, KnownNames

HERE = replace(LOBBY, names=KnownNames(PEOPLE, ROOMS))

HARMLESS = frozenset({"say", "online", "list", "rooms", "history", "whois", "devices", "set"})
"""Verbs that say the line, or merely show something."""


def outcome(line: str) -> str:
    """``say``, another verb, ``held``, or the code of a refusal."""
    try:
        reading = read(line, HERE)
    except ChatError as error:
        return error.code
    if isinstance(reading, Held):
        return "held"
    return reading.verb.name if isinstance(reading, Call) else f"{reading}"


class Chatter(SynchronousTestCase):
    def setUp(self) -> None:
        self.lines = written() + made()

    def test_there_is_enough_of_it(self) -> None:
        self.assertGreater(len(self.lines), 9_000)
        self.assertGreater(len(set(self.lines)), 0.99 * len(self.lines))

    def test_at_most_one_in_a_thousand_is_held(self) -> None:
        held = [line for line in self.lines if outcome(line) == "held"]
        self.assertLessEqual(1_000 * len(held), len(self.lines), held)

    def test_none_is_a_command_with_an_effect(self) -> None:
        misread = {line: found for line in self.lines if (found := outcome(line)) not in {*HARMLESS, "held"}}
        # "/ is the root directory" is a command by its first character, and refused.
        self.assertEqual({line: found for line, found in misread.items() if not line.startswith("/")}, {})

    def test_nearly_all_is_said_word_for_word(self) -> None:
        said = Counter(map(outcome, self.lines))["say"]
        self.assertGreater(said / len(self.lines), 0.998)


class AfterAVerb(SynchronousTestCase):
    """Every word of the table before the words of a sentence, whether or not anybody would say so.

    But for what nobody can tell from a command: ``message rose again``, where somebody is called rose.
    """

    def test_none_is_a_command_with_an_effect(self) -> None:
        lines = [
            f"{word} {after}"
            for word in HERE.table
            for after in AFTER_A_VERB
            if not (HERE.table[word].private and after.split()[0] in {"bill", "mark", "rose"})
        ]
        misread = {line: found for line in lines if (found := outcome(line)) not in {*HARMLESS, "held"}}
        self.assertEqual(misread, {})
