"""Token theft: a used token that is presented again signs its device out, and the owner is told.

A login by a token replaces it once a day; the one before is good until the next is replaced. Whoever presents an older
one has a copy: either the owner has gone on with the newer ones and this is the thief, or the thief has and this is the
owner. Nobody can tell which, so nobody goes on: the tokens and sessions of the device end, and the password lets the
owner in again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from chat.server.core.account_alerts import AccountAlerts
from chat.server.core.node import Node, unattended
from chat.server.core.sign_in import SignInService
from chat.server.core.user import Session
from chat.server.interfaces import TokenAlert, TokenRecord
from chat.server.logs import Logger

log = Logger()


class TokenTheft:
    """Follows what becomes of used tokens."""

    def __init__(self, node: Node, people: SignInService, alerts: AccountAlerts) -> None:
        self._node = node
        self._people = people
        self._alerts = alerts

    def fill(self, alerts: Iterable[TokenAlert]) -> None:
        """Take over what is on disk."""
        for each in alerts:
            self._alerts.keep(each.account, _words(each))

    async def presented(self, record: TokenRecord, digest: bytes, address: str) -> None:
        """A used token was presented: end its device, and tell the owner of the account.

        :param digest: SHA-256 of the token.
        :param address: from where it came.
        """
        node, account, device = self._node, record.account, record.device
        alert = TokenAlert(account, device, address, node.now())
        epoch = await node.store.end_copied(account, device, digest, address, alert.time)
        if epoch is None:
            return
        node.epochs.token_ended(account, device, epoch)
        log.warn(
            "old token of {name} on {device} presented from {address}; device signed out",
            name=node.directory.name_of(account),
            device=device,
            address=address,
        )
        words = _words(alert)
        self._people.end_sessions(account, device, words)
        self._alerts.tell(account, words)
        self._alerts.keep(account, words)

    def remind(self, session: Session) -> None:
        """Tell a session that has come what was kept for it."""
        if self._alerts.remind(session) and session.user is not None:
            unattended(self._node.store.end_alerts(session.user.account.id))


def _words(alert: TokenAlert) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(alert.time / 1000))
    return (
        f"Your device {alert.device} was signed out because somebody used one of its old tokens from {alert.address}"
        f" ({when} UTC); it may have been copied. If that was not you, change your password: password"
    )
