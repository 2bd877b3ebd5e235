"""A connection: cuts bytes into lines, finds out who speaks, and ends in order.

`chat.server.frontends.protocol_detection` tells who speaks. A peer that says nothing for a moment is taken for a person
who waits for a greeting; TLS and programs are still recognised after it. Under TLS that moment begins after the
handshake. The rules:

* Nothing is sent in the clear once TLS has begun.
* No timer decides about a peer before what it has sent is read (`chat.server.frontends.deadline`).
* Whatever is still called when the connection is lost does nothing, and sets no timer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, IHandshakeListener
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from chat.protocol.values import Peer
from chat.server.core.dispatcher import Dispatcher
from chat.server.core.sanctions import restriction_text
from chat.server.core.service import ChatService
from chat.server.core.user import Session
from chat.server.frontends.certificate import Certificate
from chat.server.frontends.connection_counter import ConnectionCounter
from chat.server.frontends.contract import FrontEnd, Line
from chat.server.frontends.deadline import Deadline
from chat.server.frontends.jsonlines import JsonFrontEnd
from chat.server.frontends.line_decoder import LineDecoder
from chat.server.frontends.line_session import LineSession
from chat.server.frontends.outbox import Outbox
from chat.server.frontends.prompt_state import LINE_BYTES
from chat.server.frontends.protocol_detection import ANSWERS, by_first_byte, by_first_line
from chat.server.frontends.socket_options import address_of, configure, peer_of, shows_life, unread
from chat.server.frontends.telnet import IAC, Telnet
from chat.server.frontends.text import TextFrontEnd
from chat.server.interfaces import IDelayed, IMind, ITurn
from chat.server.logs import Logger

log = Logger()

GREETING_DELAY = 0.3
"""Seconds after which a silent peer is taken for a person."""

LINGER = 1.0
"""Seconds that the peer has to end the connection after we have ended our side of it; less than the stop waits."""

LAST_LOOK = 0.5
"""The same where the peer has ended its side before."""

FRONT_ENDS: dict[str, Callable[[Line], FrontEnd]] = {"text": TextFrontEnd, "telnet": TextFrontEnd, "json": JsonFrontEnd}
"""Who may speak, by the kind of the listener; ``auto`` finds out."""


@implementer(IHalfCloseableProtocol, IHandshakeListener)
class Connection(LineReceiver):
    """The protocol of every listener; see `chat.server.frontends.contract.Link` for what its session uses.

    A ``LineReceiver`` in raw mode, which is its hook for protocols that cut what comes themselves: it hands over whole
    packets, one after the other even when one comes while another is being taken, as where TLS begins. Its line mode
    does not fit: it hands over line by line, so that none is known to be the last of its packet (a password must not be
    asked for when it has come already), cuts a large packet at once, and loses a connection that has nothing worse
    than a line that is too long (`chat.server.frontends.line_decoder` refuses that line).
    """

    line_mode = 0  # what setRawMode sets, without a place of its own in every connection

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
        self._line: LineSession | None = None
        self._decoder = LineDecoder()
        self._heard = False
        self._known = False
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
        if self._owner.kind != "auto":
            self._speak(self._owner.kind)
        if not self.peer.encrypted:
            self._after(GREETING_DELAY, self._take_for_person)

    def handshakeCompleted(self) -> None:
        """See ``twisted.internet.interfaces.IHandshakeListener``: from now on it counts how long the peer is silent."""
        self._after(GREETING_DELAY, self._take_for_person)

    def rawDataReceived(self, data: bytes) -> None:
        if self._ending or not self._owner.has(self):
            return
        if self.telnet is not None:
            if commands := data.count(IAC):
                self.service.node.throttle.telnet(self.session, commands)
                if self._ending:
                    return
            data, answer = self.telnet.receive(data)
            if answer:
                self.outbox.write(answer)
            if not data:
                return
        self._take(data)

    def _take(self, data: bytes) -> None:
        if not (self._known or self._find_out(data)):
            return
        session = self._line
        assert session is not None, "_find_out makes one"
        lines = self._decoder.decode(data, session.front.most_bytes)
        if lines:  # all of a packet at once, so that none is read as if nothing came after it
            session.lines(lines)

    def readConnectionLost(self) -> None:
        """The peer sends no more; what it asked for is still answered."""
        self._input_ended = True
        if self._decoder.rest and not (self._decoder.skipping or self._ending):
            self._take(b"\n")
        if self._line is None:
            self.transport.loseConnection()
        elif self._ending:
            self._line.finished()
            self.transport.loseConnection()
        else:
            self._line.input_ended()

    def writeConnectionLost(self) -> None:
        """Our side of the connection is shut."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._stop_timers()
        self._decoder.rest = b""  # what is left of a connection is in circles, and only collected now and then
        if not self._owner.discharge(self):
            return
        self._unseat()
        self.outbox.abandon()
        if not reason.check(ConnectionDone, ConnectionAborted):
            log.debug("connection from {address} broke: {reason}", address=self.peer.address, reason=reason.value)

    # TLS

    def _can_encrypt(self) -> bool:
        return self._owner.kind == "auto" and self._owner.certificate is not None and not self.peer.encrypted

    def _encrypt(self, hello: bytes) -> None:
        """Go on under TLS: what comes from now on is deciphered before it is looked at.

        :param hello: the bytes that were read already.
        """
        certificate = self._owner.certificate
        assert certificate is not None, "_can_encrypt asked"
        self._stop_timers()
        self._unseat()  # who was slow has been greeted
        self._heard = False
        self.outbox.abandon()
        self.transport.startTLS(certificate)
        self.peer = replace(self.peer, encrypted=True, binding=certificate.fingerprint)
        self.outbox = Outbox(self.transport, self.turn, self.service.settings.unsent, self._too_slow)
        self.watch_login()
        self.transport.protocol.dataReceived(hello)

    # who speaks

    def _find_out(self, data: bytes) -> bool:
        """See who speaks, as far as the first line tells.

        :param data: what has come; before it came what is kept as the rest.
        :returns: whether there is a front end that takes it.
        """
        kind = None if self._heard else by_first_byte(data[:1])
        self._heard = True
        if kind == "tls":
            if self._can_encrypt():
                self._encrypt(data)
            else:
                self._turn_away(kind)
            return False
        if kind == "json" and self._owner.kind == "auto":
            self._known = True
            self._speak(kind)
            return True
        beginning = self._decoder.rest + data
        line, ended, _ = beginning.lstrip().partition(b"\n")
        if ended or len(line) > LINE_BYTES:
            self._known = True
            stranger = by_first_line(line, whole=bool(ended))
            if stranger == "http" or (stranger is not None and self._owner.kind == "auto"):
                self._turn_away(stranger)
                return False
        elif b"\n" not in data and self._line is None:
            self._decoder.rest = beginning
            return False
        if self._line is None:
            self._speak("text")
        return True

    def _turn_away(self, kind: str) -> None:
        """Answer once, in its own protocol, whoever speaks one that is not spoken here; nothing more is read."""
        self._known = True
        self._decoder.rest = b""
        self.outbox.write(ANSWERS[kind])
        self.hang_up()

    def _take_for_person(self) -> None:
        if self._heard or self._input_ended:
            return
        if self._line is None:
            self._speak("text")
        assert self._line is not None, "_speak makes one"
        self._line.silent()

    def _speak(self, kind: str) -> None:
        self._unseat()
        self._line = LineSession(self, FRONT_ENDS[kind])
        self.session = self._owner.new_session(self._line)

    def _unseat(self) -> None:
        """End the front end, if there is one, and its session."""
        line, self._line = self._line, None
        if line is not None:
            self.service.disconnected(self.session)
            line.lost()
            self.service.ended(self.session)

    # the link

    def pause(self, paused: bool) -> None:
        if not self._owner.has(self):
            return
        if paused:
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()

    def hang_up(self, asked: bool = False) -> None:
        if self._ending or not self._owner.has(self):
            return
        self._ending = True
        self._asked = asked or self._input_ended
        self._stop_timers()
        if self._line is not None:
            self.service.disconnected(self.session)  # what comes from now on is not sent, so it must wait
        self.outbox.close()
        self._after(LAST_LOOK if self._input_ended else LINGER, self._give_up)
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
        if self._asked and self._line is not None:
            self._line.finished()
        if self.outbox.acknowledged():
            self.transport.abortConnection()
        else:
            self.transport.loseConnection()

    def watch_login(self) -> None:
        self._after(self.service.settings.login_timeout, self._check_login)

    def logged_in(self) -> None:
        self._stop_timers()

    def _check_login(self) -> None:
        if self._line is None:
            self.transport.loseConnection()
        elif self.session.user is None:
            self.session.mind.close(f"Nobody has logged in here for {self.service.settings.login_timeout} seconds.")

    async def shows_life(self) -> bool:
        return await shows_life(self.transport, self.service.clock)

    def _too_slow(self) -> None:
        log.info(
            "dropped {address}: it reads too slowly, {unsent} bytes unsent",
            address=self.peer.address,
            unsent=self.service.settings.unsent,
        )
        self.transport.abortConnection()

    def close_unspoken(self) -> None:
        """End the connection if nobody knows yet who speaks."""
        if self._line is None:
            self.transport.abortConnection()

    def deadline(self, seconds: float, call: Callable[[], object]) -> IDelayed:
        return Deadline(self.service.clock, seconds, call, self.unread)

    def unread(self) -> bool:
        return not self._input_ended and unread(self.transport)

    def _after(self, seconds: float, call: Callable[[], None]) -> None:
        if self._owner.has(self):
            pending = [timer for timer in self._timers if timer.active()]
            self._timers = (*pending, self.deadline(seconds, call))

    def _stop_timers(self) -> None:
        timers, self._timers = self._timers, ()
        for timer in timers:
            if timer.active():
                timer.cancel()


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
        dispatcher: Dispatcher,
        turn: ITurn,
        counter: ConnectionCounter,
        certificate: Certificate | None = None,
    ) -> None:
        self.kind = kind
        self.certificate = certificate
        self.service = service
        self.turn = turn
        self._dispatcher = dispatcher
        self._counter = counter
        self._admitted: set[Connection] = set()

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        return Connection(self)

    def admit(self, connection: Connection) -> str | None:
        """Count a connection.

        :returns: why there is no place for it, in whole words, or nothing.
        """
        settings, node, network = self.service.settings, self.service.node, connection.peer.network
        if node.stopping:
            return "The server is shutting down."
        ban = node.sanctions.against_address(connection.peer.address, node.now())
        if ban is not None:
            return restriction_text("Your network is banned from this server", ban, node.now())
        counter = self._counter
        if counter.total >= min(settings.max_connections, counter.places):
            return "The server is full. Try again later."
        if counter.networks[network] >= min(settings.network_connections, counter.places * 9 // 10):
            return "Too many connections from your network. Close one, or try again later."
        counter.add(network)
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
        self._counter.remove(connection.peer.network)
        return True

    def close_unspoken(self) -> None:
        """End the connections of which nobody knows yet who speaks; the others are sessions."""
        for connection in tuple(self._admitted):
            connection.close_unspoken()

    def new_session(self, mind: IMind) -> Session:
        """A session for a front end of this listener."""
        node = self.service.node
        bucket = node.throttle.bucket()
        session = Session(node.next_session(), node.name, mind, bucket, self._dispatcher.perform)
        self.service.connected(session)
        return session
