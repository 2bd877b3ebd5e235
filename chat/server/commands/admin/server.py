"""The server itself: how it does, whether it is in order, and its end."""

from __future__ import annotations

import platform
from dataclasses import replace
from typing import Annotated

import twisted
from chat import __version__
from chat.protocol.errors import BadUsage, UnknownCommand
from chat.protocol.events import Column, Done, Fact, Facts, Help, Listing, VerbHelp
from chat.protocol.grammar.durations import Duration
from chat.protocol.grammar.parameters import ChoiceType, Word, Words
from chat.protocol.grammar.typos import WordIndex
from chat.protocol.grammar.verbs import Table
from chat.protocol.values.quantities import time_left
from chat.server.commands.admin.registry import ADMIN, command
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "The server"

_WHEN = ("now", "in", "cancel")
_WHEN_INDEX = WordIndex(_WHEN)
_FINDINGS = (Column("what"), Column("state"), Column("and now"))


@command(group=GROUP)
async def status(chat: ChatService, session: Session) -> Facts:
    """show the state of the server: people, rooms, messages, queues, disk, versions"""
    node, counts, end = chat.node, chat.node.counters, chat.shutdown.planned
    disk = chat.store.disk()
    facts = [
        Fact("name", chat.settings.name),
        Fact("running since", node.started, "time"),
        *((Fact("ends", end.time, "time"), Fact("ends for", end.reason)) if end is not None else ()),
        Fact("accounts", len(chat.directory)),
        Fact("people here", len(node.users)),
        Fact("connections", sum(not each.operator for each in node.sessions.values())),
        Fact("rooms", len(node.rooms)),
        Fact("messages since the start", counts.messages),
        Fact("messages in the last minute", counts.lately(node.clock.monotonic())),
        Fact("logins since the start", counts.logins),
        *(Fact(f"waiting: {what}", number) for what, number in sorted(chat.host.queues().items())),
        Fact("database", disk.used, "bytes"),
        Fact("free disk", disk.free, "bytes"),
        Fact("version", __version__),
        Fact(
            "runs on",
            f"Python {platform.python_version()}, Twisted {twisted.__version__}, {chat.store.engine}",
        ),
    ]
    return Facts("status", tuple(facts))


@command(group=GROUP)
async def check(chat: ChatService, session: Session) -> Listing:
    """check settings, permissions, certificate and disk, and say what to fix"""
    found = chat.host.check()
    return Listing("findings", _FINDINGS, tuple((each.subject, each.state, each.text) for each in found))


@command(group=GROUP)
async def watch(chat: ChatService, session: Session) -> Done:
    """show activity as it happens, without message texts; repeat to stop"""
    watches = chat.node.traffic_log.watch(session)
    to_end = "Ctrl-C" if session.operator else f"{session.admin} watch"
    return Done(f"Watching the server. To stop: {to_end}" if watches else "Stopped watching.")


@command(group=GROUP, barrier=True)
async def reload(chat: ChatService, session: Session) -> Done:
    """reload the settings; those that can change while the server runs take effect at once"""
    changed, later = chat.host.reload()
    told = f"Changed: {', '.join(changed)}." if changed else "Nothing has changed."
    return Done(f"{told} A restart is needed for: {', '.join(later)}." if later else told)


@command(
    group=GROUP,
    barrier=True,
    examples=("shutdown", "shutdown now new disk", "shutdown in 5m new disk", "shutdown cancel"),
)
async def shutdown(
    chat: ChatService,
    session: Session,
    when: Annotated[str, ChoiceType(*_WHEN)] | None = None,
    duration: Duration | None = None,
    reason: Words = "",
) -> Done:
    """stop the server, now or later; everybody online sees a notice

    A reason must follow now or the time, so that a mistyped word cannot stop the server.
    """
    if when == "cancel":
        chat.shutdown.cancel()
        return Done("The shutdown has been cancelled.")
    if when is None and reason:
        raise _mistyped(session, reason)
    if (when == "in") is not (duration is not None):
        raise BadUsage(_forms(session))
    chat.shutdown.plan(duration or 0, reason)
    if not duration:
        return Done("The server is shutting down now.")
    left = time_left(duration * 1000)
    return Done(f"The server shuts down in {left}. To cancel: {session.admin} shutdown cancel")


def _forms(session: Session) -> str:
    end = f"{session.admin} shutdown"
    return f"To shut down now: {end} now [REASON]; later: {end} in 5m [REASON]; to cancel: {end} cancel"


def _mistyped(session: Session, reason: str) -> BadUsage:
    meant = _WHEN_INDEX.nearest(reason.split(None, 1)[0].lower())
    forms = _forms(session)
    return BadUsage(f"Did you mean {session.admin} shutdown {meant}? {forms}" if meant else forms)


@command("?", group=GROUP, name="help", examples=("help", "help ban"))
async def help_(chat: ChatService, session: Session, verb: Word | None = None) -> Help:
    """list these commands, or explain one"""
    return shown_help(ADMIN, session.admin, verb)


def shown_help(table: Table, prefix: str, verb: str | None) -> Help:
    """What there is to know of all commands, or of one.

    :param table: of these commands, whole.
    :param prefix: what stands before them where they are typed.
    :raises UnknownCommand: when there is no such command.
    """
    if verb is None:
        groups: dict[str, list[VerbHelp]] = {}
        for each in table.verbs:
            groups.setdefault(each.group, []).append(each.help)
        return Help(tuple((title, tuple(verbs)) for title, verbs in groups.items()), more=f"{prefix} help VERB")
    found = table.get(verb.lower())
    if found is None:
        meant = table.typed.nearest(verb.lower())
        next = f"Did you mean: {prefix} help {meant}?" if meant else f"Type: {prefix} help"
        raise UnknownCommand(f"No command {verb[:40]}. {next}", suggest=meant)
    examples = tuple(f"{prefix} {each}" for each in found.examples)
    return Help(verb=replace(found.help, form=f"{prefix} {found.form}", examples=examples))
