"""A dumb store, a dumb directory, a clock and a hashing pool that a test turns by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock, deferLater
from twisted.python.failure import Failure

from chat.protocol.errors import NameTaken, StoreUnavailable
from chat.protocol.names import fold
from chat.protocol.passwords import ITERATIONS, cost_of, make_verifier, new_salt, stretch
from chat.protocol.values import Account, Name, Peer, Rank, Verifier, VerifierCost
from chat.server.auth.known_sources import KnownSources
from chat.server.auth.lockout import Lockout
from chat.server.auth.password_verification import PasswordVerification
from chat.server.interfaces import IDelayed, IStore, TokenRecord

P = ParamSpec("P")
T = TypeVar("T")

COST = 4

HOME = Peer("192.0.2.7", "192.0.2.7")
ELSEWHERE = Peer("198.51.100.9", "198.51.100.9")


def verifier_of(password: str, cost: int = COST, iterations: int = ITERATIONS) -> Verifier:
    salt = new_salt(cost)
    return make_verifier(stretch(password, salt), salt, iterations)


class FakeClock:
    """Wall time and monotonic time, moved together by ``advance``.

    :ivar epoch: where the wall clock begins; may be set while others wait.
    """

    def __init__(self) -> None:
        self.epoch = 1_700_000_000
        self.clock = Clock()
        self.clock.advance(1_000_000)

    def advance(self, seconds: float) -> None:
        """Let time pass as it does for a server that keeps up: each timer comes a microsecond after it is due."""
        end = self.clock.seconds() + seconds
        while due := [call.getTime() for call in self.clock.getDelayedCalls() if call.getTime() <= end]:
            self.clock.advance(max(0.0, min(min(due) + 1e-6, end) - self.clock.seconds()))
        self.clock.advance(max(0.0, end - self.clock.seconds()))

    def stall(self, seconds: float) -> None:
        """Let time pass while the server is stopped: all timers that are due come at once, and late."""
        self.clock.advance(seconds)

    def seconds(self) -> float:
        return self.epoch + self.clock.seconds()

    def monotonic(self) -> float:
        return self.clock.seconds()

    def call_later(self, delay: float, call: Callable[[], object]) -> IDelayed:
        return cast(IDelayed, self.clock.callLater(delay, call))

    def sleep(self, seconds: float) -> Deferred[None]:
        return deferLater(self.clock, seconds)


class FakeDirectory:
    def __init__(self) -> None:
        self.by_name: dict[str, Account] = {}

    def account(self, word: str) -> Account | None:
        return self.by_name.get(fold(word))

    def account_by_id(self, id: int) -> Account | None:
        return next((account for account in self.by_name.values() if account.id == id), None)

    def add_account(self, account: Account) -> None:
        self.by_name[account.name.folded] = account


class FakeStore:
    """Accounts and tokens in dictionaries; while ``held``, what is created waits for `commit`.

    :ivar full: whether the disk takes nothing.
    """

    def __init__(self) -> None:
        self.verifiers: dict[int, Verifier] = {}
        self.names: dict[str, int] = {}
        self.tokens: dict[bytes, TokenRecord] = {}
        self.asked: list[int] = []
        self.held: list[Deferred[Account]] | None = None
        self.error: Exception | None = None
        self.full = False
        self.networks: set[tuple[int, str]] = set()
        self.known_tokens: set[tuple[int, bytes]] = set()

    @property
    def stored(self) -> IStore:
        """This store, as far as these tests need one."""
        return cast(IStore, self)

    def add(self, name: str, password: str, cost: int = COST) -> Account:
        return self._keep(Name(name, fold(name)), "", verifier_of(password, cost), 0)

    def create_account(
        self,
        name: Name,
        realname: str,
        verifier: Verifier | None,
        when: int,
        rank: Rank = Rank.MEMBER,
        invitation: bytes | None = None,
    ) -> Deferred[Account]:
        if self.error is not None:
            return fail(Failure(self.error))
        if {name.folded, name.skeleton} & self.names.keys():
            return fail(Failure(NameTaken()))
        account = self._keep(name, realname, verifier, when)
        if self.held is None:
            return succeed(account)
        waiting: Deferred[Account] = Deferred()
        waiting.addCallback(lambda _: account)
        self.held.append(waiting)
        return waiting

    def commit(self) -> None:
        for waiting in self.held or ():
            waiting.callback(cast(Account, None))

    def _keep(self, name: Name, realname: str, verifier: Verifier | None, when: int) -> Account:
        account = Account(len(self.names) + 1, name, realname, Rank.MEMBER, when, when)
        self.names[name.folded] = account.id
        if verifier is not None:
            self.verifiers[account.id] = verifier
        return account

    def verifier(self, account: int) -> Deferred[Verifier | None]:
        self.asked.append(account)
        if self.error is not None:
            return fail(Failure(self.error))
        return succeed(self.verifiers.get(account))

    def verifier_among(self, account: int) -> Deferred[tuple[Verifier | None, tuple[VerifierCost, ...]]]:
        counts = Counter((cost_of(each.salt), each.iterations) for each in self.verifiers.values())
        costs = tuple(VerifierCost(*cost, accounts) for cost, accounts in counts.items())
        return self.verifier(account).addCallback(lambda found: (found, costs))

    def secret(self, name: str) -> Deferred[bytes]:
        if self.full:
            return fail(Failure(StoreUnavailable()))
        return succeed(name.encode() * 32)

    def renew_verifier(self, account: int, old: Verifier, new: Verifier) -> Deferred[None]:
        if self.full:
            return fail(Failure(StoreUnavailable()))
        if self.verifiers[account] == old:
            self.verifiers[account] = new
        return succeed(None)

    def note_network(self, account: int, network: str, when: int) -> Deferred[None]:
        self.networks.add((account, network))
        return succeed(None)

    def has_network(self, account: int, network: str) -> Deferred[bool]:
        self.asked.append(account)
        return succeed((account, network) in self.networks)

    def has_had_token(self, account: int, digest: bytes) -> Deferred[bool]:
        return succeed((account, digest) in self.known_tokens)

    def set_password(self, account: int, verifier: Verifier, epoch: int = 0, device: str = "") -> Deferred[int]:
        self.verifiers[account] = verifier
        return succeed(epoch + 1)

    def token(self, digest: bytes) -> Deferred[TokenRecord | None]:
        return succeed(self.tokens.get(digest))


class FakeHashing:
    """Calls at once on the same thread; while ``held``, only when the test says `release`.

    ``calls`` has the arguments of every call, which cost what a hash costs; ``networks`` on whose behalf it was.
    """

    def __init__(self, held: bool = False) -> None:
        self.held = held
        self.calls: list[tuple[Any, ...]] = []
        self.networks: list[str] = []
        self.waiting: list[tuple[Deferred[Any], Callable[[], Any]]] = []
        self.error: Exception | None = None

    def run(self, network: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        if self.error is not None:
            return fail(Failure(self.error))
        self.networks.append(network)
        self.calls.append(args)
        result: Deferred[T] = Deferred()
        self.waiting.append((result, lambda: function(*args, **kwargs)))
        if not self.held:
            self.release()
        return result

    def release(self) -> None:
        """Make every call that waits, those that come meanwhile too."""
        while self.waiting:
            result, call = self.waiting.pop(0)
            result.callback(call())


def verification(store: FakeStore, hashing: FakeHashing, clock: FakeClock) -> PasswordVerification:
    """What checks passwords, over these."""
    known = KnownSources(store.stored, clock)
    return PasswordVerification(store.stored, hashing, Lockout(60), known, clock, COST)
