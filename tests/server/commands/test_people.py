"""Who is who, who is here, who is blocked: what one may know of another."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import BlockChanged, Done, People, Profile, RoomEntered
from chat.protocol.values import Rank, Role
from chat.server.commands import people
from tests.server.core.stage import MANY, Person, Stage


def names(reply: People) -> list[str]:
    return [person.name for person in reply.people]


class PeopleCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage()
        self.ann = self.stage.enter("ann", "ops")
        self.bob = self.stage.enter("bob", "ops")

    def state(self, reader: Person, name: str, command: str = "list", **more: Any) -> str:
        shown = reader.gets(People, command, **more).people
        return next((person.state for person in shown if person.name == name), "not listed")


class Online(PeopleCase):
    def test_others_by_name(self) -> None:
        self.stage.enter("Carol")
        self.stage.account("dave")
        self.assertEqual(names(self.ann.gets(People, "online")), ["bob", "Carol"])

    def test_without_those_who_block_the_reader(self) -> None:
        self.bob.does("block", user="ann")
        self.assertEqual(names(self.ann.gets(People, "online")), [])
        self.assertEqual(names(self.bob.gets(People, "online")), ["ann"])

    def test_away(self) -> None:
        self.bob.does("away", text="lunch")
        self.assertEqual(self.state(self.ann, "bob", "online"), "away")


class Lists(PeopleCase):
    def test_everybody_with_an_account(self) -> None:
        self.stage.account("dave")
        self.assertEqual(names(self.ann.gets(People, "list")), ["ann", "bob", "dave"])
        self.assertEqual(
            [self.state(self.ann, name) for name in ("ann", "bob", "dave")], ["online", "online", "offline"]
        )

    def test_who_blocks_the_reader_looks_absent_everywhere(self) -> None:
        self.bob.does("away")
        self.bob.does("block", user="ann")
        for command, more in (("list", {}), ("list", {"room": "ops"}), ("members", {"room": "ops"}), ("roster", {})):
            self.assertEqual(self.state(self.ann, "bob", command, **more), "offline", command)
            self.assertEqual(self.state(self.bob, "bob", command, **more), "away", command)

    def test_the_members_of_a_room(self) -> None:
        self.stage.enter("Adam", "ops").does("logout")
        self.ann.does("op", user="bob", room="ops")
        reply = self.stage.enter("eve").gets(People, "list", room="OPS")
        people = [(person.name, person.role, person.state) for person in reply.people]
        self.assertEqual(
            people,
            [("ann", Role.OWNER, "online"), ("bob", Role.MODERATOR, "online"), ("Adam", None, "offline")],
        )
        self.assertEqual((reply.title, reply.room), ("members", "ops"))

    def test_the_members_of_a_large_room_page_by_page(self) -> None:
        self.patch(people, "MOST", 2)
        for name in ("Adam", "eve"):
            self.stage.enter(name, "ops")
        found: list[str] = []
        last, more = "", 1
        while more:
            page = self.ann.gets(People, "members", room="ops", after=last)
            found += names(page)
            last, more = found[-1], page.more
        self.assertEqual(found, ["Adam", "ann", "bob", "eve"])

    def test_whom_i_block(self) -> None:
        self.stage.account("Adam")
        for name in ("bob", "adam"):
            self.assertIsInstance(self.ann.does("block", user=name), Done)
        self.assertEqual(names(self.ann.gets(People, "list", what="blocked")), ["Adam", "bob"])
        self.assertEqual(names(self.bob.gets(People, "list", what="blocked")), [])

    def test_the_roster_page_by_page(self) -> None:
        for name in ("Carol", "dave", "erin"):
            self.stage.account(name)
        first = self.ann.gets(People, "roster", limit=2)
        self.assertEqual((names(first), first.more), (["ann", "bob"], 3))
        second = self.ann.gets(People, "roster", after="bob", limit=2)
        self.assertEqual((names(second), second.more), (["Carol", "dave"], 1))


class WhoIs(PeopleCase):
    def test_somebody_here(self) -> None:
        self.bob.does("set", setting="realname", value=" Bob  Builder ")
        self.bob.does("away", text="lunch")
        self.bob.does("create", room="pool")
        profile = self.ann.gets(Profile, "whois", user="BOB")
        self.assertEqual((profile.name, profile.realname, profile.rank), ("bob", "Bob  Builder", Rank.MEMBER))
        self.assertEqual((profile.state, profile.away, profile.rooms), ("away", "lunch", ("ops",)))

    def test_oneself(self) -> None:
        self.assertEqual(self.ann.gets(Profile, "whois").name, "ann")

    def test_since_when(self) -> None:
        """When the session of now began, or the last one ended."""
        began = self.stage.chat.node.now()
        self.stage.pass_time(100)
        self.assertEqual(self.ann.gets(Profile, "whois", user="bob").since, began)
        self.bob.does("logout")
        ended = self.stage.chat.node.now()
        self.stage.pass_time(100)
        profile = self.ann.gets(Profile, "whois", user="bob")
        self.assertEqual((profile.state, profile.since), ("offline", ended))

    def test_somebody_who_blocks_the_reader(self) -> None:
        """Looks absent, whatever happens now; since when is not shown, as it would change with each session."""
        self.bob.does("logout")
        self.stage.pass_time(100)
        bob = self.stage.enter("bob")
        bob.does("away", text="a secret lunch")
        bob.does("block", user="ann")
        profile = self.ann.gets(Profile, "whois", user="bob")
        self.assertEqual((profile.state, profile.away, profile.since), ("offline", "", None))


class Blocking(PeopleCase):
    def test_twice_and_oneself(self) -> None:
        self.ann.does("block", user="bob")
        self.assertEqual(self.ann.code("block", user="bob"), "no-effect")
        self.assertEqual(self.ann.code("block", user="ann"), "bad-usage")
        self.ann.does("unblock", user="bob")
        self.assertEqual(self.ann.code("unblock", user="bob"), "no-effect")

    def test_it_is_kept(self) -> None:
        self.ann.does("block", user="bob")
        stage = self.stage.restart()
        ann, bob = stage.enter("ann"), stage.enter("bob")
        self.assertEqual(bob.code("message", user="ann", text="x"), "blocked")
        self.assertEqual(names(ann.gets(People, "list", what="blocked")), ["bob"])

    def test_ones_other_sessions_are_told_and_nobody_else(self) -> None:
        stage = Stage(MANY)
        ann, other, bob = stage.enter("ann"), stage.enter("ann", program=True), stage.enter("bob")
        ann.gets(Done, "block", user="bob")
        ann.gets(Done, "unblock", user="bob")
        self.assertEqual(other.told(BlockChanged), [BlockChanged("bob", True), BlockChanged("bob", False)])
        self.assertEqual(ann.told(BlockChanged) + bob.told(BlockChanged), [])

    def test_a_block_that_could_not_be_stored(self) -> None:
        self.stage.store.fail(1)
        self.assertEqual(self.ann.code("block", user="bob"), "not-stored")
        self.bob.writes("ann", "hi")
        self.assertEqual(self.ann.heard, ["hi"])


class Away(PeopleCase):
    def test_a_note_is_cut(self) -> None:
        """At 200 characters, on one line."""
        self.bob.does("away", text="x" * 300)
        self.assertEqual(self.ann.gets(Profile, "whois", user="bob").away, "x" * 200)
        self.bob.does("away", text="one\ntwo")
        self.assertEqual(self.ann.gets(Profile, "whois", user="bob").away, "one two")

    def test_back_when_not_away(self) -> None:
        self.assertEqual(self.ann.code("back"), "no-effect")

    def test_it_ends_with_the_last_session(self) -> None:
        self.bob.does("away")
        self.bob.does("logout")
        self.stage.enter("bob")
        self.assertEqual(self.state(self.ann, "bob"), "online")


class Occupants(PeopleCase):
    def test_who_is_in_a_room(self) -> None:
        self.bob.does("logout")
        self.assertEqual(self.ann.gets(RoomEntered, "connect", room="ops").occupants, ("ann",))
