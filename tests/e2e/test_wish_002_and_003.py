"""The program flow of wish 002, and the verbs of wish 003."""

from __future__ import annotations

from tests.e2e.stage import PASSWORD, StageCase


class ProgramFlow(StageCase):
    def test_from_hello_to_logout(self) -> None:
        """Hello, new, login, pick a channel, chat, swap, disconnect, logout: on one connection."""
        bob = self.person("bob", "lobby")
        ann = self.guest("ann")
        ann.types(f"login ann {PASSWORD}")
        ann.sees("! Wrong name or password. Try again: login NAME (or make an account: new NAME)")
        ann.types(f"new bob {PASSWORD}")
        ann.sees("! The name bob is taken. If it is yours: login bob")
        ann.types(f"login bob {PASSWORD}")
        ann.sees("! bob is already signed in (from 127.0.0.1 since", "Try a different account")
        ann.types(f"new ann {PASSWORD}")
        ann.sees("* Account ann created.", "Welcome to the chat system!", "list channels to see them all")
        bob.sees("User ann has logged on.")
        ann.types("connect loby")
        ann.sees("! No room loby. Did you mean lobby? list channels shows them all.")
        ann.types("list channels")
        ann.sees("* 1 room:", "lobby  1 here  1 member")
        ann.types("connect lobby")
        ann.sees("* You are in lobby (2 here: ann, bob).")
        bob.sees("* ann has entered lobby.")
        ann.types("chat hello all", "and without the verb")
        bob.sees("ann: hello all", "ann: and without the verb")
        bob.types("hi ann")
        ann.sees("bob: hi ann")
        ann.types("history")
        ann.sees("ann: hello all", "ann: and without the verb", "bob: hi ann")
        ann.types("list users")
        ann.sees("* 2 users:", "ann  online", "bob  online")
        ann.types("/create ops")
        ann.sees("* Room ops created; you are its owner.", "* You are in ops (1 here: ann).")
        bob.types("still in lobby")
        ann.sees("[lobby] bob: still in lobby")
        ann.types("connect lobby")
        ann.sees("* You are in lobby")
        ann.types("disconnect")
        ann.sees("* You have left lobby.")
        bob.sees("* ann has left lobby.")
        bob.types("is anybody here?")
        ann.does_not_see("is anybody here?")
        ann.types("logout")
        ann.sees("Logging out. Bye for now!")
        bob.sees("User ann has logged out.")
        ann.types("online")
        ann.sees("! You are not logged in.")
        ann.types(f"login ann {PASSWORD}")
        ann.sees("Welcome to the chat system!")

    def test_disconnecting_from_the_server_logs_out(self) -> None:
        """Auto-logout of who is still logged in."""
        bob, ann = self.person("bob"), self.person("ann")
        bob.sees("User ann has logged on.")
        ann.types("quit")
        ann.sees("Bye for now!")
        ann.sees_the_end()
        bob.sees("User ann has logged out.")
        bob.types("online")
        bob.sees("* Nobody is online.")

    def test_the_server_does_not_log_what_is_said(self) -> None:
        """Nor passwords: wish 002 wants when and who, never what."""
        ann = self.person("ann", "lobby")
        ann.types("a secret word", "message ann another secret", "/nosuchverb secret")
        ann.does_not_see("! internal")
        self.stage.stop()
        self.assertNotIn("secret", self.stage.log())
        self.assertNotIn(PASSWORD, self.stage.log())


class Wish003(StageCase):
    options = ("--auto-register=yes",)

    def test_a_first_login_makes_the_account(self) -> None:
        """And later ones need its password; list, send, logout."""
        ann = self.guest("ann")
        ann.types("login ann", PASSWORD)
        ann.sees("* Account ann created.", "Welcome to the chat system!")
        bob = self.guest("bob")
        bob.types("login bob", PASSWORD)
        bob.sees("* Account bob created.", "Welcome to the chat system!")
        bob.types("list")
        bob.sees("* 2 users:", "ann  online", "bob  online")
        bob.types("send ann hi there")
        ann.sees("bob (private): hi there")
        bob.types("logout")
        bob.sees("Logging out. Bye for now!")
        bob.types("login bob", "another password")
        bob.sees("! Wrong name or password.")
        ann.types("list")
        ann.sees("bob  offline")
