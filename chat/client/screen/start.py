"""Starts the screen: Textual and Twisted on one event loop."""

from __future__ import annotations

import asyncio

from twisted.internet import asyncioreactor

from chat.client.calling import device_of, make_engine
from chat.client.dialing import Address
from chat.client.engine import Engine
from chat.client.files import Files
from chat.client.observing import Observer
from chat.client.plain import GOODBYE
from chat.client.screen.app import ChatApp


def start(files: Files, address: Address | None, user: str) -> int:
    """Show the screen until the person leaves.

    :returns: the exit status.
    """
    unsent = asyncio.run(_run(files, address, user))
    if unsent:
        print(f"{unsent} {'line waits' if unsent == 1 else 'lines wait'} to be sent when you come back.")
    print(GOODBYE)
    return 0


async def _run(files: Files, address: Address | None, user: str) -> int:
    """:returns: how many lines were not sent."""
    asyncioreactor.install(asyncio.get_running_loop())
    from twisted.internet import reactor as installed

    reactor: object = installed
    assert isinstance(reactor, asyncioreactor.AsyncioSelectorReactor), "nobody installed another one before"
    reactor.startRunning(installSignalHandlers=False)

    def call(address: Address, observer: Observer) -> Engine:
        return make_engine(reactor, files, address, observer, device=device_of(files), keeping=True)

    app = ChatApp(files, call, address, user)
    try:
        await app.run_async()
    finally:
        reactor.fireSystemEvent("shutdown")
    return len(app.engine.state.unsent) if app.engine is not None else 0
