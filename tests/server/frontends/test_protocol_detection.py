"""Who speaks: what browsers and other strangers send first, and that nothing of it is read as a command."""

from __future__ import annotations

import time

from chat.server.frontends.connection import GREETING_DELAY, LINGER
from chat.server.frontends.protocol_detection import ANSWERS, by_first_line
from tests.server.frontends.server import GREETING, ServerCase

COMMANDS = b"new mallory correct horse\nconnect lobby\nsay I was sent by a web page\n"

HEADERS = (
    b"Host: 127.0.0.1:7777\r\nConnection: keep-alive\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
    b" (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\r\nAccept: */*\r\nOrigin: http://evil.example\r\n"
    b"Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nReferer: http://evil.example/\r\n"
)

BROWSERS = {
    "GET": b"GET / HTTP/1.1\r\n" + HEADERS + b"\r\n",
    "GET of a page with lines in its path": b"GET /%0Anew%20mallory HTTP/1.1\r\n" + HEADERS + b"\r\n" + COMMANDS,
    "POST by fetch": b"POST / HTTP/1.1\r\nContent-Length: %d\r\n" % len(COMMANDS)
    + HEADERS
    + b"Content-Type: text/plain;charset=UTF-8\r\n\r\n"
    + COMMANDS,
    "POST by Firefox": b"POST / HTTP/1.1\r\nHost: localhost:7777\r\nUser-Agent: Mozilla/5.0 (X11; Linux; rv:133.0)"
    b" Gecko/20100101 Firefox/133.0\r\nContent-Type: text/plain;charset=UTF-8\r\n\r\n" + COMMANDS,
    "OPTIONS": b"OPTIONS / HTTP/1.1\r\nAccess-Control-Request-Method: PUT\r\n" + HEADERS + b"\r\n" + COMMANDS,
    "OPTIONS of the server": b"OPTIONS * HTTP/1.1\r\n" + HEADERS + b"\r\n" + COMMANDS,
    "CONNECT": b"CONNECT chat.example:443 HTTP/1.1\r\nHost: chat.example:443\r\n\r\n" + COMMANDS,
    "through a proxy": b"POST http://chat.example/ HTTP/1.1\r\n" + HEADERS + b"\r\n" + COMMANDS,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" + COMMANDS,
    "a method of its own": b"chat! / HTTP/1.0\r\n\r\n" + COMMANDS,
    "HTTP/0.9": b"GET /\r\n" + COMMANDS,
    "after an empty line": b"\r\nPOST / HTTP/1.1\r\n\r\n" + COMMANDS,
    "a path that never ends": b"POST /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HEADERS + b"\r\n" + COMMANDS,
    "a path with spaces": b"POST /a b c HTTP/1.1\r\n\r\n" + COMMANDS,
    "bare line feeds": b"POST / HTTP/1.1\n\n" + COMMANDS,
    "lower case": b"post / http/1.1\r\n\r\n" + COMMANDS,
    "after a byte order mark": b"\xef\xbb\xbfPOST / HTTP/1.1\r\n\r\n" + COMMANDS,
    "tabs": b"POST\t/\tHTTP/1.1\r\n\r\n" + COMMANDS,
    "a method beyond ASCII": "PÖST / HTTP/1.1\r\n\r\n".encode() + COMMANDS,
}
"""What comes first, as Chromium, Firefox and others send it; every body holds commands."""

KINDS = ("auto", "text", "telnet", "json")


class WebPages(ServerCase):
    """A page on the web can make a browser that visits it send such a request to any port."""

    def turned_away(self, kind: str, pieces: list[bytes], name: str) -> None:
        caller = self.call(kind)
        for piece in pieces:
            caller.sends(piece)
        answer = caller.gets()
        self.assertEqual(answer, ANSWERS["http"].decode(), (kind, name))
        self.assertTrue(caller.ended, (kind, name))
        self.server.advance(LINGER + GREETING_DELAY)
        self.assertEqual(caller.gets(), "", (kind, name))
        self.assertTrue(caller.wire.disconnected, (kind, name))
        caller.hangs_up()
        self.assertIsNone(self.server.chat.directory.account("mallory"), (kind, name))
        self.assertEqual(self.server.chat.node.sessions, {})

    def test_are_answered_once_and_closed_whatever_they_send(self) -> None:
        for kind in KINDS:
            for name, request in BROWSERS.items():
                self.turned_away(kind, [request], name)

    def test_are_known_wherever_a_packet_ends(self) -> None:
        for kind in KINDS:
            for name, request in BROWSERS.items():
                if len(request) < 10_000:
                    self.turned_away(kind, [request[place : place + 1] for place in range(len(request))], name)
            request = BROWSERS["a path that never ends"]
            self.turned_away(kind, [request[place : place + 700] for place in range(0, len(request), 700)], "long")

    def test_that_were_greeted_first(self) -> None:
        """A browser may open a connection before it has a request for it."""
        caller = self.call()
        self.server.advance(GREETING_DELAY)
        self.assertEqual(caller.gets(), GREETING)
        caller.sends(BROWSERS["POST by fetch"])
        self.assertEqual(caller.gets(), ANSWERS["http"].decode())
        self.assertIsNone(self.server.chat.directory.account("mallory"))

    def test_whose_first_line_does_not_end(self) -> None:
        caller = self.call()
        caller.sends(b"POST / HTTP/1.1")
        caller.finishes()
        self.assertEqual(caller.gets(), ANSWERS["http"].decode())

    def test_get_an_answer_that_browsers_understand(self) -> None:
        head, _, body = ANSWERS["http"].partition(b"\r\n\r\n")
        first, *headers = head.split(b"\r\n")
        self.assertEqual(first, b"HTTP/1.1 400 Bad Request")
        self.assertIn(b"Content-Length: %d" % len(body), headers)
        self.assertIn(b"Connection: close", headers)
        self.assertEqual(body, b"This is a chat server.\n")

    def test_are_nothing_that_people_and_programs_say(self) -> None:
        """Nor is what looks like a request in a later line."""
        for line in ("help", "login GET", "say POST / HTTP is old", "/help", "get /x", "* wave", "GET", "GET x"):
            self.assertNotEqual(by_first_line(line.encode()), "http", line)
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        bob.types("GET / HTTP/1.1")
        self.assertEqual(ann.sees(), ["bob: GET / HTTP/1.1"])
        program = self.call("json")
        program.asks("ping")
        program.types("GET / HTTP/1.1")
        self.assertEqual([frame["type"] for frame in program.frames()], ["pong", "refused"])

    def test_cost_little_to_recognise(self) -> None:
        begun = time.thread_time()
        for line in (b"A /" + b" " * 8_189, b"A " * 4_096, b"A" * 8_192, b"GET /" + b" HTTP/" * 1_364):
            by_first_line(line)
            by_first_line(line, whole=False)
        self.assertLess(time.thread_time() - begun, 0.02)


class OtherProtocols(ServerCase):
    def test_tls_where_there_is_none(self) -> None:
        """A session ticket, which a hostile web server chooses, may hold lines, and must not be read as any."""
        hello = b"\x16\x03\x01\x02\x00\x01\x00" + b"x" * 100 + b"\n" + COMMANDS
        for kind in KINDS:
            caller = self.call(kind)
            caller.sends(hello)
            self.assertEqual(caller.raw(), b"\x15\x03\x01\x00\x02\x02\x28", kind)
            self.assertTrue(caller.ended)
            self.assertIsNone(self.server.chat.directory.account("mallory"))

    def test_irc(self) -> None:
        """Also after the greeting; its clients show people what an ERROR says."""
        for greeted in (False, True):
            for first in (b"CAP LS 302\r\nNICK ann\r\n", b"PASS x\r\n", b"NICK ann\r\n", b"USER ann 0 * :Ann\r\n"):
                caller = self.call()
                self.server.advance(GREETING_DELAY * greeted)
                caller.gets()
                caller.sends(first)
                self.assertTrue(caller.gets().startswith("ERROR :This server does not speak IRC."))
                self.assertTrue(caller.ended)

    def test_that_people_might_mean_are_left_to_people(self) -> None:
        for line in (b"nick ann", b"user ann", b"CAPS", b"PASSWORD"):
            self.assertIsNone(by_first_line(line), line)
