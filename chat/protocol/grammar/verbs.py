"""The verb table: each command declared once, as a function.

A command is called with the service, the session and its arguments. Its signature gives the arguments and
their types: those before ``*`` are written in a line, in that order; those after it only programs give, except
that a room of type ``Here`` is filled with the current one. The docstring is the help: its first line the
summary, the rest the detail. What the decorator adds is data. A command without docstring, annotation or a
name of its own fails at import.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

from chat.protocol.errors import BadUsage
from chat.protocol.events import VerbHelp
from chat.protocol.grammar.parameters import ChoiceType, HereType, ParameterType
from chat.protocol.grammar.typos import WordIndex

K = TypeVar("K")
T = TypeVar("T")

LONG = 6
"""Verbs of so many letters are not mistaken for ordinary words when one letter is wrong."""


class Access(StrEnum):
    """Who may use a verb."""

    ANYONE = "anyone"
    GUEST = "guest"
    USER = "user"
    ADMINISTRATOR = "administrator"


class Bare(StrEnum):
    """What a verb without ``/`` means in a room."""

    NEVER = "never"
    CHECKED = "checked"
    ALWAYS = "always"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a verb.

    :param written: whether it has a place in a line of text.
    :param prompt: what a text front end asks when it is missing, or nothing.

    :ivar here: whether the current room stands in for it.
    """

    name: str
    type: ParameterType
    required: bool
    default: Any
    written: bool
    prompt: str | None = None
    here: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "here", type(self.type) is HereType)


@dataclass(frozen=True, slots=True)
class Verb:
    """One command as data, and the function that runs it.

    :param barrier: whether the next line waits until this one is done, because it may change who one is,
        where one is, or what the next line means.
    :param spoken: words of this verb that people say as well: in a room they need the ``/``.
    :param private: whether a mistyped target would show the line to the wrong people.
    :param guarded: for a word of this verb, with how many words after it (from, to) a bare line is taken for a login
        or a password; with more it is when it begins with a name. Of a verb without secrets: is held, where it could be
        written so.
    :param doubted: for a word of this verb, what follows a name where it is said and not meant as a command
        (``tell bob to call me``).
    :param programs: whether only programs use it.
    :param weight: how much of the sender's rate it takes.

    :ivar written: the parameters that have a place in a line of text; every line read asks for them.
    """

    name: str
    aliases: tuple[str, ...]
    group: str
    access: Access
    parameters: tuple[Parameter, ...]
    summary: str
    detail: str
    examples: tuple[str, ...]
    barrier: bool
    bare: Bare
    spoken: tuple[str, ...]
    private: bool
    guarded: Mapping[str, tuple[int, int]]
    doubted: Mapping[str, tuple[str, ...]]
    programs: bool
    weight: float
    run: Callable[..., Awaitable[Any]] = field(repr=False)
    written: tuple[Parameter, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "written", tuple(each for each in self.parameters if each.written))

    @property
    def takes_secrets(self) -> bool:
        """Whether a password may stand in its line."""
        return any(each.type.secret for each in self.parameters)

    @property
    def form(self) -> str:
        """How it is written: ``message NAME TEXT``; what may be left out stands in brackets."""
        words = [self.name]
        nested = 0
        for each in self.written:
            if each.required and not each.here:
                words.append(each.type.form)
            elif each.prompt is not None or isinstance(each.type, ChoiceType):
                words.append(f"[{each.type.form}")
                nested += 1
            else:
                words.append(f"[{each.type.form}]")
        return " ".join(words) + "]" * nested

    @property
    def help(self) -> VerbHelp:
        """What ``help`` shows of it."""
        return VerbHelp(self.name, self.aliases, self.form, self.summary, self.detail, self.examples)

    def decode(self, values: Mapping[str, object]) -> dict[str, Any]:
        """Read the arguments that a program gave; unknown ones are ignored.

        :raises BadUsage: naming the argument that is missing or does not fit.
        """
        arguments: dict[str, Any] = {}
        for each in self.parameters:
            if (value := values.get(each.name)) is not None:
                try:
                    each.type.bound(value)
                    arguments[each.name] = each.type.from_json(value)
                except BadUsage as error:
                    raise BadUsage(f"{self.name}: {each.name}: {sentence(error.line)}") from None
            elif each.required:
                raise BadUsage(f"{self.name} needs {each.name}: {each.type.json}.")
        return arguments

    def as_json(self) -> dict[str, Any]:
        """This verb as plain values, for clients."""
        return {
            "name": self.name,
            "aliases": list(self.aliases),
            "group": self.group,
            "access": self.access.value,
            "form": self.form,
            "summary": self.summary,
            "detail": self.detail,
            "examples": list(self.examples),
            "barrier": self.barrier,
            "bare": self.bare.value,
            "spoken": list(self.spoken),
            "private": self.private,
            "guarded": {word: list(bounds) for word, bounds in self.guarded.items()},
            "doubted": {word: list(after) for word, after in self.doubted.items()},
            "programs": self.programs,
            "parameters": [
                {
                    "name": each.name,
                    "type": type(each.type).__name__.removesuffix("Type").lower(),
                    "json": each.type.json,
                    "required": each.required,
                    "written": each.written,
                    "secret": each.type.secret,
                    "form": each.type.form,
                    "rest": each.type.rest,
                    "prompt": each.prompt,
                    **each.type.details(),
                }
                for each in self.parameters
            ],
        }


class Table(Mapping[str, Verb]):
    """All verbs, by name and by alias, in the order in which they were declared."""

    def __init__(self) -> None:
        self._verbs: dict[str, Verb] = {}
        self._words: dict[str, Verb] = {}
        self._derived: dict[tuple[Any, ...], Any] = {}

    def __getitem__(self, word: str) -> Verb:
        return self._words[word]

    def get(self, word: str, default: Any = None, /) -> Any:
        """Asked of the first word of every line; the inherited one raises an exception inside."""
        return self._words.get(word, default)

    def __iter__(self) -> Iterator[str]:
        """Every name and alias."""
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)

    @property
    def verbs(self) -> tuple[Verb, ...]:
        return tuple(self._verbs.values())

    def derived(self, make: Callable[[tuple[Verb, ...], K], T], key: K) -> T:
        """What a function makes of all verbs and a key: the same object for everybody, until a verb is added."""
        found: T | None = self._derived.get((make, key))
        if found is None:
            found = self._derived[make, key] = make(self.verbs, key)
        return found

    def __contains__(self, word: object) -> bool:
        return word in self._words

    @cached_property
    def typed(self) -> WordIndex:
        """The names and aliases that people type."""
        return WordIndex(word for word, verb in self._words.items() if not verb.programs)

    @cached_property
    def long(self) -> WordIndex:
        """The names and aliases of at least `LONG` letters that people type, and of one less where a secret follows."""
        return WordIndex(
            word for word, verb in self._words.items() if len(word) >= LONG - verb.takes_secrets and not verb.programs
        )

    def command(
        self,
        *aliases: str,
        group: str,
        access: Access = Access.USER,
        examples: tuple[str, ...] = (),
        barrier: bool = False,
        bare: Bare = Bare.CHECKED,
        spoken: tuple[str, ...] = (),
        private: bool = False,
        guarded: Mapping[str, tuple[int, int]] | None = None,
        doubted: Mapping[str, tuple[str, ...]] | None = None,
        programs: bool = False,
        weight: float = 1.0,
        prompts: Mapping[str, str] | None = None,
        needs: tuple[str, ...] = (),
        name: str | None = None,
    ) -> Callable[[Callable[..., Awaitable[Any]]], Callable[..., Awaitable[Any]]]:
        """Declare a command; see `Verb` for the parameters.

        :param prompts: what a text front end asks for an argument that is missing, by its name.
        :param needs: arguments that have to be given though one before them may be left out.
        :raises TypeError: when the function has no docstring or an argument no type.
        :raises ValueError: when a word stands for another verb already.
        """

        def declare(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            verb_name = name or function.__name__.rstrip("_")
            if not function.__doc__:
                raise TypeError(f"command {verb_name} has no docstring, so nobody can be helped with it")
            summary, _, detail = inspect.cleandoc(function.__doc__).partition("\n")
            self.add(
                Verb(
                    name=verb_name,
                    aliases=aliases,
                    group=group,
                    access=access,
                    parameters=tuple(_parameters(verb_name, function, prompts or {}, needs)),
                    summary=summary.strip(),
                    detail="\n\n".join(" ".join(each.split()) for each in detail.strip().split("\n\n")),
                    examples=examples,
                    barrier=barrier,
                    bare=bare,
                    spoken=spoken,
                    private=private,
                    guarded=guarded or {},
                    doubted=doubted or {},
                    programs=programs,
                    weight=weight,
                    run=function,
                )
            )
            return function

        return declare

    def add(self, verb: Verb) -> None:
        """Take up one verb.

        :raises ValueError: when a word stands for another verb already.
        """
        for word in (verb.name, *verb.aliases):
            if word in self._words:
                raise ValueError(f"the word {word} stands for {self._words[word].name} already")
        self._verbs[verb.name] = verb
        self._words.update(dict.fromkeys((verb.name, *verb.aliases), verb))
        self._derived.clear()
        for index in ("typed", "long"):
            self.__dict__.pop(index, None)


def sentence(words: str) -> str:
    """Words that may have a full stop at their end, or not, with one."""
    return words if words.endswith(".") else f"{words}."


def _parameters(
    verb: str, function: Callable[..., Awaitable[Any]], prompts: Mapping[str, str], needs: tuple[str, ...]
) -> Iterator[Parameter]:
    hints = typing.get_type_hints(function, include_extras=True)
    _service, _session, *parameters = inspect.signature(function).parameters.values()
    for each in parameters:
        kinds = [extra for extra in _annotations(hints.get(each.name)) if isinstance(extra, ParameterType)]
        if len(kinds) != 1:
            raise TypeError(f"parameter {each.name} of command {verb} has no parameter type")
        required = each.default is each.empty or each.name in needs
        yield Parameter(
            name=each.name,
            type=kinds[0],
            required=required,
            default=None if required else each.default,
            written=each.kind is each.POSITIONAL_OR_KEYWORD,
            prompt=prompts.get(each.name),
        )


def _annotations(hint: Any) -> Iterator[Any]:
    """The extras of ``Annotated``, also inside ``... | None``."""
    yield from getattr(hint, "__metadata__", ())
    if not hasattr(hint, "__metadata__"):
        for inner in typing.get_args(hint):
            yield from _annotations(inner)
