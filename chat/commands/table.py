"""The whole command table, in the order in which help shows the groups."""

from chat.commands import account, claim, preferences, talk, rooms, people, past, search  # isort: skip
from chat.commands import moderation, consent, files, general, administration, programs, keys  # isort: skip
from chat.commands.registry import TABLE

FEATURES = (
    *(account, claim, preferences, talk, rooms, people, past, search),
    *(moderation, consent, files, general, administration, programs, keys),
)
"""The modules whose commands are in it; importing them, in this order, fills it."""

__all__ = ["FEATURES", "TABLE"]
