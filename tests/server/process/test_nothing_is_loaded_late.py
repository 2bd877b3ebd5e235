"""After the start the reactor's thread reads no file and imports no module, whatever people do first."""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

_SESSION = """
import sys
import chat.server.tap
from chat.server.process.reactor import load_tables
from tests.server.frontends.server import PASSWORD, ServerCase

{prepare}
case = ServerCase("setUp")
case.setUp()
late = []
BLOCKING = {{"open", "import", "os.listdir", "os.scandir", "socket.getaddrinfo", "socket.gethostbyname"}}
sys.addaudithook(lambda event, arguments: event in BLOCKING and late.append((event, str(arguments[0]))))

shown = ""
person = case.call("text")
for line in (
    "help", "new Дмитрий " + PASSWORD, "create комната", "say привет, 世界 \\u202e e" + 9 * "\\u0301",
    "/set realname Zoë", "/set timezone Europe/Berlin", "/set timezone Asia/Tokyo", "/set timezone Berln",
    "/set style classic", "/set time on", "/set bell on", "/set realname שלום", "/whois", "/online", "/list users",
    "/list channels", "/create ops", "/create ｏｐｓ", "/create аdmin", "/connect комнта", "/message Дмитри hi",
    "/history", "/history since 09:00", "/history since 2026-11-20", "/search привет", "/help ban", "/time", "/rooms",
    "/topic release", "/room slow 30s", "/ban nobody 2h", "/devices", "nonsense", "/nonsense",
    "/password", "wrong", "пароль correct",
):
    case.server.advance(60)
    person.types(line)
    shown += person.gets()
program = case.call("json")
for command, arguments in (
    ("hello", {{"client": "test"}}),
    ("new", {{"user": "日本カ", "password": "пароль correct", "realname": "ÅÉ"}}),
    ("resume", {{}}), ("commands", {{}}), ("roster", {{}}), ("history", {{"conversation": "r2"}}), ("nothing", {{}}),
    ("restored", {{"since": 1}}), ("inbox.read", {{}}), ("getaddress", {{"user": "Дмитрий"}}), ("logout", {{}}),
    ("login", {{"user": "ann", "password": "wrong"}}), ("login", {{"user": "日本カ", "scram": "n,,n=日本カ,r=abc"}}),
):
    case.server.advance(60)
    program.asks(command, **arguments)
    shown += program.gets()
program.sends(b"no frame\\n")
shown += program.gets()
telnet = case.call("telnet")
telnet.types("help")
assert "Asia/Tokyo" in shown and "Zoë" in shown and "logged-in" in shown, shown
for each in late:
    print(*each)
"""


def late(prepare: str) -> list[str]:
    """What a session of all kinds of things loads after the start."""
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", _SESSION.format(prepare=prepare)],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


class AfterTheStart(SynchronousTestCase):
    def test_nothing_is_opened_or_imported(self) -> None:
        self.assertEqual(late("load_tables()"), [])

    def test_it_would_be_without_the_tables(self) -> None:
        """So this test does look."""
        shown = "\n".join(late(""))
        for each in ("precis_i18n", "confusables.json", "zoneinfo", "Berlin"):
            self.assertIn(each, shown)
