"""The one way in: checks who may use a verb and how fast, runs it, and turns every failure into a reply.

This is the only file that catches a ``ChatError``. An exception that is none is a bug of ours: it is
logged with an incident number and answered ``internal``, and the session lives on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from secrets import token_hex
from typing import ParamSpec, TypeVar

from chat.protocol.errors import (
    AlreadyLoggedIn,
    ChatError,
    Forbidden,
    Internal,
    NotLoggedIn,
    ShuttingDown,
)
from chat.protocol.events import Refused, Reply
from chat.protocol.grammar.context import Call
from chat.protocol.grammar.verbs import Access, Verb
from chat.server.core.service import ChatService
from chat.server.core.user import Session
from chat.server.logs import Logger

log = Logger()

P = ParamSpec("P")
T = TypeVar("T")


class Dispatcher:
    """Runs calls against a service.

    :ivar performed: how often each verb ran, and with which outcome (``ok`` or an error code).
    """

    def __init__(self, service: ChatService) -> None:
        self._service = service
        self.performed: Counter[tuple[str, str]] = Counter()

    async def perform(self, session: Session, call: Call) -> Reply:
        """See `chat.server.core.user.Session.perform`."""
        verb = call.verb
        try:
            if wait := self._admit(session, verb):
                turn = self._service.node.sleeper.wait(wait)
                session.mind.slow_down(wait)  # only now, so that the next line comes after this command
                await turn
                self._check(session, verb)
            reply: Reply = await verb.run(self._service, session, **call.arguments)
        except ChatError as error:
            self.performed[verb.name, error.code] += 1
            if verb.access is Access.GUEST:
                self._service.node.traffic_log.refused(verb.name, session)
            return _refused(error, self._service.settings.registration != "closed")
        except Exception:
            incident = token_hex(4)
            log.failure("incident {incident} in command {command}", incident=incident, command=verb.name)
            self.performed[verb.name, Internal.code] += 1
            return Refused(Internal.code, f"{Internal.text} Please report incident {incident} to an administrator.")
        self.performed[verb.name, "ok"] += 1
        return reply

    def _admit(self, session: Session, verb: Verb) -> float:
        """:returns: the seconds that this command has to wait."""
        self._check(session, verb)
        if not verb.weight:
            return 0.0
        return self._service.node.throttle.admit(session, verb.weight)

    def _check(self, session: Session, verb: Verb) -> None:
        """Whether anybody may do anything, and this session this."""
        if self._service.node.stopping:
            raise ShuttingDown()
        user = session.user
        if verb.access is Access.ANYONE or session.operator:
            return
        if verb.access is Access.GUEST:
            if user is not None:
                raise AlreadyLoggedIn(f"You are logged in as {user.name}. Type logout first.")
        elif user is None:
            raise NotLoggedIn()
        elif verb.access is Access.ADMINISTRATOR and not session.administers:
            raise Forbidden("Only administrators may do that. Nothing was sent or changed.")


def attempt(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T | Refused:
    """Call something pure that may refuse (reading a line, decoding a frame)."""
    try:
        return function(*arguments, **named)
    except ChatError as error:
        return _refused(error)


def _refused(error: ChatError, open: bool = True) -> Refused:
    """:param open: whether somebody can make an account, and may be told to."""
    line = error.closed if not open and error.closed and error.line == error.text else error.line
    return Refused(error.code, line, error.suggest, error.ask, error.wait)
