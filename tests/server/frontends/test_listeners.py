"""What is wrong with an endpoint, in words of ours, with what to write instead."""

from __future__ import annotations

from unittest import TestCase

from twisted.internet import reactor
from twisted.internet.protocol import Factory

from chat.protocol.errors import Misconfigured
from chat.server.frontends.listeners import open_port

FACTORIES = {"auto": Factory(), "telnet": Factory()}


class Refusing(TestCase):
    def refused(self, words: str, why: str) -> None:
        with self.assertRaises(Misconfigured) as caught:
            open_port(reactor, words, FACTORIES)
        self.assertEqual(str(caught.exception), f"listen {words}: {why}")

    def test_a_kind_that_is_not_there(self) -> None:
        self.refused("irc=tcp:0", "there is no kind irc. Use one of: auto, telnet")

    def test_what_is_no_port(self) -> None:
        for words in ("tcp", "tcp:", "tcp:x", "tcp:-1", "tcp:65536", "tcp6:x", "telnet=tcp:99999999", "ssl:x"):
            self.refused(words, "the port has to be a number from 0 to 65535. Use an endpoint such as tcp:7777")

    def test_what_is_no_endpoint(self) -> None:
        for words in ("", "nonsense", "tcp:0:nosuch=1", "tcp:0:backlog=x", "systemd:domain=INET:name=x"):
            self.refused(words, "not an endpoint. Use an endpoint such as tcp:7777")

    def test_files_of_an_endpoint(self) -> None:
        remedy = "Fix that, or use another endpoint such as tcp:7777"
        self.refused(
            "ssl:0:privateKey=/nowhere.pem", f"/nowhere.pem cannot be used (No such file or directory). {remedy}"
        )
        self.refused("unix:/nowhere/x", f"the socket cannot be used (No such file or directory). {remedy}")
        self.refused(
            f"ssl:0:privateKey={__file__}",
            "that file has no certificate with its key. Name a PEM file: ssl:PORT:privateKey=FILE",
        )
