"""``twistd chatserver``: options, and the one place where a server is put together.

Everything that can keep the server from starting is done in `makeService`, before ``twistd`` becomes a daemon, while
there is a terminal to say so: settings are read, the database is made or upgraded, the ports are opened. Only then is
it worth starting threads, which would not survive the fork.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, ClassVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.error import CannotListenError, ReactorNotRunning
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.python import usage
from twisted.python.failure import Failure

from chat.protocol.errors import Misconfigured
from chat.server.auth.authenticator import new_authenticator
from chat.server.auth.hashing import HashingPool
from chat.server.auth.known_sources import KnownSources
from chat.server.auth.lockout import Lockout
from chat.server.auth.password_verification import PasswordVerification
from chat.server.bus.local import LocalBus
from chat.server.commands.table import TABLE
from chat.server.core.dispatcher import Dispatcher
from chat.server.core.service import ChatService
from chat.server.frontends.certificate import Certificate, ensure_certificate
from chat.server.frontends.connection import FRONT_ENDS, ChatFactory
from chat.server.frontends.connection_counter import ConnectionCounter
from chat.server.frontends.control import ControlFactory, control_path, make_place
from chat.server.frontends.listeners import open_port, ways_in
from chat.server.logs import Logger, write_from
from chat.server.metrics.collector import MetricsCollector
from chat.server.process.lifecycle import Lifecycle, has_terminal, tell_manager
from chat.server.process.reactor import (
    ReactorTurn,
    allow_files,
    collect_rarely,
    freeze_heap,
    leave_no_dumps,
    load_tables,
    poll,
    print_anything,
    run_on_monotonic_time,
)
from chat.server.process.twistd import LOG, Launch, Twistd
from chat.server.settings.loading import given_settings, option_lines, placed
from chat.server.settings.schema import Settings
from chat.server.storage.lock_file import DatabaseLock, hold
from chat.server.storage.migrations import prepare
from chat.server.storage.private_files import remove
from chat.server.storage.sqlite import SqliteStore
from chat.server.storage.traffic_file import TrafficFile

log = Logger()

HASHES_WAITING = 1_000
"""Passwords that may wait to be hashed before people are told to come back later."""

TRAFFIC_LATER = 0.1
"""Seconds in which lines of the traffic log gather: each piece takes a thread, which takes longer than to write it."""

LAST_WORDS = 1.5
"""Seconds that connections have at the end to take what is still to be said."""


class Options(usage.Options):
    """The options of ``twistd chatserver``, made from the fields of `chat.server.settings.schema.Settings`."""

    synopsis = "[options]"
    longdesc = "Every option can also be set in config.ini, in the section [chatserver], without the dashes."
    optParameters: ClassVar[list[list[str | None]]] = [
        ["config", "c", None, "read settings from this file [default: config.ini, if it exists]"],
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
            raise SystemExit(f"chatserver: {self._explain(str(error))}") from None

    def _explain(self, problem: str) -> str:
        unknown = re.fullmatch(r"option -(-?)(\S+) not recognized", problem)
        if unknown is not None and self.parent is not None:
            long, name = unknown.groups()
            known = [each.rstrip("=") for each in self.parent.longOpt] if long else self.parent.shortOpt
            if name in known:
                return f"-{long}{name} is an option of twistd. Type: twistd -{long}{name} chatserver"
        return f"{problem}. twistd chatserver --help lists the options."

    def parseArgs(self, *words: str) -> None:
        """Take no words beside options."""
        if words:
            raise usage.UsageError(f"{words[0]} is not an option")

    def postOptions(self) -> None:
        """Look at what ``twistd`` is about to use, before it does."""
        if self.parent is not None:
            try:
                Twistd(self.parent).check()
                LOG.stand_before(self.parent)
            except Misconfigured as error:
                raise SystemExit(f"chatserver: {error}") from None


def makeService(options: Options) -> ChatServer:
    """Build a server whose ports are open and whose database is in order.

    :raises SystemExit: with one line for the operator when that cannot be; nothing is left behind then.
    """
    from twisted.internet import reactor

    leave_no_dumps()
    print_anything()
    run_on_monotonic_time(reactor)
    turn = ReactorTurn(reactor)
    poll(reactor, turn)
    load_tables()
    collect_rarely()
    assert options.parent is not None

    folder = os.getcwd()

    def read_again() -> Settings:
        return placed(given_settings(options, options["listen"], folder), folder)

    twistd = Twistd(options.parent)
    try:
        with ExitStack() as undo:
            settings = given_settings(options, options["listen"])
            write_from(settings.log_level)
            held = twistd.as_user(lambda: hold(settings.db))
            undo.callback(held.withdraw)
            for path in (settings.certificate, settings.traffic_log):
                if path != "none" and not os.path.exists(path):
                    undo.callback(remove, path)
            if settings.certificate != "none":
                twistd.as_user(lambda: ensure_certificate(settings.certificate, settings.name))
            launch = Launch(options.parent)
            server = twistd.as_user(
                lambda: ChatServer(placed(settings, folder), held, reactor, turn, read_again, launch)
            )
            undo.callback(server.close)
            server.listen()
            twistd.as_user(server.listen_for_control)
            # Last, so that nobody has to take back a database.
            twistd.as_user(lambda: prepare(settings.db))
            undo.pop_all()
    except Misconfigured as error:
        raise SystemExit(f"chatserver: {error}") from None
    print(server.announcement(twistd.how_to_stop(held.path)), flush=True)
    return server


class ReactorClock:
    """The reactor's `chat.server.interfaces.IClock`."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    seconds = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    def call_later(self, delay: float, call: Callable[[], object]) -> Any:
        return self._reactor.callLater(delay, call)

    def sleep(self, seconds: float) -> Deferred[None]:
        return deferLater(self._reactor, seconds)


class ChatServer(Service):
    """A running server: the service, its store, its thread pool and its listeners.

    :param held: keeps other servers away from the database.
    :param read_settings: reads the settings once more.
    :param launch: who waits to hear whether the server runs.
    """

    def __init__(
        self,
        settings: Settings,
        held: DatabaseLock,
        reactor: Any,
        turn: ReactorTurn,
        read_settings: Callable[[], Settings],
        launch: Launch,
    ) -> None:
        self._settings = settings
        self._launch = launch
        self._held = held
        self._reactor = reactor
        clock = ReactorClock(reactor)
        store = SqliteStore(settings.db, reactor.callFromThread, reactor.callLater, turn.soon)
        self.chat = ChatService(settings, store, LocalBus(), clock, TABLE)
        self._hashing = HashingPool(max(1, os.cpu_count() or 1), HASHES_WAITING, reactor.callFromThread)
        known = KnownSources(store, clock)
        self._verification = PasswordVerification(
            store, self._hashing, Lockout(settings.block_time), known, clock, settings.bcrypt_cost
        )
        self.chat.authenticator = new_authenticator(self.chat, self._verification, known, TABLE)
        self._host = Lifecycle(
            self.chat,
            read_settings,
            self._stop_reactor,
            lambda: {**store.queues(), "hashing": self._hashing.waiting},
        )
        self.chat.host = self._host
        dispatcher = Dispatcher(self.chat)
        self._connections = ConnectionCounter(allow_files())
        path = os.path.abspath(settings.certificate)
        certificate = Certificate(path, clock.monotonic, self._in_thread) if settings.certificate != "none" else None
        self._factories = {
            kind: ChatFactory(kind, self.chat, dispatcher, turn, self._connections, certificate)
            for kind in ("auto", *FRONT_ENDS)
        }
        self._traffic: TrafficFile | None = None
        if settings.traffic_log != "none":
            self._traffic = TrafficFile(
                settings.traffic_log, soon=partial(clock.call_later, TRAFFIC_LATER), in_thread=self._in_thread
            )
            self.chat.node.traffic_log.add_sink(self._traffic.write)
        self._ports: list[tuple[str, IListeningPort]] = []
        self._metrics = MetricsCollector(self.chat, dispatcher, store.commits)
        self._control = ControlFactory(self.chat, dispatcher)
        self._control_port: IListeningPort | None = None

    def _in_thread(self, work: Callable[[], Any]) -> Deferred[Any]:
        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), work)

    # before the start

    def listen(self) -> None:
        """Open every port.

        :raises Misconfigured: when one cannot be opened.
        """
        for words in self._settings.listen:
            self._ports.append(open_port(self._reactor, words, self._factories))
        self._metrics.listen(self._reactor, self._settings.metrics_port)

    def listen_for_control(self) -> None:
        """Open the socket of ``chatctl``, if there is to be one.

        :raises Misconfigured: when it cannot be opened.
        """
        if self._settings.control == "none":
            return
        place = control_path(self._settings.control)
        make_place(place)
        self._control.prepare()
        before = os.umask(0o177)
        try:
            self._control_port = self._reactor.listenUNIX(place, self._control, mode=0o600)
        except CannotListenError as error:
            why = getattr(error.socketError, "strerror", None) or error.socketError
            raise Misconfigured(f"control: {place}: {why}. Choose another --control, or none.") from None
        finally:
            os.umask(before)

    def close(self) -> None:
        """Take back what was opened, while the reactor does not run yet."""
        for _, port in self._ports:
            port.stopListening()
        self._metrics.close()
        if self._control_port is not None:
            self._control_port.stopListening()
            os.unlink(control_path(self._settings.control))

    def announcement(self, how_to_stop: str) -> str:
        """Where the server listens and how to reach it, for the terminal that starts it."""
        settings = self._settings
        lines = [f"{settings.name}: listening."]
        for kind, port in self._ports:
            lines += ways_in(kind, port, tls=settings.certificate != "none")
        lines.append(f"Accounts and messages are stored in {os.path.abspath(settings.db)}.")
        if settings.metrics_port:
            lines.append(f"Metrics for Prometheus: http://127.0.0.1:{settings.metrics_port}/metrics.")
        if settings.control != "none":
            lines.append(f"The chatctl socket is {control_path(settings.control)}.")
        if settings.plain_login == "always":
            lines.append("Passwords are accepted unencrypted from everywhere (plain-login = always).")
        lines.append(how_to_stop)
        return "\n".join(lines)

    # Twisted's service

    def startService(self) -> None:
        super().startService()
        self._held.sign()
        self._hashing.start()
        self._launch.begin()
        self._reactor.addSystemEventTrigger("after", "startup", self._handle_signals)
        Deferred.fromCoroutine(self._start()).addCallbacks(self._started, self._not_started)

    async def _start(self) -> None:
        await self.chat.start()
        await self._verification.load_secret()

    def _started(self, _: None) -> None:
        freeze_heap()
        self._metrics.start()
        tell_manager("READY=1")
        self._launch.succeeded()

    def _not_started(self, failure: Failure) -> None:
        """End at once: open ports without a service behind them are a trap."""
        reason = failure.getErrorMessage() or "no reason is known"
        if failure.check(Misconfigured):
            log.critical("the server could not start: {reason}", reason=reason)
        else:
            log.failure("the server could not start", failure)
            reason = f"the server could not start ({reason}). See its log."
        self._host.reason = "It could not start."
        self._launch.failed(reason)
        self._reactor.callWhenRunning(self._stop_reactor)

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        tell_manager("STOPPING=1")
        await gatherResults([_as_deferred(port.stopListening()) for _, port in self._ports])
        for factory in self._factories.values():
            factory.close_unspoken()
        await self.chat.stop(f"Server is shutting down. {self._host.reason}", self._last_words)
        await _as_deferred(self._metrics.close())
        if self._control_port is not None:
            await _as_deferred(self._control_port.stopListening())
        await self._hashing.stop()
        if self._traffic is not None:
            self._traffic.close()
        self._held.release()

    async def _last_words(self) -> None:
        deadline = self.chat.clock.monotonic() + LAST_WORDS
        while self._connections.total and self.chat.clock.monotonic() < deadline:
            await self.chat.clock.sleep(0.02)

    def _handle_signals(self) -> None:
        """End with status 0; Twisted's own handlers would make ``twistd`` end with the signal.

        SIGHUP says that the terminal is gone, which is an end as well; where there is none, somebody has sent it.
        """

        def stop(number: int, frame: object) -> None:
            self._reactor.callFromThread(self._stop_reactor)

        def hung_up(number: int, frame: object) -> None:
            self._reactor.callFromThread(self._host.hung_up)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as ``nohup`` leaves it
            signal.signal(signal.SIGHUP, stop if has_terminal() else hung_up)

    def _stop_reactor(self) -> None:
        with contextlib.suppress(ReactorNotRunning):
            self._reactor.stop()


def _as_deferred(result: Any) -> Deferred[Any]:
    if isinstance(result, Deferred):
        return result
    done: Deferred[Any] = Deferred()
    done.callback(result)
    return done
