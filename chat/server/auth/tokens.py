"""Session tokens: what lets a device come back without its password.

A token is as hard to guess as a key, so its plain SHA-256 is stored and looking it up costs nothing.
"""

from __future__ import annotations

from hashlib import sha256
from secrets import token_urlsafe

PREFIX = "ct_"
"""How each token begins, so that one that leaked into a log or a repository can be found."""

_RANDOM_BYTES = 32


def new_token() -> str:
    """A fresh token: `PREFIX` and 32 random bytes in letters, digits, ``-`` and ``_``."""
    return PREFIX + token_urlsafe(_RANDOM_BYTES)


def digest(token: str) -> bytes:
    """What is stored of a token: 32 bytes of SHA-256; of any other word as well, which no token has."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
