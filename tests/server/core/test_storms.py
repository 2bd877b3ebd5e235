"""A thousand people: who is told what when one comes, when all come back at once, and when many are lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import MembershipChanged, Presence
from chat.server.core.room import CROWD
from tests.server.core.stage import Person, Stage

MANY = 1_000
TEAM = 40
"""How many people share a room besides the lobby, where everybody is."""


class AThousandPeople(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage()
        self.stage.after_start()
        self.people = [self.stage.enter(f"p{number}", "lobby", self.team(number)) for number in range(MANY)]
        self.people[0].writes("p999", "hi")
        self.stage.pass_time(10)
        self.forget()

    def team(self, number: int) -> str:
        return f"team{number // TEAM}"

    def forget(self) -> None:
        for person in self.people:
            person.forget()

    def lines(self, people: Iterable[Person] | None = None) -> Counter[int]:
        """How many people were shown how many lines of coming and going."""
        return Counter(
            len(person.told(Presence)) + len(person.told(MembershipChanged))
            for person in (self.people if people is None else people)
        )

    def told(self) -> set[int]:
        """The numbers of those who were shown any."""
        return {number for number, person in enumerate(self.people) if person.told(Presence)}

    def comes_back(self, number: int) -> None:
        self.people[number] = self.stage.enter(f"p{number}")

    def test_one_who_goes_and_comes_is_told_to_those_who_share_something(self) -> None:
        self.people[0].does("logout")
        team = set(range(1, TEAM))
        self.assertEqual(self.told(), {*team, 999})
        self.assertEqual(self.lines(), {1: TEAM, 0: MANY - TEAM})
        self.stage.pass_time(10)
        self.forget()
        self.comes_back(0)
        self.assertEqual(self.told(), {*team, 999})
        self.assertEqual(self.lines(), {1: TEAM, 0: MANY - TEAM})

    def test_a_room_of_more_than_fifty_announces_nobody(self) -> None:
        big = [self.stage.enter(f"b{number}", "big") for number in range(CROWD + 2)]
        self.stage.pass_time(10)
        for person in big:
            person.forget()
        big[0].does("logout")
        self.assertEqual(self.lines(big), {0: CROWD + 2})
        self.stage.enter("newcomer", "big")
        self.stage.pass_time(10)
        self.assertEqual(self.lines(big), {0: CROWD + 2})

    def test_fifty_are_told(self) -> None:
        big = [self.stage.enter(f"b{number}", "big") for number in range(CROWD + 1)]
        self.stage.pass_time(10)
        for person in big:
            person.forget()
        big[0].does("logout")
        self.assertEqual(self.lines(big[1:]), {1: CROWD})

    def test_a_restart_is_silent(self) -> None:
        """Everybody comes back within half a minute, and nobody is shown anything."""
        self.stage = self.stage.restart()
        self.people = []
        for number in range(MANY):
            self.people.append(self.stage.enter(f"p{number}"))
            if number % 20 == 0:
                self.stage.clock.advance(0.5)
        self.stage.pass_time(10)
        self.assertEqual(self.lines(), {0: MANY})
        self.stage.pass_time(31)
        self.assertEqual(self.lines(), {0: MANY})
        self.people[0].does("logout")
        self.assertEqual(self.lines(), {1: TEAM, 0: MANY - TEAM})

    def test_who_goes_again_in_the_silence_goes_silently(self) -> None:
        self.stage = self.stage.restart()
        self.people = [self.stage.enter(f"p{number}") for number in range(TEAM)]
        self.people[0].does("logout")
        self.stage.pass_time(5)
        self.assertEqual(self.lines(), {0: TEAM})

    def test_a_lost_network_is_told_nobody_when_it_is_back_in_time(self) -> None:
        lost = range(0, MANY, 2)
        for number in lost:
            self.people[number].hangs_up()
        self.stage.pass_time(20)
        for number in lost:
            self.comes_back(number)
        self.stage.pass_time(60)
        self.assertEqual(self.lines(), {0: MANY})

    def test_and_otherwise_in_two_lines_each(self) -> None:
        """The first who is missed, and the others of the burst; then, when they are back, the same again."""
        lost = range(0, MANY, 2)
        for number in lost:
            self.people[number].hangs_up()
        self.stage.pass_time(29)
        self.assertEqual(self.lines(), {0: MANY})
        self.stage.pass_time(10)
        self.assertLessEqual(max(self.lines()), 2)
        last = self.people[1].told(Presence)[-1]
        self.assertEqual((last.state, len(last.users) + last.others), ("offline", TEAM // 2 - 1))
        self.forget()
        for number in lost:
            self.comes_back(number)
        self.stage.pass_time(10)
        self.assertLessEqual(max(self.lines()), 2)
