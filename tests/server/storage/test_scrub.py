"""What was deleted is in no byte of the database, its log and a backup."""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from chat.protocol.errors import StoreUnavailable
from chat.protocol.values import Kind, Pair, Stored, Text
from chat.server.storage import scrub, workers
from chat.server.storage.log import read_row
from chat.server.storage.sqlite import SqliteStore
from chat.server.storage.store import Lane
from chat.server.storage.transaction import SEQ_BITS
from tests.server.storage.engines import OnFile, act, text

WORD = "supercalifragilistic"


class FileCase(OnFile):
    def successor(self) -> SqliteStore:
        """As patient as a server: here the writer does wait for the steps of another connection."""
        return SqliteStore(self.path, reactor.callFromThread, patience=5.0)  # type: ignore[attr-defined]

    async def stage(self) -> None:
        self.bob = (await self.person("bob")).id
        self.lobby = await self.room(self.bob)

    async def index(self, *conversations: int) -> None:
        while await self.store.index(conversations or (self.lobby,)):
            pass

    async def scrub(self) -> int:
        """Take all steps.

        :returns: how many there were.
        """
        steps = 1
        while await self.store.scrub():
            steps += 1
        return steps

    async def backup(self) -> str:
        file = os.path.join(os.path.dirname(self.path), f"backup-{random.getrandbits(32)}.db")
        await self.store.back_up(file)
        return file

    def bytes_of(self, *files: str) -> bytes:
        return b"".join(Path(file).read_bytes() for file in files if os.path.exists(file))

    async def assert_gone(self, word: str = WORD) -> None:
        """A word is neither in the database nor in its log, nor in a backup that is made now."""
        backup = await self.backup()
        files = {file: word.encode() in self.bytes_of(file) for file in (self.path, f"{self.path}-wal", backup)}
        self.assertEqual([os.path.basename(file) for file, found in files.items() if found], [])


class DeletedWords(FileCase):
    async def test_are_there_before(self) -> None:
        """Else the others prove nothing: in the row, and in the index whole and folded."""
        await self.stage()
        await self.store.append(text(self.lobby, self.bob, f"{WORD.upper()} and more"))
        await self.index()
        stored = self.bytes_of(self.path, f"{self.path}-wal")
        self.assertIn(WORD.encode(), stored)
        self.assertIn(WORD.upper().encode(), stored)
        self.assertIn(WORD.encode(), self.bytes_of(await self.backup()))

    async def test_after_delete_with_their_edits(self) -> None:
        await self.stage()
        await self.store.append(text(self.lobby, self.bob, WORD))
        await self.store.append(act(self.lobby, Kind.EDIT, self.bob, ref=2, body=Text(f"{WORD}ally")))
        await self.index()
        await self.scrub()
        await self.store.append(act(self.lobby, Kind.REDACTION, self.bob, ref=2))
        self.assertNotIn(WORD.encode(), self.bytes_of(await self.backup()))
        self.assertIn(WORD.encode(), self.bytes_of(self.path, f"{self.path}-wal"))
        self.assertGreater(await self.scrub(), 1)
        await self.assert_gone()
        self.assertEqual(await self.scrub(), 1)

    async def test_after_retention(self) -> None:
        await self.stage()
        for number in range(1_000):
            self.store.append(text(self.lobby, self.bob, f"{WORD}{number} of old"))
        await self.store.append(text(self.lobby, self.bob, "the last one"))
        await self.index()
        while await self.store.forget_before(self.lobby, 1_001):
            pass
        await self.scrub()
        await self.assert_gone()
        self.assertEqual(await self.words(self.lobby), ["the last one"])

    async def test_after_an_account_was_deleted_with_everything(self) -> None:
        await self.stage()
        for number in range(500):
            self.store.append(text(self.lobby, self.bob, f"{WORD}{number} and {number * number}"))
        await self.store.append(act(self.lobby, Kind.TOPIC, self.bob, body=Text(WORD)))
        await self.store.set_realname(self.bob, WORD)
        await self.index()
        await self.store.delete_account(self.bob, 5, True)
        while (await self.store.erase()).more:
            pass
        await self.scrub()
        await self.assert_gone()

    async def test_after_a_stop_that_comes_first(self) -> None:
        await self.stage()
        await self.store.append(text(self.lobby, self.bob, WORD))
        await self.index()
        await self.store.append(act(self.lobby, Kind.REDACTION, self.bob, ref=2))
        await self.store.stop()
        self.assertEqual(os.listdir(os.path.dirname(self.path)), ["credentials.db"])
        self.assertNotIn(WORD.encode(), self.bytes_of(self.path))

    async def test_after_an_upgrade_from_an_index_that_kept_them(self) -> None:
        await self.stage()
        await self.store.append(text(self.lobby, self.bob, WORD))
        await self.store._write(
            lambda tx: tx.execute("INSERT INTO words (rowid, body) SELECT id, body FROM log WHERE kind = 'text'")
        )
        await self.index()
        await self.store.append(act(self.lobby, Kind.REDACTION, self.bob, ref=2))
        await self.scrub()
        self.assertIn(WORD.encode(), self.bytes_of(self.path))
        while await self.store.rebuild():
            pass
        await self.scrub()
        await self.assert_gone()


class GapsOfPages(FileCase):
    """Rows that moved to another page when theirs was full leave copies behind, which SQLite does not overwrite."""

    async def fill(self, rounds: int = 3) -> dict[tuple[int, int], str]:
        """Say and delete in many conversations, so that their pages are divided again and again.

        :returns: the words of each row, those of deleted ones as well; `deleted` says which these are.
        """
        await self.stage()
        rng = random.Random(5)
        self.deleted: set[tuple[int, int]] = set()
        words: dict[tuple[int, int], str] = {}
        people = [(await self.person(f"p{number}")).id for number in range(60)]
        for _ in range(rounds):
            said: list[tuple[str, Deferred[Stored]]] = []
            for _ in range(1_500):
                word = f"Q{len(words) + len(said):06}xyzzy"
                body = "hello " * rng.choice((1, 3, 10, 40, 200, 900)) + word
                said.append((word, self.store.append(text(Pair.of(self.bob, rng.choice(people)), self.bob, body))))
            for word, stored in said:
                row = await stored
                words[row.conversation, row.seq] = word
            await self.index(*{conversation for conversation, _ in words})
            for conversation, seq in rng.sample(sorted(words.keys() - self.deleted), 150):
                self.deleted.add((conversation, seq))
                await self.store.append(act(conversation, Kind.REDACTION, self.bob, ref=seq))
        return words

    def left(self, words: dict[tuple[int, int], str]) -> int:
        """How many of the deleted words are still in the file or its log."""
        stored = self.bytes_of(self.path, f"{self.path}-wal").lower()
        return sum(words[row].lower().encode() in stored for row in self.deleted)

    async def checkpointed(self) -> None:
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def assert_whole(self, words: dict[tuple[int, int], str]) -> None:
        with closing(sqlite3.connect(self.path)) as connection:
            self.assertEqual(connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            columns = "id, kind, author, device, time, ref, target, scheme, key, body"
            rows = {
                (id >> SEQ_BITS, id & 0xFFFFFFFF): read_row((id, *rest)).body
                for id, *rest in connection.execute(f"SELECT {columns} FROM log")
            }
        for row, word in words.items():
            body = rows[row]
            if row in self.deleted:
                self.assertIsNone(body)
            else:
                assert isinstance(body, Text)
                self.assertTrue(body.text.endswith(word))

    async def test_are_emptied(self) -> None:
        words = await self.fill()
        await self.checkpointed()
        self.assertGreater(self.left(words), 0, "SQLite leaves none of its own: this module is not needed any more")
        await self.scrub()
        self.assertEqual(self.left(words), 0)
        self.assert_whole(words)

    async def test_while_everything_goes_on(self) -> None:
        self.patch(scrub.Scrub.step, "__defaults__", (50,))
        words = await self.fill(2)
        writes = []
        more = True
        number = 0
        while more:
            writes.append(self.store.append(text(self.lobby, self.bob, f"meanwhile {number} " + "and so on " * 50)))
            reading = self.store.history(self.lobby, limit=50)
            more = await self.store.scrub()
            await reading
            number += 1
        self.assertGreater(number, 20)
        await gatherResults(writes)
        self.assertEqual(self.left(words), 0)
        await self.store.stop()
        self.assert_whole(words)

    async def test_no_connection_writes_one_back_that_it_has_in_memory(self) -> None:
        self.patch(scrub.Scrub.step, "__defaults__", (100_000,))
        words = await self.fill(2)
        await self.store._write(lambda tx: tx.connection.execute("PRAGMA cache_size = -100000"))
        await self.checkpointed()
        self.assertGreater(self.left(words), 0)
        await self.store._write(lambda tx: tx.execute("SELECT sum(length(body)) FROM log").fetchall())
        self.assertTrue(await self.store.scrub())  # all pages at once
        await self.store._write(lambda tx: tx.execute("UPDATE log SET time = time + 1"))
        await self.checkpointed()
        self.assertEqual(self.left(words), 0)

    async def test_by_a_stop_in_the_middle_of_a_pass(self) -> None:
        self.patch(scrub.Scrub.step, "__defaults__", (200,))
        self.patch(workers, "_LAST_STEPS", 60.0)
        words = await self.fill(2)
        for _ in range(4):
            await self.store.scrub()
        (page,) = await self.store._read(Lane.READS, lambda c: c.execute("SELECT page FROM scrub").fetchone())
        self.assertGreater(page, 0)
        await self.store.stop()
        self.assertEqual(self.left(words), 0)

    async def test_what_is_deleted_during_a_pass_has_another_one(self) -> None:
        self.patch(scrub.Scrub.step, "__defaults__", (100,))
        await self.stage()
        await self.store.append(text(self.lobby, self.bob, WORD))
        for _ in range(300):
            self.store.append(text(self.lobby, self.bob, "x " * 2_000))
        await self.index()
        self.assertTrue(await self.store.scrub())
        self.assertTrue(await self.store.scrub())
        await self.store.append(act(self.lobby, Kind.REDACTION, self.bob, ref=2))
        (again,) = await self.store._read(Lane.READS, lambda c: c.execute("SELECT again FROM scrub").fetchone())
        self.assertEqual(again, 1)
        await self.scrub()
        await self.assert_gone()


class InTheWay(FileCase):
    def replace(self, content: bytes) -> None:
        os.rename(self.path, f"{self.path}.aside")
        Path(self.path).write_bytes(content)

    async def test_a_reader_is_not_waited_for(self) -> None:
        await self.stage()
        await self.store.append(text(self.lobby, self.bob, WORD))
        with closing(sqlite3.connect(self.path, isolation_level=None)) as backup:
            backup.execute("BEGIN")
            backup.execute("SELECT count(*) FROM log").fetchall()
            await self.store.append(act(self.lobby, Kind.REDACTION, self.bob, ref=2))
            for _ in range(5):
                self.assertTrue(await self.store.scrub())
            await self.store.append(text(self.lobby, self.bob, "still written"))
        await self.scrub()
        await self.assert_gone()

    async def test_a_file_that_was_replaced_is_left_alone(self) -> None:
        await self.stage()
        await self.store.append(act(self.lobby, Kind.REDACTION, self.bob, ref=1))
        await self.store.scrub()
        self.replace(b"\x0d" * 100_000)
        with self.assertRaises(StoreUnavailable):
            await self.store.scrub()
        self.assertEqual(self.bytes_of(self.path), b"\x0d" * 100_000)
        os.replace(f"{self.path}.aside", self.path)
        self.flushLoggedErrors()
