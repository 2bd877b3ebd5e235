"""Pieces of files that lie on a server, sealed by who sends them."""

from __future__ import annotations

PIECE_BYTES = 32 * 1024 + 28
"""The most bytes of one: 32 KiB, and what AES-256-GCM adds with its nonce; in base 64 it fits in a frame."""

MOST_PIECES = 2**21
"""The most pieces of one file: 64 GiB."""
