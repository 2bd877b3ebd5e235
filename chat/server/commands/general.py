"""Help, and signs of life."""

from __future__ import annotations

from typing import NamedTuple

from chat.protocol.errors import RegistrationClosed, UnknownCommand
from chat.protocol.events import Help, Pong, TimeNow, VerbHelp
from chat.protocol.grammar.client_verbs import needs_client
from chat.protocol.grammar.parameters import Word
from chat.protocol.grammar.typos import WordIndex
from chat.protocol.grammar.verbs import Access, Bare, Verb
from chat.protocol.values import Rank
from chat.server.commands.registry import command
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "Help"

_NEW = "new"


@command("?", group=GROUP, access=Access.ANYONE, bare=Bare.NEVER, name="help", examples=("help", "help message"))
async def help_(chat: ChatService, session: Session, verb: Word | None = None) -> Help:
    """show all commands, or explain one"""
    closed = chat.settings.registration == "closed"
    reader = _Reader(session.user.account.rank if session.user is not None else Rank.MEMBER, closed)
    if verb is None:
        return chat.table.derived(_overview, reader)
    word = verb.lower().lstrip("/")
    found = chat.table.get(word)
    if found is None or found.programs:
        if (refusal := needs_client(word, chat.table)) is not None:
            raise refusal
        meant = chat.table.derived(_words, reader).nearest(word)
        raise UnknownCommand(f"No command {verb[:40]}. Type help for a list.", suggest=meant)
    if closed and found.name == _NEW:
        raise RegistrationClosed()
    return Help(verb=found.help)


class _Reader(NamedTuple):
    """Who reads the help.

    :ivar closed: whether nobody can make an account.
    """

    rank: Rank
    closed: bool

    def can_use(self, verb: Verb) -> bool:
        if verb.access is Access.ADMINISTRATOR and self.rank is not Rank.ADMINISTRATOR:
            return False
        return not verb.programs and not (self.closed and verb.name == _NEW)


def _usable(verbs: tuple[Verb, ...], reader: _Reader) -> list[Verb]:
    """What somebody may type."""
    return [each for each in verbs if reader.can_use(each)]


def _words(verbs: tuple[Verb, ...], reader: _Reader) -> WordIndex:
    return WordIndex(name for each in _usable(verbs, reader) for name in (each.name, *each.aliases))


def _overview(verbs: tuple[Verb, ...], reader: _Reader) -> Help:
    groups: dict[str, list[VerbHelp]] = {}
    for each in _usable(verbs, reader):
        groups.setdefault(each.group, []).append(each.help)
    return Help(tuple((title, tuple(members)) for title, members in groups.items()))


@command(group=GROUP, access=Access.ANYONE, bare=Bare.NEVER, weight=0.2)
async def ping(chat: ChatService, session: Session) -> Pong:
    """check whether the server answers"""
    return Pong()


@command(group=GROUP, access=Access.ANYONE, bare=Bare.NEVER)
async def time(chat: ChatService, session: Session) -> TimeNow:
    """show the server's time, and since when it has been running"""
    return TimeNow(chat.node.now(), chat.node.started)
