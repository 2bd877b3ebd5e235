"""Servers with one fault, to show that a battery notices it: ``python spoiled.py HOW TWISTD-OPTIONS``.

``asleep``: sleeps 0.9 s of every second.
``leaking``: keeps 2 MiB for each of the first packets that it is sent.
``refusing``: refuses every tenth command, whoever gives it.
``crashing``: fails inside, and says so in its log, at every tenth packet.
``guessable``: counts no wrong passwords, and hashes none where there is no such account.
``telling``: writes what it reads into its log.
``patient``: never closes a connection on which nobody logs in.
``forgetting``: accepts no token.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from twisted.scripts.twistd import run

from tests.e2e.stage import Stage

ASLEEP = 0.9
LEAK = 2 << 20
LEAKS = 200


class SpoiledStage(Stage):
    """A server with one fault.

    :param how: which.
    """

    def __init__(self, how: str, *options: str) -> None:
        super().__init__(*options)
        self._how = how

    def command(self, *options: str, daemon: bool = False, twistds: Sequence[str] = ()) -> list[str]:
        file = os.path.abspath(__file__)
        return [sys.executable, file, self._how, *super().command(*options, daemon=daemon, twistds=twistds)[1:]]


def spoil(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put something in the place of a method, made of it."""
    setattr(owner, name, make(getattr(owner, name)))


def asleep() -> None:
    from twisted.internet import reactor

    from chat.server.core.service import ChatService

    def sleep() -> None:
        time.sleep(ASLEEP)
        reactor.callLater(1 - ASLEEP, sleep)

    def starting(start: Any) -> Any:
        async def then_sleep(service: ChatService) -> None:
            await start(service)
            reactor.callLater(1, sleep)

        return then_sleep

    spoil(ChatService, "start", starting)


def leaking() -> None:
    kept: list[bytearray] = []

    def keep(data: bytes) -> None:
        if len(kept) < LEAKS:
            kept.append(bytearray(b"x") * LEAK)

    _with_each_packet(keep)


def refusing() -> None:
    from chat.protocol.errors import TooFast
    from chat.server.core.dispatcher import Dispatcher

    counter = itertools.count(1)

    def admitting(admit: Any) -> Any:
        def or_refuse(dispatcher: Dispatcher, *arguments: Any) -> Any:
            if next(counter) % 10 == 0:
                raise TooFast()
            return admit(dispatcher, *arguments)

        return or_refuse

    spoil(Dispatcher, "_admit", admitting)


def crashing() -> None:
    counter = itertools.count(1)

    def fail(data: bytes) -> None:
        if next(counter) % 10 == 0:
            raise RuntimeError("spoiled")

    _with_each_packet(fail)


def guessable() -> None:
    from chat.server.auth.lockout import Lockout
    from chat.server.auth.password_verification import PasswordVerification

    for name in ("check", "begin", "failed_from"):
        spoil(Lockout, name, lambda _: lambda *arguments, **named: None)

    def looking(look: Any) -> Any:
        async def unless_unknown(verification: PasswordVerification, name: str, account: Any, *more: Any) -> bool:
            return account is not None and await look(verification, name, account, *more)

        return unless_unknown

    spoil(PasswordVerification, "is_right", looking)


def telling() -> None:
    _with_each_packet(lambda data: print(data.decode(errors="replace"), flush=True))


def patient() -> None:
    from chat.server.frontends.connection import Connection

    spoil(Connection, "watch_login", lambda _: lambda connection: None)


def forgetting() -> None:
    from twisted.internet.defer import fail

    from chat.protocol.errors import BadCredentials
    from chat.server.auth.checkers import TokenChecker

    spoil(TokenChecker, "requestAvatarId", lambda _: lambda *arguments: fail(BadCredentials()))


def _with_each_packet(act: Callable[[bytes], object]) -> None:
    from chat.server.frontends.connection import Connection

    def receiving(receive: Any) -> Any:
        def act_first(connection: Connection, data: bytes) -> Any:
            act(data)
            return receive(connection, data)

        return act_first

    spoil(Connection, "dataReceived", receiving)


WAYS: dict[str, Callable[[], None]] = {
    each.__name__: each for each in (asleep, leaking, refusing, crashing, guessable, telling, patient, forgetting)
}

if __name__ == "__main__":
    WAYS[sys.argv.pop(1)]()
    run()
