"""What can be sent to a server: each verb with each of its parameters at the greatest size, right and wrong.

It is made from the verb table, so that a new verb is attacked with as soon as it is there.
"""

from __future__ import annotations

import base64
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chat.protocol.grammar.parameters import ChoiceType, ParameterType
from chat.protocol.grammar.verbs import Verb
from chat.server.commands.admin import ADMIN
from chat.server.commands.table import TABLE
from tests.e2e.stage import PASSWORD
from tests.hostile.peers import GARBAGE
from tests.hostile.population import BIG, LONG

LINE = 8_000
"""Bytes of the longest line that is read."""

FRAME = 64_000
"""Bytes of the longest frame, less what stands around its longest argument."""

MARKS = "a" + "\u0301\u0327\u0323\u0316\u0300" * 30_000
"""A letter with more combining marks than fit anywhere: composing them takes time that is quadratic in their number."""

LEFT_OUT = {"shutdown", "reload", "watch"}
"""Commands of administrators that end the server or the battery itself; they are no attack on a server of one's own."""

GUEST, MEMBER, ADMINISTRATOR = "guest", "bad", "boss"
"""Who attacks; the last two are the names of accounts, without their number."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One kind of thing that a peer sends, over and over, as fast as it is taken.

    :param who: `GUEST`, `MEMBER` or `ADMINISTRATOR`.
    :param body: what is sent after the login.
    :param program: whether the login is that of a program.
    :param connections: how many peers send it.
    :param tls: whether they encrypt.
    :param reads: whether they read what comes.
    :param loop: whether they hang up after the body was sent once and something came, and come again.
    :param token: whether they come again with the token of their first login.
    """

    name: str
    who: str
    body: bytes
    program: bool = False
    connections: int = 4
    tls: bool = False
    reads: bool = True
    loop: bool = False
    token: bool = False


def attacks() -> Iterator[Attack]:
    """Every kind: those that were found once, then each verb for each who may try it, then garbage."""
    yield from known()
    for who, program, verb in itertools.product((GUEST, MEMBER), (False, True), TABLE.verbs):
        if verb.name != "admin":
            body = frames(verb) if program else lines(verb)
            yield Attack(f"{_kind(program)} of {verb.name} by a {_WORDS[who]}", who, body, program=program)
    for verb in ADMIN.verbs:
        if verb.name not in LEFT_OUT:
            yield Attack(f"lines of admin {verb.name}", ADMINISTRATOR, lines(verb, "admin "))
    chance = random.Random(15)
    for what, make in GARBAGE.items():
        yield Attack(f"{what}, by a guest", GUEST, make(chance))
        yield Attack(f"{what}, by an account", MEMBER, make(chance))


def in_short() -> Iterator[Attack]:
    """The same with all verbs in one body, for a run of seconds."""
    wanted = [verb for verb in TABLE.verbs if verb.name not in ("admin", "quit", "logout")]
    for who, program in itertools.product((GUEST, MEMBER), (False, True)):
        body = b"".join(frames(verb) if program else lines(verb) for verb in wanted)
        yield Attack(f"{_kind(program)} of every verb by a {_WORDS[who]}", who, body, program=program)
    wanted = [verb for verb in ADMIN.verbs if verb.name not in LEFT_OUT]
    body = b"".join(lines(verb, "admin ") for verb in wanted)
    yield Attack("lines of every command of administrators", ADMINISTRATOR, body)
    yield from known()


_WORDS = {GUEST: "guest", MEMBER: "member"}


def _kind(program: bool) -> str:
    return "frames" if program else "lines"


def known() -> Iterator[Attack]:
    """What has stopped a server once."""
    chance = random.Random(7)
    unknown = b"".join(_unknown(chance, 32) for _ in range(1_900))
    yield Attack("1,900 unknown words in one write", GUEST, unknown)
    yield Attack("1,900 unknown words, typed by a member", MEMBER, unknown)
    yield Attack("a name of combining marks", GUEST, _frame("new", user=MARKS[: FRAME // 2], password=PASSWORD), True)
    yield Attack("a login of combining marks", GUEST, _frame("login", user="a", password=MARKS[: FRAME // 2]), True)
    yield Attack("a code of combining marks", GUEST, _frame("claim", user="a", code=MARKS[: FRAME // 2]), True)
    yield Attack(
        "a real name of combining marks", MEMBER, _frame("set", setting="realname", value=MARKS[:30_000]), True
    )
    yield Attack("rooms that are not there", MEMBER, _lines(f"connect {'q' * 30}{n}" for n in range(50)))
    inside = itertools.chain([f"connect {BIG}"], (f"connect {'q' * 30}{n}" for n in range(50)))
    yield Attack("the same, held in a room", MEMBER, _lines(inside))
    yield Attack("history of long text", MEMBER, _lines([f"history {BIG} 500"]))
    history = _frame("history", conversation="r1", limit=500)
    yield Attack("history of long text, by a program", MEMBER, history, program=True)
    yield Attack("history that nobody reads", MEMBER, history * 20, program=True, reads=False, connections=10)
    prefixes = " ".join(f"{first}{second}*" for first, second in itertools.product("abcdefghij", "aeiou"))
    yield Attack("a search of many prefixes", MEMBER, _lines([f"/search {prefixes}", "/search ab* cd* ef*"]))
    yield Attack("a search of many words", MEMBER, _lines([f"/search {'abc ' * 1_500}"]))
    yield Attack(
        "lists of all accounts", MEMBER, _lines(["list users", f"list users {BIG}", "list channels", "online"])
    )
    roster = _frame("roster", limit=1_000) + _frame("members", room=BIG) + _frame("list", what="channels")
    yield Attack("rosters", MEMBER, roster, program=True)
    yield Attack("the verb table, by guests", GUEST, _frame("commands"), program=True, connections=10)
    yield Attack("the verb table, read by nobody", GUEST, _frame("commands") * 30, True, reads=False, connections=20)
    yield Attack("the verb table over TLS, read by nobody", GUEST, _frame("commands") * 30, True, 20, True, reads=False)
    login = _frame("resume") + _frame("broadcast", text="buy this") + _frame("rooms")
    yield Attack("a login in a loop", MEMBER, login, program=True, loop=True)
    yield Attack("a login by token in a loop", MEMBER, login, program=True, loop=True, token=True)
    yield Attack("a wrong login in a loop", GUEST, _frame("login", user="other1", password="x" * 900), True, loop=True)
    yield Attack("an account in a loop", GUEST, _lines([f"new {'n' * 20} {PASSWORD}", "broadcast hi"]), loop=True)
    yield Attack("connections in a loop", GUEST, b"help\n", loop=True, connections=20)
    part = b"help\n" + b"x" * (LINE - 100)
    yield Attack("parts of lines in a loop", GUEST, part, loop=True, connections=20)
    part = _frame("ping") + b"{" + b" " * (FRAME - 100)
    yield Attack("parts of frames in a loop", GUEST, part, program=True, loop=True, connections=20)
    yield Attack("TLS in a loop", GUEST, b"help\n", tls=True, loop=True)
    dear = {"salt": _b64(b"$2b$15$" + b"a" * 21 + b"O"), "iterations": 4096, "stored_key": _b64(b"k" * 32)}
    verifier = dear | {"server_key": _b64(b"s" * 32)}
    yield Attack("a dear verifier", GUEST, _frame("new", user="dear", verifier=verifier), program=True, loop=True)
    names = _lines(f"whois {chr(0x4E00 + n)}é" for n in range(100))
    yield Attack("names beyond ASCII", MEMBER, names)
    zones = ["Europe/Berlin", "America/Argentina/Ushuaia", "Asia/Kolkata", "../../etc/passwd", "z" * 5_000]
    yield Attack("time zones", MEMBER, _lines(f"set timezone {zone}" for zone in zones))
    yield Attack("a flooded room", MEMBER, _lines([f"connect {BIG}", *["x" * 7_000] * 50]))
    yield Attack("all rooms of one account", MEMBER, _frame("resume") + _frame("rooms") + _frame("catchup"), True, 1)


def lines(verb: Verb, before: str = "/") -> bytes:
    """A verb as it is typed: bare, with all arguments right, and with each of them at the greatest size and wrong."""
    written = [each.type for each in verb.written]
    typed = [verb.name]
    for words in (verb.name, *verb.aliases):
        typed.append(" ".join([words, *(_right(each)[0] for each in written)]))
    for place, _ in enumerate(written):
        for wrong in _WRONG_WORDS:
            arguments = [_right(each)[0] for each in written[:place]]
            typed.append(" ".join([verb.name, *arguments, wrong]))
            typed.append(" ".join([verb.name, *arguments, wrong, *(_right(each)[0] for each in written[place + 1 :])]))
    return _lines(before + each for each in typed)


def frames(verb: Verb) -> bytes:
    """A verb as a program sends it, likewise."""
    right = {each.name: _right(each.type)[1] for each in verb.parameters}
    if verb.name == "account":
        right["password"] = "not this one"
    made = [{}, right, {each.name: right[each.name] for each in verb.parameters if each.required}]
    for each in verb.parameters:
        made += [right | {each.name: wrong} for wrong in _WRONG_VALUES]
    return b"".join(_frame(verb.name, **arguments) for arguments in made)


_WRONG_WORDS = ("x" * 7_000, LONG[:2_300], MARKS[:3_000], "a " * 3_500, "-" * 200, "9" * 400, "q" * 31)
_WRONG_VALUES: Sequence[Any] = (
    "x" * FRAME,
    MARKS[: FRAME // 2],
    LONG[:15_000],
    [["[" * 50] * 50] * 20,
    {f"r{number}": number for number in range(4_000)},
    [{"user": f"person{number}", "device": "default"} for number in range(1_000)],
    10**400,
    -1,
    None,
    True,
)


def _right(type_: ParameterType) -> tuple[str, Any]:
    """What fits a parameter, at the greatest size: as it is typed, and as a program sends it."""
    if isinstance(type_, ChoiceType):
        return type_.words[0], type_.words[-1]
    for each in type(type_).__mro__:
        if each.__name__ in _RIGHT:
            return _RIGHT[each.__name__]
    return "x" * 200, "x" * 200


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


_KEY = {"number": 1, "key": _b64(b"k" * 32), "signature": _b64(b"s" * 64)}

_RIGHT: dict[str, tuple[str, Any]] = {
    "NameType": ("person7", "person7"),
    "LoginType": ("person8@device", "person8"),
    "NewNameType": ("n" * 32, "n" * 32),
    "RoomType": (BIG, BIG),
    "NewRoomType": ("r" * 32, "r" * 32),
    "PlaceType": (BIG, BIG),
    "MessageIdType": ("r1.7", "r1.7"),
    "WordsType": (LONG[:2_000], LONG[:5_000]),
    "BodyType": (LONG[:2_000], {"text": "\n".join(["漢" * 130] * 40)}),
    "SecretType": ("not this one", MARKS[:900]),
    "DeviceType": ("device", "device"),
    "SettingValueType": ("on", "on"),
    "DurationType": ("4w", "4w"),
    "SpanType": ("500", "500"),
    "NumberType": ("500", 500),
    "ScramType": ("n,,n=person8,r=" + "r" * 400, "n,,n=person8,r=" + "r" * 400),
    "VerifierType": ("x", {"salt": "x" * 128, "iterations": 4096, "stored_key": "x" * 128, "server_key": "x" * 128}),
    "RetryType": ("x" * 64, "x" * 64),
    "FlagType": ("on", True),
    "ConversationType": ("r1", "r1"),
    "AddressesType": ("::1", ["::1"] * 20),
    "MarksType": ("r1", {f"r{number}": 1 for number in range(1, 1_001)}),
    "KeyType": ("x", _b64(b"k" * 32)),
    "DeviceKeysType": ("x", {"identity": _b64(b"k" * 32), "signing": _b64(b"k" * 32), "signature": _b64(b"s" * 64)}),
    "NumberedKeyType": ("x", _KEY),
    "NumberedKeysType": ("x", [_KEY] * 100),
    "UsersType": ("x", [f"person{number}" for number in range(100)]),
    "DevicesType": ("x", [{"user": f"person{number}", "device": "default"} for number in range(100)]),
    "LettersType": ("x", [{"user": f"person{n}", "device": "default", "body": _b64(b"x" * 400)} for n in range(100)]),
    "PieceType": ("x", _b64(b"p" * 32_768)),
    "FileType": ("battery.copy", "battery.copy"),
    "SubjectType": ("192.0.2.1", "192.0.2.1"),
}


def login(who: str, number: int, program: bool) -> bytes:
    """What an attacker says first."""
    if who == GUEST:
        return b""
    name = f"{who}{number}"
    return _frame("login", user=name, password=PASSWORD) if program else _lines([f"login {name} {PASSWORD}"])


def token_login(token: str) -> bytes:
    """What a program says that comes again."""
    return _frame("login", token=token)


def _lines(typed: Any) -> bytes:
    return b"".join(each.encode("utf-8", "replace")[:LINE] + b"\n" for each in typed)


def _frame(cmd: str, **args: Any) -> bytes:
    return json.dumps({"id": 1, "cmd": cmd, "args": args}, ensure_ascii=False).encode() + b"\n"


def _unknown(chance: random.Random, length: int) -> bytes:
    return bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz", k=length)) + b"\n"
