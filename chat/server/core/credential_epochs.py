"""Epochs of credentials in memory: whether a login that is on its way still counts when it arrives.

A login takes time: it reads the store, hashes, and waits for a rival session to show life. Meanwhile the password may
be changed, the device ended, the account reset by the operator. The rules:

* What changes the credentials of an account, or ends a device, begins an epoch in the transaction that does so
  (`chat.server.storage.credential_epochs`), and is told here as soon as it is on disk.
* Each way in carries the epoch that its proof was made in, and `CredentialEpochs.check` compares it in the step that
  attaches the session. The store compares once more before it writes a token or a password.
* Whoever begins an epoch need not think of the sessions of before: `CredentialEpochs.account_changed` ends them all.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from chat.protocol.errors import CredentialsChanged
from chat.server.interfaces import CredentialEpoch

MOST_DEVICES = 10_000
"""Ended devices and tokens that are remembered, the latest: enough for every login that is on its way."""

_DEVICE_ENDED = "This device was signed out while you were logging in. Log in with your password."

Listener = Callable[[int, str], object]
"""Told which account has other credentials, and the reason in whole words."""


class CredentialEpochs:
    """The epochs of all accounts of this node.

    :ivar listeners: called when the credentials of an account have changed.
    """

    def __init__(self) -> None:
        self._current: dict[int, int] = {}
        self._valid_since: dict[int, int] = {}
        self._ended: OrderedDict[tuple[int, str], int] = OrderedDict()
        self.listeners: list[Listener] = []

    def fill(self, epochs: Iterable[CredentialEpoch]) -> None:
        """Take over what is on disk."""
        for each in epochs:
            self._current[each.account] = each.current
            self._valid_since[each.account] = each.valid_since

    def current(self, account: int) -> int:
        """The epoch that a proof is made in now; of an account that does not exist as well."""
        return self._current.get(account, 0)

    def is_valid(self, account: int, epoch: int) -> bool:
        """Whether what was proven in an epoch still counts."""
        return epoch >= self._valid_since.get(account, 0)

    def check(self, account: int, epoch: int, token_of: str | None) -> None:
        """Find out whether a login still counts.

        :param epoch: what it was proven in.
        :param token_of: the device whose token proved it, or nothing.
        :raises CredentialsChanged: when the credentials were changed meanwhile, or that device was signed out.
        """
        if not self.is_valid(account, epoch):
            raise CredentialsChanged()
        if token_of is not None and self._ended and epoch < self._ended.get((account, token_of), 0):
            raise CredentialsChanged(_DEVICE_ENDED)

    def account_changed(self, account: int, epoch: int, reason: str) -> None:
        """The credentials of an account were changed: nothing that was proven before ``epoch`` counts any more.

        :param reason: what the sessions of before are told, in whole words.
        """
        self._current[account] = max(epoch, self.current(account))
        self._valid_since[account] = max(epoch, self._valid_since.get(account, 0))
        for tell in self.listeners:
            tell(account, reason)

    def token_ended(self, account: int, device: str, epoch: int) -> None:
        """The token of a device was ended: a login with it that is on its way does not count any more."""
        self._current[account] = max(epoch, self.current(account))
        self._ended[account, device] = epoch
        self._ended.move_to_end((account, device))
        if len(self._ended) > MOST_DEVICES:
            self._ended.popitem(last=False)

    def forget(self, account: int) -> None:
        """An account was deleted."""
        self._current.pop(account, None)
        self._valid_since.pop(account, None)
