"""The whole command table, in the order in which help shows the groups."""

from chat.commands import account, talk, rooms, people, past, moderation, later, general, programs  # isort: skip
from chat.commands.registry import TABLE

__all__ = ["TABLE", "account", "general", "later", "moderation", "past", "people", "programs", "rooms", "talk"]
