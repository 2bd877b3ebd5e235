"""The engine's interface to peer-to-peer links, implemented here for a client without them.

`chat.client.p2p.commands` implements them; it needs a library that is not installed everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from chat.client.model.failures import ClientFailure
from chat.client.model.transfer_progress import TransferProgress
from chat.protocol.events import Event, Reply
from chat.protocol.grammar.context import Call
from chat.protocol.grammar.verbs import Verb


class RelayFallback(ClientFailure):
    """A direct message was not delivered; the person may send it through the server instead.

    :ivar user: the recipient.
    :ivar text: the message.
    """

    def __init__(self, words: str, user: str, text: str) -> None:
        super().__init__(f"{words} Type ! to send it that way.")
        self.user = user
        self.text = text


class NullPeers:
    """A client without peer-to-peer links; the server explains the verbs that need them."""

    def runs(self, verb: Verb) -> bool:
        """Whether this client runs a verb itself, instead of the server."""
        return False

    async def run(self, call: Call) -> Reply | None:
        """Run a verb.

        :returns: a reply to show, if any.
        :raises ClientFailure: when it fails.
        """
        return None

    def begin(self) -> None:
        """Somebody is logged in."""

    def heard(self, event: Event) -> None:
        """Handle an event from the server; it is shown in any case."""

    def shut_out(self, user: str) -> None:
        """This account has blocked somebody: end their links."""

    def offers(self) -> Sequence[TransferProgress]:
        """Files that others have offered and that are not accepted or declined yet."""
        return []

    async def settled(self) -> None:
        """Wait until no transfer is running."""

    def close(self) -> None:
        """Nobody is logged in any more: close all links."""
