"""Assembles a client from a server address and the person's files."""

from __future__ import annotations

import os
import random
import re
import shutil
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure

from chat.client.model.failures import ClientFailure, Disconnected
from chat.client.model.state import State
from chat.client.session.draft_store import DiskDraftStore
from chat.client.session.encryption_api import NullEncryption
from chat.client.session.endpoint import ServerAddress, dial
from chat.client.session.engine import Engine
from chat.client.session.login import LEAST_COST, Login
from chat.client.session.observer import Observer
from chat.client.session.peer_api import NullPeers
from chat.client.session.profiles import Files
from chat.client.session.protocol import ChatClient
from chat.client.session.sync import SyncMode
from chat.client.session.tls import Handshake
from chat.client.session.tofu import SameDatabase, pinned
from chat.protocol.events import Event

HANDSHAKE_TIMEOUT = 60.0
"""Seconds in which a server must finish the TLS handshake after it has accepted a connection."""

Tell = Callable[[Event], object]
Lost = Callable[[ClientFailure], object]


def call(reactor: Any, files: Files, address: ServerAddress, tell: Tell, lost: Lost) -> Deferred[ChatClient]:
    """Connect, and check that the server has the remembered key.

    Fires with a client that is ready, or fails with a `ClientFailure`.
    """
    handshake = Handshake(address.host)
    trust = pinned(files, address, handshake) if address.tls else None
    client = ChatClient(tell, trust=trust, lost=lost)
    dialed = dial(reactor, address, client, handshake)

    def when_ready(client: ChatClient) -> Deferred[ChatClient]:
        timer = reactor.callLater(HANDSHAKE_TIMEOUT, client.drop, f"{address} does not answer.")

        def done(outcome: Any) -> Any:
            if timer.active():
                timer.cancel()
            return outcome

        return client.ready.addBoth(done).addCallback(lambda _: client)

    def explain(failure: Failure) -> Failure:
        if failure.check(Disconnected) and handshake.refusal:
            return Failure(Disconnected(handshake.refusal))
        if failure.check(ClientFailure):
            return failure
        words = " ".join(str(failure.value).split()).rstrip(".")
        return Failure(Disconnected(f"Cannot connect to {address}: {words[:150]}."))

    return dialed.addCallback(when_ready).addErrback(explain)


def make_engine(
    reactor: Any,
    files: Files,
    address: ServerAddress,
    observer: Observer,
    *,
    device: str,
    mode: SyncMode = SyncMode.NEWEST,
    least_cost: int = LEAST_COST,
    keeping: bool = False,
    unattended: bool = False,
) -> Engine:
    """An engine for one server.

    :param device: the name of this client among the devices of the account.
    :param keeping: whether the input history and unsent lines are stored for the next start. Not for scripts: they see
        the failure, and may send again.
    :param unattended: see `make_key_files`.
    """
    drafts = make_drafts(reactor, files, address, device)
    state = State(drafts if keeping else None)
    seals = drafts.seals = make_encryption(files, address, state, observer, device, unattended)
    engine = Engine(
        state,
        observer,
        lambda tell, lost: call(reactor, files, address, tell, lost),
        reactor,
        lambda client: Login(client, deferToThread, least_cost=least_cost),
        device=device,
        keep_token=lambda account, token: files.keep_token(address, account, device, token),
        kept_token=lambda account: files.find(address).tokens.get(f"{account}@{device}", ""),
        look=SameDatabase(files, address, lambda words: observer.found(None, words, False)).look,
        jitter=random.random,
        mode=mode,
        seals=seals,
    )
    engine.direct = make_peers(reactor, files, address, engine, observer, seals)
    return engine


def make_drafts(
    reactor: Any, files: Files, address: ServerAddress, device: str, now: Callable[[], float] = time.time
) -> DiskDraftStore:
    """Make the store of unsent lines and the input history; it is written at the latest when the reactor stops.

    :param now: returns seconds since the epoch.
    """
    drafts = DiskDraftStore(files, address, device, reactor, now)
    reactor.addSystemEventTrigger("during", "shutdown", drafts.flush)
    return drafts


def make_encryption(
    files: Files, address: ServerAddress, state: State, observer: Observer, device: str, unattended: bool
) -> NullEncryption:
    """Make the end-to-end encryption; without the library for it, a client without keys."""
    try:
        from chat.client.e2e.commands import TABLE
        from chat.client.e2e.encryption import Encryption
    except ImportError:
        return NullEncryption()
    key_files = make_key_files(files, address, unattended)
    return Encryption(state, observer, key_files, device, time.time, deferToThread, TABLE)


def make_key_files(files: Files, address: ServerAddress, unattended: bool = False) -> Any:
    """Make the `chat.client.e2e.key_files.KeyFiles` for a server.

    :param unattended: whether unlocked keys stay unlocked on disk, and not only until the person logs out of the
        machine.
    :raises ImportError: when the library for keys is not installed.
    """
    from chat.client.e2e.key_files import KeyFiles

    if not files.settings().unattended:
        shutil.rmtree(files.unlocked, ignore_errors=True)  # the setting may have been on before
    runtime = files.unlocked if unattended else runtime_folder()
    return KeyFiles(files.keys(address), runtime)


def runtime_folder(users: Path = Path("/run/user")) -> Path | None:
    """The client's folder that the system empties when the person logs out of the machine, or nothing.

    :param users: the parent of each user's folder, for cron, where no environment variable names it (pam_systemd(8)).
    """
    if named := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(named) / "chat"
    usual = users / str(os.getuid())
    with suppress(OSError):
        found = usual.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
            return usual / "chat"
    return None


def make_peers(
    reactor: Any, files: Files, address: ServerAddress, engine: Engine, observer: Observer, seals: NullEncryption
) -> NullPeers:
    """Make the peer-to-peer links; without the library for keys, a client without them."""
    try:
        from chat.client.e2e.encryption import Encryption
        from chat.client.p2p.commands import PeerCommands, PeerSettings
        from chat.client.p2p.key_adapter import KeyAdapter
    except ImportError:
        return NullPeers()
    settings = files.settings()
    return PeerCommands(
        reactor,
        engine.state,
        observer,
        lambda: KeyAdapter.of(seals) if isinstance(seals, Encryption) else None,
        engine.ask,
        PeerSettings(settings.direct_port, settings.downloads, address.on_this_machine),
        deferToThread,
    )


def device_of(files: Files, use: str = "") -> str:
    """The device name of this machine; each use has its own device, so that it does not end another's session.

    :param use: ``plain``, ``send``, ``tail``, or empty for the full screen.
    """
    name = files.settings().device or re.sub(r"[^A-Za-z0-9_.-]", "", os.uname().nodename.partition(".")[0]) or "console"
    return f"{name[: 31 - len(use)]}-{use}" if use else name[:32]
