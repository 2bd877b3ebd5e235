"""`chat.client.session.endpoint`: what people write for where a server is."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase, TestCase

from chat.client.cli.factory import call
from chat.client.model.failures import ClientFailure, NoEncryption
from chat.client.session.endpoint import PORT, ServerAddress
from chat.client.session.profiles import Files
from chat.client.session.protocol import ChatClient
from chat.protocol.wire.text import greeting
from chat.server.frontends.certificate import Certificate, ensure_certificate

reactor: Any = installed


class Busy(Protocol):
    """Somebody who takes no connection, and says why before anything was said."""

    transport: Any
    words = b"! Your network is banned from this server for another 60 minutes: noise\n"

    def connectionMade(self) -> None:
        self.transport.write(self.words)
        self.transport.loseConnection()


class Rude(Busy):
    words = b"220 mail.example ESMTP\n"


class Greeter(Protocol):
    """A server for which the client was too slow to speak: it is greeted, and understood all the same."""

    transport: Any
    certificate: Certificate
    tells = greeting("chat", 0, False, "localhost", 7777).encode()

    def connectionMade(self) -> None:
        for place in range(0, len(self.tells), 7):
            self.transport.write(self.tells[place : place + 7])

    def dataReceived(self, data: bytes) -> None:
        if not self.transport.TLS:
            self.transport.startTLS(self.certificate)
            self.transport.protocol.dataReceived(data)


class Chatterbox(Greeter):
    tells = Greeter.tells + b"and more\n" * 1_000


class BeforeTls(TestCase):
    timeout = 20

    async def calls(self, protocol: type[Greeter]) -> ChatClient:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = f"{folder.name}/chat.pem"
        ensure_certificate(path, "chat")
        protocol.certificate = Certificate(path, time.monotonic, lambda work: succeed(work()))
        files = Files(Path(folder.name), Path(folder.name))
        port = reactor.listenTCP(0, Factory.forProtocol(protocol), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        lost: Deferred[ClientFailure] = Deferred()
        address = ServerAddress("127.0.0.1", port.getHost().port)
        client = await call(reactor, files, address, lambda event: None, lost.callback)
        self.addCleanup(lambda: (client.transport.abortConnection(), lost)[1])
        return client

    async def test_a_greeting_is_left_out(self) -> None:
        client = await self.calls(Greeter)
        self.assertIsNotNone(client.fingerprint)

    async def test_anything_longer_is_no_server_of_ours(self) -> None:
        with self.assertRaises(NoEncryption):
            await self.calls(Chatterbox)


class Refusals(TestCase):
    timeout = 20

    async def calls(self, protocol: type[Protocol]) -> ClientFailure:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        files = Files(Path(folder.name), Path(folder.name))
        port = reactor.listenTCP(0, Factory.forProtocol(protocol), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        address = ServerAddress("127.0.0.1", port.getHost().port)
        with self.assertRaises(ClientFailure) as caught:
            await call(reactor, files, address, lambda event: None, lambda reason: None)
        error: ClientFailure = caught.exception
        return error

    async def test_are_told_although_they_are_said_before_the_connection_is_encrypted(self) -> None:
        """Nor is anybody led to go without: the server would refuse that, too."""
        error = await self.calls(Busy)
        self.assertEqual(str(error), "Your network is banned from this server for another 60 minutes: noise")
        self.assertNotIsInstance(error, NoEncryption)

    async def test_are_not_what_other_servers_say(self) -> None:
        self.assertIsInstance(await self.calls(Rude), NoEncryption)


class AnAddress(SynchronousTestCase):
    def test_is_a_host_with_or_without_a_port(self) -> None:
        for words, host, port, shown in (
            ("chat.example.org", "chat.example.org", PORT, "chat.example.org"),
            (" Chat.Example:6000 ", "chat.example", 6000, "chat.example:6000"),
            ("192.0.2.1:7777", "192.0.2.1", PORT, "192.0.2.1"),
            ("::1", "::1", PORT, "[::1]"),
            ("[2001:db8::1]:99", "2001:db8::1", 99, "[2001:db8::1]:99"),
            ("[::1]", "::1", PORT, "[::1]"),
        ):
            address = ServerAddress.parse(words)
            self.assertEqual((address.host, address.port, str(address)), (host, port, shown))
            self.assertEqual(ServerAddress.parse(str(address)), address)

    def test_that_is_none(self) -> None:
        for words in (
            "",
            ":7777",
            "a b",
            "host:0",
            "host:65536",
            "host:x",
            "[::1",
            "[host]:1",
            "http://host",
            "a@b",
            "host:१",
        ):
            self.assertRaises(ValueError, ServerAddress.parse, words)

    @given(st.text(max_size=30))
    def test_of_any_kind_is_read_or_refused_in_one_line(self, words: str) -> None:
        try:
            address = ServerAddress.parse(words)
        except ValueError as error:
            self.assertNotIn("\n", str(error))
        else:
            self.assertEqual(ServerAddress.parse(str(address)), address)
