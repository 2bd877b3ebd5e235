"""What can go wrong, each with one line for a person."""

from __future__ import annotations

from chat.protocol.events import Refused


class ClientFailure(Exception):
    """Something of the client's did not work; its text is one line for a person."""


class RequestRefused(ClientFailure):
    """The server said no.

    :ivar reply: what it said.
    """

    def __init__(self, reply: Refused) -> None:
        super().__init__(reply.text)
        self.reply = reply


class ServerNotTrusted(ClientFailure):
    """The server did what an honest one does not do: somebody may stand in between.

    :cvar final: whether it is another server than before, which only a person can decide about. Anything else may have
        been a mishap on the way, and is tried again.
    """

    final = False


class Disconnected(ClientFailure):
    """The connection has ended, so nobody knows what became of what had no answer yet."""


class NoEncryption(Disconnected):
    """There is a server, but it does not speak TLS."""


class HeldBack(ClientFailure):
    """Something was shown just now that the person may want to look at before this is sent."""


class NobodyThere(ClientFailure):
    """Somebody would have to type something, and there is no terminal."""


class TooMuch(ClientFailure):
    """A request that is too long, or one too many."""
