"""How far an IP address reaches: who can make sense of it when it is handed on."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final


class Reach(StrEnum):
    """Where an address means the same machine to everybody."""

    NOWHERE = "nowhere"
    """Unspecified, multicast or reserved: it is no machine's."""

    MACHINE = "machine"
    """Loopback: each machine's own."""

    LINK = "link"
    """Link-local: it means nothing without the name of an interface."""

    NETWORK = "network"
    """Of a private network (RFC 1918, 4193, 6598)."""

    INTERNET = "internet"


_NETWORKS: Final = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
_RESERVED: Final = tuple(map(ip_network, ("0.0.0.0/8", "240.0.0.0/4")))


def reach_of(word: str) -> Reach:
    """How far an address reaches; an IPv4 address that is written as an IPv6 one counts as what it is.

    :raises ValueError: when it is none.
    """
    address = ip_address(word)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_unspecified or address.is_multicast or any(address in each for each in _RESERVED):
        return Reach.NOWHERE
    if address.is_loopback:
        return Reach.MACHINE
    if address.is_link_local:
        return Reach.LINK
    return Reach.NETWORK if any(address in each for each in _NETWORKS) else Reach.INTERNET
