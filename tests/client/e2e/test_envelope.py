"""What a peer sealed, whatever it is."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.client.e2e.payload import Payload
from chat.client.model.failures import NotGenuine


class WhatIsNoEnvelope(SynchronousTestCase):
    def test_is_not_genuine_and_harms_nobody(self) -> None:
        """The parser gives up at such a depth with an error that is no ValueError."""
        for plain in (b"[" * 100_000, b'{"text":' * 50_000, b"9" * 10_000, b"\xff", b"{}", b"[]", b"null"):
            self.assertRaises(NotGenuine, Payload.decode, plain)
