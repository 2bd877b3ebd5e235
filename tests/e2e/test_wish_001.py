"""The walk-through of wish 001, verb for verb, as far as netcat goes."""

from __future__ import annotations

from tests.e2e.stage import PASSWORD, Actor, StageCase


class SampleCommands(StageCase):
    """User A, User B and User C, who have accounts."""

    def setUp(self) -> None:
        super().setUp()
        self.accounts("A", "B", "C")
        self.a = self.log_in("A")
        self.b = self.log_in("B")
        self.c = self.log_in("C")

    def log_in(self, name: str) -> Actor:
        actor = self.guest(name)
        actor.types("login")
        actor.sees("Username:")
        actor.types(name)
        actor.sees("Password")
        actor.types(PASSWORD)
        actor.sees("Welcome to the chat system!\n")
        return actor

    def test_message(self) -> None:
        """Live, and kept for who is not online."""
        self.a.sees("logged on.")
        self.b.sees("* User C has logged on.")
        self.a.types("message B hi there!")
        self.b.sees("A (private): hi there!")
        self.c.types("message B it's user C.")
        self.b.sees("C (private): it's user C.")
        self.a.types("logout")
        self.a.sees("Logging out. Bye for now!")
        self.b.sees("User A has logged out.")
        self.b.types("message A hi there!")
        self.b.sees("User A is not here; your message is kept and will be delivered.")
        self.a.types("login A", PASSWORD)
        self.a.sees("Welcome to the chat system!", "1 private message", "B (private): hi there!")
        self.c.does_not_see("hi there!", "not here")

    def test_broadcast_and_online(self) -> None:
        self.a.types("broadcast hello all")
        self.b.sees("A (broadcast): hello all")
        self.c.sees("A (broadcast): hello all")
        self.b.types("online")
        self.b.sees("\nA\nC\n(Warning: Users that have blocked you will not be listed)\n")
        self.a.does_not_see("hello all")

    def test_block_and_unblock(self) -> None:
        """One-way: who blocks hears nothing and is not seen, and can still write."""
        self.b.sees("* User C has logged on.")
        self.a.types("block B")
        self.a.sees("User B has been blocked.")
        self.a.types("block C")
        self.a.sees("User C has been blocked.")
        self.b.types("message A hi")
        self.b.sees("Your message could not be delivered as the recipient has blocked you.")
        self.c.types("broadcast hello all")
        self.c.sees("Your message could not be received by some recipients.")
        self.b.sees("C (broadcast): hello all")
        self.a.types("message B don't reply")
        self.b.sees("A (private): don't reply")
        self.a.types("broadcast don't reply")
        self.b.sees("A (broadcast): don't reply")
        self.c.sees("A (broadcast): don't reply")
        self.b.types("online")
        self.b.sees("\nC\n(Warning: Users that have blocked you will not be listed)\n")
        self.a.types("logout")
        self.a.sees("Bye for now!")
        self.b.does_not_see("has logged out")
        self.a.types("login A", PASSWORD)
        self.a.sees("Welcome to the chat system!")
        self.a.does_not_see("hi\n", "hello all")
        self.b.does_not_see("has logged on")
        self.a.types("unblock B")
        self.a.sees("User B has been unblocked.")
        self.b.types("message A hi")
        self.a.sees("B (private): hi")
        self.a.types("unblock C")
        self.a.sees("User C has been unblocked.")
        self.c.types("broadcast hello all")
        self.a.sees("C (broadcast): hello all")
        self.b.sees("C (broadcast): hello all")
        self.c.does_not_see("could not be received")

    def test_getaddress_and_consent(self) -> None:
        """An address is passed on with consent only; netcat has none to give, and who is blocked is refused."""
        self.b.types("private A hello")
        self.b.sees("! Please request user address first (getaddress <user>).")
        self.b.types("getaddress A")
        self.b.sees("consent asked from User A.")
        self.a.sees("User B is asking for consent.", "To give consent, enter: consent B")
        self.a.types("consent B")
        self.a.sees("To refuse, type: refuse B")
        self.a.types("refuse B")
        self.b.sees("User A declined to give an address.")
        self.c.types("block B")
        self.c.sees("User B has been blocked.")
        self.b.types("getaddress C")
        self.b.sees("! getaddress request for C failed.")
        self.c.does_not_see("asking for consent")

    def test_ctrl_c_is_not_broadcast(self) -> None:
        self.c.dies()
        kept = "User C is not here; your message is kept and will be delivered."
        self.stage.wait(lambda: self.answer("message C are you there?", kept), "C stays")
        self.a.types("online")
        self.a.sees("\nB\n(Warning: Users that have blocked you will not be listed)\n")
        self.assertNotIn("User C has logged out", self.a.shown)

    def answer(self, line: str, expected: str) -> bool:
        """Whether A sees something in answer to a line."""
        self.a.types(line)
        self.a.does_not_see("! ")
        return expected in self.a.shown

    def test_ctrl_c_of_the_server(self) -> None:
        """Everybody is told, and the netcats end by themselves."""
        self.assertEqual(self.stage.stop(2), 0)
        for actor in (self.a, self.b, self.c):
            actor.sees("Server is shutting down.")
            actor.sees_the_end()


class LockOut(StageCase):
    options = ("--block-time=2",)

    def test_too_many_wrong_passwords(self) -> None:
        """Wish 001's BLOCK_TIME: even the right password waits, and the seconds are told."""
        self.accounts("ann")
        ann = self.guest("ann")
        ann.types("login ann")
        for number in range(3):
            ann.sees("Password")
            ann.types(f"wrong password {number}")
            ann.sees("! Wrong name or password.")
        ann.sees("Password")
        ann.types(PASSWORD)
        ann.sees("! Too many wrong passwords. Try again in", "second")
        again = self.stage.enter("again")
        self.stage.wait(lambda: self.gets_in(again), "the lock-out does not end")

    def gets_in(self, actor: Actor) -> bool:
        if "Welcome to the chat" not in actor.shown:
            seen = actor.shown.count("! ")
            actor.types(f"login ann {PASSWORD}")
            self.stage.wait(
                lambda: actor.shown.count("! ") > seen or "Welcome to the chat" in actor.shown, "no answer to login"
            )
        return "Welcome to the chat" in actor.shown
