"""A house with people in it: the service over the memory store, the local bus and a clock that tests turn.

Everything fires at once, so what a person does returns its reply; whatever is held (the store, the hashing) is
begun with `Person.starts`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Coroutine, Hashable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar, cast

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import ICredentials
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from chat.protocol.errors import ChatError
from chat.protocol.events import Event, LoggedIn, Refused, Reply, Said
from chat.protocol.grammar.context import Call
from chat.protocol.grammar.verbs import Table
from chat.protocol.names import read_name
from chat.protocol.values import Account, Peer, Rank, Role, Text, Verifier
from chat.server.auth.authenticator import new_authenticator
from chat.server.auth.known_sources import KnownSources
from chat.server.auth.lockout import Lockout
from chat.server.auth.password_verification import PasswordVerification
from chat.server.bus.local import LocalBus
from chat.server.commands.table import TABLE
from chat.server.core.dispatcher import Dispatcher
from chat.server.core.room import Room
from chat.server.core.service import ChatService
from chat.server.core.user import Session
from chat.server.interfaces import Features, Finding, IAudience, IChatUser, IHost, IMind, Proven
from chat.server.settings.schema import Settings
from chat.server.storage.memory import MemoryStore
from tests.server.auth.fakes import COST, FakeClock, FakeHashing

T = TypeVar("T")
E = TypeVar("E")

PASSWORD = "correct horse"
NO_PASSWORD = Verifier(b"$2b$04$salt", 1, b"stored", b"server")

PATIENT = Settings(bcrypt_cost=COST, rate=1_000_000.0, burst=1_000_000)
"""Settings under which nobody is too fast."""

MANY = replace(PATIENT, sessions="many")
"""The same, and everybody may be here many times."""


def begun(work: Awaitable[T]) -> Deferred[T]:
    if isinstance(work, Deferred):
        return work
    return Deferred.fromCoroutine(cast(Coroutine[Any, Any, T], work))


def now(work: Awaitable[T]) -> T:
    """The result of something that is done at once."""
    results: list[T | Failure] = []
    begun(work).addBoth(results.append)
    assert results, "it still waits"
    (result,) = results
    if isinstance(result, Failure):
        result.raiseException()
    return result


PERSON = Features(typed_by_people=True)
PROGRAM = Features(**{each.name: each.name != "typed_by_people" for each in fields(Features)})


class FakeAudience:
    """Hands every event on at once."""

    def __init__(self, features: Features) -> None:
        self.features = features
        self.members: list[IMind] = []

    def __len__(self) -> int:
        return len(self.members)

    def add(self, mind: IMind) -> None:
        self.members.append(mind)

    def remove(self, mind: IMind) -> None:
        self.members.remove(mind)

    def post(
        self, event: Event, omit: Collection[IMind], hidden: Collection[IMind] = (), instead: Event | None = None
    ) -> None:
        for mind in tuple(self.members):
            if mind in omit:
                continue
            if mind not in hidden:
                mind.deliver(event)
            elif instead is not None and self.features.gaps:
                mind.deliver(instead)


class FakeMind:
    """Remembers what it is told; ``probing`` answers later when it is a Deferred."""

    def __init__(self, program: bool = False, peer: Peer | None = None) -> None:
        self.peer = peer or Peer("192.0.2.7", "192.0.2.7")
        self.features = PROGRAM if program else PERSON
        self.events: list[Event] = []
        self.alive = True
        self.probing: Deferred[bool] | None = None
        self.flushes = 0
        self.marks: dict[int, int] | None = None
        self.closed = ""
        self.slowed = 0.0

    def audience_key(self, conversation: int) -> Hashable:
        return self.features

    def new_audience(self, conversation: int) -> IAudience:
        return FakeAudience(self.features)

    def deliver(self, event: Event) -> None:
        self.events.append(event)

    def shown(self) -> dict[int, int] | None:
        return self.marks

    def flush(self) -> None:
        self.flushes += 1

    async def probe(self) -> bool:
        return self.alive if self.probing is None else await self.probing

    def slow_down(self, seconds: float) -> None:
        self.slowed += seconds

    def close(self, reason: str) -> None:
        self.closed = reason


class INoProof(ICredentials):
    """An account as a checker would have found it."""


@implementer(INoProof)
class NoProof:
    def __init__(self, proven: Proven) -> None:
        self.proven = proven


@implementer(ICredentialsChecker)
class NoProofChecker:
    """Takes a test at its word, so that tests come through the portal as people do."""

    credentialInterfaces = (INoProof,)

    def requestAvatarId(self, credentials: NoProof) -> Any:
        return credentials.proven


class FakeHost:
    """Notes what becomes of the process."""

    def __init__(self) -> None:
        self.stopped: list[str] = []

    def stop(self, reason: str) -> None:
        self.stopped.append(reason)

    def reload(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return (), ("listen",)

    def check(self) -> Sequence[Finding]:
        return (Finding("disk", "ok", "It is large."),)

    def queues(self) -> Mapping[str, int]:
        return {"writing": 0}


class Person:
    """A connection and what it does."""

    def __init__(self, stage: Stage, session: Session, mind: FakeMind) -> None:
        self.stage = stage
        self.session = session
        self.mind = mind

    @property
    def id(self) -> int:
        assert self.session.user is not None, "nobody is logged in here"
        return self.session.user.account.id

    def _perform(self, command: str, arguments: dict[str, Any]) -> Awaitable[Reply]:
        return self.session.perform(Call(self.stage.chat.table[command], arguments))

    def starts(self, command: str, **arguments: Any) -> Deferred[Reply]:
        """Run a command that may take its time."""
        return begun(self._perform(command, arguments))

    def does(self, command: str, **arguments: Any) -> Reply:
        """Run a command that is done at once."""
        return now(self._perform(command, arguments))

    def gets(self, kind: type[E], command: str, **arguments: Any) -> E:
        """Run a command whose reply is of this kind."""
        reply = self.does(command, **arguments)
        assert isinstance(reply, kind), reply
        return reply

    def code(self, command: str, **arguments: Any) -> str:
        """The error code of a command that is refused."""
        return self.gets(Refused, command, **arguments).code

    def logs_in(self, name: str, password: str = PASSWORD, **more: Any) -> LoggedIn:
        return self.gets(LoggedIn, "login", user=name, password=password, **more)

    def says(self, room: str, words: str) -> None:
        reply = self.does("say", room=room, text=Text(words))
        assert not isinstance(reply, Refused), reply

    def writes(self, name: str, words: str) -> None:
        reply = self.does("message", user=name, text=Text(words))
        assert not isinstance(reply, Refused), reply

    def hangs_up(self) -> None:
        self.stage.chat.disconnected(self.session)

    # what came

    def told(self, kind: type[E]) -> list[E]:
        """The events of one kind, in order."""
        return [event for event in self.mind.events if isinstance(event, kind)]

    @property
    def heard(self) -> list[str]:
        """What others said, in order."""
        return [event.body.text for event in self.told(Said) if isinstance(event.body, Text)]

    def forget(self) -> None:
        self.mind.events.clear()


class Stage:
    """One node with a lobby; nobody is there yet.

    :param store: one that an earlier stage left, to be started on again.
    """

    def __init__(
        self, settings: Settings = PATIENT, store: MemoryStore | None = None, table: Table = TABLE, **more: Any
    ) -> None:
        self.clock: FakeClock = more.get("clock") or FakeClock()
        self.store = store or MemoryStore()
        self.hashing = FakeHashing()
        self.chat = chat = ChatService(settings, self.store, LocalBus(), self.clock, table)
        known = KnownSources(self.store, self.clock)
        verification = PasswordVerification(
            self.store, self.hashing, Lockout(settings.block_time), known, self.clock, COST
        )
        chat.authenticator = authenticator = new_authenticator(chat, verification, known, table)
        self.portal = authenticator.portal
        self.portal.registerChecker(NoProofChecker())
        chat.host = self.host = FakeHost()
        self.dispatcher = Dispatcher(chat)
        now(chat.start())

    def restart(self) -> Stage:
        """The server stops, and another one starts on what it left."""
        now(self.chat.stop("restart"))
        return Stage(self.chat.settings, self.store, clock=self.clock)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, half a second at a time: what is called may call again later."""
        while seconds > 0:
            self.clock.advance(min(0.5, seconds))
            seconds -= 0.5

    def after_start(self) -> None:
        """Let the silence of the start pass."""
        self.pass_time(31)

    def connection(self, program: bool = False, peer: Peer | None = None) -> Person:
        """Somebody who has connected and not logged in."""
        mind = FakeMind(program, peer)
        node = self.chat.node
        session = Session(node.next_session(), node.name, mind, node.throttle.bucket(), self.dispatcher.perform)
        self.chat.connected(session)
        return Person(self, session, mind)

    def account(self, name: str, rank: Rank = Rank.MEMBER) -> Account:
        """The account of that name, made if there is none; nobody knows its password."""
        account = self.chat.directory.account(name)
        if account is None:
            when = self.chat.node.now()
            account = now(self.store.create_account(read_name(name), "", NO_PASSWORD, when))
            if rank is not Rank.MEMBER:
                account = Account(account.id, account.name, "", rank, account.created, account.seen)
            self.chat.directory.add_account(account)
        return account

    def arrives(
        self,
        name: str,
        device: str = "default",
        program: bool = False,
        rank: Rank = Rank.MEMBER,
        peer: Peer | None = None,
    ) -> Person:
        """Somebody is signed in, without a password, and no events flow yet.

        :raises ChatError: when the sessions policy has no place.
        """
        account = self.account(name, rank)
        person = self.connection(program, peer)
        person.session.device = device
        proven = Proven(account.id, self.chat.node.epochs.current(account.id))
        avatar = now(self.portal.login(NoProof(proven), person.session, IChatUser))
        person.session.logout = avatar[2]
        return person

    def enter(self, name: str, *rooms: str, **more: Any) -> Person:
        """Somebody is signed in, hears events, and is in these rooms, which are made where there are none."""
        person = self.arrives(name, **more)
        assert not isinstance(person.does("resume"), Refused)
        for room in rooms:
            command = "connect" if room in self.chat.node.room_names else "create"
            reply = person.does(command, room=room)
            assert not isinstance(reply, Refused), reply
        return person

    def room(self, name: str) -> Room:
        return self.chat.node.room_names[name]

    def roles(self, room: str) -> dict[str, Role]:
        """The members of a room and their roles."""
        directory = self.chat.directory
        return {directory.name_of(id): member.role for id, member in self.room(room).members.items()}


def refusal(work: Awaitable[object]) -> ChatError | None:
    """The `ChatError` that something fails with at once."""
    failed: list[Failure] = []
    begun(work).addErrback(failed.append)
    return failed[0].value if failed and isinstance(failed[0].value, ChatError) else None


_as_promised: tuple[type[IMind], type[IAudience], type[IHost]] = (FakeMind, FakeAudience, FakeHost)
