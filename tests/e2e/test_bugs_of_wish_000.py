"""What went wrong in wish 000 must not happen here."""

from __future__ import annotations

import signal

from tests.e2e.stage import PASSWORD, StageCase


class KnownBugs(StageCase):
    def test_no_ghost_of_who_dies_while_registering(self) -> None:
        """If the client exits during registration nobody can talk to a user that does not exist."""
        ann = self.person("ann")
        for lines in (["new"], ["new", "ghost"], ["new ghost"]):
            ghost = self.guest("ghost")
            ghost.types(*lines)
            ghost.sees("Username:" if lines == ["new"] else "Password")
            ghost.dies()
        ann.types("message ghost hello?")
        ann.sees("! No user ghost.")
        ann.types("list users", "online")
        ann.sees("* 1 user:\n  ann  online\n* Nobody is online.")

    def test_who_dies_with_the_password_on_its_way(self) -> None:
        """There is a whole account, or none; and nobody is signed in."""
        ann = self.person("ann")
        for number in range(5):
            ghost = self.guest("ghost")
            ghost.types(f"new ghost{number} {PASSWORD}")
            ghost.dies()
        back = self.guest("back")
        back.types(f"login ghost4 {PASSWORD}")
        self.stage.wait(lambda: "Welcome to the chat" in back.shown or "! " in back.shown, "No answer")
        self.assertNotIn("already signed in", back.shown)
        back.types("quit")
        back.sees_the_end()
        ann.types("online")
        ann.sees("* Nobody is online.")

    def test_nothing_makes_a_user_called_invalid(self) -> None:
        guest = self.guest("guest")
        guest.types(
            "new", "", "INVALID", "new", "  ", "login", "", "say hello", "hello", "connect lobby", "message x y"
        )
        guest.types("list users", "quit")
        guest.sees("Bye for now!")
        self.assertNotIn("Welcome to the chat system!", guest.shown)
        ann = self.person("ann")
        ann.types("list users")
        ann.sees("* 1 user:\n  ann  online\n")

    def test_nobody_is_signed_in_twice(self) -> None:
        """The second login is told where and since when the first is, and how to take over."""
        bob = self.person("bob", "lobby")
        first = self.person("ann", "lobby")
        second = self.guest("ann elsewhere")
        second.types("login ann", PASSWORD)
        second.sees("! ann is already signed in (from 127.0.0.1 since ", "Try a different account, or: takeover\n")
        second.types("message bob I am nobody")
        second.sees("! You are not logged in.")
        second.types("takeover")
        second.sees("Welcome to the chat system!", "* You are in lobby.")
        first.sees("* You have logged in from elsewhere, so this session has ended.")
        first.types("it is me")
        first.sees("! ")
        second.types("it is I")
        bob.sees("ann: it is I")
        bob.does_not_see("it is me", "I am nobody", "logged")
        bob.types("list users")
        bob.sees("* 2 users:")

    def test_a_takeover_needs_the_password(self) -> None:
        first = self.person("ann")
        thief = self.guest("thief")
        thief.types("takeover")
        thief.sees("! There is no session to take over.")
        thief.types("login ann", "not the password", "", "takeover")
        thief.sees("! Wrong name or password.", "! There is no session to take over.")
        first.does_not_see("elsewhere")

    def test_a_safe_exit(self) -> None:
        """Ctrl-C closes every connection and frees everything; nothing is left to do by hand."""
        ann = self.person("ann")
        guest = self.guest("guest")
        self.assertEqual(self.stage.stop(signal.SIGINT), 0)
        for actor in (ann, guest):
            actor.sees("Server is shutting down.")
            actor.sees_the_end()
        self.stage.start()
        self.person("ann")

    def test_a_password_works_every_time(self) -> None:
        """Passwords of all kinds, on a new connection each time."""
        for number, password in enumerate(("a  b  c  d", "pässwörter", "12345678", "quit quit", "/quit!!!", "x" * 200)):
            self.stage.pipe(f"new p{number}\n{password}\nquit\n", "-N")
            for _ in range(5):
                self.assertIn("Welcome to the chat", self.stage.pipe(f"login p{number}\n{password}\nquit\n", "-N"))
