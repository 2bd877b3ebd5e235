"""Everything that can go wrong in the client; the text of each failure is one line for a person."""

from __future__ import annotations

from chat.protocol.events import Refused


class ClientFailure(Exception):
    """Something in the client failed."""


# the server


class RequestRefused(ClientFailure):
    """The server refused a request.

    :ivar reply: its answer.
    """

    def __init__(self, reply: Refused) -> None:
        super().__init__(reply.text)
        self.reply = reply


class ServerNotTrusted(ClientFailure):
    """The server did what an honest one does not do: somebody may be in the middle.

    :cvar final: whether this is not the same server as before, so that only a person can decide how to go on. Anything
        else may have been an accident on the way, and the client tries again.
    """

    final = False


class Disconnected(ClientFailure):
    """The connection has ended; requests without an answer may or may not have been carried out."""


class NotConnected(Disconnected):
    """A request needs a connection on which somebody is logged in."""

    def __init__(self) -> None:
        super().__init__("You are not connected, so nothing was done. Try again when the client has reconnected.")


class NoEncryption(Disconnected):
    """There is a server, but it does not speak TLS."""


class HeldBack(ClientFailure):
    """The client has just shown something that the person should see before this is sent."""


class NobodyThere(ClientFailure):
    """A person would have to type something, and there is no terminal."""


class TooMuch(ClientFailure):
    """A request is too long, or too many are waiting."""


# keys


class NotGenuine(ClientFailure):
    """A message is not from the sender it names, not for this device, or was altered: nothing of it is shown."""


class KeyMissing(ClientFailure):
    """A message may be genuine, but this device has never received its key."""


class NotYetShown(HeldBack):
    """Somebody's keys have changed and the person here has not seen that yet: nothing is encrypted for them before."""


class BadKeyFile(ClientFailure):
    """A file of keys cannot be read: the passphrase is wrong, or the file is damaged."""


class KeysInUse(BadKeyFile):
    """Another program of the same person has the file open."""


# peers


class NotThePeer(ClientFailure):
    """Another client answered, but did not prove that it belongs to the person who was called: nothing was sent."""


class PeerUnreachable(ClientFailure):
    """No client answered, or one stopped answering."""


class CannotListen(ClientFailure):
    """The port for peer-to-peer connections cannot be opened."""


class BadPeerFrame(ClientFailure):
    """The other client sent a frame that this protocol does not have."""


# files


class BadFile(ClientFailure):
    """A file cannot be read or written, or is not a regular file."""


class BadOffer(ClientFailure):
    """An offered file cannot be accepted."""


class Damaged(ClientFailure):
    """The data received is not the file that was offered; it was not kept."""
