"""The front end of the operator: JSON lines over a Unix socket, for ``chatctl``.

There is no password: the socket has mode 0600, and the kernel says who is at its other end. That has to be the user
that the server runs as, or root. What comes is a request for ``admin`` (`chat.server.commands.administration`); the
answer is one frame, and with ``watch`` events follow it.
"""

from __future__ import annotations

import os
import pwd
import socket
import stat
import struct
from collections.abc import Hashable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IPushProducer
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from chat.protocol.errors import BadFrame, Forbidden, Misconfigured
from chat.protocol.events import Closing, Event, Notice, Refused
from chat.protocol.grammar.context import Call
from chat.protocol.values import Peer
from chat.protocol.wire.jsonlines import Request, decode, encode
from chat.server.core.dispatcher import Dispatcher, attempt
from chat.server.core.service import ChatService
from chat.server.core.user import Session
from chat.server.interfaces import Features, IAudience
from chat.server.logs import Logger

log = Logger()

LONGEST = 107
"""Bytes that the path of a Unix socket may have (``unix(7)``)."""

FRAME_BYTES = 64 * 1024

_CREDENTIALS = struct.Struct("=3i")
"""Linux's ``struct ucred``: process, user, group (``unix(7)``, SO_PEERCRED)."""


def control_path(path: str) -> str:
    """Where the socket is; both ends come to the same place.

    :param path: the setting. Where it is too long for a socket, a short folder that follows from it stands in.
    """
    place = os.path.abspath(path)
    if len(os.fsencode(place)) <= LONGEST:
        return place
    return f"/tmp/chatserver-{sha256(os.fsencode(place)).hexdigest()[:16]}/control"


def make_place(place: str) -> None:
    """Make room for the socket: a folder of our own where it stands in for a long path, and no socket of before.

    Only one server has the database, so a socket that is there belongs to none.

    :raises Misconfigured: when something else is there, or somebody else's.
    """
    folder = os.path.dirname(place)
    try:
        if folder.startswith("/tmp/chatserver-"):
            with suppress(FileExistsError):
                os.mkdir(folder, 0o700)
            found = os.lstat(folder)
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
                raise Misconfigured(f"{folder} must belong to the server alone. Remove it, or use a shorter --control.")
        if os.path.lexists(place):
            if not stat.S_ISSOCK(os.lstat(place).st_mode):
                raise Misconfigured(
                    f"control: {place} exists and is not a socket. Move it, or choose another --control."
                )
            os.unlink(place)
    except OSError as error:
        raise Misconfigured(
            f"control: {place} cannot be created ({error.strerror}). Choose another --control, or none."
        ) from None


def credentials(transport: Any) -> tuple[int, int]:
    """The process and the user at the other end, as the kernel knows them."""
    found: socket.socket = transport.socket
    process, user, _group = _CREDENTIALS.unpack(
        found.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    )
    return process, user


@cache
def user_name(user: int) -> str:
    """What a user of the machine is called; the system may ask a directory on the network, which takes long."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


@implementer(IPushProducer)
class ControlProtocol(LineOnlyReceiver):
    """One ``chatctl``; it is the mind of its session as well."""

    delimiter = b"\n"
    MAX_LENGTH = FRAME_BYTES

    transport: Any
    features = Features()

    def __init__(self, service: ChatService, dispatcher: Dispatcher) -> None:
        self.peer = Peer("control socket", "", loopback=True)
        self._service = service
        self._dispatcher = dispatcher
        self._session: Session | None = None
        self._full = False
        self._left_out = 0
        self._stranger = ""

    def connectionMade(self) -> None:
        _process, user = credentials(self.transport)
        if user not in (0, os.geteuid()):
            self._stranger = f"user {user}"
            log.warn("refused {user} at the control socket", user=self._stranger)
            return
        node = self._service.node
        session = Session(node.next_session(), node.name, self, node.throttle.bucket(), self._dispatcher.perform)
        session.operator = f"the operator ({user_name(user)})"
        self._session = session
        self.transport.registerProducer(self, True)
        self._service.connected(session)

    def lineReceived(self, line: bytes) -> None:
        session = self._session
        if session is None:
            # Only now: what is closed with a line unread is reset, and the answer lost.
            text = f"This socket is for {user_name(os.geteuid())} and root; you are {self._stranger}."
            self.transport.write(encode(Refused(Forbidden.code, text)))
            self.transport.loseConnection()
            return
        request = attempt(decode, line)
        if isinstance(request, Refused):
            self.transport.write(encode(request))
        elif request.cmd != "admin":
            refused = Refused(BadFrame.code, "This socket accepts only admin.")
            self.transport.write(encode(refused, request.id))
        else:
            Deferred.fromCoroutine(self._answer(session, request)).addErrback(
                lambda failure: log.failure("a command of the operator could not be answered", failure)
            )

    async def _answer(self, session: Session, request: Request) -> None:
        verb = self._service.table["admin"]
        arguments = attempt(verb.decode, request.args)
        reply = arguments if isinstance(arguments, Refused) else await session.perform(Call(verb, arguments))
        self.transport.write(encode(reply, request.id))

    def lineLengthExceeded(self, line: bytes) -> None:
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._session is not None:
            self._service.disconnected(self._session)

    # the mind

    def audience_key(self, conversation: int) -> Hashable:
        return "control"

    def new_audience(self, conversation: int) -> IAudience:
        raise NotImplementedError("the operator is in no room")

    def deliver(self, event: Event) -> None:
        """What a reader who is too slow would get is left out, so that nothing piles up for it."""
        if self._full:
            self._left_out += 1
        else:
            self.transport.write(encode(event))

    def pauseProducing(self) -> None:
        self._full = True

    def resumeProducing(self) -> None:
        self._full = False
        if self._left_out:
            self.transport.write(encode(Notice(f"{self._left_out:,} events were skipped: too many at once.")))
            self._left_out = 0

    def stopProducing(self) -> None:
        """The connection is gone."""

    def shown(self) -> None:
        """Operators have no mail here."""

    def flush(self) -> None:
        """Nothing is owed to an operator."""

    async def probe(self) -> bool:
        return True

    def slow_down(self, seconds: float) -> None:
        """An operator's commands are put off one by one; nothing is read ahead."""

    def close(self, reason: str) -> None:
        self.transport.write(encode(Closing(reason)))
        self.transport.unregisterProducer()
        self.transport.loseConnection()


class ControlFactory(Factory):
    noisy = False

    def __init__(self, service: ChatService, dispatcher: Dispatcher) -> None:
        self._service = service
        self._dispatcher = dispatcher

    def prepare(self) -> None:
        """Ask now what the users are called who may come, where nobody waits for it."""
        for user in (0, os.geteuid()):
            user_name(user)

    def buildProtocol(self, addr: IAddress | None) -> ControlProtocol:
        return ControlProtocol(self._service, self._dispatcher)
