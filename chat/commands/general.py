"""Help, and signs of life."""

from __future__ import annotations

from chat.commands.registry import command
from chat.core.service import ChatService
from chat.core.user import Session
from chat.errors import UnknownCommand
from chat.events import Help, Pong, TimeNow, VerbHelp
from chat.grammar.elsewhere import needs_client
from chat.grammar.parameters import Word
from chat.grammar.typos import WordIndex
from chat.grammar.verbs import Access, Bare, Verb
from chat.values import Rank

GROUP = "Help"


@command("?", group=GROUP, access=Access.ANYONE, bare=Bare.NEVER, name="help", examples=("help", "help message"))
async def help_(chat: ChatService, session: Session, verb: Word | None = None) -> Help:
    """show all commands, or one in full"""
    rank = session.user.account.rank if session.user is not None else Rank.MEMBER
    if verb is None:
        return chat.table.derived(_overview, rank)
    word = verb.lower().lstrip("/")
    found = chat.table.get(word)
    if found is None or found.programs:
        if (refusal := needs_client(word, chat.table)) is not None:
            raise refusal
        meant = chat.table.derived(_words, rank).nearest(word)
        raise UnknownCommand(f"There is no command {verb[:40]}. help shows them all.", suggest=meant)
    return Help(verb=found.help)


def _usable(verbs: tuple[Verb, ...], rank: Rank) -> list[Verb]:
    """What somebody of that rank may type."""
    administers = rank is Rank.ADMINISTRATOR
    return [each for each in verbs if not each.programs and (administers or each.access is not Access.ADMINISTRATOR)]


def _words(verbs: tuple[Verb, ...], rank: Rank) -> WordIndex:
    return WordIndex(name for each in _usable(verbs, rank) for name in (each.name, *each.aliases))


def _overview(verbs: tuple[Verb, ...], rank: Rank) -> Help:
    groups: dict[str, list[VerbHelp]] = {}
    for each in _usable(verbs, rank):
        groups.setdefault(each.group, []).append(each.help)
    return Help(tuple((title, tuple(members)) for title, members in groups.items()))


@command(group=GROUP, access=Access.ANYONE, bare=Bare.NEVER, weight=0.2)
async def ping(chat: ChatService, session: Session) -> Pong:
    """see whether the server answers"""
    return Pong()


@command(group=GROUP, access=Access.ANYONE, bare=Bare.NEVER)
async def time(chat: ChatService, session: Session) -> TimeNow:
    """show the time, and since when the server runs"""
    return TimeNow(chat.house.now(), chat.house.started)
