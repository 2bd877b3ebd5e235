"""Known addresses, the people who may call, and the channels to them.

There is one line to each device. Where both ends call each other at once, two links are made; both ends keep the same
one, which is that of the end whose name comes first. Else a new link takes the place of the old one, whose other end
may long be gone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chat.client.model.failures import ClientFailure, NotThePeer, PeerUnreachable
from chat.client.p2p.addresses import worth_dialing
from chat.client.p2p.connection import Identity, PeerLink
from chat.client.p2p.connector import PeerAddress, PeerConnector
from chat.client.p2p.listener import PeerListener
from chat.client.p2p.message_channel import DeviceCipher, MessageChannel
from chat.protocol.events import Address
from chat.protocol.names import fold

AT_ONCE: Final = 10.0
"""Seconds in which two links count as called at the same time."""


class NoAddress(ClientFailure):
    """One has not asked for the address, or was not given it."""


class PeerGone(PeerUnreachable):
    """Nobody is reached at an address any more."""


class Peers:
    """The people that this client talks to without the server.

    :param joined: gets each line as soon as it stands, whichever end has called.
    :param same_machine: whether the server runs on this machine, so that others may be on it as well.
    """

    def __init__(
        self,
        reactor: Any,
        identity: Identity,
        post: DeviceCipher,
        joined: Callable[[MessageChannel], object],
        same_machine: bool = False,
    ) -> None:
        self._reactor = reactor
        self._identity = identity
        self._post = post
        self._joined = joined
        self._same_machine = same_machine
        self._places: dict[str, tuple[str, PeerAddress]] = {}
        self._let_in: set[str] = set()
        self._lines: dict[tuple[str, str], MessageChannel] = {}
        self._listening = PeerListener(reactor, identity, self.lets_in, self._stands)

    # who may

    @property
    def in_touch(self) -> bool:
        """Whether there is any line, or anybody may call here."""
        return bool(self._lines or self._let_in)

    def listen(self, user: str, port: int = 0) -> int:
        """Let somebody call here.

        :param port: where, if nothing listens yet; 0 takes any.
        :returns: the port.
        :raises CannotListen: when it cannot be opened.
        """
        opened = self._listening.open(port)
        self._let_in.add(fold(user))
        return opened

    def lets_in(self, user: str) -> bool:
        """Whether somebody may call here."""
        return fold(user) in self._let_in

    def let_in_no_more(self, user: str) -> None:
        """Somebody may call here no more; without anybody who may, the port is closed."""
        self._let_in.discard(fold(user))
        if not self._let_in:
            self._listening.close()

    def shut_out(self, user: str) -> None:
        """The same, and the lines that stand are closed."""
        self.let_in_no_more(user)
        for line in self.channels_to(user):
            line.link.close(f"The connection to {user} was closed.")

    def learn(self, address: Address) -> None:
        """Somebody has given an address; of those that it may have come with, what nobody should dial is left out."""
        worth = worth_dialing((address.address, *address.others), self._same_machine)
        if worth:
            self._places[fold(address.author)] = (address.author, PeerAddress(worth, address.port))

    def forget(self, user: str) -> None:
        """Somebody is elsewhere now."""
        self._places.pop(fold(user), None)

    def close(self) -> None:
        """End everything."""
        self._let_in.clear()
        self._places.clear()
        self._listening.close()
        for line in tuple(self._lines.values()):
            line.link.close()

    # lines

    def channels_to(self, user: str) -> list[MessageChannel]:
        """Those that stand, to any device of somebody."""
        return [line for (name, _), line in self._lines.items() if name == fold(user)]

    def holds(self, user: str) -> bool:
        """Whether one has somebody's address."""
        return fold(user) in self._places

    async def channel_to(self, user: str) -> MessageChannel:
        """A line to somebody, made if none stands.

        :raises NoAddress: when nobody has given one.
        :raises PeerGone: when nobody is there any more.
        :raises NotThePeer: when somebody else is.
        """
        if lines := self.channels_to(user):
            return lines[-1]
        known = self._places.get(fold(user))
        if known is None:
            raise NoAddress("Please request user address first (getaddress <user>).")
        shown, place = known
        try:
            link = await PeerConnector(self._reactor, self._identity, shown, place).reached
        except NotThePeer:
            raise
        except PeerUnreachable:
            raise self.gone(user) from None
        return self._stands(link)

    def gone(self, user: str) -> PeerGone:
        """In the words of wish 001, that somebody is not there any more."""
        shown, place = self._places.get(fold(user), (user, None))
        at = f" at ('{place.addresses[0]}', {place.port})" if place is not None else ""
        return PeerGone(f"User {shown} is no longer available{at}. You can send an offline message through the server.")

    def _stands(self, link: PeerLink) -> MessageChannel:
        key = fold(link.user), link.device
        before = self._lines.pop(key, None)
        if before is not None and self._at_once(before) and self._is_kept(before.link) and not self._is_kept(link):
            self._lines[key] = before
            link.close("There is a connection already.")
            return before
        line = MessageChannel(link, self._post, self._reactor)
        if before is not None:
            before.link.close("A newer connection replaced this one.")
        self._lines[key] = line
        link.ended.addCallback(lambda reason: self._ended(key, line, reason))
        self._joined(line)
        return line

    def _at_once(self, before: MessageChannel) -> bool:
        """Whether a line was made so lately that another link may have been called at the same time."""
        return bool(self._reactor.seconds() - before.since < AT_ONCE)

    def _is_kept(self, link: PeerLink) -> bool:
        """Whether a link is the one that both ends keep of two."""
        own = self._identity.own
        return ((fold(own.user), own.name) < (fold(link.user), link.device)) is link.calling

    def _ended(self, key: tuple[str, str], line: MessageChannel, reason: ClientFailure) -> ClientFailure:
        if self._lines.get(key) is line:
            del self._lines[key]
        return reason
