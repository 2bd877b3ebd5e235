"""Each command of the table, once as it is meant and once as it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.device_keys import NumberedKey
from chat.protocol.events import (
    ClaimedKeys,
    CommandTable,
    Devices,
    Done,
    FileKept,
    Found,
    Help,
    History,
    Inbox,
    Keys,
    KeysLeft,
    LettersKept,
    LoggedIn,
    LoggedOut,
    Missed,
    OwnSettings,
    PasswordChanged,
    People,
    Pong,
    Profile,
    Refused,
    Restored,
    Resumed,
    RoomEntered,
    RoomLeft,
    Rooms,
    RoomSettings,
    StoredAs,
    TimeNow,
    Welcome,
)
from chat.protocol.grammar.verbs import Access
from chat.protocol.values import Text
from chat.server.commands.table import TABLE
from tests.server.core.stage import MANY, PASSWORD, Person, Stage

_HI = Text("hi")

_WORKS: Mapping[str, tuple[dict[str, Any], type]] = {
    "new": ({"user": "eve", "password": PASSWORD}, LoggedIn),
    "login": ({"user": "ann", "password": PASSWORD}, LoggedIn),
    "scram": ({"final": "c=biws,r=nonce,p=AAAA"}, Refused),
    "takeover": ({}, Refused),
    "claim": ({"user": "ann", "code": "none", "password": PASSWORD}, Refused),
    "admin": ({}, Refused),
    "logout": ({}, LoggedOut),
    "quit": ({}, LoggedOut),
    "password": ({"old": PASSWORD, "new": "another password"}, PasswordChanged),
    "account": ({"action": "delete", "password": PASSWORD}, Done),
    "devices": ({}, Devices),
    "set": ({"setting": "realname", "value": "Ann Onym"}, OwnSettings),
    "say": ({"room": "ops", "text": _HI}, StoredAs),
    "me": ({"room": "ops", "text": _HI}, StoredAs),
    "message": ({"user": "bob", "text": _HI}, StoredAs),
    "reply": ({"text": _HI}, StoredAs),
    "edit": ({"text": _HI}, StoredAs),
    "delete": ({}, Done),
    "broadcast": ({"text": "lunch"}, Done),
    "connect": ({"room": "lobby"}, RoomEntered),
    "disconnect": ({"room": "ops"}, RoomLeft),
    "create": ({"room": "pool"}, RoomEntered),
    "decline": ({"room": "board"}, Done),
    "invite": ({"room": "ops", "user": "zoe"}, Done),
    "room": ({"room": "ops"}, RoomSettings),
    "rooms": ({}, Rooms),
    "online": ({}, People),
    "list": ({}, People),
    "whois": ({"user": "bob"}, Profile),
    "block": ({"user": "bob"}, Done),
    "unblock": ({"user": "mallory"}, Done),
    "away": ({"text": "lunch"}, Done),
    "back": ({}, Done),
    "history": ({"where": "ops"}, History),
    "catchup": ({}, Missed),
    "search": ({"words": "hi"}, Found),
    "topic": ({"room": "ops", "text": "soup"}, Done),
    "kick": ({"room": "ops", "user": "bob"}, Done),
    "ban": ({"room": "ops", "user": "bob"}, Done),
    "unban": ({"room": "ops", "user": "mallory"}, Done),
    "mute": ({"room": "ops", "user": "bob"}, Done),
    "unmute": ({"room": "ops", "user": "mallory"}, Done),
    "op": ({"room": "ops", "user": "bob"}, Done),
    "deop": ({"room": "ops", "user": "moe"}, Done),
    "getaddress": ({"user": "moe"}, Done),
    "consent": ({"user": "bob", "port": 51791}, Done),
    "refuse": ({"user": "bob"}, Done),
    "private": ({"user": "bob", "text": "hi"}, Refused),
    "sendfile": ({"user": "bob", "path": "notes.txt"}, Refused),
    "getfile": ({"user": "bob"}, Refused),
    "refusefile": ({"user": "bob"}, Refused),
    "help": ({}, Help),
    "ping": ({}, Pong),
    "time": ({}, TimeNow),
    "hello": ({"client": "test"}, Welcome),
    "commands": ({}, CommandTable),
    "restored": ({"since": 0}, Restored),
    "resume": ({}, Resumed),
    "missed": ({}, Missed),
    "received": ({"marks": {1: 1}}, Done),
    "read": ({"marks": {1: 1}}, Done),
    "roster": ({}, People),
    "members": ({"room": "ops"}, People),
    "keys.publish": ({}, KeysLeft),
    "keys.of": ({"users": ("bob",)}, Keys),
    "keys.claim": ({"devices": (("bob", "default"),)}, ClaimedKeys),
    "inbox.send": ({"letters": (("bob", "default", b"sealed"),)}, LettersKept),
    "inbox.read": ({}, Inbox),
    "inbox.acknowledge": ({"upto": 1}, Done),
    "files.begin": ({"user": "bob", "pieces": 2}, FileKept),
    "files.put": ({"file": 1, "number": 0, "piece": b"sealed"}, Refused),
    "files.get": ({"file": 1, "number": 0}, Refused),
    "files.end": ({"file": 1}, Done),
}

_REFUSED: Mapping[str, tuple[dict[str, Any], str]] = {
    "new": ({"user": "eve"}, "bad-usage"),
    "login": ({"user": "ann"}, "bad-usage"),
    "scram": ({"final": "c=biws,r=nonce,p=AAAA"}, "bad-usage"),
    "takeover": ({}, "nothing-to-take-over"),
    "claim": ({"user": "ann", "code": "none", "password": PASSWORD}, "bad-credentials"),
    "admin": ({"words": "users"}, "forbidden"),
    "password": ({"old": PASSWORD}, "bad-usage"),
    "account": ({"action": "delete", "password": "wrong"}, "bad-credentials"),
    "devices": ({"action": "end"}, "bad-usage"),
    "set": ({"setting": "realname", "value": "x" * 61}, "too-long"),
    "say": ({"room": "nowhere", "text": _HI}, "no-such-room"),
    "me": ({"room": "lobby", "text": _HI}, "not-a-member"),
    "edit": ({"id": "r9.1", "text": _HI}, "no-such-conversation"),
    "delete": ({"id": "r9.1"}, "no-such-conversation"),
    "broadcast": ({"text": " "}, "bad-usage"),
    "message": ({"user": "nobdy", "text": _HI}, "no-such-user"),
    "connect": ({"room": "nowhere"}, "no-such-room"),
    "disconnect": ({"room": "lobby"}, "not-a-member"),
    "create": ({"room": "ops"}, "room-taken"),
    "decline": ({"room": "ops"}, "no-effect"),
    "invite": ({"room": "ops", "user": "bob"}, "no-effect"),
    "room": ({"room": "ops", "setting": "slow", "value": "often"}, "bad-usage"),
    "list": ({"room": "nowhere"}, "no-such-room"),
    "whois": ({"user": "nobdy"}, "no-such-user"),
    "block": ({"user": "ann"}, "bad-usage"),
    "unblock": ({"user": "bob"}, "no-effect"),
    "history": ({"where": "lobby"}, "not-a-member"),
    "catchup": ({"room": "lobby"}, "not-a-member"),
    "search": ({"words": "in:ops"}, "bad-usage"),
    "topic": ({"room": "lobby", "text": "soup"}, "not-a-member"),
    "kick": ({"room": "ops", "user": "ann"}, "bad-usage"),
    "ban": ({"room": "ops", "user": "ann"}, "bad-usage"),
    "unban": ({"room": "ops", "user": "bob"}, "no-effect"),
    "mute": ({"room": "ops", "user": "nobdy"}, "no-such-user"),
    "unmute": ({"room": "ops", "user": "bob"}, "no-effect"),
    "op": ({"room": "ops", "user": "moe"}, "no-effect"),
    "deop": ({"room": "ops", "user": "ann"}, "no-effect"),
    "getaddress": ({"user": "zoe"}, "not-here"),
    "consent": ({"user": "bob"}, "needs-client"),
    "refuse": ({"user": "moe"}, "no-effect"),
    "private": ({"user": "bob", "text": "hi"}, "needs-client"),
    "sendfile": ({"user": "bob", "path": "notes.txt"}, "needs-client"),
    "getfile": ({"user": "bob"}, "needs-client"),
    "refusefile": ({"user": "bob"}, "needs-client"),
    "help": ({"verb": "mesage"}, "unknown-command"),
    "members": ({"room": "nowhere"}, "no-such-room"),
    "keys.publish": ({"one_time": (NumberedKey(1, b"k" * 32, b"s" * 64),)}, "no-device-keys"),
}


class EveryCommand(SynchronousTestCase):
    """Ann, who may, in a house where each command has something to do."""

    def ann(self) -> tuple[Stage, Person]:
        stage = Stage(MANY)
        ann = stage.connection()
        ann.does("new", user="ann", password=PASSWORD)
        ann.does("resume")
        ann.does("create", room="ops")
        bob = stage.enter("bob", "ops")
        stage.enter("moe", "ops")
        for name in ("mallory", "zoe"):
            stage.account(name)
        bob.writes("ann", "hello")
        ann.does("op", user="moe", room="ops")
        ann.does("block", user="mallory")
        ann.says("ops", "helo")
        for act in ("ban", "mute"):
            ann.does(act, user="mallory", room="ops")
        bob.does("create", room="board", visibility="private")
        bob.does("invite", room="board", user="ann")
        bob.does("getaddress", user="ann")
        ann.does("away")
        return stage, ann

    def who_may(self, word: str) -> Person:
        stage, ann = self.ann()
        return stage.connection() if TABLE[word].access is Access.GUEST else ann

    def test_none_is_forgotten(self) -> None:
        self.assertEqual({verb.name for verb in TABLE.verbs} - _WORKS.keys(), set())

    def test_it_works(self) -> None:
        for verb in TABLE.verbs:
            arguments, reply = _WORKS[verb.name]
            self.assertIsInstance(self.who_may(verb.name).does(verb.name, **arguments), reply, verb.name)

    def test_under_another_word(self) -> None:
        for verb in TABLE.verbs:
            arguments, reply = _WORKS[verb.name]
            for alias in verb.aliases:
                self.assertIsInstance(self.who_may(verb.name).does(alias, **arguments), reply, alias)

    def test_it_is_refused(self) -> None:
        for word, (arguments, code) in _REFUSED.items():
            if word in TABLE:
                self.assertEqual(self.who_may(word).code(word, **arguments), code, word)

    def test_what_is_refused_changes_nothing_on_disk(self) -> None:
        for word, (arguments, _) in _REFUSED.items():
            if word in TABLE and TABLE[word].access is not Access.GUEST:
                stage, ann = self.ann()
                before = stage.room("ops").last
                ann.code(word, **arguments)
                self.assertEqual(stage.room("ops").last, before, word)
