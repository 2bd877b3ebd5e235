"""The addresses of this machine in its own networks, for those who are in them too."""

from __future__ import annotations

import socket
from ipaddress import ip_address

_THERE = ("192.0.2.1", "10.255.255.1", "172.31.255.1", "192.168.255.1", "2001:db8::1", "fd00::1")
"""Somewhere on the internet and in each kind of private network (RFC 5737, 1918, 3849, 4193)."""


def own_addresses() -> tuple[str, ...]:
    """Those that this machine would use on its ways out, without those that anybody on the internet can be called by:
    the server sees that one itself.

    Nothing is sent: to connect a datagram socket only asks the kernel for the way.
    """
    found: dict[str, None] = {}
    for there in _THERE:
        family = socket.AF_INET6 if ":" in there else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((there, 9))
                found[probe.getsockname()[0]] = None
        except OSError:
            continue  # there is no way
    return tuple(each for each in found if _is_worth_telling(each))


def _is_worth_telling(word: str) -> bool:
    address = ip_address(word)
    # A link-local address means nothing without the name of an interface, and each machine has its own loopback.
    return address.is_private and not (address.is_link_local or address.is_loopback or address.is_unspecified)
