"""Private rooms: who knows of them, who is let in, and what becomes of an invitation."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Done, Invited, MembershipChanged, Refused, Resumed, RoomEntered, Rooms
from chat.protocol.values import Kind
from tests.server.core.stage import MANY, Person, Stage


def names(person: Person, command: str, **arguments: object) -> list[str]:
    """The rooms of a list."""
    return [each.conversation.room for each in person.gets(Rooms, command, **arguments).rooms]


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.ann = self.stage.enter("ann")
        self.bob = self.stage.enter("bob")
        self.eve = self.stage.enter("eve")
        self.ann.gets(RoomEntered, "create", room="board", visibility="private")

    def invite(self) -> None:
        self.ann.gets(Done, "invite", user="bob", room="board")


class PrivateRooms(Case):
    def test_they_are_entered_by_invitation(self) -> None:
        self.assertEqual(self.bob.code("connect", room="board"), "no-such-room")
        self.invite()
        self.assertTrue(self.bob.gets(RoomEntered, "connect", room="board").joined)
        self.assertEqual(self.eve.code("connect", room="board"), "no-such-room")

    def test_strangers_do_not_see_them(self) -> None:
        self.assertEqual(names(self.ann, "list", what="channels"), ["board", "lobby"])
        self.assertEqual(names(self.bob, "list", what="channels"), ["lobby"])
        self.assertEqual(self.bob.code("list", what="users", room="board"), "no-such-room")
        self.assertEqual(self.bob.code("room", room="board"), "no-such-room")
        self.assertIsNone(self.bob.gets(Refused, "connect", room="bord").suggest)

    def test_an_invitation_lets_one_in_once(self) -> None:
        self.invite()
        self.bob.does("connect", room="board")
        self.bob.does("disconnect", room="board")
        self.assertEqual(self.bob.code("connect", room="board"), "no-such-room")

    def test_any_member_may_invite_and_nobody_else(self) -> None:
        self.assertEqual(self.bob.code("invite", user="eve", room="board"), "no-such-room")
        self.invite()
        self.bob.does("connect", room="board")
        self.bob.gets(Done, "invite", user="eve", room="board")
        self.eve.gets(RoomEntered, "connect", room="board")

    def test_what_is_made_private_keeps_its_members(self) -> None:
        moe = self.stage.enter("moe", "pool")
        self.bob.does("connect", room="pool")
        moe.gets(Done, "room", room="pool", setting="private", value="on")
        self.assertEqual(names(self.bob, "rooms"), ["pool"])
        self.assertFalse(self.bob.gets(RoomEntered, "connect", room="pool").joined)


class Invitations(Case):
    def test_who_is_invited_is_told_at_once(self) -> None:
        self.invite()
        (invited,) = self.bob.told(Invited)
        self.assertEqual((invited.conversation.room, invited.author), ("board", "ann"))
        self.assertEqual(self.eve.told(Invited), [])

    def test_or_at_the_next_login_also_after_a_restart(self) -> None:
        self.bob.does("logout")
        self.invite()
        stage = self.stage
        for _ in range(2):
            resumed = stage.arrives("bob", device="phone").gets(Resumed, "resume")
            self.assertEqual([each.conversation.room for each in resumed.invitations], ["board"])
            stage = stage.restart()

    def test_rooms_and_the_list_of_channels_show_them(self) -> None:
        self.invite()
        (line,) = self.bob.gets(Rooms, "rooms").rooms
        self.assertEqual((line.conversation.room, line.invited_by, line.joined), ("board", "ann", False))
        self.assertEqual(names(self.bob, "list", what="channels"), ["board", "lobby"])

    def test_members_see_who_invited_whom_and_who_declined(self) -> None:
        self.ann.forget()
        self.invite()
        self.bob.gets(Done, "decline", room="board")
        told = [(each.kind, each.author, each.target) for each in self.ann.told(MembershipChanged)]
        self.assertEqual(told, [(Kind.INVITED, "ann", "bob"), (Kind.DECLINED, "bob", "bob")])

    def test_what_is_declined_is_gone(self) -> None:
        self.invite()
        self.bob.does("decline", room="board")
        self.assertEqual(self.bob.code("connect", room="board"), "no-such-room")
        self.assertEqual(self.bob.code("decline", room="board"), "no-such-room")
        self.assertEqual(self.stage.restart().chat.node.invitations, {})

    def test_what_is_accepted_or_lost_by_a_ban_is_gone_too(self) -> None:
        self.invite()
        self.bob.does("connect", room="board")
        self.ann.does("invite", user="eve", room="board")
        self.ann.does("ban", user="eve", room="board")
        for stage in (self.stage, self.stage.restart()):
            self.assertEqual((stage.chat.node.invitations, stage.room("board").invited), ({}, {}))

    def test_nobody_is_invited_in_vain(self) -> None:
        self.invite()
        self.assertEqual(self.ann.code("invite", user="bob", room="board"), "no-effect")
        self.bob.does("connect", room="board")
        self.assertEqual(self.ann.code("invite", user="bob", room="board"), "no-effect")
        self.ann.does("ban", user="eve", room="board")
        self.assertEqual(self.ann.code("invite", user="eve", room="board"), "no-effect")

    def test_who_blocks_the_inviter_is_left_alone(self) -> None:
        self.bob.does("block", user="ann")
        refused = self.ann.gets(Refused, "invite", user="bob", room="board")
        self.assertEqual(refused.text, "Your invitation could not be delivered as the recipient has blocked you.")
        self.assertEqual(self.bob.told(Invited), [])

    def test_one_may_be_invited_to_a_public_room(self) -> None:
        self.ann.does("create", room="pool")
        self.ann.does("invite", user="bob", room="pool")
        self.assertEqual(self.bob.told(Invited)[0].conversation.room, "pool")
