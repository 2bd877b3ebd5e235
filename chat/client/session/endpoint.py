"""The address of a server, and connecting to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol, wrapClientTLS

from chat.client.session.protocol import ChatClient
from chat.client.session.tls import Handshake
from chat.protocol.values import Reach, reach_of

PORT = 7777
"""The default port of a server."""

CONNECT_TIMEOUT = 20.0
"""Seconds in which a server must accept a connection."""

_HOST = re.compile(r"[^\s:\[\]/@]{1,253}")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The address of a server.

    :param tls: whether the connection is encrypted. If it is not, everybody on the way can read and change it.
    """

    host: str
    port: int = PORT
    tls: bool = True

    @property
    def on_this_machine(self) -> bool:
        """Whether the address is a loopback one."""
        try:
            return reach_of(self.host) is Reach.MACHINE
        except ValueError:
            return self.host.lower() == "localhost"

    @classmethod
    def parse(cls, words: str, tls: bool = True) -> ServerAddress:
        """Parse ``HOST``, ``HOST:PORT`` or ``[IPV6]:PORT``.

        :raises ValueError: with one line for a person, when it is none of these.
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
            raise ValueError(f"{words[:60]!r} is not a server address. Write HOST or HOST:PORT")
        return cls(host.lower(), number, tls)

    def __str__(self) -> str:
        """The address as `parse` reads it, without the default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORT else f"{host}:{self.port}"


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def dial(reactor: Any, address: ServerAddress, client: ChatClient, handshake: Handshake) -> Deferred[ChatClient]:
    """Connect to a server.

    Fires with the client, before its ``ready`` has fired; fails as the endpoint does.
    """
    endpoint: Any = HostnameEndpoint(reactor, address.host, address.port, timeout=CONNECT_TIMEOUT)
    if address.tls:
        endpoint = wrapClientTLS(handshake, endpoint)
    dialed: Deferred[ChatClient] = connectProtocol(endpoint, client)
    return dialed
