"""Whoever is blocked cannot tell whether the blocker is here: whatever is typed, and whatever comes by itself."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from chat.protocol.grammar.durations import NumberType
from chat.protocol.grammar.key_parameters import DevicesType, LettersType, UsersType
from chat.protocol.grammar.parameters import BodyType, ChoiceType, MessageIdType, NameType, PlaceType, RoomType
from chat.protocol.grammar.program_parameters import ConversationType, MarksType, RetryType
from chat.protocol.grammar.verbs import Verb
from chat.server.commands.table import TABLE
from tests.server.frontends.server import PASSWORD, Caller, Server, ServerCase

ENDS = frozenset(
    {"logout", "quit", "account", "takeover", "login", "new", "claim", "password", "scram", "block", "hello"}
)
"""Commands after which mallory is somebody else, or bob is blocked as well; and the one that names the database."""

SAID_BEFORE = "before-the-block"
"""The retry id of what mallory wrote to bob before the block."""


def _sample(kind: object) -> object:
    """What an argument is given, so that it is about bob wherever it can be."""
    if isinstance(kind, NumberType):
        return 1
    if isinstance(kind, ChoiceType):
        return kind.words[0]
    for type_, value in (
        (NameType, "bob"),
        (PlaceType, "bob"),
        (RoomType, "ops"),
        (MessageIdType, "k3.1"),
        (ConversationType, "k3"),
        (BodyType, "hello"),
        (RetryType, SAID_BEFORE),
        (MarksType, {"k3": 1}),
        (UsersType, ["bob"]),
        (DevicesType, [{"user": "bob", "device": "phone"}]),
        (LettersType, [{"user": "bob", "device": "phone", "body": b64encode(b"x").decode()}]),
    ):
        if isinstance(kind, type_):
            return value
    return "bob"


def _calls(verb: Verb) -> Iterator[dict[str, Any]]:
    """With all arguments, with those that are needed, and with all but one."""
    everything = {each.name: _sample(each.type) for each in verb.parameters}
    yield everything
    yield {each.name: everything[each.name] for each in verb.parameters if each.required}
    for each in verb.parameters:
        if not each.required:
            yield {name: value for name, value in everything.items() if name != each.name}


class World:
    """Bob shares a room and words with mallory, has given an address, and blocks mallory: he is here, or he is not."""

    def __init__(self, case: ServerCase) -> None:
        case.server = self.server = Server(sessions="many")
        case.run_until_done(self.server.chat.start())
        case.addCleanup(lambda: case.run_until_done(self.server.chat.stop("The test is over.")))
        self.server.advance(60)
        ann, self.program = case.person("ann"), case.program("mallory")
        ann.types("create ops")
        self.netcat = case.call("text")
        self.netcat.types("login mallory", PASSWORD, "connect ops")
        self.bob = self.calls("192.0.2.9")
        for request in (
            ("connect", {"room": "ops"}),
            ("message", {"user": "mallory", "text": "hi"}),
            ("message", {"user": "mallory", "text": "are you there?"}),
        ):
            self.bob.asks(request[0], 1, **request[1])
        self.program.asks("message", 1, SAID_BEFORE, user="bob", text="hello")
        self.program.asks("getaddress", 1, user="bob")
        self.bob.asks("consent", 1, user="mallory", port=51_791)
        self.program.asks("getaddress", 1, user="bob")
        self.bob.asks("block", 1, user="mallory")
        self.quiet()

    def calls(self, address: str) -> Caller:
        """Bob logs in with a program."""
        caller = Caller(self.server, "json", address)
        known = self.server.chat.directory.account("bob") is not None
        caller.asks("login" if known else "new", user="bob", password=PASSWORD)
        caller.asks("resume")
        return caller

    def leaves(self) -> None:
        self.bob.asks("quit", 1)
        self.bob.hangs_up()

    def comes_back(self, address: str) -> None:
        self.bob = self.calls(address)
        self.bob.asks("received", 1, marks={"k3": 3})
        self.bob.asks("away", 1, text="lunch")

    def quiet(self) -> None:
        self.server.advance(40)
        self.program.wire.clear()
        self.netcat.wire.clear()

    def replies(self, verb: str, arguments: dict[str, Any]) -> str:
        """What mallory's program gets, and mallory's netcat."""
        self.program.types(json.dumps({"cmd": verb, "id": 1, "args": arguments, "retry": arguments.get("retry")}))
        return self.program.gets() + self.netcat.gets()

    def answers(self, line: str) -> str:
        """What mallory's netcat gets, and mallory's program."""
        self.netcat.types(line)
        return self.netcat.gets() + self.program.gets()

    def greeting(self) -> str:
        guest = Caller(self.server, "text", "192.0.2.66")
        self.server.advance(1)
        greeting = guest.gets()
        guest.hangs_up()
        return greeting


class WhoeverIsBlocked(ServerCase):
    def setUp(self) -> None:
        self.here, self.away = World(self), World(self)
        self.away.leaves()
        self.here.bob.asks("received", 1, marks={"k3": 3})
        for world in (self.here, self.away):
            world.quiet()

    def test_hears_of_nothing_that_shows_it(self) -> None:
        """Coming from elsewhere, going, being away, having received something, breaking off."""
        for act in (
            lambda world: world.leaves(),
            lambda world: world.comes_back("192.0.2.10"),
            lambda world: world.bob.hangs_up(orderly=False),
            lambda world: world.comes_back("198.51.100.3"),
        ):
            act(self.here)
            self.here.server.advance(60)
            self.assertEqual(self.here.program.gets(), "")
            self.assertEqual(self.here.netcat.gets(), "")

    def test_cannot_tell_by_any_command(self) -> None:
        for verb in TABLE.verbs:
            if verb.name in ENDS:
                continue
            for arguments in _calls(verb):
                self.assertEqual(
                    self.here.replies(verb.name, arguments),
                    self.away.replies(verb.name, arguments),
                    (verb.name, arguments),
                )

    def test_cannot_tell_by_any_line(self) -> None:
        for verb in TABLE.verbs:
            if verb.name in ENDS or verb.programs:
                continue
            for words in ("", " bob", " ops", " users", " channels", " bob hello", " users ops"):
                line = f"/{verb.name}{words}"
                self.assertEqual(self.here.answers(line), self.away.answers(line), line)

    def test_cannot_tell_by_counting(self) -> None:
        self.assertEqual(self.here.greeting(), self.away.greeting())
