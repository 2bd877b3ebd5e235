"""What the engine asks of whoever goes from client to client; and a client that does not.

`chat.client.p2p.commands` has the other one. It needs a library that not everybody has installed.
"""

from __future__ import annotations

from collections.abc import Sequence

from chat.client.model.failures import ClientFailure
from chat.client.model.transfer_progress import TransferProgress
from chat.protocol.events import Event, Reply
from chat.protocol.grammar.context import Call
from chat.protocol.grammar.verbs import Verb


class RelayFallback(ClientFailure):
    """A private line was not delivered, and may go by way of the server.

    :ivar user: to whom.
    :ivar text: what.
    """

    def __init__(self, words: str, user: str, text: str) -> None:
        super().__init__(f"{words} Type ! to send it that way.")
        self.user = user
        self.text = text


class NullPeers:
    """A client that talks by way of the server alone, which explains what the verbs of the other one take."""

    def runs(self, verb: Verb) -> bool:
        """Whether a verb of the server is done here, as it needs a client that listens, calls and reads files."""
        return False

    async def run(self, call: Call) -> Reply | None:
        """Do what a person asks for.

        :returns: what is to be shown, if it was not told.
        :raises ClientFailure: when that is not possible.
        """
        return None

    def begin(self) -> None:
        """Somebody is logged in."""

    def heard(self, event: Event) -> None:
        """An event has come from the server; it is shown all the same."""

    def shut_out(self, user: str) -> None:
        """Somebody is blocked."""

    def offers(self) -> Sequence[TransferProgress]:
        """Files that others offer and that were not answered for."""
        return []

    async def settled(self) -> None:
        """Wait until no file is on its way any more."""

    def close(self) -> None:
        """Nobody is logged in any more."""
