"""A whole server without sockets, threads or time: bytes go in, bytes come out, the test turns the clock."""

from __future__ import annotations

import json
import re
from typing import Any, cast

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from chat.server.auth.authenticator import new_authenticator
from chat.server.auth.known_sources import KnownSources
from chat.server.auth.lockout import Lockout
from chat.server.auth.password_verification import PasswordVerification
from chat.server.bus.local import LocalBus
from chat.server.commands.table import TABLE
from chat.server.core.dispatcher import Dispatcher
from chat.server.core.service import ChatService
from chat.server.frontends.connection import GREETING_DELAY, ChatFactory, Connection
from chat.server.frontends.connection_counter import ConnectionCounter
from chat.server.process.reactor import ReactorTurn
from chat.server.settings.schema import Settings
from chat.server.storage.memory import MemoryStore
from tests.server.auth.fakes import COST, FakeClock, FakeHashing

PASSWORD = "correct horse"
ASKED = "Password (your typing is visible): "
ASKED_AGAIN = "Password (your typing is visible; an empty line cancels): "
GREETING = """\
Welcome to chat (nobody online). You are not logged in.
  login NAME        log in (asks for the password)
  new NAME          make an account
  help              everything else
This connection is not encrypted.
"""
WELCOME = "Welcome to the chat system!"
NOWHERE = "* You are not in a room. Type list channels to see them all, then connect ROOM."

_TIME = re.compile(r"\((?:yesterday )?\d\d:\d\d\)")


class Wire(StringTransport):
    """A transport that notes what becomes of it.

    :ivar shut: whether our side has ended.
    """

    def __init__(self, address: str) -> None:
        super().__init__(IPv4Address("TCP", "192.0.2.1", 7777), IPv4Address("TCP", address, 50_000), lenient=True)
        self.shut = False

    def loseWriteConnection(self) -> None:
        self.shut = True


class Caller:
    """One connection, seen from its far end."""

    def __init__(self, server: Server, kind: str, address: str) -> None:
        self._server = server
        self.wire = Wire(address)
        protocol = server.factories[kind].buildProtocol(None)
        self.protocol: Connection = protocol
        protocol.makeConnection(self.wire)

    def sends(self, data: bytes) -> None:
        """Bytes arrive in one packet; no turn ends."""
        self.protocol.dataReceived(data)

    def types(self, *lines: str) -> None:
        """Lines arrive one by one, each in a turn of its own."""
        for line in lines:
            self.sends(line.encode() + b"\n")
            self._server.settle()

    def asks(self, cmd: str, id: int | str | None = None, retry: str | None = None, **args: object) -> None:
        """A program sends a request."""
        frame: dict[str, object] = {"cmd": cmd, "args": args}
        if id is not None:
            frame["id"] = id
        if retry is not None:
            frame["retry"] = retry
        self.types(json.dumps(frame))

    def gets(self) -> str:
        """What has come since the last look, times of day replaced by ``(TIME)``."""
        self._server.settle()
        text = self.wire.value().decode()
        self.wire.clear()
        return _TIME.sub("(TIME)", text)

    def raw(self) -> bytes:
        """The same as it came, which telnet commands need."""
        self._server.settle()
        received: bytes = self.wire.value()
        self.wire.clear()
        return received

    def sees(self) -> list[str]:
        """The same in lines."""
        return self.gets().splitlines()

    def frames(self) -> list[dict[str, Any]]:
        """The same as frames."""
        return [cast(dict[str, Any], json.loads(line)) for line in self.sees()]

    def frame(self) -> dict[str, Any]:
        """The one frame that has come."""
        (frame,) = self.frames()
        return frame

    def finishes(self) -> None:
        """The far end sends no more, but still reads."""
        self.protocol.readConnectionLost()
        self._server.settle()

    def hangs_up(self, orderly: bool = True) -> None:
        """The connection is gone."""
        self.protocol.connectionLost(Failure(ConnectionDone() if orderly else ConnectionLost()))
        self._server.settle()

    def hangs_up_within_the_turn(self) -> None:
        """The connection is reset before the turn ends in which its last bytes were read."""
        self.protocol.connectionLost(Failure(ConnectionLost()))

    @property
    def ended(self) -> bool:
        """Whether the server has ended the connection, or its side of it."""
        return self.wire.shut or self.wire.disconnecting


class SlowReads:
    """A method of the store whose results wait for `release`; each is what the store held when it was asked."""

    def __init__(self, store: MemoryStore, method: str) -> None:
        self._store = store
        self._method = method
        self._read = getattr(store, method)
        self._waiting: list[tuple[Deferred[Any], Deferred[Any]]] = []
        setattr(store, method, self._ask)

    def _ask(self, *arguments: Any) -> Deferred[Any]:
        waiting: Deferred[Any] = Deferred()
        self._waiting.append((waiting, self._read(*arguments)))
        return waiting

    def release(self) -> None:
        """Let all go, and slow nothing any more."""
        setattr(self._store, self._method, self._read)
        while self._waiting:
            self.release_one()

    def release_one(self) -> None:
        """Let the oldest go."""
        waiting, result = self._waiting.pop(0)
        result.chainDeferred(waiting)


class Server:
    """The real service over a store in memory."""

    def __init__(self, **settings: Any) -> None:
        generous: dict[str, Any] = {"bcrypt_cost": COST, "rate": 1e6, "burst": 1_000_000}
        self.settings = Settings(**generous | settings)
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.hashing = FakeHashing()
        self.chat = ChatService(self.settings, self.store, LocalBus(), self.clock, TABLE)
        known = KnownSources(self.store, self.clock)
        verification = PasswordVerification(self.store, self.hashing, Lockout(60), known, self.clock, COST)
        self.chat.authenticator = new_authenticator(self.chat, verification, known, TABLE, accounts_a_minute=1_000)
        self.turn = ReactorTurn(self.clock.clock)
        self.counter = ConnectionCounter()
        dispatcher = Dispatcher(self.chat)
        self.factories = {
            kind: ChatFactory(kind, self.chat, dispatcher, self.turn, self.counter)
            for kind in ("auto", "text", "telnet", "json")
        }

    def settle(self) -> None:
        """The turn of the reactor ends."""
        self.clock.advance(0)

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self.clock.advance(seconds)


class ServerCase(SynchronousTestCase):
    """A server that runs, and people who come to it."""

    settings: dict[str, Any] = {}  # noqa: RUF012  # read only

    def setUp(self) -> None:
        self.server = Server(**self.settings)
        self.run_until_done(self.server.chat.start())
        self.server.advance(60)
        self.addCleanup(lambda: self.run_until_done(self.server.chat.stop("The test is over.")))

    def run_until_done(self, work: Any) -> Any:
        """The result of a coroutine that needs no time."""
        return self.successResultOf(work)

    def call(self, kind: str = "auto", address: str = "192.0.2.7") -> Caller:
        """Somebody connects."""
        return Caller(self.server, kind, address)

    def guest(self, kind: str = "text") -> Caller:
        """Somebody who has seen the greeting."""
        caller = self.call(kind)
        self.server.advance(GREETING_DELAY)
        caller.wire.clear()
        return caller

    def person(self, name: str, room: str | None = None) -> Caller:
        """Somebody who is logged in, in a room or in none, and has read everything."""
        caller = self.call("text")
        known = self.server.chat.directory.account(name) is not None
        caller.types(f"{'login' if known else 'new'} {name}", PASSWORD)
        if room is not None:
            caller.types(f"connect {room}")
        self.quiet(caller)
        return caller

    def program(self, name: str, *, resume: bool = True) -> Caller:
        """A program that is logged in."""
        caller = self.call("json")
        known = self.server.chat.directory.account(name) is not None
        caller.asks("login" if known else "new", user=name, password=PASSWORD)
        if resume:
            caller.asks("resume")
        self.quiet(caller)
        return caller

    def quiet(self, *callers: Caller) -> None:
        """Let announcements that were collected be told, and forget them and everything before."""
        self.server.advance(5)
        for caller in callers:
            caller.wire.clear()

    def online(self) -> list[str]:
        """Who is signed in."""
        return sorted(user.name for user in self.server.chat.node.users.values())
