"""Entering and leaving rooms, with one session or several, and who owns a room that is left."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import MembershipChanged, Refused, Removed, RoomEntered, RoomLeft, Rooms
from chat.protocol.values import Kind, Rank, Role, Text
from chat.server.core.room import CROWD
from tests.server.core.stage import MANY, Person, Stage


def changes(person: Person) -> list[tuple[str, str]]:
    """The changes of membership that somebody was told: what happened, and to whom."""
    return [(event.kind.value, event.target) for event in person.told(MembershipChanged)]


class RoomsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.ann = self.stage.enter("ann", "ops")
        self.phone = self.stage.enter("bob", "ops", device="phone")
        self.laptop = self.stage.enter("bob", device="laptop")
        self.everybody = (self.ann, self.phone, self.laptop)
        for each in self.everybody:
            each.forget()


class Entering(RoomsCase):
    def test_all_sessions_of_an_account_are_in_its_rooms(self) -> None:
        self.ann.says("ops", "hi")
        self.assertEqual((self.phone.heard, self.laptop.heard), (["hi"], ["hi"]))

    def test_entering_with_one_session_enters_with_all(self) -> None:
        self.ann.does("create", room="pool")
        self.phone.does("connect", room="pool")
        self.ann.says("pool", "hi")
        self.assertEqual((self.phone.heard, self.laptop.heard), (["hi"], ["hi"]))

    def test_the_reply(self) -> None:
        self.ann.does("topic", room="ops", text="soup")
        reply = self.stage.enter("carol").gets(RoomEntered, "connect", room="OPS")
        self.assertEqual((reply.conversation.room, reply.topic, reply.joined), ("ops", "soup", True))
        self.assertEqual(reply.occupants, ("ann", "bob", "carol"))

    def test_others_are_told_once(self) -> None:
        carol = self.stage.enter("carol")
        carol.does("connect", room="ops")
        self.assertFalse(carol.gets(RoomEntered, "connect", room="ops").joined)
        for each in self.everybody:
            self.assertEqual(changes(each), [("joined", "carol")])
        self.assertEqual(changes(carol), [])

    def test_logging_out_is_not_leaving(self) -> None:
        self.phone.does("logout")
        self.laptop.hangs_up()
        self.ann.says("ops", "meanwhile")
        self.assertEqual(changes(self.ann), [])
        bob = self.stage.enter("bob")
        self.ann.says("ops", "hi")
        self.assertEqual(bob.heard, ["hi"])

    def test_a_crowd_is_silent_for_people_but_not_for_programs(self) -> None:
        program = self.stage.enter("robot", "ops", program=True)
        for number in range(CROWD):
            self.stage.enter(f"guest{number}", "ops")
        for each in (self.ann, program):
            each.forget()
        carol = self.stage.enter("carol", "ops")
        carol.does("disconnect", room="ops")
        self.assertEqual(changes(self.ann), [])
        self.assertEqual(changes(program), [("joined", "carol"), ("left", "carol")])
        self.ann.does("kick", user="guest1", room="ops")
        self.assertEqual(changes(self.phone)[-1], ("kicked", "guest1"))

    def test_an_unknown_room(self) -> None:
        refused = self.ann.gets(Refused, "connect", room="opps")
        self.assertEqual((refused.code, refused.suggest), ("no-such-room", "ops"))


class Making(RoomsCase):
    def test_the_maker_owns_it_and_is_in_it(self) -> None:
        reply = self.ann.gets(RoomEntered, "create", room="#Pool")
        self.assertEqual((reply.conversation.room, reply.created, reply.occupants), ("Pool", True, ("ann",)))
        self.assertEqual(self.stage.roles("pool"), {"ann": Role.OWNER})

    def test_so_many_a_day(self) -> None:
        """Those that were closed again count, and those from before a restart; administrators make what they like."""
        stage = Stage(replace(MANY, rooms_a_day=3))
        ann = stage.enter("ann")
        for number in range(3):
            ann.gets(RoomEntered, "create", room=f"room{number}")
        ann.does("room", room="room0", setting="close", value="room0")
        stage.clock.advance(3_600)
        stage = stage.restart()
        ann, bob = stage.enter("ann"), stage.enter("bob")
        refused = ann.gets(Refused, "create", room="pool")
        self.assertEqual((refused.code, refused.wait), ("too-many-rooms", 23 * 3_600))
        bob.gets(RoomEntered, "create", room="pool")
        stage.enter("boss", rank=Rank.ADMINISTRATOR).gets(RoomEntered, "create", room="tower")
        stage.clock.advance(23 * 3_600)
        ann.gets(RoomEntered, "create", room="bath")

    def test_whoever_may_make_no_more_learns_of_no_name_whether_it_is_taken(self) -> None:
        stage = Stage(replace(MANY, rooms_a_day=1))
        ann, eve = stage.enter("ann"), stage.enter("eve")
        ann.gets(RoomEntered, "create", room="board", visibility="private")
        eve.gets(RoomEntered, "create", room="pool")
        self.assertEqual([eve.code("create", room=name) for name in ("board", "bath")], ["too-many-rooms"] * 2)

    def test_names_that_will_not_do(self) -> None:
        for name, code in {"OPS": "room-taken", "message": "bad-name", "9": "bad-name", "everyone": "bad-name"}.items():
            self.assertEqual(self.ann.code("create", room=name), code)

    def test_two_at_the_same_moment(self) -> None:
        self.stage.store.hold()
        one, other = self.ann.starts("create", room="pool"), self.phone.starts("create", room="Pool")
        self.stage.store.release()
        self.assertIsInstance(self.successResultOf(one), RoomEntered)
        self.assertEqual(getattr(self.successResultOf(other), "code", ""), "room-taken")

    def test_the_lobby_is_there_from_the_start(self) -> None:
        (lobby, ops) = self.ann.gets(Rooms, "list", what="channels").rooms
        self.assertEqual((lobby.conversation.room, lobby.members, lobby.joined), ("lobby", 0, False))
        self.assertEqual((ops.conversation.room, ops.members, ops.occupants, ops.joined), ("ops", 2, 2, True))
        self.assertEqual(len(self.stage.restart().chat.node.rooms), 2)

    def test_a_private_room_is_listed_to_its_members_only(self) -> None:
        self.ann.does("create", room="secret")
        self.ann.does("room", setting="private", value="on", room="secret")
        for member, seen in ((self.ann, 3), (self.phone, 2)):
            listed = member.gets(Rooms, "list", what="channels")
            self.assertEqual((len(listed.rooms), listed.more), (seen, 0))
        for command in ("connect", "list", "members"):
            self.assertEqual(self.phone.code(command, room="secret"), "no-such-room")

    def test_who_is_no_member_is_told_how_to_become_one(self) -> None:
        self.ann.does("create", room="secret", visibility="private")
        self.ann.does("invite", room="secret", user="bob")
        self.ann.does("create", room="pool")
        for room in ("pool", "secret"):
            self.assertIn(f"Type: connect {room}", self.phone.gets(Refused, "say", room=room, text=Text("hi")).text)

    def test_who_runs_the_server_knows_a_private_room_and_is_not_in_it(self) -> None:
        self.ann.does("create", room="secret", visibility="private")
        moe = self.stage.enter("moe", rank=Rank.ADMINISTRATOR)
        self.assertEqual(moe.code("connect", room="secret"), "invite-only")
        self.assertIn("ask a member to invite you", moe.gets(Refused, "history", where="secret").text)


class Leaving(RoomsCase):
    def test_it_ends_the_membership_of_all_sessions(self) -> None:
        """The one that left knows by its reply, the others are told."""
        self.assertIsInstance(self.phone.does("disconnect", room="ops"), RoomLeft)
        self.assertEqual(changes(self.ann), [("left", "bob")])
        self.assertEqual(self.phone.mind.events, [])
        self.assertEqual([event.kind for event in self.laptop.told(Removed)], [Kind.LEFT])
        self.ann.says("ops", "hi")
        self.assertEqual((self.phone.heard, self.laptop.heard), ([], []))
        self.assertEqual(self.laptop.code("say", room="ops", text=Text("hi")), "not-a-member")

    def test_it_holds_at_the_next_login_and_after_a_restart(self) -> None:
        self.phone.does("disconnect", room="ops")
        self.assertEqual(self.stage.enter("bob", device="tablet").gets(Rooms, "rooms").rooms, ())
        self.assertEqual(self.stage.restart().enter("bob").gets(Rooms, "rooms").rooms, ())

    def test_a_private_room_ends_with_its_last_member(self) -> None:
        self.ann.does("create", room="board", visibility="private")
        self.ann.does("disconnect", room="board")
        self.assertEqual(self.ann.code("connect", room="board"), "no-such-room")
        self.ann.gets(RoomEntered, "create", room="board")

    def test_nobody_owns_the_lobby(self) -> None:
        self.ann.does("connect", room="lobby")
        self.assertEqual(self.stage.roles("lobby"), {"ann": Role.MEMBER})

    def test_a_room_that_one_is_not_in(self) -> None:
        self.assertEqual(self.ann.code("disconnect", room="lobby"), "not-a-member")

    def test_what_was_said_before_still_comes(self) -> None:
        """And what is said after it does not."""
        self.stage.store.hold()
        lines = [self.ann.starts("say", room="ops", text=Text("before"))]
        leaving = self.phone.starts("disconnect", room="ops")
        again = self.laptop.starts("disconnect", room="ops")
        late = self.laptop.starts("say", room="ops", text=Text("too late"))
        lines.append(self.ann.starts("say", room="ops", text=Text("after")))
        self.assertEqual(getattr(self.successResultOf(late), "code", ""), "not-a-member")
        self.stage.store.release()
        self.assertIsInstance(self.successResultOf(leaving), RoomLeft)
        self.assertEqual(getattr(self.successResultOf(again), "code", ""), "not-a-member")
        for line in lines:
            self.successResultOf(line)
        self.assertEqual(self.phone.heard, ["before"])

    def test_a_leaving_that_could_not_be_stored(self) -> None:
        self.stage.store.fail(1)
        self.assertEqual(self.phone.code("disconnect", room="ops"), "not-stored")
        self.phone.says("ops", "still here")


class Succession(RoomsCase):
    """A room that its only owner leaves goes to the highest in rank, the longest a member."""

    def setUp(self) -> None:
        super().setUp()
        self.carol = self.stage.enter("carol", "ops")

    def test_to_the_longest_member(self) -> None:
        self.ann.does("disconnect", room="ops")
        self.assertEqual(self.stage.roles("ops"), {"bob": Role.OWNER, "carol": Role.MEMBER})
        self.assertIn(("role", "bob"), changes(self.carol))
        self.assertEqual(self.stage.restart().roles("ops"), {"bob": Role.OWNER, "carol": Role.MEMBER})

    def test_to_a_moderator_first(self) -> None:
        self.ann.does("op", user="carol", room="ops")
        self.ann.does("disconnect", room="ops")
        self.assertEqual(self.stage.roles("ops")["carol"], Role.OWNER)

    def test_where_there_is_another_owner(self) -> None:
        self.ann.does("op", user="carol", role="owner", room="ops")
        self.ann.does("disconnect", room="ops")
        self.assertEqual(self.stage.roles("ops"), {"bob": Role.MEMBER, "carol": Role.OWNER})

    def test_not_to_one_who_leaves_at_the_same_moment(self) -> None:
        self.stage.store.hold()
        leaving = [self.phone.starts("disconnect", room="ops"), self.ann.starts("disconnect", room="ops")]
        self.stage.store.release()
        for each in leaving:
            self.assertIsInstance(self.successResultOf(each), RoomLeft)
        self.assertEqual(self.stage.roles("ops"), {"carol": Role.OWNER})

    def test_when_owner_and_heir_leave_at_the_same_moment(self) -> None:
        self.stage.store.hold()
        leaving = [self.ann.starts("disconnect", room="ops"), self.phone.starts("disconnect", room="ops")]
        self.stage.store.release()
        for each in leaving:
            self.assertIsInstance(self.successResultOf(each), RoomLeft)
        self.assertEqual(self.stage.roles("ops"), {"carol": Role.OWNER})
        self.assertEqual(self.stage.restart().roles("ops"), {"carol": Role.OWNER})

    def test_when_two_owners_make_each_other_less(self) -> None:
        self.ann.does("op", user="carol", role="owner", room="ops")
        self.stage.store.hold()
        both = [
            self.ann.starts("deop", user="carol", room="ops"),
            self.carol.starts("deop", user="ann", room="ops"),
        ]
        self.stage.store.release()
        for each in both:
            self.successResultOf(each)
        self.assertEqual(list(self.stage.roles("ops").values()).count(Role.OWNER), 1)

    def test_the_last_one_leaves_an_empty_room(self) -> None:
        """It stays, with its past; who comes into it first owns it."""
        for person in (self.phone, self.carol, self.ann):
            person.does("disconnect", room="ops")
        self.assertEqual(self.stage.roles("ops"), {})
        self.phone.does("connect", room="ops")
        self.ann.does("connect", room="ops")
        self.assertEqual(self.stage.roles("ops"), {"bob": Role.OWNER, "ann": Role.MEMBER})
