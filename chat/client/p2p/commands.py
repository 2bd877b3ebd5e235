"""The verbs for direct connections and files: consent, private, sendfile, getfile and refusefile.

The verbs are the server's: what they need beyond it is done here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from chat.client.model.failures import ClientFailure, PeerUnreachable
from chat.client.model.state import State
from chat.client.model.transfer_progress import Stage
from chat.client.p2p.addresses import own_addresses
from chat.client.p2p.connection import Identity
from chat.client.p2p.file_sender import typed_path
from chat.client.p2p.message_channel import DeviceCipher, MessageChannel
from chat.client.p2p.offer import ANSWER, OFFER
from chat.client.p2p.partial_files import remove_old_parts
from chat.client.p2p.peer_transfer import PeerTransfers
from chat.client.p2p.peers import Peers
from chat.client.p2p.relay_transfer import FileOfferMessages, RelayTransfers
from chat.client.p2p.transfer import Transfer
from chat.client.p2p.transfer_base import TransferBase
from chat.client.session.observer import Observer
from chat.client.session.peer_api import NullPeers, RelayFallback
from chat.client.session.tasks import unattended
from chat.protocol.events import Address, AddressChanged, BlockChanged, Event, People, Refused, Reply
from chat.protocol.grammar.context import Call
from chat.protocol.grammar.verbs import Verb
from chat.protocol.names import fold
from chat.protocol.values import BODY_BYTES

PRIVATE: Final = "private"
"""The type of a letter that is shown as it is."""

LOOK_EVERY: Final = 0.2
"""Seconds between two looks at whether files are still on their way, when the client is about to end."""

SETTLED: Final = (Stage.OFFERED, Stage.LEFT)
"""The stages in which a file may wait for another day."""

NO_KEYS: Final = "This needs your keys, and they are locked. Type: unlock"


class UnlockedKeys(FileOfferMessages, Protocol):
    """The keys of this client, while they are unlocked."""

    @property
    def identity(self) -> Identity: ...

    @property
    def post(self) -> DeviceCipher:
        """Encrypts and decrypts messages between devices."""

    async def look(self, user: str) -> None:
        """See which keys somebody has now.

        :raises ClientFailure: when the server does not say.
        """

    def listen(self, kind: str, take: Callable[[str, str, Mapping[str, Any]], object]) -> None:
        """Hand over the letters of one type that come by way of the server."""


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """What a person has set.

    :param port: where to listen, or 0 for any that is free.
    :param folder: where files land.
    :param same_machine: whether the server runs on this machine.
    """

    port: int
    folder: Path
    same_machine: bool = False


class PeerCommands(NullPeers):
    """All that goes from client to client, for one engine.

    :param state: knows how people write their names.
    :param keys: gives those of this client, while they are unlocked.
    :param ask: asks the server.
    :param in_thread: where files are read whole.
    :param addresses: those of this machine in its own networks.
    """

    def __init__(
        self,
        reactor: Any,
        state: State,
        screen: Observer,
        keys: Callable[[], UnlockedKeys | None],
        ask: Callable[[str, Mapping[str, object]], Awaitable[Reply]],
        choices: PeerSettings,
        in_thread: Callable[..., Deferred[Any]],
        addresses: Callable[[], tuple[str, ...]] = own_addresses,
    ) -> None:
        self._verbs: dict[str, Callable[..., Awaitable[Reply | None]]] = {
            "consent": self._consent,
            "private": self._private,
            "sendfile": self._send_file,
            "getfile": self._get_file,
            "refusefile": self._refuse_file,
        }
        self._reactor = reactor
        self._state = state
        self._screen = screen
        self._find_keys = keys
        self._ask = ask
        self._choices = choices
        self._in_thread = in_thread
        self._addresses = addresses
        self._keys: UnlockedKeys | None = None
        self._peers: Peers | None = None
        self._peer_transfers: PeerTransfers | None = None
        self._relay_transfers: RelayTransfers | None = None

    # beginning and end

    def begin(self) -> None:
        keys = self._find_keys()
        if keys is not None and self._keys is not None and self._keys.identity == keys.identity:
            # The connection to the server was lost; the lines were not.
            if self._peers is not None and self._peers.in_touch:
                unattended(self._look_for_blocks())
            if self._relay_transfers is not None:
                self._relay_transfers.begin()
            return
        self.close()
        if keys is None:
            return
        unattended(self._tidy())
        self._keys = keys
        self._peers = Peers(self._reactor, keys.identity, keys.post, self._joined, self._choices.same_machine)
        self._peer_transfers = PeerTransfers(
            self._peers, self._choices.folder, self._in_thread, self._reactor, self._screen.transferred
        )
        self._relay_transfers = relay = RelayTransfers(
            keys, self._ask, self._choices.folder, self._in_thread, self._reactor, self._screen.transferred
        )
        keys.listen(OFFER, relay.offered)
        keys.listen(ANSWER, relay.answered)

    async def _tidy(self) -> None:
        await self._in_thread(remove_old_parts, self._choices.folder)

    def close(self) -> None:
        if self._peer_transfers is not None:
            self._peer_transfers.close()
        if self._peers is not None:
            self._peers.close()
        if self._relay_transfers is not None:
            self._relay_transfers.close()
        self._keys = self._peers = self._peer_transfers = self._relay_transfers = None

    async def settled(self) -> None:
        while any(each.stage not in SETTLED for each in self._transfers()) or (
            self._relay_transfers and self._relay_transfers.answering
        ):
            await deferLater(self._reactor, LOOK_EVERY)

    def offers(self) -> list[Transfer]:
        return [each for each in self._transfers() if each.incoming and each.stage is Stage.OFFERED]

    def _transfers(self) -> list[Transfer]:
        return [
            each for way in (self._peer_transfers, self._relay_transfers) if way is not None for each in way.transfers
        ]

    # what comes from the server

    def heard(self, event: Event) -> None:
        if self._peers is None:
            return
        if isinstance(event, Address):
            self._peers.learn(event)
        elif isinstance(event, AddressChanged):
            self._peers.forget(event.author)
        elif isinstance(event, BlockChanged) and event.blocked:
            self.shut_out(event.user)

    def shut_out(self, user: str) -> None:
        if self._peers is not None and self._peer_transfers is not None and self._relay_transfers is not None:
            linked = self._peers.channels_to(user)
            self._peer_transfers.shut_out(user)
            self._relay_transfers.shut_out(user)
            self._peers.shut_out(user)
            if linked:
                self._screen.found(None, f"The connection to {self._shown(user)} is closed.", False)

    async def _look_for_blocks(self) -> None:
        """Shut out whom another session has blocked while this one heard nothing of the server."""
        blocked = await self._ask("list", {"what": "blocked"})
        for each in blocked.people if isinstance(blocked, People) else ():
            self.shut_out(each.name)

    # what comes from others

    def _joined(self, line: MessageChannel) -> None:
        line.read = lambda content: self._read(line, content)
        if self._peer_transfers is not None:
            carrier = self._peer_transfers
            line.taken = lambda kind, body: carrier.taken(line, kind, body)
            carrier.joined(line)

    def _read(self, line: MessageChannel, content: Any) -> None:
        """:raises ClientFailure: when it is nothing that is understood here."""
        kind = content.get("type") if isinstance(content, dict) else None
        if kind == OFFER and self._peer_transfers is not None:
            self._peer_transfers.offered(line, content)
            return
        text = content.get("text") if kind == PRIVATE else None
        if not isinstance(text, str) or not text or len(text.encode("utf-8", "replace")) > BODY_BYTES:
            raise ClientFailure("The message is not valid.")
        user = self._shown(line.link.user)
        self._screen.direct(user, user, text)

    def _shown(self, user: str) -> str:
        """How somebody writes the own name, as far as that is known."""
        return self._state.people.get(fold(user), (user, ""))[0]

    # what a person asks for

    def runs(self, verb: Verb) -> bool:
        return verb.name in self._verbs

    async def run(self, call: Call) -> Reply | None:
        return await self._verbs[call.verb.name](**{each.name: call.arguments[each.name] for each in call.verb.written})

    async def _known(self, user: str) -> tuple[UnlockedKeys, Peers, PeerTransfers]:
        """Everything that is needed to talk to somebody, whose keys have just been looked at.

        :raises ClientFailure: when something is missing.
        """
        if self._keys is None:
            self.begin()
        if self._keys is None or self._peers is None or self._peer_transfers is None:
            raise ClientFailure(NO_KEYS)
        parts = self._keys, self._peers, self._peer_transfers
        if not self._peers.channels_to(user):
            devices = self._keys.identity.pins.devices_to_seal_for
            try:
                await self._keys.look(user)
            except ClientFailure:
                if not devices(user):
                    raise
                # What was known before still holds: it takes no server.
            if not devices(user):
                raise ClientFailure(f"{user} has no keys. Both of you need the chat client for this.")
        return parts

    async def _consent(self, user: str) -> Reply:
        """Give an address: from now on that person may call here."""
        _, peers, _ = await self._known(user)
        before, given = peers.lets_in(user), False
        where = {"port": peers.listen(user, self._choices.port), "addresses": list(self._addresses())}
        try:
            reply = await self._ask("consent", {"user": user} | where)
            given = not isinstance(reply, Refused)
        finally:
            if not given and not before:
                peers.let_in_no_more(user)
        return reply

    async def _private(self, user: str, text: str) -> None:
        """Write to somebody without the server."""
        _, peers, _ = await self._known(user)
        try:
            line = await peers.channel_to(user)
            await line.tell({"type": PRIVATE, "text": text})
        except PeerUnreachable:
            raise RelayFallback(str(peers.gone(user)), user, text) from None
        self._screen.direct(self._shown(line.link.user), self._state.me, text)

    async def _send_file(self, user: str, path: str) -> None:
        """Offer a file: straight where that is possible, else by way of the server."""
        _, peers, carrier = await self._known(user)
        if peers.channels_to(user) or peers.holds(user):
            try:
                await carrier.send(user, typed_path(path))
                return
            except PeerUnreachable:
                pass  # the server keeps it until somebody is there
        assert self._relay_transfers is not None, "begin makes one"
        await self._relay_transfers.send(self._shown(user), typed_path(path))

    async def _get_file(self, user: str) -> None:
        """Take what somebody offers."""
        way, transfer = self._oldest(user)
        await way.take(transfer)

    async def _refuse_file(self, user: str) -> None:
        """Do not take what somebody offers, or no more of it; or take back what one offers."""
        found = sorted(self._ways(user), key=lambda each: not each[1].incoming)
        if not found:
            raise ClientFailure(f"There is no file from {user} or to {user}.")
        way, transfer = found[0]
        way.refuse(transfer)

    def _oldest(self, user: str) -> tuple[TransferBase, Transfer]:
        for way, transfer in self._ways(user):
            if transfer.incoming and transfer.stage is Stage.OFFERED:
                return way, transfer
        raise ClientFailure(f"{user} has not offered you a file.")

    def _ways(self, user: str) -> list[tuple[TransferBase, Transfer]]:
        """The files of which something may become, from and to somebody, the oldest first of each way."""
        ways = [each for each in (self._peer_transfers, self._relay_transfers) if each is not None]
        return [(way, each) for way in ways for each in way.of(user)]
