"""What the store promises of files that lie there for their readers, on every engine."""

from __future__ import annotations

from chat.protocol.errors import NoSuchFile, QuotaUsed
from chat.server.storage.file_chunks import AT_ONCE
from chat.server.storage.store import Lane
from tests.server.storage.engines import EngineCase, InMemory, OnFile

QUOTA, TOTAL = 10, 20


class Files(EngineCase):
    async def people(self) -> tuple[int, int]:
        return (await self.person("ann")).id, (await self.person("bob")).id

    async def file(self, sender: int, reader: int, *pieces: bytes, when: int = 1_000) -> int:
        file = await self.store.begin_file(sender, reader, len(pieces), QUOTA, 1_000, when)
        for number, body in enumerate(pieces):
            self.assertEqual(await self.store.put_piece(file, sender, number, body), number + 1)
        return file

    async def test_pieces_are_kept_for_their_reader_alone(self) -> None:
        ann, bob = await self.people()
        eve = (await self.person("eve")).id
        file = await self.file(ann, bob, b"one", b"two")
        await self.restart()
        self.assertEqual([await self.store.piece(file, bob, number) for number in range(3)], [b"one", b"two", None])
        for stranger in (ann, eve):
            self.assertIsNone(await self.store.piece(file, stranger, 0))

    async def test_they_come_in_order_and_again_does_no_harm(self) -> None:
        ann, bob = await self.people()
        file = await self.store.begin_file(ann, bob, 2, QUOTA, TOTAL, 1_000)
        self.assertEqual(await self.store.put_piece(file, ann, 1, b"two"), 0)
        self.assertEqual(await self.store.put_piece(file, ann, 0, b"one"), 1)
        self.assertEqual(await self.store.put_piece(file, ann, 0, b"other"), 1)
        self.assertEqual(await self.store.put_piece(file, ann, 1, b"two"), 2)
        self.assertEqual(await self.store.put_piece(file, ann, 2, b"more"), 2)
        self.assertEqual(await self.store.piece(file, bob, 0), b"one")

    async def test_only_who_began_it_adds_to_it(self) -> None:
        ann, bob = await self.people()
        file = await self.store.begin_file(ann, bob, 2, QUOTA, TOTAL, 1_000)
        for sender, which in ((bob, file), (ann, file + 1)):
            with self.assertRaises(NoSuchFile):
                await self.store.put_piece(which, sender, 0, b"one")

    async def test_a_quota_for_each_sender(self) -> None:
        ann, bob = await self.people()
        file = await self.store.begin_file(ann, bob, QUOTA - 1, QUOTA, TOTAL, 1_000)
        with self.assertRaises(QuotaUsed):
            await self.store.begin_file(ann, bob, 2, QUOTA, TOTAL, 1_000)
        await self.store.begin_file(bob, ann, QUOTA, QUOTA, TOTAL, 1_000)
        await self.store.end_file(file, bob)
        await self.store.begin_file(ann, bob, QUOTA, QUOTA, TOTAL, 1_000)

    async def test_a_quota_for_all_together(self) -> None:
        """Many accounts do not take more than one server has; what was collected makes room."""
        ann, bob = await self.people()
        people = [(await self.person(name)).id for name in ("eve", "mallory", "zoe")]
        file = await self.store.begin_file(people[0], bob, QUOTA, QUOTA, TOTAL, 1_000)
        await self.store.begin_file(people[1], bob, QUOTA - 1, QUOTA, TOTAL, 1_000)
        with self.assertRaises(QuotaUsed) as caught:
            await self.store.begin_file(ann, bob, 2, QUOTA, TOTAL, 1_000)
        self.assertIn("The server's space for files is full", caught.exception.line)
        await self.store.begin_file(ann, bob, 1, QUOTA, TOTAL, 1_000)
        await self.store.end_file(file, bob)
        await self.store.begin_file(people[2], bob, QUOTA, QUOTA, TOTAL, 1_000)

    async def test_what_has_ended_is_nobodys(self) -> None:
        ann, bob = await self.people()
        eve = (await self.person("eve")).id
        file = await self.file(ann, bob, b"one")
        await self.store.end_file(file, eve)
        self.assertEqual(await self.store.piece(file, bob, 0), b"one")
        await self.store.end_file(file, ann)
        self.assertIsNone(await self.store.piece(file, bob, 0))
        with self.assertRaises(NoSuchFile):
            await self.store.put_piece(file, ann, 1, b"two")

    async def test_what_is_over_is_removed_in_small_steps(self) -> None:
        ann, bob = await self.people()
        many = [b"x"] * (AT_ONCE + 1)
        old = await self.store.begin_file(ann, bob, len(many), 1_000, 1_000, 1_000)
        for number, body in enumerate(many):
            await self.store.put_piece(old, ann, number, body)
        young = await self.file(bob, ann, b"young", when=2_000)
        steps = 0
        while await self.store.forget_files(1_500):
            steps += 1
        self.assertEqual(steps, 2)
        self.assertIsNone(await self.store.piece(old, bob, 0))
        self.assertEqual(await self.store.piece(young, ann, 0), b"young")
        self.assertEqual(await self.counted(), (1, 1))

    async def test_a_deleted_account_leaves_none(self) -> None:
        ann, bob = await self.people()
        await self.file(ann, bob, b"from ann")
        await self.file(bob, ann, b"to ann")
        await self.store.delete_account(ann, 2_000, False)
        while await self.store.forget_files(0):
            pass
        self.assertEqual(await self.counted(), (0, 0))

    async def test_an_id_is_never_given_twice(self) -> None:
        ann, bob = await self.people()
        first = await self.file(ann, bob, b"one")
        await self.store.end_file(first, ann)
        while await self.store.forget_files(0):
            pass
        self.assertGreater(await self.file(ann, bob, b"two"), first)

    async def counted(self) -> tuple[int, int]:
        """How many files and pieces lie there."""
        return await self.store._read(
            Lane.READS,
            lambda connection: connection.execute(
                "SELECT (SELECT count(*) FROM files), (SELECT count(*) FROM pieces)"
            ).fetchone(),
        )


class FileFiles(Files, OnFile): ...


class MemoryFiles(Files, InMemory): ...


# The promises by themselves have no engine to run on.
del EngineCase, OnFile, InMemory, Files
