"""One-time codes: what an operator hands to somebody who has no password, or has lost it.

A code is read out and typed in, so it has no letters that look alike; it is as hard to guess as it must be for those
who may try a few times a minute, and for those who stole its SHA-256 and have as long as it lasts.
"""

from __future__ import annotations

from hashlib import sha256
from secrets import choice

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without i, l, o, 0 and 1."""

GROUPS, GROUP = 4, 4
"""Sixteen letters are 79 bits."""

HOURS = 48
"""How long a code works."""


def new_code() -> str:
    """A fresh code: ``k7mq-2xnp-w4ta-9hdr``."""
    return "-".join("".join(choice(LETTERS) for _ in range(GROUP)) for _ in range(GROUPS))


def digest(code: str) -> bytes:
    """What is stored of a code, however it is typed: 32 bytes of SHA-256."""
    letters = "".join(character for character in code.lower() if character.isalnum())
    return sha256(letters.encode("utf-8", "surrogatepass")).digest()
