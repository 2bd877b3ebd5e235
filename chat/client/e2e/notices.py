"""Words for changed keys and inconsistent conversations, one line each."""

from __future__ import annotations

from collections.abc import Iterable

from chat.client.e2e.transcript import Doubt
from chat.client.e2e.trust_store import Change, Changed

_CHANGES = {
    Change.OTHER_ACCOUNT_KEY: (
        "THE KEY OF {user} HAS CHANGED. Either {user} made a new key, or somebody is trying to read your messages. Ask"
        " {user} by phone or in person, and compare: verify {user}. If the new key is right, type: accept {user}"
    ),
    Change.NO_ACCOUNT_KEY: "The server hides the keys of {user}, which it showed before. Nothing is sent meanwhile.",
    Change.NEW_DEVICE: "{user} has a new device, {device}. It can read what you write from now on.",
    Change.OTHER_KEYS: "The device {device} of {user} has new keys. It can read what you write from now on.",
    Change.GHOST: "The server lists a device {device} of {user} that {user} has not confirmed. It gets no keys.",
    Change.WITHOUT_KEYS: "The device {device} of {user} has no keys and cannot read encrypted messages.",
}

_DOUBTS = {
    Doubt.WITHHELD: "An earlier message in this conversation was never shown to you.",
    Doubt.FORKED: "The server showed {author} another message here than it showed you.",
    Doubt.REORDERED: "Messages here are not in the order in which they were written.",
}


def change_words(change: Changed) -> str:
    """What has changed with somebody's keys."""
    return _CHANGES[change.change].format(user=change.user, device=change.device)


def doubt_words(doubt: Doubt, author: str) -> str:
    """What a message shows to be wrong with what came before it."""
    return f"{_DOUBTS[doubt].format(author=author)} Somebody who controls the server is hiding or rearranging messages."


def loss_words(lost: int) -> str:
    """So many of the last rows of a conversation are no longer there."""
    lines = "The last message here is" if lost == 1 else f"The last {lost:,} messages here are"
    return f"{lines} gone from the server. It was restored from a backup, or somebody who controls it removed them."


def gone_words(partner: str, lost: int) -> str:
    """A private conversation of so many rows is no longer there."""
    lines = "1 message" if lost == 1 else f"{lost:,} messages"
    return (
        f"Your conversation with {partner} ({lines}) is gone from the server. The server was restored from a backup,"
        " the account was deleted, or somebody who controls the server removed it."
    )


def named(devices: Iterable[tuple[str, str]]) -> str:
    """Devices as they are written: ``bob@phone, ann@laptop``."""
    return ", ".join(f"{user}@{device}" for user, device in devices)


NEEDS_ACCEPTING = frozenset({Change.OTHER_ACCOUNT_KEY, Change.NO_ACCOUNT_KEY})
"""Changes that mere going on does not settle."""
