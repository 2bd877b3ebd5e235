"""How connections begin and end: who speaks, who is let in, who hangs up."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport

from chat.server.core.service import SETTLING
from chat.server.frontends.connection import GREETING_DELAY, LAST_LOOK, LINGER
from chat.server.frontends.line_decoder import LineDecoder, Lines
from chat.server.frontends.socket_options import peer_of
from tests.server.frontends.server import ASKED, GREETING, NOWHERE, PASSWORD, WELCOME, ServerCase

PING = b'{"cmd": "ping"}\n'


class FindingOutWhoSpeaks(ServerCase):
    def test_who_is_silent_is_greeted(self) -> None:
        caller = self.call()
        self.server.advance(GREETING_DELAY - 0.01)
        self.assertEqual(caller.gets(), "")
        self.server.advance(0.01)
        self.assertEqual(caller.gets(), GREETING)
        self.server.advance(10)
        self.assertEqual(caller.gets(), "")

    def test_a_brace_is_a_program(self) -> None:
        """It gets frames alone: no greeting, no prompt."""
        program = self.call()
        program.sends(PING)
        self.server.advance(5)
        self.assertEqual(program.frames(), [{"type": "pong"}])

    def test_a_brace_after_the_greeting(self) -> None:
        """A program that took its time."""
        program = self.call()
        self.server.advance(5)
        self.assertEqual(program.gets(), GREETING)
        program.sends(PING)
        self.assertEqual(program.frames(), [{"type": "pong"}])

    def test_the_first_byte_alone_decides(self) -> None:
        program, person = self.call(), self.call()
        program.sends(PING[:1])
        person.sends(b" {")
        program.sends(PING[1:])
        person.sends(b"}\n")
        self.assertEqual(program.frames(), [{"type": "pong"}])
        self.assertEqual(person.sees(), ["! No command {}. Type login NAME, new NAME or help."])

    def test_a_brace_later_is_text(self) -> None:
        caller = self.call()
        caller.types("help login", "{")
        self.assertEqual(caller.sees()[-1], "! No command {. Type login NAME, new NAME or help.")

    def test_who_types_at_once_is_not_greeted(self) -> None:
        caller = self.call()
        caller.types("new ann")
        self.server.advance(5)
        self.assertEqual(caller.gets(), ASKED)

    def test_half_a_line_is_no_silence(self) -> None:
        caller = self.call()
        caller.sends(b"ne")
        self.server.advance(5)
        caller.sends(b"w ann\n")
        self.assertEqual(caller.gets(), ASKED)

    def test_listeners_of_one_kind(self) -> None:
        person, program = self.call("text"), self.call("json")
        self.server.advance(5)
        self.assertEqual((person.gets(), program.gets()), (GREETING, ""))
        person.sends(PING)
        self.assertTrue(person.gets().startswith("! No command"))

    def test_the_greeting_counts_people(self) -> None:
        self.person("ann")
        caller = self.call()
        self.server.advance(1)
        self.assertIn("(1 person online)", caller.gets())

    def test_one_session_for_each_connection(self) -> None:
        """A guess that proved wrong leaves none behind."""
        caller = self.call()
        self.server.advance(1)
        caller.sends(PING)
        self.assertEqual(len(self.server.chat.node.sessions), 1)
        caller.hangs_up()
        self.assertEqual(len(self.server.chat.node.sessions), 0)


class Packets(ServerCase):
    def test_what_comes_while_a_packet_is_taken_is_taken_after_it(self) -> None:
        """As where the first bytes of a person come with the last of a TLS handshake."""
        guest = self.guest()

        class Interrupted(LineDecoder):
            def decode(self, data: bytes, most: int) -> Lines:
                if data == b"ping\n":
                    guest.protocol.dataReceived(b"whoami\n")
                return super().decode(data, most)

        guest.protocol._decoder = Interrupted()
        guest.sends(b"ping\n")
        first, *_ = guest.sees()
        self.assertEqual(first, self.answer_to("ping"))

    def answer_to(self, line: str) -> str:
        other = self.guest()
        other.types(line)
        return other.sees()[0]


class HalfClosing(ServerCase):
    """``printf ... | nc -N``: every answer comes before the close."""

    def test_every_answer_first(self) -> None:
        caller = self.call()
        self.server.store.hold()
        caller.sends(f"new ann {PASSWORD}\nmessage ann a note\nonline".encode())
        caller.finishes()
        self.assertEqual((caller.gets(), caller.ended), ("", False))
        self.server.store.release()
        seen = caller.sees()
        self.assertEqual((seen[0], seen[1], seen[3]), ("* Account ann created.", WELCOME, NOWHERE))
        self.assertEqual(seen[-1], "(Warning: Users that have blocked you will not be listed)")
        self.assertTrue(caller.ended)

    def test_while_a_password_is_hashed(self) -> None:
        caller = self.call()
        self.server.hashing.held = True
        caller.sends(f"new ann\n{PASSWORD}\n".encode())
        caller.finishes()
        self.assertFalse(caller.ended)
        self.server.hashing.release()
        self.assertIn(WELCOME, caller.gets())
        self.assertTrue(caller.ended)

    def test_a_last_line_without_an_end(self) -> None:
        caller = self.call()
        caller.sends(b"help login")
        caller.finishes()
        self.assertIn("login [NAME[@DEVICE] [PASSWORD]]", caller.gets())

    def test_programs_too(self) -> None:
        program = self.call()
        program.sends(PING + b'{"cmd": "commands"}')
        program.finishes()
        self.assertEqual([frame["type"] for frame in program.frames()], ["pong", "commands"])
        self.assertTrue(program.ended)

    def test_who_never_said_anything(self) -> None:
        for greeted in (False, True):
            caller = self.call()
            self.server.advance(GREETING_DELAY * greeted)
            caller.finishes()
            self.assertTrue(caller.ended)

    def test_whoever_was_logged_in_is_signed_out_when_the_connection_is_gone(self) -> None:
        ann = self.person("ann")
        ann.finishes()
        ann.hangs_up()
        self.assertEqual(self.online(), [])


class Ending(ServerCase):
    def test_quit_logs_out_and_closes(self) -> None:
        ann, bob = self.person("ann"), self.person("bob")
        self.quiet(ann, bob)
        ann.types("quit")
        self.assertEqual(ann.sees(), ["Logging out. Bye for now!"])
        self.assertTrue(ann.ended)
        self.assertEqual(bob.sees(), ["* User ann has logged out."])

    def test_quit_of_a_guest(self) -> None:
        caller = self.guest()
        caller.types("bye")
        self.assertEqual(caller.sees(), ["Bye for now!"])
        self.assertTrue(caller.ended)

    def test_logout_stays(self) -> None:
        """Wish 002: logging out keeps the user connected to the server."""
        ann = self.person("ann", "lobby")
        ann.types("/logout")
        self.assertEqual(ann.sees(), ["Logging out. Bye for now!"])
        self.assertFalse(ann.ended)
        self.assertEqual(self.online(), [])
        ann.types("new bob", PASSWORD)
        self.assertEqual(self.online(), ["bob"])
        self.assertEqual(ann.sees()[-1], NOWHERE)

    def test_a_netcat_that_does_not_end_is_reset(self) -> None:
        """Debian's netcat waits for its keyboard; a reset after the end of our side lets it go."""
        caller = self.guest()
        caller.types("quit")
        self.server.advance(LINGER - 0.01)
        self.assertFalse(caller.wire.disconnecting)
        self.server.advance(0.01)
        self.assertTrue(caller.wire.disconnected)

    def test_who_has_ended_before_is_waited_for_less_long(self) -> None:
        caller = self.guest()
        caller.finishes()
        self.assertTrue(caller.wire.shut)
        self.server.advance(LAST_LOOK)
        self.assertTrue(caller.wire.disconnecting)

    def test_what_comes_after_the_end_is_not_read(self) -> None:
        caller = self.guest()
        caller.types("quit", f"new ann {PASSWORD}")
        self.assertEqual(caller.sees(), ["Bye for now!"])
        self.assertEqual(self.online(), [])

    def test_the_server_stops(self) -> None:
        person, program, guest = self.person("ann"), self.program("bob"), self.guest()
        self.quiet(person, program, guest)
        self.run_until_done(self.server.chat.stop("Server is shutting down."))
        self.assertEqual(person.sees(), ["* Server is shutting down."])
        self.assertEqual(program.frame(), {"type": "closing", "reason": "Server is shutting down."})
        self.assertEqual(guest.sees(), ["* Server is shutting down."])
        self.assertTrue(person.ended and program.ended and guest.ended)


class StoppingInTheMiddleOfAPaste(ServerCase):
    settings = {"rate": 5.0, "burst": 40}  # noqa: RUF012  # read only

    def test_every_line_was_said_or_is_refused_in_words(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        self.server.store.hold()
        ann.types(*[f"line {number}" for number in range(150)])
        stopping = Deferred.fromCoroutine(self.server.chat.stop("Server is shutting down."))
        self.server.store.release()
        self.successResultOf(stopping)
        said = [line for line in bob.sees() if line.startswith("ann: ")]
        refused = [line for line in ann.sees() if line.startswith("! ")]
        self.assertGreater(len(said), 30)
        self.assertEqual(len(said) + len(refused), 150)

    def test_a_disk_that_does_not_answer_is_not_waited_for(self) -> None:
        ann = self.person("ann", "lobby")
        self.server.store.hold()
        ann.types("hello")
        stopping = Deferred.fromCoroutine(self.server.chat.stop("Server is shutting down."))
        self.assertNoResult(stopping)
        self.server.advance(SETTLING)
        self.assertIn("* Server is shutting down.", ann.sees())
        self.server.store.release()
        self.successResultOf(stopping)


class LoginTimeOut(ServerCase):
    settings = {"login_timeout": 60}  # noqa: RUF012

    def test_who_does_not_log_in_is_told_and_dropped(self) -> None:
        caller = self.guest()
        self.server.advance(60)
        self.assertEqual(caller.sees(), ["* Nobody has logged in here for 60 seconds."])
        self.assertTrue(caller.ended)

    def test_who_is_logged_in_stays(self) -> None:
        ann = self.person("ann")
        self.server.advance(100_000)
        self.assertFalse(ann.ended)

    def test_it_begins_anew_with_logout(self) -> None:
        ann = self.person("ann")
        self.server.advance(1_000)
        ann.types("logout")
        self.server.advance(59)
        self.assertFalse(ann.ended)
        self.server.advance(1)
        self.assertTrue(ann.ended)

    def test_programs_are_told_in_a_frame(self) -> None:
        program = self.call("json")
        program.asks("ping")
        program.frames()
        self.server.advance(60)
        self.assertEqual(program.frame()["type"], "closing")

    def test_nobody_spoke_at_all(self) -> None:
        program = self.call("json")
        self.server.advance(60)
        self.assertTrue(program.ended)


class FewFiles(ServerCase):
    def test_no_more_come_in_than_the_process_has_files_for(self) -> None:
        """One network does not get them all: somebody from elsewhere finds a place, and so does who runs the server."""
        self.server.counter.places = 10
        for _ in range(9):
            self.assertFalse(self.call(address="192.0.2.1").ended)
        self.assertIn("Too many connections from your network", self.call(address="192.0.2.1").gets())
        self.assertFalse(self.call(address="192.0.2.2").ended)
        self.assertIn("The server is full", self.call(address="192.0.2.2").gets())


class LimitsOfConnections(ServerCase):
    settings = {"network_connections": 2, "max_connections": 4}  # noqa: RUF012

    def test_from_one_network(self) -> None:
        first, _second, third = (self.call() for _ in range(3))
        self.assertEqual(third.sees(), ["! Too many connections from your network. Close one, or try again later."])
        self.assertTrue(third.wire.disconnecting)
        third.sends(b"help\n")
        third.hangs_up()
        self.assertEqual(third.gets(), "")
        elsewhere = self.call(address="192.0.2.99")
        self.assertFalse(elsewhere.ended)
        first.hangs_up()
        self.assertFalse(self.call().ended)

    def test_in_all(self) -> None:
        for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"):
            self.assertFalse(self.call(address=address).ended)
        self.assertEqual(self.call(address="192.0.2.5").sees(), ["! The server is full. Try again later."])

    def test_nothing_is_left_when_all_have_gone(self) -> None:
        for caller in [self.call() for _ in range(3)]:
            caller.hangs_up()
        self.assertEqual((self.server.counter.total, len(self.server.counter.networks)), (0, 0))
        self.assertEqual(self.server.chat.node.sessions, {})

    def test_a_network_of_ipv6_is_a_64(self) -> None:
        def network(host: str) -> str:
            address = IPv6Address("TCP", host, 1) if ":" in host else IPv4Address("TCP", host, 1)
            return peer_of(StringTransport(peerAddress=address)).network

        self.assertEqual(network("2001:db8::1"), network("2001:db8::ffff:1"))
        self.assertNotEqual(network("2001:db8::1"), network("2001:db8:0:1::1"))
        self.assertEqual(network("::ffff:192.0.2.7"), network("192.0.2.7"))


class HangingUpInTheMiddle(ServerCase):
    """Wish 000: whoever is gone before the end of a login is nobody's partner."""

    def test_while_registering(self) -> None:
        """The account is made whole or not at all, and nobody is signed in."""
        caller = self.guest()
        self.server.hashing.held = True
        caller.types("new ann", PASSWORD)
        caller.hangs_up(orderly=False)
        self.server.hashing.release()
        self.server.settle()
        self.assertEqual((self.online(), self.server.chat.node.sessions), ([], {}))
        self.server.hashing.held = False
        again = self.guest()
        again.types("login ann", PASSWORD)
        self.assertIn(WELCOME, again.gets())

    def test_while_the_account_is_written(self) -> None:
        caller = self.guest()
        self.server.store.hold()
        caller.types("new ann", PASSWORD)
        caller.hangs_up(orderly=False)
        self.server.store.release()
        self.assertEqual((self.online(), self.server.chat.node.sessions), ([], {}))

    def test_while_logging_in(self) -> None:
        self.person("ann").hangs_up()
        caller = self.guest()
        self.server.hashing.held = True
        caller.types("login ann", PASSWORD)
        caller.hangs_up()
        self.server.hashing.release()
        self.assertEqual((self.online(), self.server.chat.node.sessions), ([], {}))

    def test_at_a_prompt(self) -> None:
        caller = self.guest()
        caller.types("new ann")
        caller.hangs_up()
        self.assertEqual((self.online(), len(self.server.chat.directory)), ([], 0))

    def test_what_was_typed_before_is_still_done(self) -> None:
        """The line was whole, so it is said; it is not told that it failed."""
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        self.server.store.hold()
        bob.types("last words")
        bob.hangs_up(orderly=False)
        self.server.store.release()
        self.assertEqual(ann.sees(), ["bob: last words"])

    def test_half_a_line_is_not_said(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        bob.sends(b"half a li")
        bob.hangs_up(orderly=False)
        self.assertEqual(ann.sees(), [])

    def test_a_lost_connection_is_told_late_and_once(self) -> None:
        """Wish 001: Ctrl-C is not broadcast; who stays away for 30 s has logged out."""
        ann, bob = self.person("ann"), self.person("bob")
        self.quiet(ann, bob)
        bob.hangs_up(orderly=False)
        self.server.advance(29)
        self.assertEqual(ann.sees(), [])
        self.server.advance(5)
        self.assertEqual(ann.sees(), ["* User bob has logged out."])


class SlowReaders(ServerCase):
    settings = {"unsent": 65_536}  # noqa: RUF012

    def test_dropped_at_the_bound_and_nothing_is_lost(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        bob.protocol.outbox.pauseProducing()
        for number in range(20):
            ann.types(f"{number} {'x' * 8_000}")
        self.assertTrue(bob.wire.disconnected)
        bob.hangs_up(orderly=False)
        self.server.advance(60)
        again = self.person("bob")
        again.types("catchup")
        self.assertEqual(again.gets().count(") ann: "), 20)
