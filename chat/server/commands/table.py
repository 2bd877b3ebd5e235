"""The whole command table, in the order in which help shows the groups."""

from chat.server.commands import account, claim, preferences, messaging, rooms, people, history, search  # isort: skip
from chat.server.commands import moderation, consent, files, general, administration, programs, keys  # isort: skip
from chat.server.commands.registry import TABLE

FEATURES = (
    *(account, claim, preferences, messaging, rooms, people, history, search),
    *(moderation, consent, files, general, administration, programs, keys),
)
"""The modules whose commands are in it; importing them, in this order, fills it."""

__all__ = ["FEATURES", "TABLE"]
