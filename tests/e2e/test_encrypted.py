"""TLS on the port of everybody, and telnet on one of its own, with the programs that people have."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path
from unittest import skipUnless

from tests.e2e.stage import PASSWORD, Actor, StageCase


class Encrypted(StageCase):
    def connect(self) -> ssl.SSLSocket:
        """Any certificate will do."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", self.stage.port), timeout=10)
        encrypted = context.wrap_socket(plain)
        self.addCleanup(encrypted.close)
        return encrypted

    def ping(self, connection: ssl.SSLSocket) -> None:
        connection.sendall(b'{"id": 1, "cmd": "ping"}\n')
        self.assertEqual(connection.recv(100), b'{"type":"pong","id":1}\n')

    def test_programs_on_the_port_of_people(self) -> None:
        """Inside TLS the first byte decides again."""
        self.ping(self.connect())

    def test_the_key_is_kept_and_nobody_else_may_read_it(self) -> None:
        before = self.connect().getpeercert(binary_form=True)
        self.assertEqual(os.stat(self.stage.path("chat.pem")).st_mode & 0o777, 0o600)
        self.stage.stop()
        self.stage.start()
        self.assertEqual(self.connect().getpeercert(binary_form=True), before)

    def test_renewal_without_a_restart(self) -> None:
        """Who is connected stays; who comes later gets the new certificate."""
        connection = self.connect()
        self.ping(connection)
        before = connection.getpeercert(binary_form=True)
        path = Path(self.stage.path("chat.pem"))
        os.rename(path, path.with_suffix(".old"))
        other = self.__class__("connect")
        other.setUp()
        self.addCleanup(other.doCleanups)
        shutil.copy(other.stage.path("chat.pem"), path)
        self.stage.wait(lambda: self.connect().getpeercert(binary_form=True) != before, "the old one is still served")
        self.ping(connection)

    def test_what_only_looks_like_tls_ends_alone(self) -> None:
        bob = self.person("bob")
        with socket.create_connection(("127.0.0.1", self.stage.port), timeout=10) as stranger:
            stranger.sendall(b"\x16\x03\x01\x00\x05hello" * 10)
            while stranger.recv(1_000):
                pass
        bob.does_not_see("Traceback")
        self.assertNotIn("Traceback", self.stage.log())

    def test_readers_that_do_not_read_are_dropped_and_hold_little(self) -> None:
        """Twenty of them, each with more answers on their way than `unsent` allows."""
        asks = b"".join(b'{"id":%d,"cmd":"commands"}\n' % number for number in range(300))
        readers = [self.connect() for _ in range(20)]
        before = most = self.memory()
        for _ in range(6):
            for each in readers:
                each.settimeout(0.2)
                with suppress(OSError):
                    each.sendall(asks)
            most = max(most, self.memory())
        self.stage.wait(lambda: self.stage.log().count("reads too slowly") == 20, "not all of them are dropped")
        self.assertLess(max(most, self.memory()) - before, 64 << 20)

    def memory(self) -> int:
        """Bytes that the server has in memory."""
        assert self.stage.server is not None
        status = Path(f"/proc/{self.stage.server.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def test_a_server_that_was_suspended_takes_nobody_for_another(self) -> None:
        """What waits in the kernel is older than the timers that are due."""
        assert self.stage.server is not None
        waiting = socket.create_connection(("127.0.0.1", self.stage.port), timeout=10)
        self.addCleanup(waiting.close)
        self.stage.server.send_signal(signal.SIGSTOP)
        waiting.sendall(b'{"id": 1, "cmd": "ping"}\n')
        time.sleep(1)  # longer than a silent peer is waited for
        self.stage.server.send_signal(signal.SIGCONT)
        self.assertEqual(waiting.recv(100), b'{"type":"pong","id":1}\n')

    @skipUnless(shutil.which("ncat"), "ncat is not installed")
    def test_ncat(self) -> None:
        bob = self.person("bob", "lobby")
        ann = Actor(self.stage, "ann", ["ncat", "--ssl", "127.0.0.1", str(self.stage.port)])
        ann.sees("Welcome to chat", "everything else\n")
        self.assertNotIn("not encrypted", ann.shown)
        ann.types("new ann", PASSWORD, "connect lobby", "hello from ncat")
        bob.sees("ann: hello from ncat")
        bob.types("hello back")
        ann.sees("bob: hello back")
        ann.types("quit")
        ann.sees("Bye for now!")

    @skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_openssl(self) -> None:
        address = f"127.0.0.1:{self.stage.port}"
        ann = Actor(self.stage, "ann", ["openssl", "s_client", "-quiet", "-connect", address])
        ann.types("new ann", PASSWORD)
        ann.sees("Welcome to the chat system!")


class PlainLoginOnlyEncrypted(StageCase):
    options = ("--rate=1000000", "--burst=1000000", "--plain-login=tls")

    @skipUnless(shutil.which("ncat"), "ncat is not installed")
    def test_a_password_in_the_clear_is_refused_with_the_way_out(self) -> None:
        bob = self.guest("bob")
        bob.types(f"new bob {PASSWORD}")
        bob.sees("! Passwords are not accepted on this unencrypted connection.", "ncat --ssl")
        ann = Actor(self.stage, "ann", ["ncat", "--ssl", "127.0.0.1", str(self.stage.port)])
        ann.types(f"new ann {PASSWORD}")
        ann.sees("Welcome to the chat system!")


@skipUnless(shutil.which("telnet"), "telnet is not installed")
class Telnet(StageCase):
    def test_a_conversation(self) -> None:
        self.stage.stop()
        self.stage.start("--listen=telnet=tcp:0:interface=127.0.0.1")
        port = self.stage.log().rpartition("telnet 127.0.0.1 ")[2].split()[0]
        bob = self.person("bob", "lobby")
        ann = Actor(self.stage, "ann", ["telnet", "127.0.0.1", port])
        ann.sees("Escape character", "You are not logged in.")
        ann.types("new ann")
        ann.sees("Password: ")
        ann.types(PASSWORD)
        ann.sees("Welcome to the chat system!")
        ann.types("connect lobby", "héllo")
        bob.sees("ann: héllo")
        bob.types("wörld")
        ann.sees("bob: wörld")
        ann.types("quit")
        ann.sees("Bye for now!")
        ann.sees_the_end()
