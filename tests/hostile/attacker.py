"""A process of attackers: ``python -m tests.hostile.attacker PORT`` takes attacks from its input, pickled.

It runs at the lowest priority, so that on a small machine it takes time from nobody but itself: what others wait for is
the server's doing.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import re
import selectors
import socket
import ssl
import sys
import time
from typing import Any

from tests.hostile.payloads import GUEST, Attack, login, token_login

LOGIN_TIME = 10.0
"""Seconds in which all of them are logged in."""

_AT_ONCE = 1 << 16
_TOKEN = re.compile(rb'"token": ?"([^"]+)"')


class Attacker:
    """One peer that sends its body over and over, and comes again when it is hung up on.

    :ivar sent: bytes.
    :ivar came: how often it has connected.
    :ivar let_in: whether it was ever logged in; it attacks only then.
    """

    def __init__(self, attack: Attack, number: int, place: int, port: int, selector: selectors.BaseSelector) -> None:
        self._attack = attack
        self._opening = login(attack.who, number, attack.program)
        # Guests of a network share what it may send: who has to log in comes from another one.
        network = 0 if attack.who == GUEST else number % 250 + 1
        self._address = f"127.66.{network}.{place % 250 + 1}"
        self._port = port
        self._selector = selector
        self.sent = self.came = 0
        self.let_in = attack.who == GUEST
        self._left = memoryview(b"")
        self._heard = False
        self._socket: socket.socket | None = None

    def come(self) -> None:
        self.came += 1
        caller = socket.socket()
        caller.bind((self._address, 0))
        caller.settimeout(2)
        try:
            caller.connect(("127.0.0.1", self._port))
            if self._attack.tls:
                caller = _TLS.wrap_socket(caller)
        except OSError:
            caller.close()
            return
        caller.setblocking(False)
        self._socket = caller
        self._left = memoryview(self._opening + (self._attack.body if self.let_in else b""))
        self._heard = False
        self._watch()

    def _watch(self) -> None:
        """Be told of what is to be done now."""
        assert self._socket is not None
        events = selectors.EVENT_READ if self._attack.reads or not self.let_in else 0
        if self._left or (self.let_in and not self._attack.loop):
            events |= selectors.EVENT_WRITE
        with contextlib.suppress(KeyError):
            self._selector.unregister(self._socket)
        if events:
            self._selector.register(self._socket, events, self)

    def act(self, events: int) -> None:
        assert self._socket is not None
        try:
            if events & selectors.EVENT_READ:
                self._read(self._socket)
            if events & selectors.EVENT_WRITE and self._socket is not None:
                self._write(self._socket)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            pass
        except OSError:
            self.leave()

    def _read(self, caller: socket.socket) -> None:
        data = caller.recv(_AT_ONCE)
        if not data:
            self.leave()
            return
        self._heard = True
        if not self.let_in and (b"Welcome to the chat system!" in data or b'"logged-in"' in data):
            self.let_in = True
            self._left = memoryview(self._attack.body)
            if self._attack.token and (found := _TOKEN.search(data)):
                self._opening = token_login(found[1].decode())
            self._watch()
        elif self._attack.loop and not self._left:
            self.leave()

    def _write(self, caller: socket.socket) -> None:
        if not self._left:
            self._left = memoryview(self._attack.body)
        count = caller.send(self._left[:_AT_ONCE])
        self.sent += count
        self._left = self._left[count:]
        if not self._left and (self._attack.loop or not self.let_in):
            self._watch()

    def leave(self) -> None:
        """Break off: with a reset, where anything is unread."""
        if self._socket is not None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None

    @property
    def here(self) -> bool:
        return self._socket is not None


def attack_with(attack: Attack, seconds: float, first: int, port: int) -> dict[str, Any]:
    """Let all peers of one kind loose, when they are logged in.

    :param first: the number of the account that the first of them has.
    :returns: what they did.
    """
    selector = selectors.EpollSelector()
    peers = [Attacker(attack, first + place, place, port, selector) for place in range(attack.connections)]
    for condition, patience in ((lambda: all(peer.let_in for peer in peers), LOGIN_TIME), (lambda: False, seconds)):
        end = time.monotonic() + patience
        while time.monotonic() < end and not condition():
            for peer in peers:
                if not peer.here:
                    peer.come()
            for key, events in selector.select(0.02):
                key.data.act(events)
    for peer in peers:
        peer.leave()
    selector.close()
    return {
        "sent": sum(peer.sent for peer in peers),
        "came": sum(peer.came for peer in peers),
        "let_in": any(peer.let_in for peer in peers),
    }


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


_TLS = _unverified()

if __name__ == "__main__":
    os.nice(19)
    print("ready", flush=True)
    while True:
        try:
            attack, seconds, first = pickle.load(sys.stdin.buffer)
        except EOFError:
            break
        print(json.dumps(attack_with(attack, seconds, first, int(sys.argv[1]))), flush=True)
