"""``twistd chatserver``: options, and the one place where a server is put together.

Everything that can keep the server from starting is done in `makeService`, before ``twistd`` becomes a daemon, while
there is a terminal to say so: settings are read, the database is made or upgraded, the ports are opened. Only then is
it worth starting threads, which would not survive the fork.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from twisted.application.service import Service
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError, ReactorNotRunning
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python import usage

from chat.auth.checkers import PasswordChecker, TokenChecker
from chat.auth.door import Door
from chat.auth.hashing import HashingPool
from chat.auth.lockout import Lockout
from chat.auth.realm import Realm
from chat.auth.registration import Registrar
from chat.auth.scram import Proofs
from chat.auth.verification import Verification
from chat.bus.local import LocalBus
from chat.commands.table import TABLE
from chat.config import given_settings, option_lines
from chat.core.perform import Performer
from chat.core.service import ChatService
from chat.errors import Misconfigured
from chat.frontends.certificate import Certificate, ensure_certificate
from chat.frontends.connection import FRONT_ENDS, Census, ChatFactory
from chat.frontends.control import ControlFactory, control_path, make_place
from chat.host import Host, tell_manager
from chat.settings import Settings
from chat.storage.sqlite import SqliteStore
from chat.storage.traffic import TrafficFile
from chat.storage.upgrade import Hold, hold, prepare

log = Logger()

BACKLOG = 1_024
"""Connections that may wait to be accepted; 50, Twisted's default, makes a crowd wait for its retries."""

HASHES_WAITING = 1_000
"""Passwords that may wait to be hashed before people are told to come back later."""

LAST_WORDS = 1.5
"""Seconds that connections have at the end to take what is still to be said."""


class Options(usage.Options):
    """The options of ``twistd chatserver``, made from the fields of `chat.settings.Settings`."""

    synopsis = "[options]"
    longdesc = "Every option may also stand in config.ini, in a section [chatserver], without the dashes."
    optParameters: ClassVar[list[list[str | None]]] = [
        ["config", "c", None, "read settings from this file [default: config.ini, if there is one]"],
        *([name, None, None, text] for name, text in option_lines() if name != "listen"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self["listen"] = []

    def opt_listen(self, endpoint: str) -> None:
        self["listen"].append(endpoint)

    opt_listen.__doc__ = dict(option_lines())["listen"]

    def parseOptions(self, options: Any = None) -> None:
        """One line and no screen of help when an option is wrong."""
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            raise SystemExit(f"chatserver: {error}. twistd chatserver --help shows all options.") from None

    def postOptions(self) -> None:
        """Forget the pid file of a server that is not there any more, whoever has its number now."""
        pidfile = self.parent["pidfile"] if self.parent is not None else ""
        if pidfile and os.path.exists(pidfile) and not _is_twistd(pidfile):
            os.unlink(pidfile)


def _is_twistd(pidfile: str) -> bool:
    """Whether the process that a pid file names is a twistd; True when that cannot be found out."""
    try:
        with open(pidfile) as file:
            process = int(file.read())
        with open(f"/proc/{process}/cmdline", "rb") as file:
            return process != os.getpid() and b"twistd" in file.read()
    except FileNotFoundError:
        return os.path.isdir("/proc/self") is False
    except ValueError:
        return False
    except OSError:
        return True


def makeService(options: Options) -> ChatServer:
    """Build a server whose ports are open and whose database is in order.

    :raises SystemExit: with one line for the operator when that cannot be.
    """
    from twisted.internet import reactor

    try:
        settings = given_settings(options, options["listen"])
        held = hold(settings.db)
        prepare(settings.db)
        if settings.certificate != "none":
            ensure_certificate(settings.certificate, settings.name)
        server = ChatServer(settings, held, reactor, lambda: given_settings(options, options["listen"]))
        server.listen()
    except Misconfigured as error:
        raise SystemExit(f"chatserver: {error}") from None
    print(server.announcement(_how_to_stop(options)), flush=True)
    return server


def _how_to_stop(options: Options) -> str:
    twistd = options.parent
    if twistd is None or twistd["nodaemon"]:
        return "Ctrl-C stops the server."
    return f"kill $(cat {os.path.abspath(twistd['pidfile'])}) stops the server; twistd.log says what it does."


class ReactorClock:
    """The reactor's `chat.interfaces.IClock`."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    seconds = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    def call_later(self, delay: float, call: Callable[[], object]) -> Any:
        return self._reactor.callLater(delay, call)

    def sleep(self, seconds: float) -> Deferred[None]:
        return deferLater(self._reactor, seconds)


class ReactorTurn:
    """The reactor's `chat.interfaces.ITurn`: one ``callLater(0)`` a turn for everybody."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._calls: list[Callable[[], object]] = []

    def soon(self, call: Callable[[], object]) -> None:
        if not self._calls:
            self._reactor.callLater(0, self._run)
        self._calls.append(call)

    def _run(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            try:
                call()
            except Exception:
                log.failure("something at the end of a turn failed")


class ChatServer(Service):
    """A running server: the service, its store, its thread pool and its listeners.

    :param held: keeps other servers away from the database.
    :param read_settings: reads the settings once more.
    """

    def __init__(self, settings: Settings, held: Hold, reactor: Any, read_settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._held = held
        self._reactor = reactor
        clock = ReactorClock(reactor)
        store = SqliteStore(settings.db, reactor.callFromThread)
        self.chat = ChatService(settings, store, LocalBus(), clock, TABLE)
        self._hashing = HashingPool(max(1, os.cpu_count() or 1), HASHES_WAITING, reactor.callFromThread)
        self.chat.door = _door(self.chat, self._hashing)
        self._host = Host(
            self.chat,
            read_settings,
            self._stop_reactor,
            lambda: {**store.queues(), "hashing": self._hashing.waiting},
        )
        self.chat.host = self._host
        performer = Performer(self.chat, TABLE)
        self._census = Census()
        turn = ReactorTurn(reactor)
        path = os.path.abspath(settings.certificate)
        certificate = Certificate(path, clock.monotonic) if settings.certificate != "none" else None
        self._factories = {
            kind: ChatFactory(kind, self.chat, performer, turn, self._census, certificate)
            for kind in ("auto", *FRONT_ENDS)
        }
        self._traffic = TrafficFile(settings.traffic_log) if settings.traffic_log != "none" else None
        if self._traffic is not None:
            self.chat.house.traffic.add_sink(self._traffic.write)
        self._ports: list[tuple[str, IListeningPort]] = []
        self._control = ControlFactory(self.chat, performer)
        self._control_port: IListeningPort | None = None

    # before the start

    def listen(self) -> None:
        """Open every port.

        :raises Misconfigured: when one cannot be opened; those opened before are closed again.
        """
        try:
            for words in self._settings.listen:
                self._open(words)
            if self._settings.control != "none":
                self._control_port = self._open_control(control_path(self._settings.control))
        except Misconfigured:
            for _, port in self._ports:
                port.stopListening()
            raise

    def _open(self, words: str) -> None:
        kind, separator, endpoint = words.partition("=")
        if not separator or ":" in kind:
            kind, endpoint = "auto", words
        if kind not in self._factories:
            raise Misconfigured(f"listen {words}: there is no kind {kind}. Use one of: {', '.join(self._factories)}")
        problem: Exception | None = None
        for each in _spellings(endpoint):
            try:
                listening = serverFromString(self._reactor, each).listen(self._factories[kind])
            except Exception as error:  # an endpoint's parser raises whatever it likes
                raise Misconfigured(f"listen {words}: {error}. Write an endpoint such as tcp:7777") from None
            outcome: list[Any] = []
            listening.addBoth(outcome.append)
            if outcome and IListeningPort.providedBy(outcome[0]):
                self._ports.append((kind, outcome[0]))
                return
            problem = outcome[0].value if outcome else None
            if not (isinstance(problem, CannotListenError) and _no_such_family(problem)):
                break
        raise Misconfigured(_cannot_listen(words, problem))

    def _open_control(self, place: str) -> IListeningPort:
        make_place(place)
        before = os.umask(0o177)
        try:
            port: IListeningPort = self._reactor.listenUNIX(place, self._control, mode=0o600)
        except CannotListenError as error:
            raise Misconfigured(f"control: {place}: {error.socketError}. Choose another --control, or none.") from None
        finally:
            os.umask(before)
        return port

    def announcement(self, how_to_stop: str) -> str:
        """Where the server listens and how to reach it, for the terminal that starts it."""
        settings = self._settings
        lines = [f"{settings.name}: listening."]
        for kind, port in self._ports:
            lines += self._ways_in(kind, port.getHost())
        lines.append(f"Accounts and messages are kept in {os.path.abspath(settings.db)}.")
        if settings.control != "none":
            lines.append(f"chatctl speaks to it at {control_path(settings.control)}.")
        if settings.plain_login == "always":
            lines.append("Passwords are accepted unencrypted from everywhere (plain-login = always).")
        lines.append(how_to_stop)
        return "\n".join(lines)

    def _ways_in(self, kind: str, address: Any) -> list[str]:
        """What people type to come in by a listener."""
        number = getattr(address, "port", None)
        if number is None:
            return [f"  {address}"]
        everywhere = address.host in ("", "::", "0.0.0.0")
        host = "localhost" if everywhere else address.host
        ways = [f"  {'telnet' if kind == 'telnet' else 'nc'} {host} {number}"]
        if everywhere:
            ways.append(f"{ways[0].replace(host, os.uname().nodename)}    (from other machines)")
        if kind == "auto" and self._settings.certificate != "none":
            ways.append(f"  ncat --ssl {host} {number}    (encrypted)")
        return ways

    # Twisted's service

    def startService(self) -> None:
        super().startService()
        self._held.sign()
        self._hashing.start()
        starting = Deferred.fromCoroutine(self.chat.start())
        starting.addCallback(lambda _: tell_manager("READY=1"))
        starting.addErrback(lambda failure: log.failure("the server could not start", failure))
        self._reactor.addSystemEventTrigger("after", "startup", self._handle_signals)

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        tell_manager("STOPPING=1")
        await gatherResults([_as_deferred(port.stopListening()) for _, port in self._ports])
        for factory in self._factories.values():
            factory.close_unspoken()
        reason = self._host.reason
        told = f"Server is shutting down{f': {reason}' if reason else '.'}"
        await self.chat.stop(told, self._last_words)
        if self._control_port is not None:
            await _as_deferred(self._control_port.stopListening())
        await self._hashing.stop()
        if self._traffic is not None:
            self._traffic.close()
        self._held.release()

    async def _last_words(self) -> None:
        deadline = self.chat.clock.monotonic() + LAST_WORDS
        while self._census.total and self.chat.clock.monotonic() < deadline:
            await self.chat.clock.sleep(0.02)

    def _handle_signals(self) -> None:
        """End with status 0; Twisted's own handlers would make ``twistd`` end with the signal."""

        def stop(number: int, frame: object) -> None:
            self._reactor.callFromThread(self._stop_reactor)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)

    def _stop_reactor(self) -> None:
        with contextlib.suppress(ReactorNotRunning):
            self._reactor.stop()


def _door(chat: ChatService, hashing: HashingPool) -> Door:
    settings, directory, store, clock = chat.settings, chat.directory, chat.store, chat.clock
    cost = settings.bcrypt_cost
    verification = Verification(store, hashing, Lockout(settings.block_time), clock, cost)
    registrar = Registrar(directory, store, hashing, verification, clock, cost, TABLE)
    realm = Realm(chat.people)
    checkers = [PasswordChecker(directory, verification), TokenChecker(directory, store, clock)]
    proofs = Proofs(directory, verification, clock)
    return Door(chat.house, Portal(realm, checkers), realm, registrar, proofs)


def _spellings(endpoint: str) -> Iterable[str]:
    """An endpoint as Twisted wants it; plain ``tcp:PORT`` is all addresses, IPv6 as well where there is IPv6."""
    kind, *rest = endpoint.split(":")
    backlog = "" if any(each.startswith("backlog=") for each in rest) else f":backlog={BACKLOG}"
    if kind == "tcp" and len(rest) == 1:
        yield f"tcp6:{rest[0]}:interface=\\:\\:{backlog}"
    yield endpoint + (backlog if kind in ("tcp", "tcp6", "ssl") else "")


def _no_such_family(problem: CannotListenError) -> bool:
    """Whether a machine has no IPv6."""
    errno_ = getattr(problem.socketError, "errno", None)
    return errno_ in (97, 99, 47, 49)  # EAFNOSUPPORT and EADDRNOTAVAIL of Linux, of the BSDs


def _cannot_listen(words: str, problem: Exception | None) -> str:
    error = getattr(problem, "socketError", problem)
    why = getattr(error, "strerror", None) or str(error)
    if isinstance(error, PermissionError):
        return f"listen {words}: {why}. Take a port above 1023: --listen tcp:7777"
    if getattr(error, "errno", None) in (98, 48):
        return f"listen {words}: the port is taken. Stop what listens there, or take another one: --listen tcp:7778"
    return f"listen {words}: {why}. Write an endpoint such as tcp:7777"


def _as_deferred(result: Any) -> Deferred[Any]:
    if isinstance(result, Deferred):
        return result
    done: Deferred[Any] = Deferred()
    done.callback(result)
    return done
