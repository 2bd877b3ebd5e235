"""The whole command table, in the order in which help shows the groups."""

from chat.server.commands import (
    account,
    administration,
    claim,
    consent,
    files,
    general,
    keys,
    moderation,
    past,
    people,
    preferences,
    programs,
    rooms,
    search,
    talk,
)
from chat.server.commands.registry import TABLE

FEATURES = (
    *(account, claim, preferences, talk, rooms, people, past, search),
    *(moderation, consent, files, general, administration, programs, keys),
)
"""The modules whose commands are in it; importing them, in this order, fills it."""

__all__ = ["FEATURES", "TABLE"]
