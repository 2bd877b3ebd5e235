"""Safety numbers: two people compare them to make sure that nobody intercepts their messages."""

from __future__ import annotations

from hashlib import sha512
from typing import Final

from chat.client.e2e.cross_signing import statement
from chat.protocol.names import fold

ROUNDS: Final = 5_000
"""Times that the hash is taken, so that looking for another key with a similar number costs that much more."""

EMOJI: Final = (
    "🐶🐱🐭🐰🦊🐻🐼🐯🦁🐮🐷🐸🐵🐔🐧🦉"
    "🐴🦄🐝🦋🐌🐞🐢🐍🐙🦀🐠🐳🐊🐘🐪🦒"
    "🌵🌲🌻🍄🌙🌈🔥🌊🍎🍋🍌🍉🍇🍓🥕🌽"
    "🍞🧀🍕🎂🚗🚲🚂🚀🎸🎺🥁🎈🔑🔔🔨💡"
)
"""64 pictures: 6 bits each."""

_GROUPS, _PICTURES = 6, 12


def _print_of(user: str, account_key: bytes) -> bytes:
    """64 bytes that stand for a person's key."""
    digest = named = statement("chat safety number 1", fold(user), account_key)
    for _ in range(ROUNDS):
        digest = sha512(digest + named).digest()
    return digest


def safety_number(user: str, key: bytes, other: str, other_key: bytes) -> str:
    """60 digits in groups of five, the same on both sides."""
    halves = sorted((_print_of(user, key), _print_of(other, other_key)))
    groups = [int.from_bytes(half[5 * each : 5 * each + 5]) % 100_000 for half in halves for each in range(_GROUPS)]
    return " ".join(f"{group:05}" for group in groups)


def safety_emoji(user: str, key: bytes, other: str, other_key: bytes) -> str:
    """Twelve pictures, 72 bits, the same on both sides."""
    both = sha512(b"".join(sorted((_print_of(user, key), _print_of(other, other_key))))).digest()
    bits = int.from_bytes(both)
    return " ".join(EMOJI[bits >> 6 * each & 63] for each in range(_PICTURES))
