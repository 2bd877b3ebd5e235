"""The commands of those who run the server: one table for ``chatctl`` and for ``admin ...`` on every front end.

Declared like all commands, in a table of its own (`chat.server.commands.admin.table.ADMIN`), so that their names
(``ban``, ``users``) do not collide with those that everybody uses. The verb ``admin`` reads a line with that table.
"""

from chat.server.commands.admin.table import ADMIN

__all__ = ["ADMIN"]
"""Whole, whichever module of this package is imported first."""
