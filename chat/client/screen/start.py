"""Starts the screen: Textual and Twisted on one event loop; and leaves the terminal as it was, however it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import termios
from typing import Any, cast

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.keys import Keys
from twisted.internet import asyncioreactor
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)

from chat.client.cli.factory import device_of, make_engine
from chat.client.cli.plain import GOODBYE
from chat.client.screen.app import ChatApp
from chat.client.session.endpoint import ServerAddress
from chat.client.session.engine import Engine
from chat.client.session.observer import Observer
from chat.client.session.profiles import Files

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""They end the program as Ctrl-C does."""


def start(files: Files, address: ServerAddress | None, user: str) -> int:
    """Show the screen until the person leaves, or somebody ends the program.

    :returns: the exit status: 0, unless it ends by a failure of its own.
    """
    _log(files)
    app = asyncio.run(_run(files, address, user))
    if unsent := len(app.engine.state.unsent) if app.engine is not None else 0:
        print(f"{unsent} unsent {'line is' if unsent == 1 else 'lines are'} sent when you start chat again.")
    print(GOODBYE)
    return app.return_code or 0


def tell_alt_enter_apart() -> None:
    """Let Alt-Enter make a new line in all terminals.

    Most of them send an escape before the Enter, in which Textual 8 sees a mere Enter: what is half written would be
    said. It has no public way to say otherwise.
    """
    cast(dict[str, tuple[Keys, ...]], ANSI_SEQUENCES_KEYS)["\x1b\r"] = (Keys.ControlJ,)


def _log(files: Files) -> None:
    """What goes wrong unseen is for a file: on the terminal it would be written across the screen."""
    enough = LogLevelFilterPredicate(defaultLogLevel=LogLevel.warn)
    observer = FilteringLogObserver(textFileLogObserver(files.open_log()), [enough])
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


def _terminal_is_gone() -> bool:
    """Whether its window was closed."""
    try:
        termios.tcgetattr(0)
    except termios.error:
        return True
    return False


async def _run(files: Files, address: ServerAddress | None, user: str) -> ChatApp:
    loop = asyncio.get_running_loop()
    asyncioreactor.install(loop)
    from twisted.internet import reactor as installed

    reactor: Any = installed
    reactor.startRunning(installSignalHandlers=False)

    def call(address: ServerAddress, observer: Observer) -> Engine:
        return make_engine(reactor, files, address, observer, device=device_of(files), keeping=True)

    tell_alt_enter_apart()
    app = ChatApp(files, call, address, user)

    def end(number: int, frame: object) -> None:
        if not _terminal_is_gone():
            loop.call_soon_threadsafe(app.call_later, app.action_leave)
            return
        # A hang-up comes with a SIGCONT, at which Textual would wait for a terminal to take what it paints.
        signal.signal(signal.SIGCONT, signal.SIG_IGN)
        loop.call_soon_threadsafe(die)

    def die() -> None:
        """Leave without a terminal: nothing of it can be put back, and nothing may wait for it."""
        reactor.fireSystemEvent("shutdown")
        os._exit(128 + signal.SIGHUP)

    for number in SIGNALS:
        signal.signal(number, end)
    try:
        await app.run_async()
    finally:
        reactor.fireSystemEvent("shutdown")
    return app
