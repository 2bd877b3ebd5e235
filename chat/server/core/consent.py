"""Who may have whose address, so that two clients can talk without the server (wish 001: privacy and consent).

The rules:

* An address is passed on only to who asked for it, and only when its owner consents, within `ASKED_FOR`.
* Who is blocked by the owner is refused, and what that person had asked before is forgotten.
* Who holds an address is told when its owner comes back from another one; the address itself is forgotten here.
* A client may add addresses of its own networks, but none of somebody else's on the internet: nobody can be sent to a
  stranger by this.
* Loopback and link-local addresses mean another machine to whoever gets them, so they are not passed on, whether the
  client gave them or the server sees them. Between two clients on the server's own machine loopback is.

All of it is in memory: after a restart one asks again.
"""

from __future__ import annotations

from collections.abc import Iterable

from chat.protocol.errors import AddressRefused, BadUsage, NeedsClient, NoEffect, NotHere, TooFast
from chat.protocol.events import Address, AddressChanged, AskedConsent, ConsentRefused
from chat.protocol.values import Account, Reach, reach_of
from chat.server.core.node import Node
from chat.server.core.user import ChatUser, Session

ASKED_FOR = 600.0
"""Seconds after which a request is forgotten."""

MOST_ASKED = 20
"""Requests of one person that may be open at a time."""

MOST_ADDRESSES = 8
"""Addresses that a client may add to the one that the server sees."""


class Consent:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._asked: dict[int, dict[int, float]] = {}
        """When who asked, by asker and owner, in seconds that never jump."""
        self._held: dict[int, tuple[str, set[int]]] = {}
        """By owner: the address that was passed on, and who holds it."""

    def ask(self, session: Session, owner: Account) -> None:
        """Ask somebody for an address.

        :raises AddressRefused: when the owner blocks who asks.
        :raises Muted: on the whole server.
        :raises NotHere: when the owner is not online.
        :raises NoEffect: when it was asked for already.
        :raises TooFast: when too many requests are open.
        """
        user, node = _user(session), self._node
        asker = user.account.id
        name = owner.name.shown
        if owner.id == asker:
            raise BadUsage("That is your own name. Usage: getaddress NAME")
        node.sanctions.may_speak(asker, node.now())
        if node.directory.blocks(owner.id, asker):
            raise AddressRefused(f"getaddress request for {name} failed.")
        if owner.id not in node.users:
            raise NotHere(f"User {name} is not online. To leave a message: message {name} TEXT")
        now = node.clock.monotonic()
        open_ = {id: when for id, when in self._asked.get(asker, {}).items() if now - when < ASKED_FOR}
        if owner.id in open_:
            raise NoEffect(f"You have already asked User {name} for consent; a request expires after 10 minutes.")
        if len(open_) >= MOST_ASKED:
            raise TooFast("Too many pending address requests. Wait for the answers.")
        self._asked[asker] = {**open_, owner.id: now}
        self._node.tell(owner.id, AskedConsent(user.name))

    def give(self, session: Session, asker: Account, port: int | None, addresses: Iterable[str]) -> None:
        """Pass one's own address on to who asked for it.

        :param port: where the client listens; nothing from those that do not.
        :param addresses: those of its own networks, beside the one that the server sees.
        :raises NoEffect: when nobody asked, or too long ago.
        :raises NeedsClient: when nothing listens.
        :raises NotHere: when who asked has left.
        :raises AddressRefused: when none of the addresses means anything where who asked is.
        """
        owner = _user(session)
        name = asker.name.shown
        self._check_asked(asker, owner.account.id)
        if port is None:
            raise NeedsClient(f"You need the console client to give your address. To refuse, type: refuse {name}")
        own = session.mind.peer.address
        more = [_checked(address) for address in dict.fromkeys(addresses) if address != own]
        if len(more) > MOST_ADDRESSES:
            raise BadUsage(f"A client can give at most {MOST_ADDRESSES} addresses.")
        minds = self._node.minds_of(asker.id)
        told = [(mind, each) for mind in minds if (each := _reachable((own, *more), own, mind.peer.address))]
        if minds and not told:
            raise AddressRefused(f"{name} could not reach any of your client's addresses, so none was sent.")
        del self._asked[asker.id][owner.account.id]
        if not minds:
            raise NotHere(f"User {name} has disconnected and did not get your address.")
        seen, holders = self._held.get(owner.account.id, (own, set()))
        self._held[owner.account.id] = own, ({*holders, asker.id} if seen == own else {asker.id})
        for mind, (first, *others) in told:
            mind.deliver(Address(owner.name, first, port, tuple(others)))

    def refuse(self, session: Session, asker: Account) -> None:
        """Say no.

        :raises NoEffect: when nobody asked, or too long ago.
        """
        owner = _user(session)
        self._check_asked(asker, owner.account.id)
        del self._asked[asker.id][owner.account.id]
        self._node.tell(asker.id, ConsentRefused(owner.name))

    def holds(self, session: Session, owner: Account) -> bool:
        """Whether a user was given somebody's address, which still counts."""
        _, holders = self._held.get(owner.id, ("", ()))
        return _user(session).account.id in holders

    def arrived(self, user: ChatUser, session: Session) -> None:
        """Somebody has come, perhaps from elsewhere."""
        address, holders = self._held.get(user.account.id, ("", ()))
        if address and address != session.mind.peer.address:
            del self._held[user.account.id]
            for holder in holders:
                self._node.tell(holder, AddressChanged(user.name))

    def blocked(self, owner: int, asker: int) -> None:
        """Forget what two asked of each other and what the one holds who is blocked now: its answers would show whether
        the other is here."""
        for one, other in ((asker, owner), (owner, asker)):
            self._asked.get(one, {}).pop(other, None)
        _, holders = self._held.get(owner, ("", set()))
        holders.discard(asker)

    def departed(self, user: ChatUser) -> None:
        """Forget what somebody asked or was given who has left."""
        self._asked.pop(user.account.id, None)
        for _, holders in self._held.values():
            holders.discard(user.account.id)

    def _check_asked(self, asker: Account, owner: int) -> None:
        when = self._asked.get(asker.id, {}).get(owner)
        if when is None or self._node.clock.monotonic() - when >= ASKED_FOR:
            raise NoEffect(f"User {asker.name.shown} has not asked for your consent in the last 10 minutes.")


def _checked(word: str) -> str:
    """An address that a client gives of itself.

    :raises BadUsage: when it is none, or anybody's on the internet.
    """
    try:
        reach = reach_of(word)
    except ValueError:
        raise BadUsage(f"{word[:60]!r} is not an IP address.") from None
    if reach in (Reach.INTERNET, Reach.NOWHERE):
        raise BadUsage(f"{word} is not a private network address; the server knows your public one.")
    return word


def _reachable(addresses: Iterable[str], owner: str, asker: str) -> list[str]:
    """Those addresses that mean the owner's machine where who asked is.

    :param owner: where the server sees the owner; so for the asker.
    """
    meaningful = {Reach.NETWORK, Reach.INTERNET}
    if _reach(owner) is _reach(asker) is Reach.MACHINE:  # both are on this very machine
        meaningful.add(Reach.MACHINE)
    return [each for each in addresses if _reach(each) in meaningful]


def _reach(address: str) -> Reach:
    """The same as `reach_of`, for what the server sees: a socket of this machine has no address."""
    try:
        return reach_of(address)
    except ValueError:
        return Reach.NOWHERE


def _user(session: Session) -> ChatUser:
    assert session.user is not None, "perform lets only users act"
    return session.user
