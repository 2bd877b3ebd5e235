"""What can go wrong with a file, each with one line for a person."""

from __future__ import annotations

from chat.client.model.failures import ClientFailure


class BadFile(ClientFailure):
    """A file cannot be read or written, or is none."""


class BadOffer(ClientFailure):
    """What was offered is no file that can be taken."""


class Damaged(ClientFailure):
    """What has come is not what was offered: it was not kept."""
