"""The whole table of those who run the server, in the order in which its help shows the groups."""

from chat.server.commands.admin import server, people, invitations, sanctions, rooms, storage  # isort: skip
from chat.server.commands.admin.registry import ADMIN

FEATURES = (server, people, invitations, sanctions, rooms, storage)
"""The modules whose commands are in it; importing them, in this order, fills it."""

__all__ = ["ADMIN", "FEATURES"]
