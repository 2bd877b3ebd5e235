"""What is refused, each with one line for a person."""

from __future__ import annotations

from chat.client.model.failures import ClientFailure, HeldBack


class NotGenuine(ClientFailure):
    """It is not from whom it says, not for us, or not as it was sent: nothing of it is shown."""


class KeyMissing(ClientFailure):
    """It may well be genuine, but this device was never given its key."""


class NotYetShown(HeldBack):
    """Somebody's keys have changed, and the person here has not seen that: nothing is sealed before."""


class BadKeyFile(ClientFailure):
    """A file of keys that cannot be read: a wrong passphrase, or a damaged file."""


class KeysInUse(BadKeyFile):
    """Another program of the same person has the file open."""
