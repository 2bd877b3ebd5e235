"""``docs/commands.md`` and ``docs/protocol.md``, made from the command table and the frames.

``python -m chat.server.commands.documents`` writes them; a test holds that they are up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from inspect import getdoc
from itertools import groupby
from pathlib import Path

from chat.protocol import errors
from chat.protocol.grammar.client_verbs import CLIENT_VERBS
from chat.protocol.grammar.parameters import SECRET_BYTES, WORD_BYTES
from chat.protocol.grammar.verbs import Bare, Verb
from chat.protocol.names import NAME_BYTES
from chat.protocol.values import BODY_BYTES
from chat.protocol.wire.field_codecs import NAMES
from chat.protocol.wire.jsonlines import FRAMES, OWN_NAMES
from chat.server.commands.admin.table import ADMIN
from chat.server.commands.table import TABLE

DOCS = Path(__file__).parents[3] / "docs"

_COMMANDS = """# Commands

Made from the command table by `python -m chat.server.commands.documents`; do not edit.

Verbs and names ignore case; you can write `@bob` for a person and `#ops` for a room. Arguments in brackets are
optional. Outside a room every line is a command. In a room a line is said, unless it begins with `/` or is a verb
whose arguments can be checked; **/** marks the verbs that always need the slash there. `'text` and `//text` are always
said. A line that looks like a mistyped private command, a password, or a moderator's command with a reason is held
back; `!` says it anyway.
"""

_ELSEWHERE = """
## In the console client alone

Keys never leave `chat`, so these commands exist only there: {verbs}. Its `help` explains them.
"""

_RUNNING = """
## For administrators

On the server's machine, type `chatctl COMMAND` as the server's user or as root. Anywhere else, administrators type
`admin COMMAND`. Both run the same commands.
"""

_PROTOCOL = """# The protocol for programs

Made from the command table and the events by `python -m chat.server.commands.documents`; do not edit.

Send and receive one UTF-8 JSON object per line, on the port that people's netcats use. The first byte, `{`, tells the
server that a program is speaking. A frame can have at most 65,536 bytes, and a request at most 2,000 arrays and
objects. Times are RFC 3339 in UTC, with milliseconds.

The server greets a peer that stays silent for 0.3 s as a person, and still recognises a program or TLS after that. So
skip every line before the first one that begins with `{`, and over TLS everything before the first byte of a TLS record
(0x16 or 0x15). A line that begins with `! ` says why the server rejects the connection. Many clients reconnect at once
after a restart: wait for a random time before each attempt, and longer after each failure.

A request is `{"id", "cmd", "args", "retry"}`. You choose `id` (a string or a number), and the reply repeats it; `cmd`
is one of the commands below, and `args` holds its arguments by name. With `retry` (11 to 64 characters, at least 64
random bits) you can safely repeat a command that stores a message: for 7 days, a repeat returns the first result. The
server ignores unknown fields and refuses unknown commands. An event has no `id`. Replies come in the order of requests.

```
> {"id": 1, "cmd": "hello", "args": {"client": "example 1.0"}}
< {"type": "welcome", "id": 1, "server": "chat", ...}
> {"id": 2, "cmd": "login", "args": {"user": "bob", "device": "laptop", "password": "..."}}
< {"type": "logged-in", "id": 2, "account": "bob", "token": "ct_...", ...}
> {"id": 3, "cmd": "resume", "args": {}}
< {"type": "resumed", "id": 3, "conversations": [{"id": "r1", "room": "lobby", "last": "...", ...}], ...}
> {"id": 4, "cmd": "history", "args": {"conversation": "r1", "after": 40, "limit": 100}}
< {"type": "history", "id": 4, "messages": [...], "more": false, ...}
> {"id": 5, "cmd": "received", "args": {"marks": {"r1": 52}}}
< {"type": "done", "id": 5}
```

A message has a `msgid`, `CONVERSATION.SEQ`: `r2.4712` in a room, `k4.41` between two people. The seqs of a
conversation have no gaps; the server reports rows that you may not see as `skipped`. It sends nothing unasked before
`resume`; afterwards, each row newer than the reported `last` arrives once, live, in order. `stored` means that the
message is on disk.

A program that remembers rows must check two members of `welcome`. If `database` has changed, the server was installed
anew: discard everything you remember. If `restored` is later than before, a backup was restored and rows after it are
gone: send `restored` with `since` set to the old value, and discard every row after the `marks` in the answer, because
new rows now use those seqs.
"""

_BOUNDS = f"""
Every value has a limit in UTF-8 bytes, and the server refuses a longer one as `bad-usage` before it processes it:
{NAME_BYTES:,} bytes for a name, {SECRET_BYTES:,} for a password, {BODY_BYTES:,} for a text, and {WORD_BYTES:,} where
the table below says nothing else.
"""


def commands_page() -> str:
    """``docs/commands.md``."""
    verbs = [verb for verb in TABLE.verbs if not verb.programs]
    parts = [_COMMANDS]
    for group, members in groupby(verbs, lambda verb: verb.group):
        parts.append(f"\n## {group}\n")
        parts += [_verb(verb) for verb in members]
    parts.append(_ELSEWHERE.format(verbs=", ".join(f"`{verb}`" for verb in sorted(CLIENT_VERBS))))
    parts.append(_RUNNING)
    for group, members in groupby(ADMIN.verbs, lambda verb: verb.group):
        parts.append(f"\n### {group}\n")
        parts += [_verb(verb) for verb in members]
    return "".join(parts)


def _verb(verb: Verb) -> str:
    slash = " **/**" if verb.bare is Bare.NEVER else ""
    also = f", also {', '.join(f'`{alias}`' for alias in verb.aliases)}" if verb.aliases else ""
    lines = [f"\n`{verb.form}`{slash}{also}  \n", f"{verb.summary[0].upper()}{verb.summary[1:]}."]
    if verb.detail:
        lines.append(f" {verb.detail}")
    if verb.examples:
        parted = "\n\n" if "\n\n" in verb.detail else " "
        lines.append(f"{parted}For example: {', '.join(f'`{example}`' for example in verb.examples)}.")
    return "".join(lines) + "\n"


def protocol_page() -> str:
    """``docs/protocol.md``."""
    parts = [_PROTOCOL, _BOUNDS, "\n## Requests\n\n| `cmd` | `args` | what it does |\n| --- | --- | --- |\n"]
    parts += [
        f"| `{verb.name}` | {', '.join(_arguments(verb)) or 'none'} | {verb.summary.replace('|', chr(92) + '|')} |\n"
        for verb in sorted(TABLE.verbs, key=lambda verb: not verb.programs)
    ]
    parts.append("\nAn argument followed by `?` is optional.\n\n## Replies and events\n\n")
    parts.append("A field followed by `?` is left out when it is empty.\n\n")
    parts.append("| `type` | fields | meaning |\n| --- | --- | --- |\n")
    for name, kind in FRAMES.items():
        names = ", ".join(f"`{each}`" for each in _fields(kind))
        meaning = " ".join((getdoc(kind) or "").partition("\n\n")[0].split())
        if meaning.startswith(f"{kind.__name__}("):
            meaning = ""
        parts.append(f"| `{name}` | {names} | {meaning} |\n")
    own = ", ".join(f"`{name}` for {kind.value}" for kind, name in OWN_NAMES.items())
    parts.append(f"\nSome `moderated` rows have a type of their own: {own}.\n")
    parts.append("\n## Codes of `refused`\n\n| `code` | usual text |\n| --- | --- |\n")
    parts += [f"| `{error.code}` | {error.text} |\n" for error in _errors()]
    return "".join(parts)


def _arguments(verb: Verb) -> Iterator[str]:
    for each in verb.parameters:
        yield f"`{each.name}`{'' if each.required else '?'} ({each.type.json.replace('|', ' or ')})"


def _fields(kind: type) -> Iterator[str]:
    names = [(NAMES.get(each.name, each.name), each.default is MISSING) for each in fields(kind)]
    if {"conversation", "seq"} <= {name for name, _ in names}:
        yield "msgid"
        names = [(name, required) for name, required in names if name != "seq"]
    for name, required in names:
        yield name if required else f"{name}?"


def _errors() -> list[type[errors.ChatError]]:
    return sorted(errors.ChatError.__subclasses__(), key=lambda error: error.code)


def main() -> None:
    """Write both pages."""
    DOCS.mkdir(exist_ok=True)
    for name, page in (("commands.md", commands_page()), ("protocol.md", protocol_page())):
        (DOCS / name).write_text(page, encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
