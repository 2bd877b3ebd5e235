"""TLS between two clients: it encrypts the connection; `handshake` proves who is at the other end.

No certificate is looked at: the listener makes itself one that says nothing, and both ends prove themselves inside.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from chat.client.p2p.handshake import BINDING_BYTES, LABEL
from chat.client.session.tls import caller_context, listener_context


class Metering(Protocol):
    """What is asked before bytes are decrypted."""

    def may_take(self, size: int) -> bool:
        """Whether so many more bytes may come; what is refused ends the connection."""


@implementer(IOpenSSLClientConnectionCreator)
class CallerTls:
    """The end that calls."""

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """See ``twisted.internet.interfaces.IOpenSSLClientConnectionCreator``."""
        return SSL.Connection(caller_context(SSL.TLS1_3_VERSION), None)


@implementer(IOpenSSLServerConnectionCreator)
class ListenerTls:
    """The end that listens, with a key that is made for it and forgotten with it."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        nobody = x509.Name([])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(nobody)
            .issuer_name(nobody)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=365))
            .sign(key, hashes.SHA256())
        )
        self._context = listener_context(SSL.TLS1_3_VERSION, key, certificate)

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """See ``twisted.internet.interfaces.IOpenSSLServerConnectionCreator``."""
        return SSL.Connection(self._context, None)


class _Metered(BufferingTLSTransport):
    """Asks the link behind it before it takes bytes."""

    def dataReceived(self, data: bytes) -> None:
        link: Any = self.wrappedProtocol
        if link.may_take(len(data)):
            super().dataReceived(data)


class TlsLinkFactory(TLSMemoryBIOFactory):
    """Puts TLS around the links that a factory makes, which are `Metering`.

    :param how: `CallerTls` or `ListenerTls`.
    :param clock: the reactor, as far as it knows the time.
    """

    protocol = _Metered

    def __init__(self, how: CallerTls | ListenerTls, links: Factory, clock: Any) -> None:
        super().__init__(how, isinstance(how, CallerTls), links, clock)
        self._links = links

    def buildProtocol(self, addr: Any) -> TLSMemoryBIOProtocol | None:  # type: ignore[override]  # it may be None
        """See ``twisted.internet.interfaces.IProtocolFactory``: where there is no link, there is no TLS either."""
        link = self._links.buildProtocol(addr)
        return None if link is None else self.protocol(self, link)


def binding_of(transport: Any) -> bytes:
    """The secret that only the two ends of a link know (RFC 9266)."""
    secret: bytes = transport.getHandle().export_keying_material(LABEL, BINDING_BYTES)
    return secret
