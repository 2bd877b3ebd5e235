"""The end of an account: who learns of it, what is left, and that nobody comes after."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import BadCredentials
from chat.protocol.events import Done, History, LoggedIn, MembershipChanged, Presence, Refused, Said, SignedOut
from chat.protocol.values import Kind, Role
from chat.server.interfaces import IChatUser, Proven
from tests.server.core.stage import MANY, PASSWORD, NoProof, Person, Stage, refusal

WRONG = "incorrect horse"


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.ann = self.stage.enter("ann", "ops")
        self.bob = self.new("bob")
        self.phone = self.stage.connection()
        self.phone.logs_in("bob", device="phone")
        self.bob.does("connect", room="ops")
        self.bob.says("ops", "hello")
        self.bob.writes("ann", "psst")
        self.ann.forget()

    def new(self, name: str) -> Person:
        person = self.stage.connection()
        person.gets(LoggedIn, "new", user=name, password=PASSWORD)
        person.does("resume")
        return person

    def delete(self, scope: str | None = None) -> None:
        self.bob.gets(Done, "account", action="delete", scope=scope, password=PASSWORD)

    def said(self, person: Person) -> list[tuple[str, bool]]:
        """Who said something there, and whether it can still be read."""
        page = person.gets(History, "history", where="ops")
        return [(each.author, each.body is not None) for each in page.entries if isinstance(each, Said)]


class Deleting(Case):
    def test_the_password_is_asked_for(self) -> None:
        self.assertEqual(self.bob.code("account", action="delete"), "bad-usage")
        refused = self.bob.gets(Refused, "account", action="delete", password=WRONG)
        self.assertEqual((refused.code, refused.ask), ("bad-credentials", "password"))
        self.assertIn("bob", self.stage.roles("ops"))

    def test_every_session_ends(self) -> None:
        self.delete()
        for each in (self.bob, self.phone):
            self.assertIsNone(each.session.user)
            self.assertEqual(len(each.told(SignedOut)), 1)
        self.assertEqual(self.bob.code("online"), "not-logged-in")

    def test_others_see_it_leave(self) -> None:
        self.stage.after_start()
        self.ann.forget()
        self.delete()
        self.assertEqual([(each.kind, each.target) for each in self.ann.told(MembershipChanged)], [(Kind.LEFT, "bob")])
        self.stage.pass_time(5)
        self.assertEqual([each.users for each in self.ann.told(Presence)], [("bob",)])

    def test_a_room_of_its_own_goes_on(self) -> None:
        self.bob.does("create", room="pool")
        self.ann.does("connect", room="pool")
        self.delete()
        self.assertEqual(self.stage.roles("pool"), {"ann": Role.OWNER})

    def test_nobody_finds_it_again_not_even_after_a_restart(self) -> None:
        self.ann.does("block", user="bob")
        self.delete()
        stage, ann = self.stage, self.ann.id
        for _ in range(2):
            self.assertIsNone(stage.chat.directory.account("bob"))
            self.assertEqual(stage.chat.directory.blocked_by(ann), frozenset())
            guest = stage.connection()
            self.assertEqual(guest.code("login", user="bob", password=PASSWORD), "bad-credentials")
            self.assertEqual(guest.code("new", user="bob", password=PASSWORD), "name-taken")
            stage = stage.restart()

    def test_its_token_is_worth_nothing(self) -> None:
        program = self.stage.connection(program=True)
        token = program.logs_in("bob", device="laptop").token
        self.delete()
        back = self.stage.connection(program=True)
        self.assertEqual(back.code("login", token=token, device="laptop"), "bad-credentials")

    def test_a_login_that_is_on_its_way_comes_too_late(self) -> None:
        later = self.stage.connection()
        account = self.stage.account("bob").id
        self.delete()
        entering = self.stage.portal.login(NoProof(Proven(account, 0)), later.session, IChatUser)
        self.assertIsInstance(refusal(entering), BadCredentials)

    def test_goes_on_when_its_owner_hangs_up(self) -> None:
        """The password was right, so the account goes, whole, although nobody waits for the answer."""
        self.stage.store.hold()
        deleting = self.bob.starts("account", action="delete", password=PASSWORD)
        self.bob.hangs_up()
        self.stage.store.release()
        self.successResultOf(deleting)
        self.assertIsNone(self.stage.chat.directory.account("bob"))
        self.assertNotIn("bob", self.stage.roles("ops"))

    def test_an_invitation_to_it_is_declined(self) -> None:
        self.ann.does("create", room="board", visibility="private")
        self.ann.does("invite", user="bob", room="board")
        self.delete()
        self.assertEqual((self.stage.chat.node.invitations, self.stage.room("board").invited), ({}, {}))


class Words(Case):
    def test_they_stay_without_the_name(self) -> None:
        self.delete()
        self.stage.pass_time(5)
        self.assertEqual(self.said(self.ann), [("nobody", True)])

    def test_or_go(self) -> None:
        self.ann.says("ops", "mine")
        self.delete("everything")
        self.stage.pass_time(5)
        self.assertEqual(self.said(self.ann), [("nobody", False), ("ann", True)])

    def test_and_so_do_topics(self) -> None:
        self.ann.does("op", user="bob", room="ops")
        self.bob.does("topic", room="ops", text="mine")
        self.assertEqual(self.stage.room("ops").topic, "mine")
        self.delete("everything")
        self.stage.pass_time(5)
        self.assertEqual(self.stage.room("ops").topic, "")
        self.assertEqual(self.stage.restart().room("ops").topic, "")

    def test_also_when_the_server_is_stopped_in_between(self) -> None:
        self.delete("everything")
        stage = self.stage.restart()
        ann = stage.enter("ann")
        self.assertEqual(self.said(ann), [("nobody", True)])
        stage.pass_time(5)
        self.assertEqual(self.said(ann), [("nobody", False)])

    def test_a_disk_that_fails_is_tried_again_by_the_next_start(self) -> None:
        self.delete("everything")
        self.stage.store.fail(1)
        self.stage.pass_time(5)
        self.assertEqual(self.said(self.ann), [("nobody", True)])
        stage = self.stage.restart()
        stage.pass_time(5)
        self.assertEqual(self.said(stage.enter("ann")), [("nobody", False)])
