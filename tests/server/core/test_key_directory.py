"""Published keys and inboxes: who may have what of whom, and who is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.device_keys import DeviceKeys, NumberedKey
from chat.protocol.events import (
    ClaimedKeys,
    Done,
    Inbox,
    Keys,
    KeysChanged,
    KeysLeft,
    Letter,
    LettersKept,
    Refused,
    Resumed,
)
from chat.server.core.key_directory import TAKEN_AT_ONCE, TAKEN_EVERY
from tests.server.core.stage import MANY, Person, Stage

PHONE = DeviceKeys(b"i" * 32, b"s" * 32, b"v" * 64)


def numbered(*numbers: int) -> tuple[NumberedKey, ...]:
    return tuple(NumberedKey(each, each.to_bytes(32), b"S" * 64) for each in numbers)


class Case(SynchronousTestCase):
    """Ann at her desk and Bob on his phone, both with programs that have published keys."""

    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.ann = self.comes("ann", "desk")
        self.bob = self.comes("bob", "phone")

    def comes(self, name: str, device: str, **more: Any) -> Person:
        person = self.stage.enter(name, device=device, program=True)
        person.gets(KeysLeft, "keys.publish", account=name[:1].encode() * 32, device=PHONE, **more)
        return person

    def claims(self, person: Person, user: str, device: str) -> list[tuple[int, bool]]:
        claimed = person.gets(ClaimedKeys, "keys.claim", devices=((user, device),))
        return [(each.number, each.fallback) for each in claimed.keys]

    def sends(self, person: Person, user: str, device: str, body: bytes = b"sealed") -> list[tuple[str, str]]:
        """:returns: the devices that got nothing."""
        kept = person.gets(LettersKept, "inbox.send", letters=((user, device, body),))
        return [(each.user, each.device) for each in kept.refused]


class WhoMayHaveThem(Case):
    def test_whoever_may_write_to_somebody(self) -> None:
        (found,) = self.ann.gets(Keys, "keys.of", users=("bob",)).people
        self.assertEqual((found.user, found.account_key), ("bob", b"b" * 32))
        self.assertEqual([(each.device, each.keys) for each in found.devices], [("phone", PHONE)])

    def test_nobody_whom_they_block(self) -> None:
        self.bob.gets(KeysLeft, "keys.publish", one_time=numbered(1))
        self.bob.gets(Done, "block", user="ann")
        self.assertEqual(self.ann.gets(Keys, "keys.of", users=("bob",)).people, ())
        self.assertEqual(self.claims(self.ann, "bob", "phone"), [])
        self.assertEqual(self.sends(self.ann, "bob", "phone"), [("bob", "phone")])
        self.assertEqual(self.bob.told(Letter), [])
        self.assertEqual(self.sends(self.bob, "ann", "desk"), [])

    def test_who_does_not_exist_is_left_out(self) -> None:
        self.assertEqual(self.ann.gets(Keys, "keys.of", users=("nobdy",)).people, ())
        self.assertEqual(self.claims(self.ann, "nobdy", "phone"), [])
        self.assertEqual(self.sends(self.ann, "nobdy", "phone"), [("nobdy", "phone")])

    def test_who_reads_without_keys_is_named_for_thirty_days(self) -> None:
        netcat = self.stage.enter("bob", device="default")
        netcat.hangs_up()
        (found,) = self.ann.gets(Keys, "keys.of", users=("bob",)).people
        self.assertEqual([(each.device, each.keys) for each in found.devices], [("phone", PHONE), ("default", None)])
        self.stage.clock.advance(31 * 24 * 3_600)
        (found,) = self.ann.gets(Keys, "keys.of", users=("bob",)).people
        self.assertEqual([each.device for each in found.devices], ["phone"])

    def test_somebody_who_is_muted_on_the_server_publishes_and_sends_nothing(self) -> None:
        operator = self.stage.connection()
        operator.session.operator = "operator"
        self.assertNotIsInstance(operator.does("admin", words="mute ann"), Refused)
        self.assertEqual(self.ann.code("keys.publish", device=PHONE), "muted")
        self.assertEqual(self.ann.code("inbox.send", letters=(("bob", "phone", b"x"),)), "muted")

    def test_nothing_new_is_taken_when_the_disk_is_full(self) -> None:
        self.stage.chat.node.full = True
        self.assertEqual(self.ann.code("keys.publish", device=PHONE), "disk-full")
        self.assertEqual(self.ann.code("inbox.send", letters=(("bob", "phone", b"x"),)), "disk-full")


class HandingOut(Case):
    def test_nobody_uses_them_up_for_everybody(self) -> None:
        """One taker gets so many at once, then the fallback key; others still get one-time keys."""
        self.bob.gets(KeysLeft, "keys.publish", one_time=numbered(*range(1, 51)), fallback=numbered(51)[0])
        taken = [self.claims(self.ann, "bob", "phone")[0] for _ in range(TAKEN_AT_ONCE + 2)]
        self.assertEqual(taken[-3:], [(TAKEN_AT_ONCE, False), (51, True), (51, True)])
        eve = self.comes("eve", "desk")
        self.assertEqual(self.claims(eve, "bob", "phone"), [(TAKEN_AT_ONCE + 1, False)])
        self.stage.pass_time(TAKEN_EVERY)
        self.assertEqual(self.claims(self.ann, "bob", "phone"), [(TAKEN_AT_ONCE + 2, False)])

    def test_one_request_takes_one_key_of_each_device(self) -> None:
        self.bob.gets(KeysLeft, "keys.publish", one_time=numbered(1, 2))
        wanted = (("bob", "phone"), ("BOB", "phone"), ("bob", "phone"))
        self.assertEqual(len(self.ann.gets(ClaimedKeys, "keys.claim", devices=wanted).keys), 1)

    def test_their_owner_is_told_what_is_left(self) -> None:
        laptop = self.comes("bob", "laptop")
        self.bob.gets(KeysLeft, "keys.publish", one_time=numbered(1, 2), fallback=numbered(3)[0])
        self.claims(self.ann, "bob", "phone")
        self.assertEqual(self.bob.told(KeysLeft), [KeysLeft(1, False)])
        self.assertEqual(laptop.told(KeysLeft), [])

    def test_who_is_away_sees_it_on_coming_back(self) -> None:
        self.bob.gets(KeysLeft, "keys.publish", one_time=numbered(1, 2), fallback=numbered(3)[0])
        self.bob.hangs_up()
        self.claims(self.ann, "bob", "phone")
        again = self.stage.enter("bob", device="phone", program=True)
        self.assertEqual(again.gets(KeysLeft, "keys.publish"), KeysLeft(1, False))


class Changes(Case):
    """Who is told that somebody has other keys."""

    def setUp(self) -> None:
        super().setUp()
        self.ann.does("create", room="ops")
        for person in (self.ann, self.bob):
            person.forget()

    def told(self, person: Person) -> list[str]:
        return [each.user for each in person.told(KeysChanged)]

    def other_keys(self, person: Person) -> None:
        person.gets(KeysLeft, "keys.publish", device=replace(PHONE, identity=b"I" * 32))

    def test_those_of_the_same_room(self) -> None:
        netcat = self.stage.enter("zoe", "ops")
        self.bob.does("connect", room="ops")
        stranger = self.comes("eve", "desk")
        self.other_keys(self.bob)
        told = [self.told(each) for each in (self.ann, self.bob, stranger, netcat)]
        self.assertEqual(told, [["bob"], [], [], []])

    def test_those_of_a_private_conversation(self) -> None:
        self.ann.writes("bob", "hello")
        self.other_keys(self.ann)
        self.assertEqual(self.told(self.bob), ["ann"])

    def test_ones_own_other_devices(self) -> None:
        laptop = self.stage.enter("bob", device="laptop", program=True)
        self.other_keys(self.bob)
        self.assertEqual((self.told(laptop), self.told(self.bob)), (["bob"], []))

    def test_nobody_whom_that_person_blocks(self) -> None:
        self.ann.writes("bob", "hello")
        self.ann.gets(Done, "block", user="bob")
        self.other_keys(self.ann)
        self.assertEqual(self.told(self.bob), [])

    def test_an_ended_device_is_a_change(self) -> None:
        laptop = self.stage.enter("ann", device="laptop", program=True)
        self.ann.writes("bob", "hello")
        laptop.gets(Done, "devices", action="end", device="desk")
        self.assertEqual(self.told(self.bob), ["ann"])

    def test_one_time_keys_are_none(self) -> None:
        self.ann.writes("bob", "hello")
        self.ann.gets(KeysLeft, "keys.publish", one_time=numbered(1), fallback=numbered(2)[0])
        self.assertEqual(self.told(self.bob), [])


class Letters(Case):
    def test_the_device_is_told_at_once(self) -> None:
        laptop = self.comes("bob", "laptop")
        netcat = self.stage.enter("bob", device="phone")
        self.assertEqual(self.sends(self.ann, "bob", "phone"), [])
        (letter,) = self.bob.told(Letter)
        self.assertEqual((letter.author, letter.device, letter.body), ("ann", "desk", b"sealed"))
        self.assertEqual(laptop.told(Letter) + netcat.told(Letter), [])
        self.assertEqual(self.bob.gets(Inbox, "inbox.read"), Inbox((letter,), False))

    def test_nobody_is_told_before_it_is_on_disk(self) -> None:
        self.stage.store.hold()
        sending = self.ann.starts("inbox.send", letters=(("bob", "phone", b"sealed"),))
        self.assertEqual(self.bob.told(Letter), [])
        self.assertNoResult(sending)
        self.stage.store.release()
        self.assertEqual(len(self.bob.told(Letter)), 1)

    def test_a_device_that_is_away_finds_it_by_number(self) -> None:
        self.bob.hangs_up()
        for body in (b"one", b"two", b"three"):
            self.sends(self.ann, "bob", "phone", body)
        again = self.stage.arrives("bob", device="phone", program=True)
        self.assertEqual(again.gets(Resumed, "resume").inbox, 3)
        page = again.gets(Inbox, "inbox.read", limit=2)
        self.assertEqual(([each.body for each in page.letters], page.more), ([b"one", b"two"], True))
        again.gets(Done, "inbox.acknowledge", upto=page.letters[-1].number)
        rest = again.gets(Inbox, "inbox.read")
        self.assertEqual(([each.body for each in rest.letters], rest.more), ([b"three"], False))

    def test_nobody_reads_or_empties_the_inbox_of_another_device(self) -> None:
        laptop = self.comes("bob", "laptop")
        self.sends(self.ann, "bob", "phone")
        for other in (laptop, self.ann):
            self.assertEqual(other.gets(Inbox, "inbox.read").letters, ())
            other.gets(Done, "inbox.acknowledge", upto=10**6)
        self.assertEqual(len(self.bob.gets(Inbox, "inbox.read").letters), 1)

    def test_what_cannot_be_put_there_is_said(self) -> None:
        self.stage.enter("bob", device="netcat")
        self.assertEqual(self.sends(self.ann, "bob", "netcat"), [("bob", "netcat")])
        self.assertEqual(self.sends(self.ann, "bob", "watch"), [("bob", "watch")])
