"""A direct connection between two clients, from the first byte to the last.

How it works: the caller introduces itself as soon as TLS stands; the listener looks at that, and answers with its own
introduction only to somebody it knows and lets in. From then on frames go both ways. The rules:

* Before the proof nothing but one short introduction is read, no more than `MOST_UNPROVEN` bytes are taken, and it
  has to be done within `PROOF_TIME`: a stranger costs no more than that.
* A caller that is not let in learns nothing: neither why, nor who listens.
* A frame that no such client sends ends the link.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from chat.client.e2e.device import OwnDevice
from chat.client.e2e.trust_store import TrustStore
from chat.client.model.failures import ClientFailure, NotThePeer, PeerUnreachable
from chat.client.p2p.frames import MOST, MOST_BEFORE_PROOF, FrameKind, Frames, frame
from chat.client.p2p.handshake import End, Introduction, check, introduce
from chat.client.p2p.tls import binding_of
from chat.protocol.names import fold

PROOF_TIME: Final = 10.0
"""Seconds in which both ends have to have proven themselves."""

MOST_UNPROVEN: Final = 16 * 1024
"""Bytes that are taken before the proof, those of TLS included; an honest client sends about 2,000."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who one is, and whom one knows."""

    own: OwnDevice
    pins: TrustStore


@implementer(IHandshakeListener)
class PeerLink(Protocol):
    """One link; `chat.client.p2p.tls.TlsLinkFactory` puts TLS around it.

    :param whom: the person that is called, or empty where somebody calls here.
    :param admits: whether a person may call here.
    :ivar user: who is at the other end, once that is proven.
    :ivar device: and with which device.
    :ivar proven: fires with the link when both ends have proven themselves; fails with why they have not.
    :ivar ended: fires with why, when a link that was proven is over.
    :ivar over: whether it has ended.
    :ivar taken: gets each frame after that, its kind and its body; may raise `ClientFailure`, which ends the link.
    """

    transport: Any

    def __init__(self, identity: Identity, clock: Any, whom: str = "", admits: Callable[[str], bool] = bool) -> None:
        self.user = ""
        self.device = ""
        self.proven: Deferred[PeerLink] = Deferred()
        self.ended: Deferred[ClientFailure] = Deferred()
        self.taken: Callable[[FrameKind, bytes], object] = lambda kind, body: None
        self._identity = identity
        self._clock = clock
        self._whom = whom
        self._admits = admits
        self._frames = Frames(MOST_BEFORE_PROOF)
        self._unproven = 0
        self._binding = b""
        self.over = False
        self._timer: Any = None

    @property
    def calling(self) -> bool:
        """Whether it was called from here."""
        return bool(self._whom)

    def send(self, kind: FrameKind, body: bytes) -> None:
        """Send a frame; nothing becomes of it when the link is over."""
        if not self.over:
            self.transport.write(frame(kind, body))

    def close(self, words: str = "The connection was closed.") -> None:
        """End the link."""
        self.drop(PeerUnreachable(words))

    def drop(self, reason: ClientFailure) -> None:
        """End the link at once, for a reason."""
        if not self.over:
            self._end(reason)
            self.transport.abortConnection()

    # before the proof

    def may_take(self, size: int) -> bool:
        """See `chat.client.p2p.tls.Metering`."""
        if not self.user:
            self._unproven += size
            if self._unproven > MOST_UNPROVEN:
                self.drop(NotThePeer("The other end sent too much before it identified itself."))
        return not self.over

    def connectionMade(self) -> None:
        self._timer = self._clock.callLater(PROOF_TIME, self._too_late)

    def _too_late(self) -> None:
        self.drop(PeerUnreachable("The other end stopped answering."))

    def handshakeCompleted(self) -> None:
        """See ``twisted.internet.interfaces.IHandshakeListener``."""
        self._binding = binding_of(self.transport)
        if self._whom:
            self._introduce(End.CALLER, self._whom)

    def _introduce(self, end: End, to: str) -> None:
        self.send(FrameKind.INTRODUCTION, introduce(self._identity.own, end, self._binding, to).encode())

    def _meet(self, kind: int, body: bytes) -> None:
        """The other end introduces itself.

        :raises ClientFailure: when it is not let in.
        """
        if kind != FrameKind.INTRODUCTION:
            raise NotThePeer("The other end did not identify itself.")
        said = Introduction.decode(body)
        if fold(said.user) != fold(self._whom) if self._whom else not self._admits(said.user):
            raise NotThePeer("Somebody else answered. Nothing was sent.")
        end = End.LISTENER if self._whom else End.CALLER
        check(said, self._identity.pins, self._identity.own, end, self._binding)
        if not self._whom:
            self._introduce(End.LISTENER, said.user)
        self.user, self.device = said.user, said.device
        self._frames.most = MOST
        self._timer.cancel()
        self.transport.setTcpKeepAlive(True)
        self.proven.callback(self)

    # Twisted's side

    def dataReceived(self, data: bytes) -> None:
        self._frames.feed(data)
        try:
            while not self.over and (read := self._frames.next()) is not None:
                kind, body = read
                if not self.user:
                    self._meet(kind, body)
                elif kind in _KINDS:
                    self.taken(FrameKind(kind), body)
        except ClientFailure as error:
            self.drop(error)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._whom and not self.user and self._binding:
            self._end(NotThePeer(f"Whoever answered could not prove to be {self._whom}. Nothing was sent."))
        self._end(PeerUnreachable("The connection was lost."))

    def _end(self, reason: ClientFailure) -> None:
        if self.over:
            return
        self.over = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self.user:
            self.ended.callback(reason)
        else:
            self.proven.errback(Failure(reason))


_KINDS = frozenset(map(int, FrameKind))
