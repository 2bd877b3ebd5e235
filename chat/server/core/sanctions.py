"""Bans and mutes on the whole server, in memory. Pure but for `Sanctions.impose` and `Sanctions.lift`.

An account is known by its id, so another spelling, device, token or front end makes no difference; a network by its
addresses, so every listener asks. What is decided counts at once; a decision that could not be kept is taken back.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from chat.protocol.errors import BadUsage, Banned, Muted
from chat.protocol.values import Kind, Restriction, Sanction
from chat.protocol.values.quantities import time_left
from chat.server.interfaces import IStore

Network = IPv4Network | IPv6Network

SMALLEST_V6 = 64
"""The longest prefix of an IPv6 network that is banned: one customer has all the addresses below (RFC 6177)."""


def read_network(word: str) -> Network:
    """Read an address or a network as an operator writes it; one IPv6 address stands for its /64.

    :raises BadUsage: when it is neither.
    """
    with suppress(ValueError):
        network = ip_network(word.strip("[]"), strict=False)
        if isinstance(network, IPv6Network):
            mapped = network.network_address.ipv4_mapped
            if mapped is not None and network.prefixlen == 128:
                return ip_network(mapped)
            if network.prefixlen > SMALLEST_V6:
                return network.supernet(new_prefix=SMALLEST_V6)
        return network
    raise BadUsage(
        f"{word[:60]!r} is not a network. Use an address such as 192.0.2.7, or a network such as 192.0.2.0/24"
    )


class Sanctions:
    """Every sanction of the server."""

    def __init__(self, store: IStore) -> None:
        self._store = store
        self._accounts: dict[tuple[Kind, int], Sanction] = {}
        self._networks: dict[Network, Sanction] = {}

    def fill(self, sanctions: Iterable[Sanction]) -> None:
        """Take over what is on disk."""
        for each in sanctions:
            self._put(each)

    def lasting(self, when: int) -> list[Sanction]:
        """Those that have not ended, the oldest first."""
        every = (*self._accounts.values(), *self._networks.values())
        return sorted((each for each in every if each.lasts(when)), key=lambda each: (each.created, each.account))

    def against(self, kind: Kind, account: int, when: int) -> Sanction | None:
        """What keeps an account out, or silent."""
        if not self._accounts:
            return None
        found = self._accounts.get((kind, account))
        return found if found is not None and found.lasts(when) else None

    def against_address(self, address: str, when: int) -> Sanction | None:
        """What keeps everybody at an address out."""
        if not self._networks:
            return None
        return next((each for each in self._networks.values() if each.lasts(when) and covers(each, address)), None)

    # what it means

    def may_enter(self, account: int, when: int) -> None:
        """:raises Banned: with the end and the reason."""
        ban = self.against(Kind.BANNED, account, when)
        if ban is not None:
            raise Banned(restriction_text("You are banned from this server", ban, when))

    def may_come(self, address: str, when: int) -> None:
        """:raises Banned: from an address, with the end and the reason."""
        ban = self.against_address(address, when)
        if ban is not None:
            raise Banned(restriction_text("Your network is banned from this server", ban, when))

    def may_speak(self, account: int, when: int) -> None:
        """:raises Muted: with the end and the reason."""
        if not self._accounts:
            return
        mute = self.against(Kind.MUTED, account, when)
        if mute is not None:
            raise Muted(restriction_text("You are muted on this server", mute, when))

    # deciding

    async def impose(self, sanction: Sanction) -> None:
        """Let a sanction count from now on, and keep it.

        :raises StoreUnavailable: when it could not be kept; it does not count then.
        """
        before = self._put(sanction)
        try:
            await self._store.impose(sanction)
        except BaseException:
            if self._drop(sanction) and before is not None:
                self._put(before)
            raise

    async def lift(self, kind: Kind, account: int, network: str, when: int) -> bool:
        """End a sanction.

        :returns: whether there was one.
        """
        found = self._networks.get(ip_network(network)) if network else self._accounts.get((kind, account))
        if found is None or not found.lasts(when):
            return False
        await self._store.lift(found)
        self._drop(found)
        return True

    def _put(self, sanction: Sanction) -> Sanction | None:
        """:returns: what stood in its place."""
        if sanction.network:
            network = ip_network(sanction.network)
            before = self._networks.get(network)
            self._networks[network] = sanction
        else:
            key = (sanction.kind, sanction.account)
            before = self._accounts.get(key)
            self._accounts[key] = sanction
        return before

    def _drop(self, sanction: Sanction) -> bool:
        """Let a sanction count no longer, unless another one was imposed in its place while the disk was waited for.

        :returns: whether it was there.
        """
        network, key = ip_network(sanction.network) if sanction.network else None, (sanction.kind, sanction.account)
        if network is not None and self._networks.get(network) is sanction:
            del self._networks[network]
        elif network is None and self._accounts.get(key) is sanction:
            del self._accounts[key]
        else:
            return False
        return True


def covers(sanction: Sanction, address: str) -> bool:
    """Whether an address lies in the network of a sanction; a local socket lies in none."""
    try:
        return ip_address(address) in ip_network(sanction.network)
    except ValueError:
        return False


def restriction_text(what: str, restriction: Sanction | Restriction, when: int) -> str:
    """A ban or mute in a line for the person it affects: what it is, how long it still lasts, and why."""
    left = "" if restriction.until is None else f" for another {time_left(restriction.until - when)}"
    return f"{what}{left}" + (f": {restriction.reason}" if restriction.reason else ".")
