"""Where a server is, and how it is reached."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from OpenSSL import SSL
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from chat.client.session.protocol import ChatClient
from chat.protocol.values import Reach, reach_of
from chat.protocol.wire.sanitize import safe
from chat.protocol.wire.text import GREETING, GREETING_BYTES

PORT = 7777
"""Where servers listen unless somebody says otherwise."""

PATIENCE = 20.0
"""Seconds in which a server takes a connection."""

MOST_REFUSAL = 200
"""Bytes of it that are read where a server says in the clear why it takes nobody."""

_GREETING = GREETING.encode()

_RECORD = re.compile(rb"[\x15\x16]")
"""How a first record of TLS begins: an alert or a handshake (RFC 8446, section 5.1). No greeting has such a byte."""

_HOST = re.compile(r"[^\s:\[\]/@]{1,253}")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is reached.

    :param tls: whether the connection is encrypted; where it is not, everybody on the way can read and change it.
    """

    host: str
    port: int = PORT
    tls: bool = True

    @property
    def on_this_machine(self) -> bool:
        """Whether it is written as this machine's own."""
        try:
            return reach_of(self.host) is Reach.MACHINE
        except ValueError:
            return self.host.lower() == "localhost"

    @classmethod
    def parse(cls, words: str, tls: bool = True) -> ServerAddress:
        """Read ``HOST``, ``HOST:PORT`` or ``[IPV6]:PORT``.

        :raises ValueError: in one line, when it is none.
        """
        words = words.strip()
        if words[:1] == "[":
            host, _, rest = words[1:].partition("]")
            good = _is_number(host) and "]" in words and rest[:1] in ("", ":")
            port = rest[1:]
        elif _is_number(words):
            host, port, good = words, "", True
        else:
            host, _, port = words.partition(":")
            good = bool(_HOST.fullmatch(host))
        number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0 if port else PORT
        if not good or not 0 < number < 65_536:
            raise ValueError(f"{words[:60]!r} is no HOST or HOST:PORT")
        return cls(host.lower(), number, tls)

    def __str__(self) -> str:
        """As `parse` reads it, and without the usual port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORT else f"{host}:{self.port}"


class _Overheard(SSL.Connection):
    """Remembers how what comes begins, and leaves out a greeting for people that comes before TLS.

    A server greets whoever is silent for a moment, as everybody is who is far away. What stands there was sent in the
    clear, and is believed in nothing.

    :ivar beginning: as many bytes as a refusal may have.
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
    """Whether all that has come may be the beginning of a greeting."""
    begins = came.startswith(_GREETING) or _GREETING.startswith(came)
    return begins and not _RECORD.search(came) and len(came) < GREETING_BYTES


def _without_greeting(came: bytes) -> bytes:
    """What comes from the first record of TLS on, if a greeting comes before it."""
    record = _RECORD.search(came) if came.startswith(_GREETING) else None
    return came if record is None else came[record.start() :]


@implementer(IOpenSSLClientConnectionCreator)
class Handshake:
    """One connection's TLS: no certificate is refused here, but it is noted whether an authority vouches for it.

    `chat.client.session.protocol.ChatClient` has to look at the certificate itself, before it sends anything.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._doubted = False
        self._connection: _Overheard | None = None

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """See ``twisted.internet.interfaces.IOpenSSLClientConnectionCreator``."""
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_default_verify_paths()
        context.set_verify(SSL.VERIFY_PEER, self._note)
        self._connection = _Overheard(context, None)
        if not _is_number(self._host):
            self._connection.set_tlsext_host_name(self._host.encode("idna"))
        return self._connection

    def _note(self, connection: Any, certificate: Any, error: int, depth: int, good: int) -> bool:
        if not good:
            self._doubted = True
        return True

    @property
    def refusal(self) -> str:
        """What a server has said in the clear instead of shaking hands: why it takes nobody; or empty.

        Nobody vouches for it, so it is no more than a reason why there is no connection.
        """
        said = self._connection.beginning if self._connection is not None else b""
        return safe(said[2:].partition(b"\n")[0].decode("utf-8", "replace")) if said.startswith(b"! ") else ""

    @property
    def vouched_for(self) -> bool:
        """Whether an authority that this machine trusts says that the certificate belongs to the host."""
        if self._doubted or self._connection is None:
            return False
        verify = verify_ip_address if _is_number(self._host) else verify_hostname
        try:
            verify(self._connection, self._host)
        except (VerificationError, CertificateError):
            return False
        return True


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def dial(reactor: Any, address: ServerAddress, client: ChatClient, handshake: Handshake) -> Deferred[ChatClient]:
    """Connect.

    Fires with the client, whose ``ready`` is still to come; fails as the endpoint does.
    """
    endpoint: Any = HostnameEndpoint(reactor, address.host, address.port, timeout=PATIENCE)
    if address.tls:
        endpoint = wrapClientTLS(handshake, endpoint)
    dialed: Deferred[ChatClient] = connectProtocol(endpoint, client)
    return dialed
