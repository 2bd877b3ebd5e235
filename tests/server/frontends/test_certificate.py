"""The certificate is taken anew when its file changes, and nobody waits for the disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.server.frontends.certificate import LOOK_EVERY, Certificate, ensure_certificate


class Thread:
    """Holds what is to be done elsewhere until it is done."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = []

    def __call__(self, work: Callable[[], Any]) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self._waiting.append((work, done))
        return done

    def __len__(self) -> int:
        return len(self._waiting)

    def works(self) -> None:
        while self._waiting:
            work, done = self._waiting.pop(0)
            done.callback(work())


class AFileThatChanges(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "chat.pem")
        ensure_certificate(self.path, "chat")
        self.thread = Thread()
        self.now = 0.0
        self.certificate = Certificate(self.path, lambda: self.now, self.thread)
        self.first = self.certificate.fingerprint

    def connects(self) -> bytes:
        """:returns: the fingerprint that counts for somebody who connects."""
        self.certificate.serverConnectionForTLS(cast(Any, None))
        return self.certificate.fingerprint

    def renew(self) -> None:
        os.unlink(self.path)
        ensure_certificate(self.path, "chat")

    def test_the_new_one_counts_once_it_was_read_in_a_thread(self) -> None:
        self.renew()
        self.now += LOOK_EVERY
        self.assertEqual(self.connects(), self.first)
        self.thread.works()
        self.assertNotEqual(self.connects(), self.first)

    def test_the_file_is_looked_at_once_a_second_and_once_at_a_time(self) -> None:
        self.connects()
        self.assertEqual(len(self.thread), 0)
        for _ in range(3):
            self.now += LOOK_EVERY
            self.connects()
        self.assertEqual(len(self.thread), 1)
        self.thread.works()
        self.now += LOOK_EVERY
        self.connects()
        self.assertEqual(len(self.thread), 1)

    def test_one_that_cannot_be_used_changes_nothing(self) -> None:
        with open(self.path, "w", encoding="ascii") as file:
            file.write("no certificate")
        self.now += LOOK_EVERY
        self.connects()
        self.thread.works()
        self.assertEqual(self.connects(), self.first)
        os.unlink(self.path)
        self.now += LOOK_EVERY
        self.connects()
        self.thread.works()
        self.assertEqual(self.connects(), self.first)
