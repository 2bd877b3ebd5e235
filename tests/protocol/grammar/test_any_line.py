"""Whatever is typed: it is read or refused, and ordinary lines are said as they are."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import ChatError
from chat.protocol.grammar.context import Ask, Call, Held
from chat.protocol.grammar.parser import answer, read
from chat.protocol.grammar.typos import near
from chat.protocol.values import Text
from chat.server.commands.table import TABLE
from tests.protocol.grammar.town import GUEST, LOBBY, OUTSIDE, KnownNames, meaning

_WORDS = st.sampled_from(
    [*TABLE, "bob", "@Bob", "bbo", "#ops", "lobby", "2h", "20", "since", "09:00", "!", "'", "/", "x"]
)
_BLANKS = st.sampled_from([" ", "  ", "\t", "\u00a0", ""])
_LINES = st.text(max_size=60) | st.lists(st.tuples(_WORDS, _BLANKS), max_size=6).map(
    lambda pairs: "".join(word + blank for word, blank in pairs)
)
_CONTEXTS = st.sampled_from([GUEST, OUTSIDE, LOBBY])
_HELD = read("mesage bob hi", LOBBY)


class AnyLine(SynchronousTestCase):
    @given(_LINES, _CONTEXTS, st.booleans())
    def test_it_is_read_or_refused_in_one_line(self, line: str, context: object, held: bool) -> None:
        assert isinstance(context, type(LOBBY)) and isinstance(_HELD, Held)
        try:
            read(line, replace(context, held=_HELD if held else None))
        except ChatError as error:
            self.assertNotIn("\n", error.line)
            self.assertTrue(error.line)

    @given(_LINES, st.sampled_from(["login", "login bob", "new", "new eve"]))
    def test_any_answer_to_a_prompt(self, line: str, asked: str) -> None:
        ask = read(asked, GUEST)
        assert isinstance(ask, Ask)
        try:
            answer(ask, line, GUEST)
        except ChatError as error:
            self.assertNotIn("\n", error.line)

    @given(_LINES)
    def test_a_call_has_what_its_verb_needs(self, line: str) -> None:
        """And nothing that the verb does not know."""
        try:
            reading = read(line, LOBBY)
        except ChatError:
            return
        if isinstance(reading, Call):
            names = {each.name for each in reading.verb.parameters}
            self.assertLessEqual(reading.arguments.keys(), names)
            self.assertLessEqual(
                {each.name for each in reading.verb.parameters if each.required}, reading.arguments.keys()
            )

    @given(st.text(min_size=1, max_size=60))
    def test_a_line_whose_first_word_is_near_no_verb_is_said(self, line: str) -> None:
        words = line.split()
        assume(words and words[0][0] not in "/'!")
        first = words[0].lower()
        assume(first not in TABLE and near(first, TABLE) is None)
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        self.assertEqual(meaning(line), ("said", indent + line.strip()))

    @given(st.text(min_size=1, max_size=60).filter(str.strip))
    def test_whatever_follows_a_quote_is_said(self, line: str) -> None:
        reading = read(f"'{line}", LOBBY)
        assert isinstance(reading, Call)
        self.assertEqual(reading.arguments["text"], Text(line.strip()))


_PEOPLE = ("bob", "ann", "alice", "carol", "dave", "erin", "frank", "grace", "heidi", "Дмитрий")

_ORDINARY = """\
hi
hello everyone
hey bob
bob: did you see this?
good morning
morning!
how are you?
fine thanks, and you?
anyone around?
who is coming to lunch?
who ate my sandwich
list of things to buy: milk, bread
list price is 20 euros
time to go home
time flies
back in five
back again
away for lunch, back at one
brb
afk
lol
:)
:-/
+1
-1
ok
yes
no
no idea
what?
?
??
!!
... and then it broke
help me please
help!
can you help bob
me too
me neither
reply to my mail please
r u there
topic of today: releases
search me
ping
ping me when you are done
message received
message in a bottle
send it over
send me the file
send help
tell me about it
tell her I said hi
tell them to wait
block letters only please
block of flats
ignore that
ignore the last line
private joke
private beach, nice
consent forms are due
connect the dots
connect to the vpn first
join us for a beer
join the call
leave it
leave me alone
part of the problem
create a ticket for it
create something nice
history repeats itself
history 101
history is written by the victors
online shopping again
online at last
rooms are booked until friday
rooms 4 and 5
devices are cheap now
sessions start at 9
kick off at 20:45
kick the printer
ban cars from the city
mute your mic
mute yourself bob
op amps are fun
set the table
set up is done
say cheese
chat later
quit complaining
exit through the gift shop
bye
bye all
bye bob
logout is broken
logins fail since monday
the password is in the safe
passwords are hard
registration is open
news at eleven
new here, hello everybody
newer is better
newest build is green
broadcasting live in an hour
messages keep coming
creates a file, I think
connected!
missed you yesterday
read the manual
hello?
commands are in the docs
members only
received, thanks
I will be late
see https://example.org/login?user=bob
2 + 2 = 4
20
9:00 works for me
@bob can you look?
#ops is down?
"quoted"
(sigh)
* shrugs
> quoted line
привет всем
こんにちは
¿qué tal?
Straße gesperrt
"""

_DO_NOTHING = frozenset({"say", "history", "online", "list", "rooms", "help"})


class OrdinaryLines(SynchronousTestCase):
    """None is taken for a command that changes or sends anything, and none is held back."""

    def setUp(self) -> None:
        self.context = replace(LOBBY, names=KnownNames(_PEOPLE, ("lobby", "ops", "random")))

    def test_there_are_enough_of_them(self) -> None:
        self.assertGreater(len(_ORDINARY.splitlines()), 100)

    def test_each_is_said(self) -> None:
        odd = []
        for line in _ORDINARY.splitlines():
            reading = read(line, self.context)
            if not isinstance(reading, Call) or reading.verb.name not in _DO_NOTHING:
                odd.append((line, reading))
        self.assertEqual(odd, [])

    def test_all_but_a_few_are_said_word_for_word(self) -> None:
        """``say`` and ``chat`` are taken for the verb; ``history 101`` asks for 101 lines."""
        other = [line for line in _ORDINARY.splitlines() if meaning(line, self.context) != ("said", line)]
        self.assertEqual(sorted(other), ["chat later", "history 101", "say cheese"])
