"""The people and who blocks whom, in memory; the index that lines of text are checked against."""

from __future__ import annotations

from collections.abc import Iterable, KeysView

from chat.protocol.errors import NoSuchUser
from chat.protocol.names import fold
from chat.protocol.values import SERVER, Account, Rank
from chat.server.core.name_index import NameIndex

_NOBODY: frozenset[int] = frozenset()


class Directory:
    """Every account by id and by name, and the blocks between them.

    It implements `chat.server.interfaces.IDirectory`, and what the grammar wants to know of people; of rooms not
    everybody may know (`chat.server.core.visibility`).
    """

    def __init__(self) -> None:
        self._accounts: dict[int, Account] = {}
        self._names: NameIndex[Account] = NameIndex()
        self._administrators: dict[int, Account] = {}
        self._blocked: dict[int, set[int]] = {}
        self._blockers: dict[int, set[int]] = {}

    def fill(self, accounts: Iterable[Account], blocks: Iterable[tuple[int, int]]) -> None:
        """Take over what is on disk."""
        accounts = tuple(accounts)
        self._names.fill((account.name.folded, account) for account in accounts)
        for account in accounts:
            self.add_account(account)
        for account_id, other in blocks:
            self.add_block(account_id, other)

    def __len__(self) -> int:
        return len(self._accounts)

    # accounts

    def add_account(self, account: Account) -> None:
        """Add an account, or replace it by a newer value of itself."""
        self._accounts[account.id] = account
        self._names[account.name.folded] = account
        if account.rank is Rank.ADMINISTRATOR:
            self._administrators[account.id] = account
        else:
            self._administrators.pop(account.id, None)

    def remove_account(self, id: int) -> None:
        """Forget an account, and who blocks it or is blocked by it."""
        account = self._accounts.pop(id, None)
        if account is None:
            return
        del self._names[account.name.folded]
        self._administrators.pop(id, None)
        for other in tuple(self.blocked_by(id)):
            self.remove_block(id, other)
        for other in tuple(self.blockers_of(id)):
            self.remove_block(other, id)

    def account(self, word: str) -> Account | None:
        names = self._names
        return names.get(word) or names.get(fold(word))  # nearly always it comes folded

    def account_by_id(self, id: int) -> Account | None:
        return self._accounts.get(id)

    def page(self, after: str, most: int, beginning: str = "") -> tuple[list[Account], int]:
        """Accounts in the order of their names, and how many follow; see `SortedNames.page`."""
        return self._names.page(after, most, beginning)

    def administrators(self) -> tuple[Account, ...]:
        return tuple(self._administrators.values())

    def named(self, word: str) -> Account:
        """The account of that name.

        :raises NoSuchUser: with the name that was probably meant.
        """
        account = self.account(word)
        if account is None:
            shown = word if word.isprintable() and len(word) <= 40 else "of that name"
            meant = self.near_account(word)
            if meant is not None:
                raise NoSuchUser(f"No user {shown}. Did you mean {meant}?", suggest=meant)
            raise NoSuchUser(f"No user {shown}. Type list users to see them all.")
        return account

    def name_of(self, account: int) -> str:
        """What an account is called; accounts that are gone have no name any more."""
        if account == SERVER:
            return "the server"
        found = self._accounts.get(account)
        return found.name.shown if found is not None else "nobody"

    # what the grammar asks

    def is_account(self, word: str) -> bool:
        return word in self._names or fold(word) in self._names

    def near_account(self, word: str) -> str | None:
        found = self._names.near(fold(word))
        return found.name.shown if found is not None else None

    # blocks

    def add_block(self, account: int, other: int) -> None:
        self._blocked.setdefault(account, set()).add(other)
        self._blockers.setdefault(other, set()).add(account)

    def remove_block(self, account: int, other: int) -> None:
        for index, of, who in ((self._blocked, account, other), (self._blockers, other, account)):
            if (those := index.get(of)) is not None:
                those.discard(who)
                if not those:
                    del index[of]

    @property
    def blocking(self) -> KeysView[int]:
        """Everybody who blocks somebody."""
        return self._blocked.keys()

    def blocked_by(self, account: int) -> set[int] | frozenset[int]:
        """Whom this account blocks."""
        return self._blocked.get(account, _NOBODY)

    def blockers_of(self, account: int) -> set[int] | frozenset[int]:
        """Who blocks this account."""
        return self._blockers.get(account, _NOBODY)

    def blocks(self, account: int, other: int) -> bool:
        """Whether ``account`` blocks ``other``."""
        blocked = self._blocked.get(account)
        return blocked is not None and other in blocked
