"""What the inboxes of devices promise, on every engine."""

from __future__ import annotations

from chat.protocol.device_keys import DeviceKeys, InboxMessage, Publication, StoredLetter
from chat.protocol.values import Draft, Kind, Name, Pair, RoomRecord, Text
from chat.server.storage.inbox import MOST_OF_ONE, MOST_WAITING, Standing
from tests.server.storage.engines import EngineCase, InMemory, OnFile, act


class Inboxes(EngineCase):
    async def people(self) -> tuple[int, int]:
        """Ann, and Bob who has a phone with keys."""
        ann, bob = (await self.person("ann")).id, (await self.person("bob")).id
        await self.store.saw(bob, "phone", 700, True)
        await self.store.publish_keys(bob, "phone", Publication(device=DeviceKeys(b"i" * 32, b"s" * 32)), 800)
        return ann, bob

    async def bodies(self, account: int, after: int = 0, limit: int = 100) -> list[bytes]:
        return [each.body for each in await self.store.inbox(account, "phone", after, limit)]

    async def test_a_letter_is_kept_until_it_is_acknowledged(self) -> None:
        ann, bob = await self.people()
        numbers = await self.store.put_into_inboxes(ann, "desk", [InboxMessage(bob, "phone", b"one")], 900)
        numbers += await self.store.put_into_inboxes(ann, "desk", [InboxMessage(bob, "phone", b"two")], 950)
        first, second = numbers
        assert first is not None and second is not None
        self.assertLess(first, second)
        await self.restart()
        self.assertEqual(
            await self.store.inbox(bob, "phone", 0, 100),
            (StoredLetter(first, ann, "desk", 900, b"one"), StoredLetter(second, ann, "desk", 950, b"two")),
        )
        self.assertEqual(await self.bodies(bob, first), [b"two"])
        self.assertEqual(await self.bodies(bob, limit=1), [b"one"])
        await self.store.empty_inbox(bob, "phone", first)
        self.assertEqual(await self.bodies(bob), [b"two"])
        self.assertEqual((await self.store.waiting(bob, "phone", ())).letters, 1)

    async def test_a_number_is_never_given_twice(self) -> None:
        """Else acknowledging would take out what came later."""
        ann, bob = await self.people()
        (first,) = await self.store.put_into_inboxes(ann, "desk", [InboxMessage(bob, "phone", b"one")], 900)
        assert first is not None
        await self.store.empty_inbox(bob, "phone", first)
        (second,) = await self.store.put_into_inboxes(ann, "desk", [InboxMessage(bob, "phone", b"two")], 900)
        assert second is not None
        self.assertGreater(second, first)

    async def test_a_device_without_keys_gets_none(self) -> None:
        ann, bob = await self.people()
        await self.store.saw(bob, "netcat", 700, True)
        letters = [
            InboxMessage(bob, "netcat", b"one"),
            InboxMessage(bob, "phone", b"two"),
            InboxMessage(bob, "none", b"three"),
        ]
        numbers = await self.store.put_into_inboxes(ann, "desk", letters, 900)
        self.assertEqual([number is None for number in numbers], [True, False, True])

    async def test_nobody_fills_an_inbox_alone(self) -> None:
        ann, bob = await self.people()
        eve = (await self.person("eve")).id
        letters = [InboxMessage(bob, "phone", b"x")] * (MOST_OF_ONE + 1)
        numbers = await self.store.put_into_inboxes(eve, "desk", letters, 900)
        self.assertEqual([number is None for number in numbers[-2:]], [False, True])
        (number,) = await self.store.put_into_inboxes(ann, "desk", letters[:1], 900)
        self.assertIsNotNone(number)

    async def test_strangers_fill_a_part_of_it(self) -> None:
        """Fresh accounts keep out each other, and neither those whom the reader knows nor the reader's own devices."""
        ann, bob = await self.people()
        await self.writes(bob, ann)
        self.assertEqual(await self.fill(bob, "eve"), MOST_WAITING[Standing.STRANGER])
        self.assertEqual([await self.takes(author, bob) for author in (ann, bob)], [True, True])

    async def test_writing_to_somebody_makes_nobody_known(self) -> None:
        """What counts is what the reader has done."""
        ann, bob = await self.people()
        await self.fill(bob, "eve")
        await self.writes(ann, bob)
        self.assertFalse(await self.takes(ann, bob))
        await self.writes(bob, ann)
        self.assertTrue(await self.takes(ann, bob))

    async def test_nor_do_those_in_a_room_that_everybody_may_enter(self) -> None:
        """They fill more than strangers, and leave the rest to friends: people in a private room are some."""
        ann, bob = await self.people()
        lobby = await self.room(bob)
        board = await self.store.create_room(
            RoomRecord(0, Name("board", "board"), "", 600, private=True), act(0, Kind.CREATED, bob)
        )
        carol = (await self.person("carol")).id
        await self.fill(bob, "eve")
        await self.store.append(act(lobby, Kind.JOINED, ann))
        await self.store.append(act(board.conversation, Kind.JOINED, carol))
        self.assertTrue(await self.takes(ann, bob))
        most = MOST_WAITING[Standing.NEIGHBOR] - MOST_WAITING[Standing.STRANGER] - 1
        self.assertEqual(await self.fill(bob, "mallory", lobby), most)
        self.assertEqual([await self.takes(author, bob) for author in (ann, carol)], [False, True])

    async def test_nor_do_friends_fill_the_disk(self) -> None:
        _, bob = await self.people()
        board = await self.store.create_room(
            RoomRecord(0, Name("board", "board"), "", 600, private=True), act(0, Kind.CREATED, bob)
        )
        self.assertEqual(await self.fill(bob, "friend", board.conversation), MOST_WAITING[Standing.FRIEND])

    async def test_what_was_taken_or_ended_makes_room(self) -> None:
        _, bob = await self.people()
        await self.fill(bob, "eve")
        last = (await self.store.inbox(bob, "phone", 0, MOST_WAITING[Standing.STRANGER]))[-1]
        await self.store.empty_inbox(bob, "phone", last.number - 1)
        self.assertEqual(await self.fill(bob, "mallory"), MOST_WAITING[Standing.STRANGER] - 1)
        await self.store.end_device(bob, "phone", 900)
        await self.store.saw(bob, "phone", 700, True)
        await self.store.publish_keys(bob, "phone", Publication(device=DeviceKeys(b"i" * 32, b"s" * 32)), 800)
        self.assertEqual(await self.fill(bob, "zoe"), MOST_WAITING[Standing.STRANGER])

    async def writes(self, author: int, reader: int) -> None:
        await self.store.append(Draft(Pair.of(author, reader), Kind.TEXT, author, "desk", 900, Text("hi")))

    async def takes(self, author: int, reader: int) -> bool:
        """Whether a letter of an author is kept."""
        (number,) = await self.store.put_into_inboxes(author, "desk", [InboxMessage(reader, "phone", b"x")], 900)
        return number is not None

    async def fill(self, reader: int, name: str, room: int | None = None) -> int:
        """Many people, in a room or in none, write as much as they can; how much of it is kept."""
        kept = 0
        for each in range(11):
            author = (await self.person(f"{name}{each}")).id
            if room is not None:
                await self.store.append(act(room, Kind.JOINED, author))
            letters = [InboxMessage(reader, "phone", b"x")] * MOST_OF_ONE
            numbers = await self.store.put_into_inboxes(author, "desk", letters, 900)
            kept += sum(number is not None for number in numbers)
        return kept

    async def test_an_ended_device_leaves_none(self) -> None:
        ann, bob = await self.people()
        await self.store.put_into_inboxes(ann, "desk", [InboxMessage(bob, "phone", b"one")], 900)
        await self.store.end_device(bob, "phone", 1)
        self.assertEqual((await self.store.waiting(bob, "phone", ())).letters, 0)


class FileInboxes(Inboxes, OnFile): ...


class MemoryInboxes(Inboxes, InMemory): ...


# The promises by themselves have no engine to run on.
del EngineCase, OnFile, InMemory, Inboxes
