"""A page of a list costs what the page costs, however much there is besides."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Listing, People, RoomEntered, Rooms
from chat.protocol.names import read_name
from chat.protocol.values import Account, Member, Rank, Role, RoomRecord
from chat.server.core.user import ChatUser
from chat.server.interfaces import StoredRoom
from chat.server.settings.schema import Settings
from tests.protocol.grammar.big_town import cost
from tests.server.core.stage import Person, Stage

FEW, MANY = 1_500, 24_000
"""What is put in order anew takes more than 16 times as long for the one as for the other."""

PLENTY = Settings(rate=1_000_000, burst=1_000_000)


@cache
def reader(many: int) -> Person:
    """An administrator on a server with so many accounts, who are all online and in one room, and so many rooms."""
    stage = Stage(PLENTY)
    chat = stage.chat
    ann = stage.account("ann", Rank.ADMINISTRATOR)
    accounts = [Account(id, read_name(f"u{id:06}"), "", Rank.MEMBER, 0, 0) for id in range(1_000, 1_000 + many)]
    chat.directory.fill(accounts, ())
    for each in accounts:
        user = ChatUser(each, 0)
        chat.node.users[each.id] = chat.node.present[each.name.folded] = user
    here = (Member(ann.id, Role.OWNER, 0, 0, 0), *(Member(each.id, Role.MEMBER, 0, 0, 0) for each in accounts))
    chat.rooms.load([StoredRoom(RoomRecord(900_000, read_name("crowd"), "", 0), here, (), 1)])
    records = (RoomRecord(id, read_name(f"r{id:06}x"), "", 0, private=id % 2 == 0) for id in range(1_000, 1_000 + many))
    chat.rooms.load(StoredRoom(record, (), (), 1) for record in records)
    return stage.enter("ann")


class Pages(SynchronousTestCase):
    def check(self, command: str, **arguments: Any) -> None:
        def ask(person: Person) -> Any:
            return person.does(command, **arguments)

        few = cost(partial(ask, reader(FEW)), 0)
        limit = 4 * max(few, 0.000_2)
        self.assertLess(cost(partial(ask, reader(MANY)), limit), limit, (command, arguments))

    def test_of_users(self) -> None:
        self.check("list", what="users")
        self.check("online")

    def test_of_all_users_for_a_program(self) -> None:
        self.check("roster")
        self.check("roster", after="u001900")

    def test_of_members(self) -> None:
        self.check("members", room="crowd", after="u001900")
        self.check("list", what="users", room="crowd")

    def test_of_rooms(self) -> None:
        self.check("list", what="channels")

    def test_for_administrators(self) -> None:
        for words in ("users", "users u001", "rooms", "rooms r001"):
            self.check("admin", words=words)
            self.check("admin", words=words, after="u001100" if words.startswith("users") else "r001100x")

    def test_how_much_more_there_is(self) -> None:
        ann = reader(FEW)
        for command, arguments, more in (
            ("list", {"what": "users"}, FEW + 1 - 500),
            ("online", {}, FEW - 500),
            ("roster", {"after": "u002499"}, 0),
            ("roster", {"after": "u002000", "limit": 100}, 499 - 100),
            ("members", {"room": "crowd", "after": "u001099"}, FEW - 100 - 500),
            ("list", {"what": "users", "room": "crowd"}, FEW + 1 - 500),
        ):
            self.assertEqual(ann.gets(People, command, **arguments).more, more, (command, arguments))
        self.assertEqual(ann.gets(Rooms, "list", what="channels").more, 2 + FEW - 500)
        self.assertEqual(ann.gets(Listing, "admin", words="users").more, FEW + 1 - 1_000)

    def test_of_rooms_that_somebody_may_know_of(self) -> None:
        """Every second one is private; one of those has invited bob."""
        stage = reader.__wrapped__(600).stage
        bob = stage.enter("bob")
        stage.chat.node.rooms[1_000].members[bob.id] = Member(bob.id, Role.MEMBER, 0, 0, 0)
        stage.chat.node.memberships[bob.id] = {1_000}
        listed = bob.gets(Rooms, "list", what="channels")
        self.assertEqual((len(listed.rooms), listed.more), (2 + 600 // 2 + 1, 0))
        self.assertEqual(sum(each.private for each in listed.rooms), 1)

    def test_of_those_who_are_in_a_room_that_somebody_enters(self) -> None:
        """At most 500 are named, and the others counted."""
        stage = reader.__wrapped__(600).stage
        stage.enter("eve", "ops")
        bob = stage.enter("bob")
        stage.room("ops").occupants.update({id: [] for id in range(1_000, 1_600)})
        stage.chat.directory.add_block(1_000, bob.id)
        entered = bob.gets(RoomEntered, "connect", room="ops")
        self.assertEqual(len(entered.occupants), 500)
        self.assertEqual(entered.others, 600 + 2 - 1 - 500)
        self.assertNotIn("u001000", entered.occupants)

    def test_the_highest_roles_of_a_large_room_come_before(self) -> None:
        names = [each.name for each in reader(FEW).gets(People, "list", what="users", room="crowd").people]
        self.assertEqual(names[:2], ["ann", "u001000"])
        self.assertEqual(len(names), 500)


class AMemberOfALargeRoom(SynchronousTestCase):
    def test_comes_and_goes_in_its_place(self) -> None:
        stage = Stage(PLENTY)
        accounts = [Account(id, read_name(f"u{id:06}"), "", Rank.MEMBER, 0, 0) for id in range(1_000, 1_600)]
        stage.chat.directory.fill(accounts, ())
        members = tuple(Member(each.id, Role.MEMBER, 0, 0, 0) for each in accounts)
        bob = stage.enter("u001200b")
        bob.does("create", room="crowd")
        room = stage.room("crowd")
        room.members.update({each.account: each for each in members})

        def page() -> list[str]:
            return [each.name for each in bob.gets(People, "members", room="crowd", after="u001199").people[:3]]

        self.assertEqual(page(), ["u001200", "u001200b", "u001201"])
        eve = stage.enter("u001200a")
        eve.does("connect", room="crowd")
        self.assertEqual(page(), ["u001200", "u001200a", "u001200b"])
        eve.does("disconnect", room="crowd")
        self.assertEqual(page(), ["u001200", "u001200b", "u001201"])
