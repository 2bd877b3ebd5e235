"""What becomes of a batch when a job, or the database itself, fails in the middle of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from tempfile import TemporaryDirectory
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import NoSuchUser
from chat.server.storage.database_errors import DatabaseFailure
from chat.server.storage.disk import look
from chat.server.storage.group_commit import Job, commit
from chat.server.storage.transaction import Transaction


class Batches(SynchronousTestCase):
    def setUp(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.addCleanup(self.connection.close)
        self.connection.execute("CREATE TABLE kept (word TEXT)")
        self.transaction = Transaction(self.connection)

    def job(self, word: str, then: Callable[[], object] = lambda: None) -> Job:
        """One that keeps a word, and then does something."""

        def run(transaction: Transaction) -> str:
            transaction.execute("INSERT INTO kept VALUES (?)", (word,))
            then()
            return word

        return Job(run, (), {})

    def failing(self, error: Exception) -> Callable[[], object]:
        def fail() -> object:
            raise error

        return fail

    @property
    def kept(self) -> list[Any]:
        return [word for (word,) in self.connection.execute("SELECT word FROM kept")]

    def full(self) -> sqlite3.Error:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        return error

    def test_a_job_that_fails_is_undone_alone(self) -> None:
        for error in (ValueError("a bug"), NoSuchUser()):
            jobs = [self.job("one"), self.job("two", self.failing(error)), self.job("three")]
            commit(self.transaction, jobs)
            self.assertEqual([job.failure for job in jobs], [None, error, None])
            self.assertEqual(self.kept, ["one", "three"])
            self.connection.execute("DELETE FROM kept")

    def test_a_full_disk_keeps_nothing(self) -> None:
        jobs = [self.job("one"), self.job("two", self.failing(self.full()))]
        self.assertRaises(DatabaseFailure, commit, self.transaction, jobs)
        self.assertEqual((self.kept, self.connection.in_transaction), ([], False))

    def test_a_disk_that_is_full_at_the_second_try_keeps_nothing(self) -> None:
        """A bug in one job lets each run in a part of its own; there the disk is full."""
        tries = iter((None, self.full()))

        def second_time() -> None:
            error = next(tries)
            if error is not None:
                raise error

        jobs = [self.job("one", second_time), self.job("two", self.failing(ValueError("a bug")))]
        self.assertRaises(DatabaseFailure, commit, self.transaction, jobs)
        self.assertEqual((self.kept, self.connection.in_transaction), ([], False))
        commit(self.transaction, [self.job("three")])
        self.assertEqual(self.kept, ["three"])


class Disks(SynchronousTestCase):
    def test_what_is_used_and_left(self) -> None:
        with TemporaryDirectory() as folder:
            path = f"{folder}/chat.db"
            with closing(sqlite3.connect(path)) as database:
                database.execute("CREATE TABLE t (x)")
            disk = look(path)
        self.assertGreater(disk.used, 0)
        self.assertGreater(disk.free or 0, 0)
        self.assertEqual(look("/no/such/folder/chat.db"), type(disk)(0, None))
