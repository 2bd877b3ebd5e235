"""TLS from the client's side: every TLS context of the client is made here, and a server's certificate is looked at."""

from __future__ import annotations

import re
from typing import Any, Final

from OpenSSL import SSL
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from chat.protocol.wire.sanitize import safe
from chat.protocol.wire.text import GREETING, GREETING_BYTES

MOST_REFUSAL: Final = 200
"""Bytes that are kept of what a server sends before TLS: in them it may say why it accepts no connection."""

_GREETING = GREETING.encode()

_RECORD = re.compile(rb"[\x15\x16]")
"""The first byte of a first TLS record: an alert or a handshake (RFC 8446, section 5.1). No greeting contains it."""


def caller_context(oldest: int) -> SSL.Context:
    """A TLS context for the end that connects.

    :param oldest: the oldest protocol version that is accepted, such as ``SSL.TLS1_2_VERSION``.
    """
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(oldest)
    return context


def listener_context(oldest: int, key: Any, certificate: Any) -> SSL.Context:
    """A TLS context for the end that listens; it resumes no sessions.

    :param oldest: the oldest protocol version that is accepted.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(oldest)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.use_privatekey(key)
    context.use_certificate(certificate)
    return context


class _GreetedConnection(SSL.Connection):
    """Skips a greeting for people that a server sends before TLS, and remembers the first bytes that arrive.

    A server greets every client that is silent for a moment, and so every client that is far away. Those bytes were
    not encrypted, so nothing in them is believed.

    :ivar beginning: the first `MOST_REFUSAL` bytes.
    """

    beginning = b""
    _greeting: bytes | None = b""

    def bio_write(self, buf: bytes | bytearray | memoryview) -> int:
        came = bytes(buf)
        if len(self.beginning) < MOST_REFUSAL:
            self.beginning += came[:MOST_REFUSAL]
        if self._greeting is not None:
            self._greeting += came
            if _is_greeting(self._greeting):
                return len(came)
            came, self._greeting = _without_greeting(self._greeting), None
        return super().bio_write(came)


def _is_greeting(came: bytes) -> bool:
    """Whether all the bytes so far may be the beginning of a greeting."""
    begins = came.startswith(_GREETING) or _GREETING.startswith(came)
    return begins and not _RECORD.search(came) and len(came) < GREETING_BYTES


def _without_greeting(came: bytes) -> bytes:
    """The bytes from the first TLS record on, if a greeting stands before it."""
    record = _RECORD.search(came) if came.startswith(_GREETING) else None
    return came if record is None else came[record.start() :]


@implementer(IOpenSSLClientConnectionCreator)
class Handshake:
    """The TLS handshake of one connection to a server. It accepts every certificate, and notes whether a certificate
    authority vouches for it.

    `chat.client.session.protocol.ChatClient` checks the certificate itself before it sends anything.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._by_number = isIPAddress(host) or isIPv6Address(host)
        self._doubted = False
        self._connection: _GreetedConnection | None = None

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """See ``twisted.internet.interfaces.IOpenSSLClientConnectionCreator``."""
        context = caller_context(SSL.TLS1_2_VERSION)
        context.set_default_verify_paths()
        context.set_verify(SSL.VERIFY_PEER, self._note)
        self._connection = _GreetedConnection(context, None)
        if not self._by_number:
            self._connection.set_tlsext_host_name(self._host.encode("idna"))
        return self._connection

    def _note(self, connection: Any, certificate: Any, error: int, depth: int, good: int) -> bool:
        if not good:
            self._doubted = True
        return True

    @property
    def refusal(self) -> str:
        """Why the server accepts no connection, if it said so instead of a handshake; otherwise empty.

        It was not encrypted, so it explains a failure and is used for nothing else.
        """
        said = self._connection.beginning if self._connection is not None else b""
        return safe(said[2:].partition(b"\n")[0].decode("utf-8", "replace")) if said.startswith(b"! ") else ""

    @property
    def vouched_for(self) -> bool:
        """Whether an authority that this machine trusts confirms that the certificate belongs to the host."""
        if self._doubted or self._connection is None:
            return False
        verify = verify_ip_address if self._by_number else verify_hostname
        try:
            verify(self._connection, self._host)
        except (VerificationError, CertificateError):
            return False
        return True
