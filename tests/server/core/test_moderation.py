"""What owners and moderators do: kick, ban, mute, roles, topic."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Done, History, MembershipChanged, Refused, Removed, RoomEntered, TopicChanged
from chat.protocol.values import Kind, Rank, Role, Text
from tests.server.core.stage import MANY, Person, Stage


class ModerationCase(SynchronousTestCase):
    """Ann owns ops, mod moderates it, bob is there with two sessions, carol is not."""

    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.ann = self.stage.enter("ann", "ops")
        self.mod = self.stage.enter("mod", "ops")
        self.phone = self.stage.enter("bob", "ops", device="phone")
        self.laptop = self.stage.enter("bob", device="laptop")
        self.carol = self.stage.enter("carol")
        self.ann.does("op", user="mod", room="ops")
        for each in (self.ann, self.mod, self.phone, self.laptop, self.carol):
            each.forget()

    def does(self, person: Person, command: str, user: str, **more: object) -> str:
        """The code of a refusal, or empty."""
        reply = person.does(command, user=user, room="ops", **more)
        return reply.code if isinstance(reply, Refused) else ""

    def may_speak(self, person: Person) -> str:
        return getattr(person.does("say", room="ops", text=Text("hi")), "code", "")


class Kicking(ModerationCase):
    def test_all_sessions_are_out_and_told_why(self) -> None:
        self.assertEqual(self.does(self.mod, "kick", "bob", reason="cool down"), "")
        for session in (self.phone, self.laptop):
            (event,) = session.told(Removed)
            self.assertEqual((event.kind, event.author, event.detail), (Kind.KICKED, "mod", "cool down"))
            self.assertEqual(self.may_speak(session), "not-a-member")
        (seen,) = self.ann.told(MembershipChanged)
        self.assertEqual((seen.kind, seen.target, seen.author, seen.detail), (Kind.KICKED, "bob", "mod", "cool down"))

    def test_one_may_come_back(self) -> None:
        self.does(self.mod, "kick", "bob")
        self.assertIsInstance(self.phone.does("connect", room="ops"), RoomEntered)
        self.assertEqual(self.may_speak(self.laptop), "")

    def test_who_is_kicked_may_not_speak_before_it_is_stored(self) -> None:
        """But still gets what was said before."""
        self.stage.store.hold()
        line = self.ann.starts("say", room="ops", text=Text("before"))
        kick = self.mod.starts("kick", user="bob", room="ops")
        self.assertEqual(self.may_speak(self.phone), "not-a-member")
        self.stage.store.release()
        self.successResultOf(line)
        self.successResultOf(kick)
        self.assertEqual(self.phone.heard, ["before"])

    def test_a_kick_that_could_not_be_stored(self) -> None:
        self.stage.store.fail(1)
        self.assertEqual(self.does(self.mod, "kick", "bob"), "not-stored")
        self.assertEqual(self.may_speak(self.phone), "")

    def test_of_two_moderators_at_once_one_has_kicked(self) -> None:
        """Whoever is on the way out is nobody to kick any more."""
        self.stage.store.hold()
        kick = self.mod.starts("kick", user="bob", room="ops")
        self.assertEqual(self.does(self.ann, "kick", "bob"), "not-a-member")
        self.stage.store.release()
        self.successResultOf(kick)
        self.assertEqual([each.author for each in self.ann.told(MembershipChanged)], ["mod"])

    def test_refusals(self) -> None:
        self.assertEqual(self.does(self.phone, "kick", "mod"), "forbidden")
        self.assertEqual(self.does(self.mod, "kick", "ann"), "forbidden")
        self.assertEqual(self.does(self.mod, "kick", "carol"), "not-a-member")
        self.assertEqual(self.does(self.mod, "kick", "mod"), "bad-usage")
        self.assertEqual(self.does(self.carol, "kick", "bob"), "not-a-member")
        self.assertEqual(self.does(self.mod, "kick", "bbo"), "no-such-user")


class Banning(ModerationCase):
    def test_one_is_told_until_when(self) -> None:
        self.does(self.mod, "ban", "bob", duration=60, reason="spam")
        (event,) = self.phone.told(Removed)
        self.assertEqual((event.kind, event.detail), (Kind.BANNED, "spam"))
        self.assertEqual(event.until, self.stage.chat.node.now() + 60_000)

    def test_it_keeps_out_until_it_ends(self) -> None:
        self.does(self.mod, "ban", "bob", duration=60, reason="spam")
        self.assertEqual([event.kind for event in self.phone.told(Removed)], [Kind.BANNED])
        self.assertEqual(self.ann.told(MembershipChanged)[0].until, self.stage.chat.node.now() + 60_000)
        self.assertEqual(self.phone.code("connect", room="ops"), "banned")
        self.stage.clock.advance(60)
        self.assertIsInstance(self.phone.does("connect", room="ops"), RoomEntered)

    def test_it_outlives_a_restart(self) -> None:
        """With its end."""
        self.does(self.mod, "ban", "bob", duration=3600)
        self.does(self.mod, "ban", "carol")
        stage = self.stage.restart()
        bob, carol = stage.enter("bob"), stage.enter("carol")
        self.assertEqual([each.code("connect", room="ops") for each in (bob, carol)], ["banned", "banned"])
        stage.clock.advance(3600)
        self.assertIsInstance(bob.does("connect", room="ops"), RoomEntered)
        self.assertEqual(carol.code("connect", room="ops"), "banned")

    def test_unbanning(self) -> None:
        self.does(self.mod, "ban", "carol")
        self.assertEqual(self.carol.code("connect", room="ops"), "banned")
        self.assertEqual(self.does(self.mod, "unban", "carol"), "")
        self.assertIsInstance(self.carol.does("connect", room="ops"), RoomEntered)
        self.assertEqual(self.does(self.mod, "unban", "carol"), "no-effect")

    def test_who_is_being_banned_cannot_slip_in(self) -> None:
        self.stage.store.hold()
        ban = self.mod.starts("ban", user="carol", room="ops")
        coming = self.carol.starts("connect", room="ops")
        self.stage.store.release()
        self.successResultOf(ban)
        self.assertEqual(getattr(self.successResultOf(coming), "code", ""), "banned")
        self.assertNotIn("carol", self.stage.roles("ops"))

    def test_who_comes_in_just_before_is_put_out(self) -> None:
        self.stage.store.hold()
        coming = self.carol.starts("connect", room="ops")
        ban = self.mod.starts("ban", user="carol", room="ops")
        self.stage.store.release()
        self.successResultOf(coming)
        self.successResultOf(ban)
        self.assertNotIn("carol", self.stage.roles("ops"))
        self.assertEqual(self.may_speak(self.carol), "not-a-member")

    def test_an_administrator_bans_the_only_owner(self) -> None:
        """The room gets another one."""
        admin = self.stage.enter("boss", rank=Rank.ADMINISTRATOR)
        self.assertEqual(self.does(admin, "ban", "ann"), "")
        self.assertEqual(self.stage.roles("ops"), {"mod": Role.OWNER, "bob": Role.MEMBER})


class Muting(ModerationCase):
    def test_it_keeps_from_talking_in_this_room_until_it_ends(self) -> None:
        self.does(self.mod, "mute", "bob", duration=60, reason="shouting")
        self.assertEqual(self.may_speak(self.phone), "muted")
        self.phone.writes("ann", "why?")
        self.ann.says("ops", "hi")
        self.assertEqual(self.phone.heard, ["hi"])
        self.stage.clock.advance(60)
        self.assertEqual(self.may_speak(self.laptop), "")

    def test_it_keeps_from_showing_words_in_other_ways(self) -> None:
        self.ann.does("mute", room="ops", user="mod")
        for command, arguments in (
            ("topic", {"text": "hi"}),
            ("kick", {"user": "bob", "reason": "hi"}),
            ("ban", {"user": "bob", "reason": "hi"}),
            ("mute", {"user": "bob", "reason": "hi"}),
        ):
            self.assertEqual(self.mod.code(command, room="ops", **arguments), "muted", command)
        self.assertEqual(self.does(self.mod, "kick", "bob"), "")

    def test_unmuting(self) -> None:
        self.does(self.mod, "mute", "bob")
        self.assertEqual(self.does(self.phone, "unmute", "bob"), "forbidden")
        self.assertEqual(self.does(self.mod, "unmute", "bob"), "")
        self.assertEqual(self.may_speak(self.phone), "")
        self.assertEqual(self.does(self.mod, "unmute", "bob"), "no-effect")

    def test_who_is_muted_may_not_speak_before_it_is_stored(self) -> None:
        self.stage.store.hold()
        muting = self.mod.starts("mute", user="bob", room="ops", reason="shouting")
        refused = self.phone.gets(Refused, "say", room="ops", text=Text("hi"))
        self.assertEqual((refused.code, "shouting" in refused.text), ("muted", True))
        self.stage.store.release()
        self.assertNotIsInstance(self.successResultOf(muting), Refused)
        self.assertEqual(self.may_speak(self.phone), "muted")

    def test_a_mute_that_cannot_be_stored_does_not_count(self) -> None:
        self.stage.store.fail(1)
        self.assertEqual(self.does(self.mod, "mute", "bob"), "not-stored")
        self.assertEqual(self.may_speak(self.phone), "")

    def test_nobody_unmutes_oneself(self) -> None:
        self.does(self.ann, "mute", "mod")
        self.assertEqual(self.does(self.mod, "unmute", "mod"), "forbidden")
        self.assertEqual(self.may_speak(self.mod), "muted")
        self.assertEqual(self.does(self.ann, "mute", "ann"), "bad-usage")


class Roles(ModerationCase):
    def test_a_new_moderator_and_a_new_owner(self) -> None:
        self.assertEqual(self.does(self.ann, "op", "bob"), "")
        self.assertEqual(self.does(self.ann, "op", "mod", role="owner"), "")
        self.assertEqual(self.stage.roles("ops"), {"ann": Role.OWNER, "mod": Role.OWNER, "bob": Role.MODERATOR})
        self.assertEqual(self.does(self.phone, "mute", "carol"), "")
        self.assertEqual([event.detail for event in self.phone.told(MembershipChanged)][:2], ["moderator", "owner"])

    def test_taking_it_away(self) -> None:
        self.assertEqual(self.does(self.ann, "deop", "mod"), "")
        self.assertEqual(self.does(self.mod, "kick", "bob"), "forbidden")
        self.assertEqual(self.stage.restart().roles("ops")["mod"], Role.MEMBER)

    def test_a_room_keeps_an_owner(self) -> None:
        self.assertEqual(self.does(self.ann, "deop", "ann"), "no-effect")
        self.does(self.ann, "op", "mod", role="owner")
        self.assertEqual(self.does(self.ann, "deop", "ann"), "")

    def test_refusals(self) -> None:
        self.assertEqual(self.does(self.mod, "op", "bob"), "forbidden")
        self.assertEqual(self.does(self.ann, "op", "carol"), "not-a-member")
        self.assertEqual(self.does(self.ann, "op", "mod"), "no-effect")


class Topics(ModerationCase):
    def test_it_is_shown_and_kept(self) -> None:
        self.ann.does("topic", room="ops", text="  soup\nof the day ")
        self.assertEqual([event.topic for event in self.phone.told(TopicChanged)], ["soup of the day"])
        self.assertEqual(self.carol.gets(RoomEntered, "connect", room="ops").topic, "soup of the day")
        stage = self.stage.restart()
        self.assertEqual(stage.enter("carol").gets(RoomEntered, "connect", room="ops").topic, "soup of the day")

    def test_none(self) -> None:
        self.ann.does("topic", room="ops", text="soup")
        self.ann.does("topic", room="ops", text="none")
        self.assertEqual(self.carol.gets(RoomEntered, "connect", room="ops").topic, "")

    def test_looking_changes_nothing(self) -> None:
        """Whoever may enter may look."""
        self.assertEqual(self.carol.gets(Done, "topic", room="ops").text, "ops has no topic.")
        self.ann.does("topic", room="ops", text="soup")
        self.assertEqual(self.ann.gets(Done, "topic", room="ops").text, "The topic of ops: soup")
        self.ann.does("room", setting="private", value="on", room="ops")
        self.assertEqual(self.carol.code("topic", room="ops"), "no-such-room")

    def test_long_words_are_cut(self) -> None:
        """Of a topic and of a reason, whatever a program sends."""
        long = "word\n" * 3_000
        self.ann.does("topic", room="ops", text=long)
        self.ann.does("kick", user="bob", room="ops", reason=long)
        *_, topic, kick = self.ann.gets(History, "history", where="ops").entries
        assert isinstance(topic, TopicChanged) and isinstance(kick, MembershipChanged)
        self.assertEqual((len(topic.topic), len(kick.detail)), (299, 299))
        self.assertNotIn("\n", topic.topic + kick.detail)

    def test_members_may_not(self) -> None:
        self.assertEqual(self.phone.code("topic", room="ops", text="x"), "forbidden")
