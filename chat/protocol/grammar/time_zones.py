"""The names of time zones as people type them."""

from __future__ import annotations

from functools import cache

from chat.protocol.errors import BadUsage
from chat.protocol.grammar.typos import WordIndex
from chat.protocol.preferences import time_zones


def find_time_zone(word: str) -> str:
    """The name of a time zone as the IANA database writes it, in whichever case it was typed.

    :raises BadUsage: with the name that was probably meant: a city alone, or with a slip in it.
    """
    wanted = "_".join(word.casefold().split())
    known = time_zones()
    if wanted in known:
        return known[wanted]
    shown = word[:40] if word.isprintable() else "of that name"
    names, typos = _places()
    # Not for GMT+1: Etc/GMT+1 is an hour behind UTC, and whoever types that means ahead.
    plain = wanted.replace("_", "").replace("/", "").isalpha()
    meant = (wanted if wanted in names else typos.near(wanted)) if plain else None
    if meant is not None:
        raise BadUsage(f"No time zone {shown}. Did you mean {names[meant]}?", suggest=names[meant])
    raise BadUsage(f"No time zone {shown}. Use one such as Europe/Berlin, or: server")


def prepare() -> None:
    """Make the index now, where nobody waits for it."""
    _places()


@cache
def _places() -> tuple[dict[str, str], WordIndex]:
    """The time zones by folded name and by the name of the city alone, and what is near to those."""
    known = time_zones()
    names = {folded.rpartition("/")[2]: name for folded, name in known.items()} | dict(known)
    return names, WordIndex(names)
