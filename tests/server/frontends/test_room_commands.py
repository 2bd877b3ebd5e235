"""What people type and see where rooms are run by their owners, and where words are corrected."""

from __future__ import annotations

from tests.server.frontends.server import ASKED, ASKED_AGAIN, PASSWORD, WELCOME, ServerCase


class RunningARoom(ServerCase):
    def test_inviting_somebody(self) -> None:
        ann, bob = self.person("ann"), self.person("bob")
        self.quiet(ann, bob)
        ann.types("create board private", "invite bob")
        self.assertEqual(
            ann.sees(),
            [
                "* Room board created; you are its owner.",
                "* You are in board (1 here: ann).",
                "* ann has invited bob to board.",
            ],
        )
        self.assertEqual(bob.sees(), ["* ann has invited you to board. Type connect board or decline board."])
        bob.types("connect board", "hello")
        self.assertEqual(
            bob.sees(),
            [
                "* You are in board (2 here: ann, bob).",
                "* What you type is said in board; type /help for the commands.",
            ],
        )
        self.assertEqual(ann.sees(), ["* bob has entered board.", "bob: hello"])

    def test_an_invitation_waits_for_the_next_login(self) -> None:
        ann, bob = self.person("ann"), self.person("bob")
        bob.types("logout")
        ann.types("create board private", "invite bob")
        self.quiet(ann, bob)
        bob.types(f"login bob {PASSWORD}")
        seen = bob.sees()
        self.assertIn(WELCOME, seen)
        self.assertIn("* You are invited to board (from ann). Type connect ROOM or decline ROOM.", seen)
        bob.types("decline board")
        self.assertEqual(bob.sees(), ["* You have declined the invitation to board."])

    def test_the_settings_of_the_room(self) -> None:
        ann = self.person("ann")
        ann.types("create ops")
        self.quiet(ann)
        ann.types("/room slow 30s", "/room slow", "/room nonsense")
        self.assertEqual(
            ann.sees(),
            [
                "* ann turned on slow mode in ops: one line every 30 seconds for each member.",
                "! Usage: /room slow 30s, or: /room slow off",
                "! Use one of: private, history, slow, sealed, close. "
                "Usage: /room [private|history|slow|sealed|close [WORD]]",
            ],
        )
        ann.types("/room")
        self.assertIn("slow        one line every 30 seconds for each member", [line.strip() for line in ann.sees()])

    def test_a_topic_is_short_as_lists_show_hundreds(self) -> None:
        ann = self.person("ann")
        ann.types("create ops")
        self.quiet(ann)
        ann.types(f"/topic {'ж' * 257}")
        self.assertIn("! The limit is 512 bytes.", ann.gets())
        ann.types(f"/topic {'ж' * 256}", "list channels")
        self.assertIn("ж" * 256, ann.gets())

    def test_room_is_an_ordinary_word(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.types("room", "room service is slow")
        self.assertEqual(bob.sees(), ["ann: room", "ann: room service is slow"])


class Correcting(ServerCase):
    def test_saying_it_anew_and_taking_it_back(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.types("lunch at tvelve", "/edit lunch at twelve", "/delete")
        self.assertEqual(ann.sees(), ["* ann deleted message r1.4."])
        self.assertEqual(
            bob.sees(), ["ann: lunch at tvelve", "ann (edited): lunch at twelve", "* ann deleted message r1.4."]
        )

    def test_delete_and_edit_are_ordinary_words(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.types("edit", "delete that file")
        self.assertEqual(bob.sees(), ["ann: edit", "ann: delete that file"])


class DeletingAnAccount(ServerCase):
    def test_the_password_is_asked_for_and_the_connection_stays(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        bob.types("account delete", PASSWORD)
        self.assertEqual(bob.sees(), [f"{ASKED}* Your account has been deleted. Bye!"])
        bob.types("hello")
        self.assertEqual(bob.sees(), ["! No command hello. Type login NAME, new NAME or help."])
        self.assertIn("* bob has left lobby.", ann.sees())

    def test_a_wrong_password_is_asked_for_again(self) -> None:
        bob = self.person("bob", "lobby")
        self.quiet(bob)
        bob.types("account delete everything", "wrong")
        self.assertEqual(bob.sees(), [f"{ASKED}! That is not your password. Nothing was changed.", ASKED_AGAIN])
