"""What the inboxes of devices promise, on every engine."""

from __future__ import annotations

from chat.keys import DeviceKeys, Letter, Publication, StoredLetter
from chat.storage.inbox import MOST_OF_ONE, MOST_WAITING
from tests.storage.engines import EngineCase, InMemory, OnFile


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
        numbers = await self.store.put_into_inboxes(ann, "desk", [Letter(bob, "phone", b"one")], 900)
        numbers += await self.store.put_into_inboxes(ann, "desk", [Letter(bob, "phone", b"two")], 950)
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
        (first,) = await self.store.put_into_inboxes(ann, "desk", [Letter(bob, "phone", b"one")], 900)
        assert first is not None
        await self.store.empty_inbox(bob, "phone", first)
        (second,) = await self.store.put_into_inboxes(ann, "desk", [Letter(bob, "phone", b"two")], 900)
        assert second is not None
        self.assertGreater(second, first)

    async def test_a_device_without_keys_gets_none(self) -> None:
        ann, bob = await self.people()
        await self.store.saw(bob, "netcat", 700, True)
        letters = [Letter(bob, "netcat", b"one"), Letter(bob, "phone", b"two"), Letter(bob, "none", b"three")]
        numbers = await self.store.put_into_inboxes(ann, "desk", letters, 900)
        self.assertEqual([number is None for number in numbers], [True, False, True])

    async def test_nobody_fills_an_inbox_alone(self) -> None:
        ann, bob = await self.people()
        eve = (await self.person("eve")).id
        letters = [Letter(bob, "phone", b"x")] * (MOST_OF_ONE + 1)
        numbers = await self.store.put_into_inboxes(eve, "desk", letters, 900)
        self.assertEqual([number is None for number in numbers[-2:]], [False, True])
        (number,) = await self.store.put_into_inboxes(ann, "desk", letters[:1], 900)
        self.assertIsNotNone(number)

    async def test_nor_do_many_together(self) -> None:
        ann, bob = await self.people()
        letters = [Letter(bob, "phone", b"x")] * MOST_OF_ONE
        for each in range(MOST_WAITING // MOST_OF_ONE):
            await self.store.put_into_inboxes((await self.person(f"eve{each}")).id, "desk", letters, 900)
        (number,) = await self.store.put_into_inboxes(ann, "desk", letters[:1], 900)
        self.assertIsNone(number)

    async def test_an_ended_device_leaves_none(self) -> None:
        ann, bob = await self.people()
        await self.store.put_into_inboxes(ann, "desk", [Letter(bob, "phone", b"one")], 900)
        await self.store.end_device(bob, "phone", 1)
        self.assertEqual((await self.store.waiting(bob, "phone", ())).letters, 0)


class FileInboxes(Inboxes, OnFile): ...


class MemoryInboxes(Inboxes, InMemory): ...


# The promises by themselves have no engine to run on.
del EngineCase, OnFile, InMemory, Inboxes
