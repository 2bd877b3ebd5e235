"""The command ``chat``: parses the command line and runs the client."""

from __future__ import annotations

import argparse
import gc
import getpass
import os
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chat import __version__
from chat.client.cli.factory import device_of, make_engine, make_key_files
from chat.client.cli.line_output import Printer
from chat.client.cli.plain import GOODBYE, Plain, StandardInput, hide_typing
from chat.client.cli.scripting import Send, Tail
from chat.client.model.failures import ClientFailure, NobodyThere
from chat.client.session.endpoint import ServerAddress
from chat.client.session.profiles import Files
from chat.client.session.sync import SyncMode

_ABOUT = "Chat with people on a server, full-screen or line by line."

_MORE = """\
other commands:
  chat send NAME TEXT      send one message to a person, or to a room as '#ROOM'; TEXT - reads standard input
  chat tail ROOM           print the messages of a room as they arrive
  chat forget HOST[:PORT]  forget a server's key, because it has a new one or was reinstalled
  chat keys export FILE    save your encryption keys to a file
  chat keys import FILE    load them from a file

send and tail print only messages on standard output; errors go to standard error. The exit status of send, and
of --plain at the end of its input, is 0 only if the server stored every message.
Your servers and settings are in {config}:

  [chat]
  theme = dark
  bell = yes
  [servers]
  school = chat.example.org
  home = 192.168.1.5:7777

With unattended = yes, keys that send and tail have unlocked stay unlocked on this disk, for cron.

Connections are encrypted. The client remembers a server's key, and warns you when it changes.
In the client, /help lists the commands, and F1 shows the keyboard shortcuts.
"""


def main() -> None:
    """The console script."""
    try:
        status = run(sys.argv[1:], Files.of_platform())
    except ClientFailure as error:
        print(f"chat: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print(f"\n{GOODBYE}")
        status = 130
    sys.exit(status)


def run(words: Sequence[str], files: Files) -> int:
    """Run a command line.

    :raises ClientFailure: with one line for a person, when it fails.
    """
    if words and words[0] in ("send", "tail"):
        return _script(words[0], words[1:], files)
    if words and words[0] == "keys":
        return _keys(words[1:], files)
    if words and words[0] == "forget":
        return _forget(words[1:], files)
    parser = argparse.ArgumentParser(
        prog="chat",
        description=_ABOUT,
        epilog=_MORE.format(config=files.config),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("server", nargs="?", metavar="HOST[:PORT]", help="the server; without it, pick one from a list")
    parser.add_argument("--plain", action="store_true", help="line by line, for pipes and screen readers")
    parser.add_argument("--version", action="version", version=f"chat {__version__}")
    _add_common(parser)
    options = parser.parse_args(words)
    if options.plain or not _can_paint():
        return _plain(options, files)
    gc.disable()
    try:
        from chat.client.screen.start import start
    except ImportError as error:
        raise ClientFailure(
            f"The full screen needs Textual ({error}). Run, in the checkout: pip install -e '.[client]'"
            " (or use: chat --plain)"
        ) from None
    # Imported modules stay: collecting garbage among them, at the default rate, takes a tenth of the start time.
    gc.freeze()
    gc.set_threshold(50_000)
    gc.enable()
    address = _usual(options.server, options.unencrypted, files) if options.server else None
    return start(files, address, options.user)


def _can_paint() -> bool:
    """Whether there is a terminal for the full-screen client."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", default="", metavar="NAME", help="your account; by default the last one you used")
    parser.add_argument("--unencrypted", action="store_true", help="without TLS: everybody on the way can read along")


def _address(words: str | None, unencrypted: bool) -> ServerAddress:
    try:
        return ServerAddress.parse(words or "", tls=not unencrypted)
    except ValueError as error:
        raise ClientFailure(f"{error}.") from None


def _usual(words: str | None, unencrypted: bool, files: Files) -> ServerAddress:
    """The server that is given, by address or by its name in ``config.ini``; otherwise the last one used."""
    servers = dict(files.settings().servers)
    if words:
        return servers.get(words) or _address(words, unencrypted)
    recent = [known.address for known in files.known()] or list(servers.values())
    if not recent:
        raise ClientFailure(
            "No server given, and none is known yet. Run: chat HOST[:PORT] (or add: --server HOST[:PORT])"
        )
    return recent[0]


def _plain(options: argparse.Namespace, files: Files) -> int:
    address = _usual(options.server, options.unencrypted, files)

    async def talk(reactor: Any) -> int:
        from twisted.internet.stdio import StandardIO

        keys = StandardInput()
        printer = Printer(keys.write)
        person = sys.stdin.isatty()
        device = device_of(files, "plain")
        engine = make_engine(reactor, files, address, printer, device=device, mode=SyncMode.EVERYTHING, keeping=person)
        StandardIO(keys, reactor=reactor)
        printer.note(f"{address}{'' if address.tls else ' (NOT ENCRYPTED)'}")
        hide = hide_typing if person else None
        status = await Plain(engine, printer, keys, time.time, hide).run(files.find(address), options.user)
        await keys.close()
        return status

    return _react(talk)


def _script(name: str, words: Sequence[str], files: Files) -> int:
    parser = argparse.ArgumentParser(prog=f"chat {name}")
    _add_common(parser)
    parser.add_argument("--server", metavar="HOST[:PORT]", help="the server; by default the last one you used")
    if name == "send":
        parser.add_argument("name", metavar="NAME", help="a person, or a room as '#ROOM'")
        parser.add_argument("text", nargs="+", metavar="TEXT", help="the message; - reads standard input")
    else:
        parser.add_argument("room", metavar="ROOM")
        parser.add_argument("-n", type=int, default=10, dest="lines", help="earlier lines to show first (default 10)")
    options = parser.parse_args(words)
    address = _usual(options.server, options.unencrypted, files)

    def begin(reactor: Any) -> Coroutine[Any, Any, int]:
        ways = partial(_write, sys.stdout), partial(_write, sys.stderr), _ask
        if name == "tail":
            room = options.room.removeprefix("#")
            return Tail(reactor, files, address, room, *ways, user=options.user).run(max(0, options.lines))
        text = " ".join(options.text)
        text = sys.stdin.read().rstrip("\n") if text == "-" else text
        person = sys.stderr.isatty()
        return Send(reactor, files, address, options.name, *ways, person=person, user=options.user).run(text)

    return _react(begin)


def _write(where: TextIO, text: str) -> None:
    where.write(text)
    where.flush()


def _keys(words: Sequence[str], files: Files) -> int:
    parser = argparse.ArgumentParser(prog="chat keys")
    _add_common(parser)
    parser.add_argument("--server", metavar="HOST[:PORT]", help="the server; by default the last one you used")
    parser.add_argument("what", choices=("export", "import"))
    parser.add_argument("file", type=Path, metavar="FILE")
    options = parser.parse_args(words)
    try:
        from chat.client.e2e.key_transfer import export_keys, import_keys
    except ImportError as error:
        raise ClientFailure(
            f"Encryption keys need vodozemac ({error}). Run, in the checkout: pip install -e '.[client]'"
        ) from None
    address = _usual(options.server, options.unencrypted, files)
    account = options.user or files.find(address).account
    if not account:
        raise ClientFailure("No account given. Add: --user NAME")
    move = export_keys if options.what == "export" else import_keys
    print(move(make_key_files(files, address), account, device_of(files), options.file, _ask))
    return 0


def _forget(words: Sequence[str], files: Files) -> int:
    parser = argparse.ArgumentParser(prog="chat forget")
    parser.add_argument("server", metavar="HOST[:PORT]")
    address = _usual(parser.parse_args(words).server, False, files)
    if not files.forget(address):
        raise ClientFailure(f"Nothing to forget: this client has never connected to {address}.")
    print(
        f"Forgot {address}: the next connection remembers the server's new key. If the server was reinstalled, your old"
        " encryption keys are then moved to a separate folder."
    )
    return 0


def _ask(prompt: str) -> str:
    """:raises NobodyThere: when there is no terminal."""
    if not sys.stdin.isatty():
        raise NobodyThere("A password is needed, and there is no terminal to type it.")
    return getpass.getpass(prompt)


def _react(begin: Callable[[Any], Coroutine[Any, Any, int]]) -> int:
    """Run a coroutine on the reactor until it ends or Ctrl-C cancels it."""
    from twisted.internet import reactor as installed

    reactor: Any = installed
    outcome: list[Any] = []
    interrupted: list[bool] = []

    def start() -> None:
        done: Deferred[int] = Deferred.fromCoroutine(begin(reactor))
        done.addBoth(outcome.append)
        reactor.addSystemEventTrigger("before", "shutdown", interrupt, done)
        done.addBoth(lambda _: reactor.callLater(0, _stop, reactor))

    def interrupt(done: Deferred[int]) -> None:
        if not outcome:
            interrupted.append(True)
            done.cancel()

    reactor.callWhenRunning(start)
    reactor.run()
    if interrupted:
        raise KeyboardInterrupt
    (result,) = outcome
    if isinstance(result, Failure):
        result.raiseException()
    return int(result)


def _stop(reactor: Any) -> None:
    if reactor.running:
        reactor.stop()
