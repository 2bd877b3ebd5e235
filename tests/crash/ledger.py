"""What people were told, and whether it is true: everything that a crash checker knows, and its verdict.

Each message has a body that no other one has, so that a body says who wrote it, in which order, and for whom.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

BODY = re.compile(r"<\w+ \d{6} #?\w+>")
"""Finds bodies in whatever was shown or written."""


def body_of(author: str, number: int, target: str) -> str:
    return f"<{author} {number:06} {target}>"


@dataclass(frozen=True, slots=True)
class Message:
    """:param target: a room with ``#`` before it, or a person."""

    author: str
    number: int
    target: str

    @classmethod
    def read(cls, body: str) -> Message:
        author, number, target = body.strip("<>").split(" ")
        return cls(author, int(number), target)

    @property
    def body(self) -> str:
        return body_of(self.author, self.number, self.target)

    def concerns(self, name: str) -> bool:
        """Whether somebody may see it."""
        return self.target.startswith("#") or name in (self.author, self.target)


@dataclass(slots=True)
class Ledger:
    """:ivar acknowledged: the msgid that the sender was told, by body.
    :ivar refused: bodies of which the sender was told that nothing was sent.
    :ivar shown: how often each person was shown each body.
    :ivar shown_at: the msgid under which a program was shown a body.
    :ivar told: everything that was noticed while it happened, by kind.
    """

    acknowledged: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    shown: dict[str, Counter[str]] = field(default_factory=dict)
    shown_at: dict[str, set[str]] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def complain(self, kind: str, example: str) -> None:
        self.told[kind] += 1
        self.examples.setdefault(kind, example)

    def saw(self, name: str, body: str, msgid: str | None = None) -> None:
        """Somebody was shown a message."""
        self.shown.setdefault(name, Counter())[body] += 1
        if msgid is not None:
            self.shown_at.setdefault(body, set()).add(msgid)
        if not Message.read(body).concerns(name):
            self.complain("to a wrong person", f"{name} sees {body}")

    # the verdict

    def compare(self, history: Iterable[tuple[str, str]]) -> None:
        """Hold everything against what the database has.

        :param history: msgid and body of each row, in the order of the log.
        """
        places: dict[str, str] = {}
        newest: dict[tuple[str, str], int] = {}
        for msgid, body in history:
            if body in places:
                self.complain("twice in the history", f"{body} is {places[body]} and {msgid}")
            places[body] = msgid
            message = Message.read(body)
            line = message.author, message.target
            if newest.get(line, -1) >= message.number:
                self.complain("out of order", f"{body} comes after number {newest[line]}")
            newest[line] = message.number
        for body, msgid in self.acknowledged.items():
            if places.get(body) != msgid:
                self.complain("lost", f"{body} was acknowledged as {msgid}; it is {places.get(body)}")
        for body in self.refused & places.keys():
            self.complain("refused, and stored all the same", body)
        for body, msgids in self.shown_at.items():
            if msgids != {places.get(body)}:
                self.complain("shown, and not stored so", f"{body} was shown as {msgids}; it is {places.get(body)}")

    def check_delivery(self, members: Mapping[str, bool]) -> None:
        """Hold what everybody was shown in the end against what was acknowledged.

        :param members: who is to be shown everything once (True), or at least once (False).
        """
        for name, once in members.items():
            shown = self.shown.get(name, Counter())
            for body in self.acknowledged:
                message = Message.read(body)
                due = message.target == name or message.target.startswith("#")
                if due and message.author != name and not shown[body]:
                    self.complain("never shown to who should have it", f"{body} to {name}")
            if once:
                for body, times in shown.items():
                    if times > 1:
                        self.complain("shown twice to a program", f"{body} to {name}")
