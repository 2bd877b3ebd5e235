"""Where a text session sits in a conversation: among those who are shown the same bytes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol, cast

from chat.protocol.events import Event, MembershipChanged, Said
from chat.protocol.names import fold
from chat.protocol.preferences import UNSET, Notify, Preferences, Style
from chat.protocol.values import Text
from chat.protocol.wire.text import View, render
from chat.server.frontends.audience import Audience
from chat.server.frontends.telnet import with_line_ends
from chat.server.interfaces import Features, IAudience, IMind, ITurn

FEATURES = Features(typed_by_people=True)
"""Of the front end for people."""

BELL = b"\a"

_WORDS = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class AudienceKey:
    """What the bytes depend on that a text session is shown of one conversation.

    :param current: whether it is the room that the reader talks in.
    :param timezone: of the times before live lines; nothing where none are shown.
    """

    telnet: bool
    current: bool
    style: Style
    timezone: str | None
    bell: bool
    notify: Notify

    @classmethod
    def of(cls, preferences: Preferences, notify: Notify, *, telnet: bool, current: bool) -> AudienceKey:
        timezone = preferences.timezone if preferences.time else None
        return cls(telnet, current, preferences.style, timezone, preferences.bell, notify)

    def audience(self, conversation: int, turn: ITurn) -> IAudience:
        """An empty audience of this seat."""
        zone = UNSET.zone if self.timezone is None else Preferences(timezone=self.timezone).zone
        view = View(conversation if self.current else None, self.style, 0, zone, self.timezone is not None)

        def shown(event: Event) -> bytes:
            line = render(event, view).encode()
            return with_line_ends(line) if self.telnet else line

        if self.notify is Notify.ALL and not self.bell:
            return Audience(shown, turn, FEATURES)
        return MentionAudience(shown, turn, self.bell, self.notify)


class Called(Protocol):
    """What a mind of a `MentionAudience` has."""

    called: str
    """The folded name of the person."""


class MentionAudience(Audience):
    """People who want to be called when their name is said: by the bell, or by being shown that line at all.

    An event is rendered once all the same; those whom it names get something else in its place.
    """

    __slots__ = ("_bell", "_called", "_notify")

    def __init__(self, shown: Callable[[Event], bytes], turn: ITurn, bell: bool, notify: Notify) -> None:
        super().__init__(shown, turn, FEATURES)
        self._bell = BELL if bell else b""
        self._notify = notify
        self._called: dict[str, list[IMind]] = {}

    def add(self, mind: IMind) -> None:
        super().add(mind)
        self._called.setdefault(cast(Called, mind).called, []).append(mind)

    def remove(self, mind: IMind) -> None:
        super().remove(mind)
        kept = {name: [each for each in minds if each is not mind] for name, minds in self._called.items()}
        self._called = {name: minds for name, minds in kept.items() if minds}

    def post(
        self, event: Event, omit: Collection[IMind], hidden: Collection[IMind] = (), instead: Event | None = None
    ) -> None:
        omit = (*omit, *hidden)  # people, who are told nothing instead
        called = [mind for name in self._names(event) for mind in self._called.get(name, ()) if mind not in omit]
        everybody = self._notify is Notify.ALL
        line = self._render(event) if called or everybody else b""
        if called:
            self._queue(b"", called, self._bell + line if isinstance(event, Said) else line)
        if line and everybody:
            self._queue(line, (*omit, *called), b"")

    def _names(self, event: Event) -> Iterable[str]:
        """The folded names of those whom an event concerns more than the others."""
        if isinstance(event, Said):
            if self._notify is Notify.NOTHING or not isinstance(event.body, Text):
                return ()
            return mentioned(event.body.text) - {fold(event.author)}
        if isinstance(event, MembershipChanged) and self._notify is not Notify.ALL:
            return (fold(event.target),)
        return ()


def mentioned(text: str) -> set[str]:
    """The words of a text, folded as names are: whose name is among them is mentioned."""
    words = _WORDS.findall(text)
    return {fold(word) for word in words} | {fold(word.rstrip(".-_")) for word in words}
