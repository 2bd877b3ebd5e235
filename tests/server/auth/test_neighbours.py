"""Who is locked out by somebody else's wrong passwords, and what a guesser learns: plays with several people.

The cast: bob, whose password is guessed at; a guesser; and a school of sixty behind one address.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from chat.client.session.scram import Proof
from chat.protocol.events import Challenge, LoggedIn, Refused, Reply
from chat.protocol.values import Peer
from chat.server.auth.lockout import NETWORK_FAILURES
from chat.server.auth.tokens import digest
from tests.server.auth.fakes import COST
from tests.server.core.stage import PASSWORD, PATIENT, Person, Stage

SCHOOL, CAFE, HOME = (Peer(address, address) for address in ("192.0.2.7", "203.0.113.5", "198.51.100.9"))
PUPILS = 60


class Play(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(replace(PATIENT, sessions="many"))

    def registers(self, name: str, peer: Peer, program: bool = False) -> LoggedIn:
        """Somebody makes an account and quits."""
        person = self.stage.connection(program, peer)
        reply = person.gets(LoggedIn, "new", user=name, password=PASSWORD)
        person.does("quit")
        self.stage.clock.advance(1)
        return reply

    def logs_in(self, name: str, peer: Peer, password: str = PASSWORD) -> Reply:
        """By password, from a new connection."""
        person = self.stage.connection(False, peer)
        reply = person.does("login", user=name, password=password)
        person.does("quit")
        return reply

    def proves(self, name: str, peer: Peer, password: str = PASSWORD, person: Person | None = None) -> Reply:
        """By a proof, which costs the server nothing."""
        person = person or self.stage.connection(True, peer)
        proof = Proof(password, None, COST)
        challenge = person.does("login", user=name, scram=proof.first)
        if not isinstance(challenge, Challenge):
            return challenge
        proof.read(challenge.scram)
        return person.does("scram", final=proof.final())

    def let_in(self, reply: Reply) -> None:
        self.assertIsInstance(reply, LoggedIn, reply)

    def code(self, reply: Reply) -> str:
        assert isinstance(reply, Refused), reply
        return reply.code


class ASchoolBehindOneAddress(Play):
    """Sixty pupils have been here before; one of them sends wrong proofs as fast as it goes."""

    def setUp(self) -> None:
        super().setUp()
        for pupil in self.pupils():
            self.registers(pupil, SCHOOL)

    def pupils(self) -> Iterator[str]:
        return (f"pupil-{number}" for number in range(PUPILS))

    def test_goes_on_while_names_are_guessed_that_nobody_has(self) -> None:
        for number in range(10 * NETWORK_FAILURES):
            self.proves(f"nobody-{number}", SCHOOL, "a wrong horse")
        for pupil in self.pupils():
            self.let_in(self.logs_in(pupil, SCHOOL))
            self.let_in(self.proves(pupil, SCHOOL))

    def test_goes_on_while_pupils_are_guessed(self) -> None:
        """Two tries at each of them, far more than a network has."""
        for _ in range(2):
            for pupil in self.pupils():
                self.proves(pupil, SCHOOL, "a wrong horse")
        for pupil in self.pupils():
            self.let_in(self.logs_in(pupil, SCHOOL))

    def test_goes_on_while_people_are_guessed_who_are_elsewhere(self) -> None:
        """Their right passwords are refused there meanwhile, and those of the pupils are not."""
        for number in range(NETWORK_FAILURES + 1):
            self.registers(f"teacher-{number}", HOME)
        for number in range(NETWORK_FAILURES):
            self.proves(f"teacher-{number}", SCHOOL, "a wrong horse")
        self.assertEqual(self.code(self.proves(f"teacher-{NETWORK_FAILURES}", SCHOOL)), "locked-out")
        for pupil in self.pupils():
            self.let_in(self.proves(pupil, SCHOOL))

    def test_goes_on_with_a_full_disk(self) -> None:
        """What could not be written is known in memory until the server ends."""
        self.registers("newcomer", HOME)
        for number in range(NETWORK_FAILURES):
            self.registers(f"teacher-{number}", HOME)
        self.stage.store.fail(1_000)
        self.let_in(self.logs_in("newcomer", SCHOOL))
        for number in range(NETWORK_FAILURES):
            self.proves(f"teacher-{number}", SCHOOL, "a wrong horse")
        self.let_in(self.logs_in("newcomer", SCHOOL))

    def test_lets_a_new_pupil_in_whatever_was_guessed_there(self) -> None:
        """Neither names that nobody has nor pupils who are known there count against somebody's first day."""
        self.registers("newcomer", HOME)
        for number in range(10 * NETWORK_FAILURES):
            self.proves(f"nobody-{number}", SCHOOL, "a wrong horse")
        for pupil in self.pupils():
            self.proves(pupil, SCHOOL, "a wrong horse")
        self.let_in(self.logs_in("newcomer", SCHOOL))

    def test_after_a_restart_as_well(self) -> None:
        self.stage = self.stage.restart()
        for number in range(2 * NETWORK_FAILURES):
            self.proves(f"nobody-{number}", SCHOOL, "a wrong horse")
        for pupil in self.pupils():
            self.let_in(self.logs_in(pupil, SCHOOL))


class ANeighbourBehindTheSameAddress(Play):
    """Somebody in the same house guesses at bob's password all the time."""

    def setUp(self) -> None:
        super().setUp()
        self.token = self.registers("bob", HOME, program=True).token

    def guess(self, tries: int = 20) -> None:
        for _ in range(tries):
            self.logs_in("bob", HOME, "a wrong horse")

    def test_locks_out_whoever_is_not_known_by_more_than_the_address(self) -> None:
        self.guess()
        self.assertEqual(self.code(self.logs_in("bob", HOME)), "locked-out")
        self.let_in(self.logs_in("bob", CAFE))

    def test_does_not_lock_out_a_device_with_its_token(self) -> None:
        self.guess()
        self.let_in(self.stage.connection(True, HOME).does("login", token=self.token))

    def test_does_not_lock_out_a_device_whose_token_has_ended(self) -> None:
        """The token was tried, in vain, and then the password is asked for."""
        self.ends_tokens()
        self.guess()
        bob = self.stage.connection(True, HOME)
        self.assertEqual(bob.code("login", token=self.token), "bad-credentials")
        self.let_in(self.proves("bob", HOME, person=bob))

    def test_does_not_lock_out_a_device_that_names_a_token_it_has_had(self) -> None:
        self.ends_tokens()
        self.guess()
        bob = self.stage.connection(True, HOME)
        self.let_in(bob.does("login", user="bob", password=PASSWORD, known=digest(self.token)))

    def test_learns_nothing_from_a_token_of_another_account(self) -> None:
        """The guesser has a device too; it is known of the guesser alone."""
        own = self.registers("eve", HOME, program=True).token
        self.guess()
        eve = self.stage.connection(True, HOME)
        self.assertEqual(eve.code("login", user="bob", password=PASSWORD, known=digest(own)), "locked-out")

    def test_a_device_that_was_stolen_and_ended_is_not_known_any_more(self) -> None:
        bob = self.stage.connection(True, CAFE)
        bob.gets(LoggedIn, "login", user="bob", password=PASSWORD, device="laptop")
        bob.does("devices", action="end", device="default")
        self.guess()
        thief = self.stage.connection(True, HOME)
        self.assertEqual(thief.code("login", user="bob", password=PASSWORD, known=digest(self.token)), "locked-out")

    def test_a_device_has_a_count_of_its_own(self) -> None:
        """Somebody who has got hold of an old token has three tries, and does not lock out the address."""
        self.ends_tokens()
        guesser = self.stage.connection(True, CAFE)
        codes = [
            guesser.code("login", user="bob", password="a wrong horse", known=digest(self.token)) for _ in range(4)
        ]
        self.assertEqual(codes, ["bad-credentials"] * 3 + ["locked-out"])
        self.let_in(self.logs_in("bob", CAFE))

    def test_does_not_keep_bob_from_changing_the_password(self) -> None:
        """Whoever is logged in has proven more than an address."""
        bob = self.stage.connection(False, HOME)
        bob.gets(LoggedIn, "login", user="bob", password=PASSWORD)
        self.guess()
        self.assertNotIsInstance(bob.does("password", old=PASSWORD, new="another horse"), Refused)

    def ends_tokens(self) -> None:
        """Bob changes the password, and changes it back; every token ends."""
        bob = self.stage.connection(False, CAFE)
        bob.gets(LoggedIn, "login", user="bob", password=PASSWORD)
        for old, new in ((PASSWORD, "another horse"), ("another horse", PASSWORD)):
            self.assertNotIsInstance(bob.does("password", old=old, new=new), Refused)
        bob.does("quit")


class AStrangerElsewhere(Play):
    def test_locks_nobody_out(self) -> None:
        self.registers("bob", HOME)
        for _ in range(2 * NETWORK_FAILURES):
            self.logs_in("bob", CAFE, "a wrong horse")
        self.let_in(self.logs_in("bob", HOME))

    def test_who_tries_one_password_on_every_name_is_not_told_of_the_right_one(self) -> None:
        """After fifty wrong ones the answer is the same for a right password, a wrong one, and no account at all."""
        for number in range(NETWORK_FAILURES + 3):
            self.registers(f"name-{number}", HOME)
        for number in range(NETWORK_FAILURES):
            self.assertEqual(self.code(self.logs_in(f"name-{number}", CAFE, "123456789")), "bad-credentials")
        answers = [
            self.logs_in(name, CAFE, password)
            for name, password in (
                (f"name-{NETWORK_FAILURES}", PASSWORD),
                (f"name-{NETWORK_FAILURES + 1}", "123456789"),
                ("nobody", "123456789"),
            )
        ]
        self.assertEqual(len(set(answers)), 1)
        self.assertEqual(self.code(answers[0]), "locked-out")
        self.let_in(self.logs_in(f"name-{NETWORK_FAILURES}", HOME))


class AGuesserOfNames(Play):
    def test_is_told_the_same_of_those_that_exist_and_those_that_do_not(self) -> None:
        """Twice as many wrong passwords as a network has, from a network where the names are known."""
        for number in range(2 * NETWORK_FAILURES):
            self.registers(f"name-{number}", CAFE)
        answers = []
        for prefix in ("name", "none"):
            self.stage = self.stage.restart()
            answers.append([self.logs_in(f"{prefix}-{n}", CAFE, "123456789") for n in range(2 * NETWORK_FAILURES)])
        self.assertEqual(*answers)
        self.assertEqual({self.code(each) for each in answers[0]}, {"bad-credentials", "locked-out"})


class TheDigestOfAToken(Play):
    def test_is_sent_in_base_64(self) -> None:
        self.registers("bob", HOME)
        login = self.stage.chat.table["login"]
        sent = {"user": "bob", "known": b64encode(digest("ct_x")).decode()}
        self.assertEqual(login.decode(sent)["known"], digest("ct_x"))
