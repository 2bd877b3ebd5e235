"""Verbs that the console client runs by itself, for those who type one where they are none."""

from __future__ import annotations

from collections.abc import Mapping

from chat.protocol.errors import NeedsClient

CLIENT_VERBS = frozenset({"accept", "link", "seal", "unlock", "unseal", "verify"})
"""As `chat.client.e2e.commands` declares them, which the server does not import; a house test compares the two."""


def needs_client(word: str, table: Mapping[str, object]) -> NeedsClient | None:
    """The refusal of a word that is a verb of the client and none of this table, or nothing for any other word."""
    if word not in CLIENT_VERBS or word in table:
        return None
    return NeedsClient(f"{word} works only in the console client, which holds your keys: chat HOST")
