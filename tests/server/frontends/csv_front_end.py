"""A toy front end: commands and events as comma-separated values, one a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Hashable
from dataclasses import fields

from chat.protocol.errors import UnknownCommand
from chat.protocol.events import Event, Refused, Reply
from chat.protocol.grammar.context import Call
from chat.protocol.values import Conversation, Text
from chat.server.core.dispatcher import attempt
from chat.server.frontends.audience import Audience
from chat.server.frontends.contract import FrontEnd, NoCall
from chat.server.interfaces import Features, IAudience


class CsvFrontEnd(FrontEnd):
    """``message,ann,hello`` in; ``Said,lobby,3,ann,hello`` out."""

    __slots__ = ()

    features = Features(typed_by_people=True)
    most_bytes = 1_024

    def decode(self, frame: object) -> Call | NoCall:
        row = next(csv.reader([frame.decode(errors="replace")]), []) if isinstance(frame, bytes) else ["too long"]
        if not row:
            return NoCall()
        call = attempt(self._call, *row)
        if isinstance(call, Refused):
            return NoCall(_row(call), refused=True, unknown=call.code == UnknownCommand.code)
        return call

    def _call(self, word: str, *values: str) -> Call:
        verb = self.line.service.table.get(word)
        if verb is None:
            raise UnknownCommand()
        names = [each.name for each in verb.parameters]
        return Call(verb, verb.decode(dict(zip(names, values, strict=False))))

    def render(self, shown: Event | Reply, call: Call | None = None) -> bytes:
        return _row(shown)

    def audience_key(self, conversation: int) -> Hashable:
        return "csv"

    def new_audience(self, conversation: int) -> IAudience:
        return Audience(_row, self.line.turn, self.features)


def _row(shown: Event | Reply) -> bytes:
    """The name of a type and what its fields hold."""
    line = io.StringIO()
    values = (getattr(shown, each.name) for each in fields(shown))
    csv.writer(line, lineterminator="\n").writerow([type(shown).__name__, *map(_value, values)])
    return line.getvalue().encode()


def _value(value: object) -> object:
    if isinstance(value, Conversation):
        return value.room or value.partner
    return value.text if isinstance(value, Text) else value
