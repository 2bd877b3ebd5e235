"""The addresses of this machine in its own networks, and which addresses of others may be dialed."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from chat.protocol.values import Reach, reach_of

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


def worth_dialing(addresses: Iterable[str], same_machine: bool) -> tuple[str, ...]:
    """Those addresses that somebody else can have given in good faith.

    Loopback is this machine, so whoever hands it out would have one of its own services called.

    :param same_machine: whether the server runs on this machine, and so may the other client.
    """
    meaningful = {Reach.NETWORK, Reach.INTERNET} | ({Reach.MACHINE} if same_machine else set())
    return tuple(each for each in addresses if _reach(each) in meaningful)


def _reach(word: str) -> Reach:
    try:
        return reach_of(word)
    except ValueError:
        return Reach.NOWHERE


def _is_worth_telling(word: str) -> bool:
    return reach_of(word) is Reach.NETWORK
