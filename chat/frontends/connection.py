"""A connection: cuts bytes into lines, finds out who speaks, and ends in order.

On a listener of kind ``auto`` the first byte decides: 0x16 is TLS, and inside it the choice is made again; ``{`` is a
program, anything else a person. Whoever says
nothing for a moment is a person who waits for a greeting; a ``{`` as the very first byte is still understood
after it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from chat.core.perform import Performer
from chat.core.sanctions import words
from chat.core.service import ChatService
from chat.core.user import Session
from chat.frontends.certificate import Certificate
from chat.frontends.jsonlines import JsonFrontEnd
from chat.frontends.link import IFrontEnd, Link
from chat.frontends.network import address_of, configure, peer_of, shows_life
from chat.frontends.outbox import Outbox
from chat.frontends.packed_lines import TOO_LONG, Lines, PackedLines, whole_line
from chat.frontends.telnet import Telnet
from chat.frontends.text import TextFrontEnd
from chat.interfaces import IDelayed, ITurn
from chat.journal import Logger
from chat.values import Peer

log = Logger()

GREETING_DELAY = 0.3
"""Seconds after which a silent peer is taken for a person."""

CUT_AT_ONCE = 1_024
"""Bytes of a packet that is cut into lines when it comes; the lines of a larger one are cut when their turn comes."""

LINGER = 1.0
"""Seconds that the peer has to end the connection after we have ended our side of it; less than the stop waits."""

LAST_LOOK = 0.5
"""The same where the peer has ended its side before."""

_CLIENT_HELLO = b"\x16"
"""The first byte of TLS: a handshake record (RFC 8446, section 5.1)."""

FRONT_ENDS: dict[str, Callable[[Link], Any]] = {"text": TextFrontEnd, "telnet": TextFrontEnd, "json": JsonFrontEnd}
"""Who may speak, by the kind of the listener; ``auto`` finds out."""


@implementer(IHalfCloseableProtocol)
class Connection(LineReceiver):
    """The protocol of every listener; see `chat.frontends.link.Link` for what its front end uses."""

    delimiter = b"\n"

    transport: Any
    peer: Peer
    outbox: Outbox
    session: Session

    def __init__(self, factory: ChatFactory) -> None:
        self.service = factory.service
        self.turn = factory.turn
        self.tls_at: tuple[str, int] | None = None
        self.telnet = Telnet() if factory.kind == "telnet" else None
        self._owner = factory
        self._front: IFrontEnd | None = None
        self._rest = b""
        self._skipping = False
        self._heard = False
        self._input_ended = False
        self._ending = False
        self._asked = False
        self._timers: tuple[IDelayed, ...] = ()

    # Twisted's side

    def connectionMade(self) -> None:
        transport = self.transport
        self.peer = peer_of(transport)
        if self._can_encrypt():
            self.tls_at = address_of(transport)
        refusal = self._owner.admit(self)
        if refusal is not None:
            transport.write(f"! {refusal}\n".encode())
            transport.loseConnection()
            return
        configure(transport)
        settings = self.service.settings
        self.outbox = Outbox(transport, self.turn, settings.unsent, self._too_slow)
        self.watch_login()
        if self._owner.kind == "auto":
            self._after(GREETING_DELAY, self._take_for_person)
        else:
            self._speak(self._owner.kind)
            self._after(GREETING_DELAY, self._greet)

    def dataReceived(self, data: bytes) -> None:
        if self._ending or not self._owner.has(self):
            return
        if self.telnet is not None:
            data, answer = self.telnet.receive(data)
            if answer:
                self.outbox.write(answer)
            if not data:
                return
        if not self._heard:
            if data[:1] == _CLIENT_HELLO and self._can_encrypt():
                self._encrypt(data)
                return
            self._find_out(data)
        front = self._front
        assert front is not None, "the first byte says who speaks"
        buffer = self._rest + data if self._rest else data
        if b"\r\0" in buffer:  # a bare carriage return, as telnet sends it (RFC 854)
            buffer = buffer.replace(b"\r\0", b"\n")
        if self._skipping and b"\n" in buffer:  # what ends there is the end of a line that was refused
            self._skipping = False
            buffer = buffer[buffer.index(b"\n") + 1 :]
        data, ended, self._rest = buffer.rpartition(b"\n")
        most = front.most_bytes
        after: list[object] = []
        if len(self._rest) > most + 1:
            self._rest = b""
            if not self._skipping:
                self._skipping = True
                after.append(TOO_LONG)
        if ended or after:  # all lines of a packet at once, so that none is read as if nothing came after it
            front.lines(self._lines(data, most, after) if ended else after)

    @staticmethod
    def _lines(data: bytes, most: int, after: list[object]) -> Lines:
        """The lines of a packet; of a large one, cut later."""
        if len(data) > CUT_AT_ONCE:
            return PackedLines(data, most, after)
        lines: list[Any] = data.split(b"\n")
        if b"\r" in data:
            lines = [whole_line(line, most) for line in lines]
        return [*lines, *after] if after else lines

    def readConnectionLost(self) -> None:
        """The peer sends no more; what it asked for is still answered."""
        self._input_ended = True
        if self._front is None:
            self.transport.loseConnection()
        elif self._ending:
            self._front.finished()
            self.transport.loseConnection()
        else:
            rest, self._rest = self._rest, b""
            if rest and not self._skipping:
                self._front.lines([whole_line(rest, self._front.most_bytes)])
            self._front.input_ended()

    def writeConnectionLost(self) -> None:
        """Our side of the connection is shut."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        if not self._owner.discharge(self):
            return
        front = self._front
        if front is not None:
            self.service.disconnected(self.session)
            front.lost()
            self.service.ended(self.session)
        if not reason.check(ConnectionDone, ConnectionAborted):
            log.debug("connection from {address} broke: {reason}", address=self.peer.address, reason=reason.value)

    # TLS

    def _can_encrypt(self) -> bool:
        owner = self._owner
        return owner.kind == "auto" and owner.certificate is not None and not self.peer.encrypted and not self._front

    def _encrypt(self, hello: bytes) -> None:
        """Go on under TLS: what comes from now on is deciphered before it is looked at.

        :param hello: the bytes that were read already.
        """
        certificate = self._owner.certificate
        assert certificate is not None, "_can_encrypt asked"
        self.transport.startTLS(certificate)
        self.peer = replace(self.peer, encrypted=True, binding=certificate.fingerprint)
        self.outbox = Outbox(self.transport, self.turn, self.service.settings.unsent, self._too_slow)
        self.transport.protocol.dataReceived(hello)

    # who speaks

    def _find_out(self, data: bytes) -> None:
        self._heard = True
        if self._owner.kind != "auto":
            return
        kind = "json" if data[:1] == b"{" else "text"
        if self._front is None or kind == "json":
            self._speak(kind)

    def _take_for_person(self) -> None:
        if self._front is None and not self._input_ended:
            self._speak("text")
        self._greet()

    def _greet(self) -> None:
        if self._front is not None and not self._heard:
            self._front.silent()

    def _speak(self, kind: str) -> None:
        if self._front is not None:
            self.service.disconnected(self.session)
        self._front = FRONT_ENDS[kind](self)
        self.session = self._owner.new_session(self._front)

    # the link

    def pause(self, paused: bool) -> None:
        if paused:
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()

    def hang_up(self, asked: bool = False) -> None:
        if self._ending:
            return
        self._ending = True
        self._asked = asked or self._input_ended
        self.service.disconnected(self.session)  # what comes from now on is not sent, so it must wait
        self.outbox.close()
        if self._input_ended:
            self._after(LAST_LOOK, self._give_up)
        else:
            self._after(LINGER, self._give_up)
        half_close = getattr(self.transport, "loseWriteConnection", None)
        if half_close is None or self.peer.encrypted:
            self.transport.loseConnection()
        else:
            half_close()

    def _give_up(self) -> None:
        """End what the peer does not end, although it has everything: a netcat whose person types nothing more.

        Debian's netcat waits for its keyboard after the server has ended; a reset (after an orderly end of our
        side, and with every byte acknowledged) lets it go. It proves nothing: a netcat that was stopped looks the
        same. For a peer that has said itself that this is the end, it counts that it has everything.
        """
        if self._asked:
            assert self._front is not None, "hang_up is called by a front end"
            self._front.finished()
        if self.outbox.acknowledged():
            self.transport.abortConnection()
        else:
            self.transport.loseConnection()

    def watch_login(self) -> None:
        self._after(self.service.settings.login_timeout, self._check_login)

    def logged_in(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._timers = ()

    def _check_login(self) -> None:
        if self._front is None:
            self.transport.loseConnection()
        elif self.session.user is None:
            self.session.mind.close(f"Nobody logged in here for {self.service.settings.login_timeout} seconds.")

    async def shows_life(self) -> bool:
        return await shows_life(self.transport, self.service.clock)

    def _too_slow(self) -> None:
        log.info(
            "dropped {address}: it reads too slowly, {unsent} bytes waited",
            address=self.peer.address,
            unsent=self.service.settings.unsent,
        )
        self.transport.abortConnection()

    def close_unspoken(self) -> None:
        """End the connection if nobody knows yet who speaks."""
        if self._front is None:
            self.transport.abortConnection()

    def _after(self, seconds: float, call: Callable[[], None]) -> None:
        pending = [timer for timer in self._timers if timer.active()]
        self._timers = (*pending, self.service.clock.call_later(seconds, call))


class Census:
    """How many connections there are, in all and from each network; one for all listeners.

    :param places: how many the process has files for, whatever the settings say; no network gets the last tenth.
    """

    def __init__(self, places: int = sys.maxsize) -> None:
        self.places = places
        self.total = 0
        self.networks: Counter[str] = Counter()

    def add(self, network: str) -> None:
        self.total += 1
        self.networks[network] += 1

    def remove(self, network: str) -> None:
        self.total -= 1
        self.networks[network] -= 1
        if not self.networks[network]:
            del self.networks[network]


class ChatFactory(Factory):
    """Makes the connections of one listener.

    :param kind: ``auto``, ``text``, ``telnet`` or ``json``.
    :param certificate: what TLS is served with on an ``auto`` listener, or nothing.
    """

    noisy = False

    def __init__(
        self,
        kind: str,
        service: ChatService,
        performer: Performer,
        turn: ITurn,
        census: Census,
        certificate: Certificate | None = None,
    ) -> None:
        self.kind = kind
        self.certificate = certificate
        self.service = service
        self.turn = turn
        self._performer = performer
        self._census = census
        self._admitted: set[Connection] = set()

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        return Connection(self)

    def admit(self, connection: Connection) -> str | None:
        """Count a connection.

        :returns: why there is no place for it, in whole words, or nothing.
        """
        settings, house, network = self.service.settings, self.service.house, connection.peer.network
        if house.stopping:
            return "The server is shutting down."
        ban = house.sanctions.against_address(connection.peer.address, house.now())
        if ban is not None:
            return words("Your network is banned from this server", ban, house.now())
        census = self._census
        if census.total >= min(settings.max_connections, census.places):
            return "The server is full. Try again later."
        if census.networks[network] >= min(settings.network_connections, census.places * 9 // 10):
            return "Too many connections from your network. Close one, or try again later."
        census.add(network)
        self._admitted.add(connection)
        return None

    def has(self, connection: Connection) -> bool:
        """Whether a connection was admitted."""
        return connection in self._admitted

    def discharge(self, connection: Connection) -> bool:
        """Forget a connection.

        :returns: whether it had been admitted.
        """
        if connection not in self._admitted:
            return False
        self._admitted.discard(connection)
        self._census.remove(connection.peer.network)
        return True

    def close_unspoken(self) -> None:
        """End the connections of which nobody knows yet who speaks; the others are sessions."""
        for connection in tuple(self._admitted):
            connection.close_unspoken()

    def new_session(self, mind: Any) -> Session:
        """A session for a front end of this listener."""
        house = self.service.house
        bucket = house.throttle.bucket()
        session = Session(house.next_session(), house.node, mind, bucket, self._performer.perform)
        self.service.connected(session)
        return session
