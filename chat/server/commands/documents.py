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

Verbs and names ignore case; `@bob` and `#ops` may be written for a person and a room. What stands in brackets may
be left out. Outside a room every line is a command. In a room a line is said, unless it begins with `/`, or is a verb
whose arguments can be checked; **/** marks the verbs that always need it there. `'text` and `//text` are always
said. A line that looks like a mistyped private command, like a password, or like what a moderator does with a reason
is held back; `!` says it after all.
"""

_ELSEWHERE = """
## In the console client alone

Keys never leave `chat`, and so these commands are its own: {verbs}. `help` there explains them.
"""

_RUNNING = """
## For those who run the server

On the machine itself `chatctl COMMAND`, as the user that the server runs as or as root; elsewhere `admin COMMAND`,
for administrators. Both are the same commands.
"""

_PROTOCOL = """# The protocol for programs

Made from the command table and the events by `python -m chat.server.commands.documents`; do not edit.

One UTF-8 JSON object a line, both ways, on the same port as people's netcats; the first byte, `{`, says that a program
speaks. A frame has at most 65,536 bytes, and a request at most 2,000 arrays and objects. Times are RFC 3339 in UTC,
with milliseconds.

The server greets a peer that is silent for 0.3 s as a person, and still recognises a program, or TLS, after that. So
skip every line before the first one that begins with `{`, and over TLS everything before the first byte of a TLS record
(0x16 or 0x15); a line that begins with `! ` says why the server accepts no connection. After a restart many clients
come back at once: wait for a random time before each try, and longer after each one that failed.

A request is `{"id", "cmd", "args", "retry"}`: `id` (a string or a number) is yours to choose and stands in the one
reply; `cmd` is one of the commands below and `args` its arguments by name. `retry` (11 to 64 characters, at least 64
random bits) makes a command that stores a message harmless to repeat for 7 days: the same again gives the first result.
Unknown fields are ignored, unknown commands refused. An event has no `id`. Replies come in the order of the requests.

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

A message is named by its `msgid`, `CONVERSATION.SEQ`: `r2.4712` in a room, `k4.41` between two people. The seqs of a
conversation have no gaps; what you are not shown is reported as `skipped`. Nothing comes unasked before `resume`; after
it, each row newer than the `last` it reported arrives once, live, in order. `stored` means that the message is on disk.

A program that remembers rows looks at two members of `welcome`. With another `database` than before, the server was set
up anew, and nothing that was remembered counts. With a later `restored`, its operator has put a backup in place, and
what came after the backup is gone: ask `restored`, `since` the one of before, and forget what lies behind the `marks`
of the answer, as other rows have those seqs now.
"""

_BOUNDS = f"""
Every value has a bound in UTF-8 bytes, and the server refuses a longer one as `bad-usage` before it does anything else
with it: {NAME_BYTES:,} bytes for a name, {SECRET_BYTES:,} for a password, {BODY_BYTES:,} for a text, and
{WORD_BYTES:,} where the table below says nothing else.
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
    parts.append("\nAn argument followed by `?` may be left out.\n\n## Replies and events\n\n")
    parts.append("A field followed by `?` is left out where it has nothing to say.\n\n")
    parts.append("| `type` | fields | meaning |\n| --- | --- | --- |\n")
    for name, kind in FRAMES.items():
        names = ", ".join(f"`{each}`" for each in _fields(kind))
        meaning = " ".join((getdoc(kind) or "").partition("\n\n")[0].split())
        if meaning.startswith(f"{kind.__name__}("):
            meaning = ""
        parts.append(f"| `{name}` | {names} | {meaning} |\n")
    own = ", ".join(f"`{name}` for {kind.value}" for kind, name in OWN_NAMES.items())
    parts.append(f"\n`moderated` has a type of its own where people come and go: {own}.\n")
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
