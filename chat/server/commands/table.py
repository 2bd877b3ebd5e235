"""The whole command table, in the order in which help shows the groups."""

from chat.server.commands import (
    account,
    administration,
    claim,
    consent,
    files,
    general,
    history,
    keys,
    messaging,
    moderation,
    people,
    preferences,
    programs,
    rooms,
    search,
)
from chat.server.commands.registry import TABLE

FEATURES = (
    *(account, claim, preferences, messaging, rooms, people, history, search),
    *(moderation, consent, files, general, administration, programs, keys),
)
"""The modules whose commands are in it; importing them, in this order, fills it."""

__all__ = ["FEATURES", "TABLE"]
