"""A verb table that came as data, from a server to its client: `read_table` reads what ``Verb.as_json`` wrote.

With it a client reads lines by the rules of the server it talks to, whatever version that is. A type of argument that
is not known here is taken for a word, which the server will look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from chat.protocol.grammar.durations import NumberType
from chat.protocol.grammar.parameters import ChoiceType, ParameterType
from chat.protocol.grammar.verbs import Access, Bare, Parameter, Table, Verb
from chat.protocol.values import BODY_BYTES

MOST_VERBS = 500
"""More verbs than that are not read."""


def read_table(verbs: Iterable[Mapping[str, Any]]) -> Table:
    """The verbs as a server describes them; one that cannot be understood is left out."""
    table = Table()
    for _, description in zip(range(MOST_VERBS), verbs, strict=False):
        try:
            table.add(_verb(description))
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return table


def _verb(description: Mapping[str, Any]) -> Verb:
    words = [description["name"], *description["aliases"], *description["spoken"]]
    if not all(isinstance(word, str) and word.isprintable() and 0 < len(word) <= 32 for word in words):
        raise ValueError("a verb is a short word")
    parameters = tuple(_parameter(each) for each in description["parameters"])
    bare = Bare(description["bare"])
    if bare is Bare.CHECKED and any(isinstance(each.type, ServerType) for each in parameters if each.written):
        bare = Bare.HELD  # what it means in a room cannot be found out here, so nothing is said by mistake
    return Verb(
        name=description["name"],
        aliases=tuple(description["aliases"]),
        group=str(description["group"]),
        access=Access(description["access"]),
        parameters=parameters,
        summary=str(description["summary"]),
        detail=str(description.get("detail", "")),
        examples=tuple(map(str, description.get("examples", ()))),
        barrier=bool(description.get("barrier", True)),
        bare=bare,
        spoken=tuple(description["spoken"]),
        private=bool(description["private"]),
        guarded={word: (int(low), int(high)) for word, (low, high) in description.get("guarded", {}).items()},
        doubted={word: tuple(map(str, after)) for word, after in description.get("doubted", {}).items()},
        programs=bool(description["programs"]),
        weight=1.0,
        run=_elsewhere,
    )


def _parameter(description: Mapping[str, Any]) -> Parameter:
    prompt = description.get("prompt")
    return Parameter(
        name=str(description["name"]),
        type=_type(description),
        required=bool(description["required"]),
        default=None,
        written=bool(description["written"]),
        prompt=None if prompt is None else str(prompt),
    )


def _type(description: Mapping[str, Any]) -> ParameterType:
    known = _TYPES.get(description["type"])
    if known is None:
        return ServerType(
            str(description.get("form", "WORD")), bool(description.get("rest")), bool(description["secret"])
        )
    if issubclass(known, ChoiceType):
        return known(*map(str, description["words"]))
    if issubclass(known, NumberType):
        return known(int(description["low"]), int(description["high"]))
    return known()


class ServerType(ParameterType):
    """A type that only the server knows: a word, or the rest of the line."""

    def __init__(self, form: str, rest: bool, secret: bool) -> None:
        self.form, self.rest, self.secret = form, rest, secret
        self.most_bytes = BODY_BYTES  # the server knows how much fits


def _all_types(kind: type[ParameterType]) -> Iterator[type[ParameterType]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _all_types(each)


_TYPES: dict[str, type[ParameterType]] = {
    each.__name__.removesuffix("Type").lower(): each for each in _all_types(ParameterType)
}


async def _elsewhere(*arguments: Any, **named: Any) -> NoReturn:
    raise NotImplementedError("a verb of a server runs there")
