"""``chatctl``: the operator's end of the control socket.

It sends one command and shows the answer: a table for people, or JSON for scripts. What a command is, the server knows
(``chatctl help``). The exit status says what came of it:

====== ==================================================
0      done
1      refused, or ``check`` has found something wrong
2      not a command, or not written so
3      no server answers
====== ==================================================
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import time
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import takewhile
from typing import IO, Any

from chat import __version__
from chat.operator.offline import OFFLINE, offline
from chat.protocol.errors import BadFrame, BadUsage, Misconfigured, UnknownCommand
from chat.protocol.events import Closing, Done, Event, Facts, InvitationCodes, Listing, Refused, Reply
from chat.protocol.values import write_time
from chat.protocol.values.quantities import count
from chat.protocol.wire.jsonlines import encode, parse
from chat.protocol.wire.text import View, render
from chat.server.frontends.control import control_path
from chat.server.process.diagnostics import WRONG
from chat.server.process.reactor import print_anything
from chat.server.settings.loading import given_settings
from chat.server.settings.schema import Settings

DONE, REFUSED, USAGE, UNREACHABLE = range(4)
"""The exit statuses."""

ANSWER_TIMEOUT = 600.0
"""Seconds in which the server has to answer; a backup takes its time."""

_BAD = frozenset({BadUsage.code, UnknownCommand.code, BadFrame.code})


class ServerUnreachable(Exception):
    """No server answers; the text says why, and what to do."""


class Server:
    """The server at the other end of the socket."""

    def __init__(self, settings: Settings) -> None:
        self._place = control_path(settings.control)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(ANSWER_TIMEOUT)
            self._socket.connect(self._place)
            self._check_owner(settings.db)
        except OSError as error:
            self._socket.close()
            raise ServerUnreachable(self._why(error)) from None
        self._lines: IO[bytes] = self._socket.makefile("rb")

    def _check_owner(self, db: str) -> None:
        """Speak to nobody else: in a folder for everybody anybody can wait for us."""
        _process, user, _group = struct.unpack(
            "=3i", self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("=3i"))
        )
        trusted = {0, os.geteuid()} | ({os.stat(db).st_uid} if os.path.exists(db) else set())
        if user not in trusted:
            raise PermissionError(1, "it belongs to another user")

    def _why(self, error: OSError) -> str:
        if isinstance(error, PermissionError):
            return f"{self._place}: {error.strerror}. Run chatctl as the server's user, or as root."
        why = f"No server answers at {self._place} ({error.strerror})."
        return f"{why} Start the server, or name its settings: chatctl --config FILE"

    def ask(self, **arguments: str) -> Reply:
        """Send a command and wait for its answer."""
        request = {"id": 1, "cmd": "admin", "args": arguments}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise ServerUnreachable(f"The server does not answer ({error}).") from None
        for shown, id in self._frames():
            if isinstance(shown, Refused) or (id is not None and isinstance(shown, Reply)):
                return shown
        raise ServerUnreachable("The server closed the connection without an answer.")

    def events(self) -> Iterator[Event]:
        """What comes by itself, until the server ends."""
        self._socket.settimeout(None)
        for shown, _ in self._frames():
            if isinstance(shown, Event):
                yield shown

    def _frames(self) -> Iterator[tuple[Event | Reply, str | int | None]]:
        try:
            for line in self._lines:
                yield parse(line)
        except OSError as error:
            raise ServerUnreachable(f"The server does not answer ({error}).") from None

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


def ask_all(server: Server, words: str) -> Reply:
    """The answer to a command; a listing with all its pages."""
    reply = server.ask(words=words, folder=os.getcwd())
    rows: list[tuple[Any, ...]] = []
    while isinstance(reply, Listing) and reply.next:
        rows += reply.rows
        reply = server.ask(words=words, after=reply.next)
    return Listing(reply.title, reply.columns, (*rows, *reply.rows)) if isinstance(reply, Listing) else reply


# --- showing ----------------------------------------------------------------------------------------


def show(shown: Event | Reply, as_json: bool) -> str:
    """What is printed of an answer."""
    if as_json:
        return json.dumps(plain(shown), ensure_ascii=False) + "\n"
    zone = datetime.now(UTC).astimezone().tzinfo or UTC
    return render(shown, View(now=int(time.time() * 1000), zone=zone, style="classic"))


def plain(shown: Event | Reply) -> Any:
    """An answer as a script wants it: a listing is an array of objects, facts are one object."""
    if isinstance(shown, Listing):
        names = [(column.name.replace(" ", "_"), column.unit) for column in shown.columns]
        return [
            {name: _value(value, unit) for (name, unit), value in zip(names, row, strict=True)} for row in shown.rows
        ]
    if isinstance(shown, Facts):
        facts = {fact.name.replace(": ", "_").replace(" ", "_"): _value(fact.value, fact.unit) for fact in shown.facts}
        return {"about": shown.title, **facts}
    return json.loads(encode(shown))


def _value(value: Any, unit: str) -> Any:
    if unit == "time" and isinstance(value, int):
        return write_time(value)
    return value


# --- the program ------------------------------------------------------------------------------------


def arguments(words: Sequence[str]) -> Namespace:
    """Read the command line: options in any place, up to ``--``."""
    parser = ArgumentParser(
        "chatctl",
        usage="chatctl [OPTION ...] COMMAND [ARGUMENT ...]",
        description="Administer a chat server. chatctl help lists the commands; chatctl COMMAND --help explains one.",
        epilog="Options can stand anywhere before --. Exit status: 0 done, 1 refused, 2 invalid command,"
        " 3 no server answers.",
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("--config", metavar="FILE", help="the server's settings [default: config.ini, if it exists]")
    parser.add_argument("--control", metavar="FILE", help="the server's socket [default: from the settings]")
    parser.add_argument("--db", metavar="FILE", help="the server's database [default: from the settings]")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--now", action="store_true", help="with restore: actually restore the backup")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("-h", "--help", action="store_true", help="show this help, or explain a command")
    parser.add_argument("command", nargs="*", help=SUPPRESS)
    options = list(takewhile(lambda word: word != "--", words))
    given = parser.parse_intermixed_args(options)
    if given.help and not given.command:
        parser.print_help()
        parser.exit(DONE)
    given.command += words[len(options) + 1 :]
    if given.help:
        given.command = ["help", given.command[0]]
    given.command = given.command or ["help"]
    if given.now and given.command[0] != "restore":
        parser.error("--now works only with restore")
    return given


def main(words: Sequence[str] | None = None) -> int:
    """Run one command.

    :returns: the exit status.
    """
    print_anything()
    given = arguments(sys.argv[1:] if words is None else words)
    try:
        settings = given_settings({"config": given.config, "control": given.control, "db": given.db}, ())
        return _run(settings, given.command, given.json, given.now)
    except Misconfigured as error:
        print(f"chatctl: {error}", file=sys.stderr)
        return REFUSED
    except ServerUnreachable as error:
        print(f"chatctl: {error}", file=sys.stderr)
        return UNREACHABLE
    except KeyboardInterrupt:
        return DONE


def _run(settings: Settings, words: list[str], as_json: bool, now: bool) -> int:
    try:
        server = None if now else Server(settings)
    except ServerUnreachable:
        server = None
        if words[0] not in OFFLINE:
            raise
    if server is not None:
        if words[0] == "invite" and len(words) == 3:
            with closing(server):
                return _invite(server, words[:2], words[2], as_json)
        with closing(server):
            status = _show(ask_all(server, " ".join(words)), as_json)
            if words == ["watch"] and status == DONE:
                for event in server.events():
                    sys.stdout.write(show(event, as_json))
                    sys.stdout.flush()
            return status
    reply = offline(settings, words, now)
    if reply is None:
        raise ServerUnreachable(
            f"invalid arguments, or {words[0]} needs a running server. Try: chatctl help {words[0]}"
        )
    return _show(reply, as_json)


def _invite(server: Server, words: list[str], path: str, as_json: bool) -> int:
    """Write new invitation codes to a file, one a line, which only its owner reads.

    :returns: the exit status.
    :raises Misconfigured: when the file is there already or cannot be made; no codes are made then.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Misconfigured(f"Cannot create {path}: {error.strerror}. No codes were created.") from None
    reply: Reply | None = None
    try:
        reply = ask_all(server, " ".join(words))
        if isinstance(reply, InvitationCodes):
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.writelines(f"{each}\n" for each in reply.secrets)
            reply = Done(f"{path}: {count(len(reply.secrets), 'invitation code')}, one per line.")
    finally:
        if not isinstance(reply, Done):
            os.unlink(path)
    return _show(reply, as_json)


def _show(reply: Reply | Closing, as_json: bool) -> int:
    """:returns: the exit status."""
    if isinstance(reply, (Refused, Closing)):
        sys.stderr.write(show(reply, as_json))
        return USAGE if isinstance(reply, Refused) and reply.code in _BAD else REFUSED
    sys.stdout.write(show(reply, as_json))
    return REFUSED if is_wrong(reply) else DONE


def is_wrong(reply: Event | Reply) -> bool:
    """Whether a look has found something that has to be mended."""
    names = [column.name for column in reply.columns] if isinstance(reply, Listing) else []
    return isinstance(reply, Listing) and "state" in names and any(WRONG in row for row in reply.rows)


if __name__ == "__main__":
    sys.exit(main())
