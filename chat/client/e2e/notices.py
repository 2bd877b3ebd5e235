"""What a person is told of keys: each finding as one line."""

from __future__ import annotations

from collections.abc import Iterable

from chat.client.e2e.transcript import Doubt
from chat.client.e2e.trust_store import Change, Changed

_CHANGES = {
    Change.OTHER_ACCOUNT_KEY: (
        "THE KEY OF {user} HAS CHANGED. Somebody may stand between you, or {user} has begun anew. Ask {user} by another"
        " way and compare: verify {user}. To go on with the new key: accept {user}"
    ),
    Change.NO_ACCOUNT_KEY: "The server hides the keys of {user}, which it has shown before. Nothing is sent to {user}.",
    Change.NEW_DEVICE: "{user} has a new device, {device}, and it will read what you write from now on.",
    Change.OTHER_KEYS: "{device} of {user} has new keys, and will read what you write from now on.",
    Change.GHOST: "{device} claims to be a device of {user}, but {user} does not vouch for it. It is given nothing.",
    Change.WITHOUT_KEYS: "{device} of {user} has no keys: what is sealed cannot be read there.",
}

_DOUBTS = {
    Doubt.WITHHELD: "Something that was said here before this message was never shown to you.",
    Doubt.FORKED: "{author} was shown something else here than you were.",
    Doubt.REORDERED: "What is said here is shown in another order than it was said in.",
}


def change_words(change: Changed) -> str:
    """What has changed with somebody's keys."""
    return _CHANGES[change.change].format(user=change.user, device=change.device)


def doubt_words(doubt: Doubt, author: str) -> str:
    """What a message shows to be wrong with what came before it."""
    return f"{_DOUBTS[doubt].format(author=author)} The server, or whoever holds it, leaves out or rearranges messages."


def loss_words(lost: int) -> str:
    """So many of the last rows of a conversation are no longer there."""
    lines = "The last line that was shown here is" if lost == 1 else f"The last {lost:,} lines that were shown here are"
    return f"{lines} gone from the server: it was put back to an earlier time, or whoever holds it takes lines back."


def gone_words(partner: str, lost: int) -> str:
    """A private conversation of so many rows is no longer there."""
    lines = "1 line" if lost == 1 else f"{lost:,} lines"
    return (
        f"The server has no conversation with {partner} any more ({lines}): it was put back to an earlier time, the"
        " account was deleted, or whoever holds it takes lines back."
    )


def named(devices: Iterable[tuple[str, str]]) -> str:
    """Devices as they are written: ``bob@phone, ann@laptop``."""
    return ", ".join(f"{user}@{device}" for user, device in devices)


NEEDS_ACCEPTING = frozenset({Change.OTHER_ACCOUNT_KEY, Change.NO_ACCOUNT_KEY})
"""Changes that mere going on does not settle."""
