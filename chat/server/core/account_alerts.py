"""Alerts: what the owner of an account has to know of it, told to those who are here, and at the next login."""

from __future__ import annotations

from chat.protocol.events import Notice
from chat.server.core.node import Node
from chat.server.core.user import Session

MOST_KEPT = 10
"""Alerts that wait for the next login of one account, the latest."""


class AccountAlerts:
    """Alerts by account."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._kept: dict[int, list[str]] = {}

    def tell(self, account: int, text: str) -> None:
        """Tell the sessions of an account that events flow to."""
        self._node.tell(account, Notice(text))

    def keep(self, account: int, text: str) -> None:
        """Tell it at the next login, or to the session that is logging in just now."""
        kept = self._kept.setdefault(account, [])
        kept.append(text)
        del kept[:-MOST_KEPT]

    def remind(self, session: Session) -> bool:
        """Tell a session that has come what was kept for it.

        :returns: whether there was anything.
        """
        user = session.user
        kept = self._kept.pop(user.account.id, None) if user is not None else None
        for text in kept or ():
            session.mind.deliver(Notice(text))
        return kept is not None
