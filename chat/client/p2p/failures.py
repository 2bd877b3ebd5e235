"""What can go wrong between two clients, each with one line for a person."""

from __future__ import annotations

from chat.client.model.failures import ClientFailure


class NotThePeer(ClientFailure):
    """Somebody answered who could not prove to be the one that was meant: nothing was sent."""


class PeerUnreachable(ClientFailure):
    """Nobody answered, or somebody fell silent."""


class CannotListen(ClientFailure):
    """The port cannot be opened."""


class BadPeerFrame(ClientFailure):
    """The other end sent what no such client sends."""
