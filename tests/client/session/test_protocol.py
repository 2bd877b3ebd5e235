"""`chat.client.session.protocol`: frames in, frames out, and a server that means no good."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from chat.client.model.failures import ClientFailure, Disconnected, RequestRefused, ServerNotTrusted, TooMuch
from chat.client.session.protocol import MOST_UNANSWERED, ChatClient
from chat.protocol.events import Closing, Done, Pong, Presence, Refused
from chat.protocol.wire.text import greeting
from tests.client.link import FakeCertificate, LinkCase, NearEnd

OURS = FakeCertificate(b"the server's")
THEIRS = FakeCertificate(b"of somebody in between")
GREETING = greeting("chat", 3, False, "localhost", 7777).encode()
PRESENCE = b'{"type":"presence","users":["ann"],"state":"online"}\n'


class ClientCase(LinkCase):
    """A client, and a server that says what the test says."""

    def setUp(self) -> None:
        super().setUp()
        self.near = NearEnd(None)
        self.client = ChatClient(self.events.append, lost=self.reasons.append, most_bytes=1_000)
        self.client.makeConnection(self.near)

    def says(self, data: bytes) -> None:
        self.client.dataReceived(data)

    def asked(self) -> list[dict[str, Any]]:
        """The requests that were sent since the last look."""
        frames = [json.loads(line) for line in self.near.value().splitlines()]
        self.near.clear()
        return frames

    def distrusted(self, words: str) -> None:
        (reason,) = self.reasons
        self.assertIsInstance(reason, ServerNotTrusted)
        self.assertIn(words, str(reason))
        self.assertTrue(self.near.aborting)


class Requests(ClientCase):
    def test_are_numbered_and_get_the_answer_with_their_number(self) -> None:
        first, second = self.client.request("ping"), self.client.request("say", {"text": "é"}, retry="r" * 11)
        self.assertEqual(
            self.asked(),
            [
                {"id": 1, "cmd": "ping", "args": {}},
                {"id": 2, "cmd": "say", "args": {"text": "é"}, "retry": "r" * 11},
            ],
        )
        self.says(b'{"type":"done","id":2,"text":"x"}\n{"type":"pong","id":1}\n')
        self.assertEqual((self.successResultOf(first), self.successResultOf(second)), (Pong(), Done("x")))

    def test_that_are_refused(self) -> None:
        refused = Deferred.fromCoroutine(self.client.ask("ping"))
        self.says(b'{"type":"refused","id":1,"code":"busy","text":"Busy."}\n')
        self.assertEqual(self.failureResultOf(refused, RequestRefused).value.reply, Refused("busy", "Busy."))

    def test_fail_with_the_reason_when_the_connection_ends(self) -> None:
        waiting = self.client.request("ping")
        self.says(b'{"type":"closing","reason":"Server is shutting down."}\n')
        self.client.connectionLost(Failure(ConnectionDone()))
        for each in (waiting, self.client.request("ping")):
            self.assertEqual(str(self.failureResultOf(each, Disconnected).value), "Server is shutting down.")
        self.assertEqual(self.events, [Closing("Server is shutting down.")])
        self.assertEqual(len(self.reasons), 1)

    def test_that_are_canceled_ignore_their_answer(self) -> None:
        canceled = self.client.request("ping")
        canceled.cancel()
        self.failureResultOf(canceled, CancelledError)
        self.says(b'{"type":"pong","id":1}\n')
        self.assertEqual(self.reasons, [])

    def test_are_bounded(self) -> None:
        self.failureResultOf(self.client.request("say", {"text": "x" * 70_000}), TooMuch)
        self.assertEqual(self.near.value(), b"")
        for _ in range(MOST_UNANSWERED):
            self.client.request("ping").addErrback(lambda _: None)
        self.failureResultOf(self.client.request("ping"), TooMuch)

    def test_half_a_surrogate_pair_is_sent_as_something(self) -> None:
        self.client.request("say", {"text": "a\ud800b"})
        self.assertEqual(self.asked()[0]["args"], {"text": "a?b"})


class WhatComes(ClientCase):
    def test_may_be_cut_anywhere(self) -> None:
        frame = '{"type":"presence","users":["ännä"],"state":"online"}\r\n'.encode()
        for place in range(len(frame)):
            self.says(frame[:place])
            self.says(frame[place:])
        self.assertEqual(self.events, [Presence(("ännä",), "online")] * len(frame))

    def test_of_a_later_version_is_left_out(self) -> None:
        """A server may be newer than its clients."""
        self.says(b'{"type":"earthquake","strength":7}\n' + PRESENCE)
        self.assertEqual(self.events, [Presence(("ann",), "online")])

    def test_as_an_answer_of_a_later_version_cannot_be_left_out(self) -> None:
        waiting = self.client.request("ping")
        self.says(b'{"type":"earthquake","id":1}\n')
        self.failureResultOf(waiting, ServerNotTrusted)

    def test_in_words_before_any_frame_is_why_there_is_no_place(self) -> None:
        self.says(b"! The server is full. \x1b[2JTry again later.\n")
        self.client.connectionLost(Failure(ConnectionDone()))
        self.assertIsInstance(self.reasons[0], Disconnected)
        self.assertEqual(str(self.reasons[0]), "The server is full. [2JTry again later.")

    def test_as_a_greeting_before_the_first_frame_is_left_out(self) -> None:
        """A server takes who is silent for a person; the greeting may be cut anywhere, and comes once."""
        for place in range(len(GREETING)):
            self.setUp()
            waiting = self.client.request("ping")
            self.says(GREETING[:place])
            self.says(GREETING[place:] + b'{"type":"pong","id":1}\n')
            self.assertEqual((self.successResultOf(waiting), self.reasons), (Pong(), []))
        self.says(GREETING)
        self.distrusted("invalid data")

    def test_as_a_greeting_that_does_not_end_is_not(self) -> None:
        self.says(b"Welcome to chat\n" + b"more\n" * 1_000)
        self.distrusted("invalid data")

    def test_that_cannot_be_shown_hinders_nothing_that_follows(self) -> None:
        def fail_once(event: object) -> None:
            self.events.append(event)  # type: ignore[arg-type]
            if len(self.events) == 1:
                raise ValueError("a bug of the screen")

        self.client._tell = fail_once
        self.says(PRESENCE * 2)
        self.assertEqual(len(self.events), 2)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)


class AHostileServer(ClientCase):
    def test_that_sends_what_cannot_be_read(self) -> None:
        self.says(PRESENCE + b"nonsense\n" + PRESENCE)
        self.distrusted("invalid data")
        self.assertEqual(len(self.events), 1)

    def test_that_answers_what_nobody_asked(self) -> None:
        self.says(b'{"type":"pong","id":1}\n')
        self.distrusted("without a request")

    def test_that_answers_twice(self) -> None:
        self.client.request("ping").addErrback(lambda _: None)
        self.says(b'{"type":"pong","id":1}\n' * 2)
        self.distrusted("without a request")

    def test_that_answers_without_a_number(self) -> None:
        self.says(b'{"type":"refused","code":"bad-frame","text":"What?"}\n')
        self.distrusted("What?")

    def test_that_answers_with_an_event(self) -> None:
        waiting = self.client.request("ping")
        self.says(b'{"type":"presence","id":1,"users":["ann"],"state":"online"}\n')
        self.failureResultOf(waiting, ServerNotTrusted)
        self.distrusted("without a request")

    def test_whose_frames_never_end(self) -> None:
        for _ in range(11):
            self.says(b"x" * 100)
        self.distrusted("more than 1,000 bytes")
        self.assertEqual(self.client._pieces, [])

    def test_whose_frame_is_too_long(self) -> None:
        self.says(b"x" * 1_001 + b"\n")
        self.distrusted("more than 1,000 bytes")

    def test_that_does_not_welcome(self) -> None:
        hello = Deferred.fromCoroutine(self.client.hello())
        self.says(b'{"type":"pong","id":1}\n')
        self.failureResultOf(hello, ServerNotTrusted)


class ACertificate(LinkCase):
    def connect(self, certificate: FakeCertificate) -> ChatClient:
        def only_ours(fingerprint: bytes) -> None:
            if fingerprint != OURS.fingerprint:
                raise ServerNotTrusted("That is another one.")

        return self.link(certificate, trust=only_ours)

    def test_is_looked_at_before_anything_is_sent(self) -> None:
        client = self.connect(THEIRS)
        self.assertTrue(self.links[-1].near.aborting)
        self.settle()
        self.assertEqual(self.links[-1].sent, b"")
        self.assertEqual([str(reason) for reason in self.reasons], ["That is another one."])
        self.assertIsInstance(self.failureResultOf(client.request("ping")).value, ClientFailure)

    def test_that_is_trusted_makes_the_connection_ready(self) -> None:
        client = self.connect(OURS)
        self.assertEqual(client.fingerprint, OURS.fingerprint)
        self.successResultOf(client.ready)
        self.assertEqual(self.run_link(client.hello()).server, "chat")

    def test_is_waited_for(self) -> None:
        """What was sent before could not be bound to it."""
        client = ChatClient(self.events.append, trust=bytes.hex)
        client.makeConnection(NearEnd(OURS))
        self.assertNoResult(client.ready)
        client.handshakeCompleted()
        self.successResultOf(client.ready)
