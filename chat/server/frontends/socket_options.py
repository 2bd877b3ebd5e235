"""What the network tells of a connection, and what it is told."""

from __future__ import annotations

import select
import socket
import struct
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from twisted.internet.interfaces import ISSLTransport

from chat.protocol.values import Peer
from chat.server.interfaces import IClock

KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 120_000}
"""Find a peer that is gone within two minutes (``tcp(7)``; seconds, seconds, probes, milliseconds)."""

_PROBE = {"TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": 3_000}

_LAST_ACK = struct.Struct("=8B13I")
"""The beginning of Linux's ``struct tcp_info``, up to ``tcpi_last_ack_recv``, milliseconds ago."""

PROBE_TIME = 3.0
"""Seconds in which a living peer answers a probe."""

_LOOK_EVERY = 0.2


def peer_of(transport: Any) -> Peer:
    """Who is at the other end. Limits count by its IPv4 address, or the /64 that one customer gets (RFC 6177)."""
    address = transport.getPeer()
    host = getattr(address, "host", None)
    encrypted = is_encrypted(transport)
    binding = _binding(transport) if encrypted else None
    if not isinstance(host, str):
        return Peer("local socket", "local", True, encrypted, binding)
    found = _known(host)
    if found is None:
        return Peer(host, host, False, encrypted, binding)
    return Peer(*found, encrypted, binding)


@lru_cache(maxsize=1_000)
def _known(host: str) -> tuple[str, str, bool] | None:
    """An address as it is written, its network, and whether it is this very machine; nothing for what is none.

    The same addresses come again and again, above all that of the listener.
    """
    try:
        ip = ip_address(host.partition("%")[0].removeprefix("::ffff:"))  # an IPv4 address on an IPv6 socket
    except ValueError:
        return None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    address = str(ip)
    network = address if isinstance(ip, IPv4Address) else f"{IPv6Address(int(ip) >> 64 << 64)}/64"
    return address, network, ip.is_loopback


def is_encrypted(transport: Any) -> bool:
    """Whether what is written is enciphered on its way out: after ``startTLS``, or on a listener of TLS alone."""
    return bool(getattr(transport, "TLS", False)) or ISSLTransport.providedBy(transport)


def _binding(transport: Any) -> bytes | None:
    """The SHA-256 of the certificate that a listener of TLS alone (an ``ssl:`` endpoint) has shown."""
    shown = transport.getHandle().get_certificate()
    return None if shown is None else sha256(shown.to_cryptography().public_bytes(Encoding.DER)).digest()


def address_of(transport: Any) -> tuple[str, int] | None:
    """Where the peer reached us, as it may be typed; nothing where that is no address and port."""
    address = transport.getHost()
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    if not isinstance(host, str) or not isinstance(port, int):
        return None
    found = _known(host)
    if found is None:
        return None
    address, _, loopback = found
    return "localhost" if loopback else address, port


def unread(transport: Any) -> bool:
    """Whether something of the peer's waits in the kernel to be read: bytes, its end, or a reset.

    The poll leaves an error where it is; looking with ``MSG_PEEK`` would take a reset away from the reactor.
    """
    sock = getattr(transport, "socket", None)
    if not isinstance(sock, socket.socket) or sock.fileno() < 0:
        return False
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def configure(transport: Any) -> None:
    """Send small pieces at once, and find out when the peer is gone."""
    found = getattr(transport, "socket", None)
    if isinstance(found, socket.socket) and found.family in (socket.AF_INET, socket.AF_INET6):
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        _set(found, KEEPALIVE)


def _set(sock: socket.socket, options: dict[str, int]) -> None:
    for name, value in options.items():
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


async def shows_life(transport: Any, clock: IClock) -> bool:
    """Find out whether the peer's kernel still answers, without a byte that a person would see.

    A keep-alive probe is sent after a second; a living peer acknowledges it. A server that was stopped meanwhile looks
    once more, at what has come until now.

    :returns: True where it cannot be found out.
    """
    sock = getattr(transport, "socket", None)
    if not isinstance(sock, socket.socket) or not hasattr(socket, "TCP_INFO"):
        return True
    begun = clock.monotonic()
    passed = 0.0
    try:
        _set(sock, _PROBE)
        while passed < PROBE_TIME:
            await clock.sleep(_LOOK_EVERY)
            if sock.fileno() < 0:
                return False
            passed = clock.monotonic() - begun
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_ACK.size)
            if _LAST_ACK.unpack(info)[-1] < passed * 1000:
                _set(sock, KEEPALIVE)
                return True
    except OSError:
        return False
    return False
