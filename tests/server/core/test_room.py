"""One room: roles, rights, bans and mutes with an end, and who is on the way out. No I/O, no clock."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import Banned, ChatError, Forbidden, InviteOnly, Muted, NotAMember
from chat.protocol.values import Kind, Member, Name, Rank, Restriction, Role, RoomRecord, Row, Text
from chat.server.core.room import RIGHTS, Room
from chat.server.interfaces import StoredRoom
from tests.server.core.stage import FakeMind

OWNER, MODERATOR, MEMBER, OTHER, STRANGER = 1, 2, 3, 4, 9


def member(account: int, role: Role = Role.MEMBER, joined_seq: int = 0) -> Member:
    return Member(account, role, joined_seq, 0, 0)


class RoomCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.seq = 10
        record = RoomRecord(7, Name("ops", "ops"), "", 0)
        members = (
            member(OWNER, Role.OWNER),
            member(MODERATOR, Role.MODERATOR),
            member(MEMBER),
            member(OTHER, joined_seq=8),
        )
        self.room = Room(StoredRoom(record, members, (), self.seq))

    def row(
        self, kind: Kind, author: int, target: int | None = None, words: str = "", until: int | None = None
    ) -> None:
        self.seq += 1
        body = Text(words) if words else None
        self.room.apply(Row(7, self.seq, kind, author, "default", 0, body, target=target), until)

    def may(self, kind: Kind, account: int, target: int | None = None, rank: Rank = Rank.MEMBER) -> bool:
        try:
            self.room.may_moderate(kind, account, rank, target)
        except ChatError:
            return False
        return True


class Rights(RoomCase):
    """`RIGHTS` is the least role for each kind of row; nobody acts on an equal."""

    def test_the_least_role(self) -> None:
        for kind, least in RIGHTS.items():
            with self.subTest(kind=kind):
                self.assertEqual(self.may(kind, MEMBER), least is Role.MEMBER)
                self.assertEqual(self.may(kind, MODERATOR, OTHER), least is not Role.OWNER)
                self.assertTrue(self.may(kind, OWNER, OTHER))
                self.assertFalse(self.may(kind, STRANGER, OTHER))
                self.assertTrue(self.may(kind, STRANGER, OTHER, Rank.ADMINISTRATOR))

    def test_nobody_acts_on_an_equal_or_a_higher_one(self) -> None:
        self.row(Kind.ROLE, OWNER, OTHER, "moderator")
        for kind in (Kind.KICKED, Kind.BANNED, Kind.MUTED, Kind.UNMUTED):
            self.assertFalse(self.may(kind, MODERATOR, OTHER))
            self.assertFalse(self.may(kind, MODERATOR, OWNER))
            self.assertTrue(self.may(kind, OWNER, MODERATOR))

    def test_an_owner_takes_the_role_of_another_owner(self) -> None:
        self.row(Kind.ROLE, OWNER, OTHER, "owner")
        self.assertTrue(self.may(Kind.ROLE, OTHER, OWNER))
        self.assertFalse(self.may(Kind.KICKED, OTHER, OWNER))

    def test_whoever_is_not_a_member_can_be_banned(self) -> None:
        self.assertTrue(self.may(Kind.BANNED, MODERATOR, STRANGER))

    def test_who_is_on_the_way_out_moderates_no_more(self) -> None:
        self.room.leaving.add(MODERATOR)
        self.assertFalse(self.may(Kind.KICKED, MODERATOR, MEMBER))

    def test_the_refusal_says_who_may(self) -> None:
        with self.assertRaisesRegex(Forbidden, "moderators and owners of ops"):
            self.room.may_moderate(Kind.KICKED, MEMBER, Rank.MEMBER, OTHER)
        with self.assertRaisesRegex(Forbidden, "Only owners of ops"):
            self.room.may_moderate(Kind.ROLE, MODERATOR, Rank.MEMBER, OTHER)


class BansAndMutes(RoomCase):
    """They end at their time to the millisecond, or never."""

    def test_a_ban_puts_out_and_keeps_out(self) -> None:
        self.row(Kind.BANNED, OWNER, MEMBER, "spam", until=5_000)
        self.assertNotIn(MEMBER, self.room.members)
        with self.assertRaisesRegex(Banned, "spam"):
            self.room.may_enter(MEMBER, 4_999)
        self.room.may_enter(MEMBER, 5_000)
        self.assertEqual([self.room.is_banned(MEMBER, when) for when in (4_999, 5_000)], [True, False])

    def test_a_ban_for_ever(self) -> None:
        self.row(Kind.BANNED, OWNER, STRANGER)
        with self.assertRaises(Banned):
            self.room.may_enter(STRANGER, 10**15)
        self.row(Kind.UNBANNED, OWNER, STRANGER)
        self.room.may_enter(STRANGER, 0)

    def test_a_mute_stops_speech_only(self) -> None:
        self.row(Kind.MUTED, OWNER, MEMBER, until=5_000)
        with self.assertRaises(Muted):
            self.room.may_speak(MEMBER, 4_999)
        self.room.may_speak(MEMBER, 5_000)
        self.room.may_speak(OTHER, 0)
        self.room.may_enter(MEMBER, 0)
        self.assertEqual(self.room.may_read(MEMBER), 0)

    def test_unmuting_ends_it(self) -> None:
        self.row(Kind.MUTED, OWNER, MEMBER)
        self.row(Kind.UNMUTED, OWNER, MEMBER)
        self.room.may_speak(MEMBER, 0)
        self.assertFalse(self.room.is_muted(MEMBER, 0))

    def test_a_mute_outlives_leaving(self) -> None:
        self.row(Kind.MUTED, OWNER, MEMBER)
        self.row(Kind.LEFT, MEMBER)
        self.row(Kind.JOINED, MEMBER)
        with self.assertRaises(Muted):
            self.room.may_speak(MEMBER, 0)

    def test_the_time_that_is_left_is_rounded_up(self) -> None:
        for until, left in (
            (1, "1 second"),
            (60_001, "61 seconds"),
            (120_001, "3 minutes"),
            (7_200_000, "2 hours"),
            (604_800_000, "7 days"),
        ):
            self.row(Kind.BANNED, OWNER, MEMBER, until=until)
            with self.assertRaisesRegex(Banned, f"from ops for another {left}"):
                self.room.may_enter(MEMBER, 0)

    def test_as_they_were_stored(self) -> None:
        ban = Restriction(STRANGER, Kind.BANNED, 5_000, "")
        mute = Restriction(OTHER, Kind.MUTED, None, "")
        room = Room(StoredRoom(self.room.record, (member(OTHER),), (ban, mute), 3))
        self.assertRaises(Banned, room.may_enter, STRANGER, 4_999)
        self.assertRaises(Muted, room.may_speak, OTHER, 10**15)


class Membership(RoomCase):
    """It follows the rows of the log, in their order."""

    def test_joining(self) -> None:
        self.row(Kind.JOINED, STRANGER)
        self.assertEqual(self.room.members[STRANGER].joined_seq, 10)
        self.assertEqual(self.room.members[STRANGER].role, Role.MEMBER)
        self.assertEqual(self.room.last, 11)

    def test_joining_twice_changes_nothing(self) -> None:
        self.row(Kind.JOINED, OWNER)
        self.assertEqual(self.room.members[OWNER].role, Role.OWNER)
        self.assertEqual(self.room.members[OWNER].joined_seq, 0)

    def test_leaving_and_being_kicked(self) -> None:
        self.row(Kind.LEFT, MEMBER)
        self.row(Kind.KICKED, OWNER, OTHER)
        self.assertEqual(sorted(self.room.members), [OWNER, MODERATOR])
        self.room.may_enter(OTHER, 0)

    def test_a_role_for_one_who_left(self) -> None:
        self.row(Kind.LEFT, MEMBER)
        self.row(Kind.ROLE, OWNER, MEMBER, "moderator")
        self.assertNotIn(MEMBER, self.room.members)

    def test_only_members_speak_and_read(self) -> None:
        self.assertRaises(NotAMember, self.room.may_speak, STRANGER, 0)
        self.assertRaises(NotAMember, self.room.may_read, STRANGER)

    def test_who_is_on_the_way_out_may_not_speak_any_more(self) -> None:
        """Permission is quicker than the log."""
        self.room.leaving.add(MEMBER)
        self.assertRaises(NotAMember, self.room.may_speak, MEMBER, 0)
        self.row(Kind.KICKED, OWNER, MEMBER)
        self.assertEqual(self.room.leaving, set())

    def test_a_stranger_whose_ban_is_on_its_way_may_not_enter(self) -> None:
        self.room.leaving.add(STRANGER)
        self.assertRaises(Banned, self.room.may_enter, STRANGER, 0)

    def test_a_private_room(self) -> None:
        self.room.record = replace(self.room.record, private=True)
        self.assertRaises(InviteOnly, self.room.may_enter, STRANGER, 0)
        self.room.may_enter(MEMBER, 0)

    def test_what_newcomers_may_read(self) -> None:
        """All of it, or what came after they joined."""
        self.assertEqual(self.room.may_read(OTHER), 0)
        self.room.record = replace(self.room.record, from_start=False)
        self.row(Kind.JOINED, STRANGER)
        self.assertEqual(self.room.may_read(STRANGER), self.seq - 1)

    def test_what_was_promised_to_a_member_stays(self) -> None:
        """A change of the setting is for those who come later."""
        self.room.record = replace(self.room.record, from_start=False)
        self.row(Kind.JOINED, STRANGER)
        self.assertEqual(self.room.may_read(OTHER), 0)
        self.room.record = replace(self.room.record, from_start=True)
        self.assertGreater(self.room.may_read(STRANGER), 0)

    def test_the_topic(self) -> None:
        self.row(Kind.TOPIC, OWNER, words="soup")
        self.assertEqual(self.room.topic, "soup")
        self.row(Kind.TOPIC, OWNER)
        self.assertEqual(self.room.topic, "")


class Occupants(RoomCase):
    """A member is present through sessions; the last one to go ends it."""

    def test_two_sessions(self) -> None:
        phone, laptop = FakeMind(), FakeMind()
        for mind in (phone, laptop, laptop):
            self.room.enter(MEMBER, mind)
        self.assertEqual(self.room.minds_of([MEMBER, OTHER]), [phone, laptop])
        self.assertEqual(len(self.room.audiences), 2)
        self.room.exit(MEMBER, phone)
        self.assertEqual(self.room.minds_of([MEMBER]), [laptop])
        self.room.exit(MEMBER, laptop)
        self.assertNotIn(MEMBER, self.room.occupants)
        self.assertEqual(len(self.room.audiences), 0)

    def test_leaving_what_one_never_entered(self) -> None:
        self.room.exit(STRANGER, FakeMind())
        self.assertEqual(self.room.occupants, {})
