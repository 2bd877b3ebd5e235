"""What published keys promise, on every engine."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.internet import reactor
from twisted.internet.defer import gatherResults

from chat.protocol.device_keys import MOST_DEVICES, MOST_ONE_TIME, DeviceKeys, NumberedKey, Publication, Supply, Wanted
from chat.protocol.errors import AccountKeyExists, NoDeviceKeys, NoSuchDevice, StoreUnavailable, TooManyKeys
from chat.server.storage.memory import MemoryStore
from chat.server.storage.sqlite import SqliteStore
from tests.server.storage.engines import EngineCase, InMemory, OnFile

PHONE = DeviceKeys(b"i" * 32, b"s" * 32, b"v" * 64)


def numbered(*numbers: int) -> tuple[NumberedKey, ...]:
    return tuple(NumberedKey(each, each.to_bytes(32), b"S" * 64) for each in numbers)


class PublishedKeys(EngineCase):
    async def bob(self, device: str = "phone", keys: DeviceKeys | None = PHONE) -> int:
        """Bob has logged in from a device, and has published its keys."""
        account = (await self.person("bob")).id
        await self.store.saw(account, device, 700, True)
        if keys is not None:
            await self.store.publish_keys(account, device, Publication(b"a" * 32, device=keys), 800)
        return account

    async def publish(self, account: int, *one_time: int, fallback: int | None = None) -> Supply:
        spare = numbered(fallback)[0] if fallback is not None else None
        return await self.store.publish_keys(
            account, "phone", Publication(one_time=numbered(*one_time), fallback=spare), 900
        )

    async def claim(self, account: int, one_time: bool = True) -> list[tuple[int, bool]]:
        """The number of the key that is handed out, and whether it is the fallback key."""
        claimed = await self.store.claim_keys([Wanted(account, "phone", one_time)])
        return [(each.key.number, each.fallback) for each in claimed]

    # publishing

    async def test_what_is_published_is_found(self) -> None:
        bob = await self.bob()
        (found,) = await self.store.keys_of([bob], 0)
        self.assertEqual((found.account_key, found.devices), (b"a" * 32, (("phone", PHONE),)))
        await self.restart()
        self.assertEqual(await self.store.keys_of([bob], 0), (found,))

    async def test_devices_without_keys_are_named_where_they_were_seen_lately(self) -> None:
        bob = await self.bob()
        for device, when in (("old", 100), ("netcat", 2_000)):
            await self.store.saw(bob, device, when, True)
        (found,) = await self.store.keys_of([bob], 1_000)
        self.assertEqual(found.devices, (("phone", PHONE), ("netcat", None)))

    async def test_another_account_key_takes_a_reset_and_takes_all_devices_with_it(self) -> None:
        bob = await self.bob()
        with self.assertRaises(AccountKeyExists):
            await self.store.publish_keys(bob, "phone", Publication(b"b" * 32), 900)
        self.assertEqual((await self.store.keys_of([bob], 800))[0].devices, (("phone", PHONE),))
        await self.store.publish_keys(bob, "phone", Publication(b"b" * 32, reset=True), 900)
        (found,) = await self.store.keys_of([bob], 800)
        self.assertEqual((found.account_key, found.devices), (b"b" * 32, ()))

    async def test_a_refused_publication_leaves_nothing_behind(self) -> None:
        """Also where the part that is refused comes after one that was done already."""
        bob = await self.bob(keys=None)
        with self.assertRaises(NoDeviceKeys):
            await self.store.publish_keys(bob, "phone", Publication(b"a" * 32, one_time=numbered(1)), 900)
        self.assertIsNone((await self.store.keys_of([bob], 0))[0].account_key)

    async def test_a_signature_may_come_later_and_is_not_lost(self) -> None:
        bare = DeviceKeys(PHONE.identity, PHONE.signing)
        bob = await self.bob(keys=bare)
        await self.publish(bob, 1, 2)
        for keys, kept in ((bare, bare), (PHONE, PHONE), (bare, PHONE)):
            await self.store.publish_keys(bob, "phone", Publication(device=keys), 900)
            self.assertEqual((await self.store.keys_of([bob], 0))[0].devices, (("phone", kept),))
        self.assertEqual(await self.publish(bob), Supply(2, True))

    async def test_other_keys_of_a_device_take_its_one_time_keys_with_them(self) -> None:
        bob = await self.bob()
        await self.publish(bob, 1, 2, fallback=3)
        await self.store.publish_keys(bob, "phone", Publication(device=DeviceKeys(b"I" * 32, b"s" * 32)), 900)
        self.assertEqual(await self.publish(bob), Supply(0, True))
        self.assertEqual(await self.claim(bob), [])

    async def test_a_device_that_was_ended_publishes_nothing(self) -> None:
        bob = await self.bob()
        await self.store.end_device(bob, "phone", 1)
        self.assertEqual((await self.store.keys_of([bob], 0))[0].devices, ())
        with self.assertRaises(NoSuchDevice):
            await self.store.publish_keys(bob, "phone", Publication(device=PHONE), 900)

    async def test_keys_and_devices_with_keys_are_bounded(self) -> None:
        bob = await self.bob()
        await self.publish(bob, *range(1, MOST_ONE_TIME + 1))
        with self.assertRaises(TooManyKeys):
            await self.publish(bob, MOST_ONE_TIME + 1)
        for number in range(1, MOST_DEVICES + 1):
            await self.store.saw(bob, f"d{number}", 800, True)
            publication = Publication(device=PHONE)
            if number < MOST_DEVICES:
                await self.store.publish_keys(bob, f"d{number}", publication, 900)
            else:
                with self.assertRaises(TooManyKeys):
                    await self.store.publish_keys(bob, f"d{number}", publication, 900)

    # handing out

    async def test_each_is_handed_out_once_and_then_the_fallback_key(self) -> None:
        bob = await self.bob()
        self.assertEqual(await self.publish(bob, 1, 2, fallback=3), Supply(2, False))
        claimed = [(await self.claim(bob))[0] for _ in range(4)]
        self.assertEqual(claimed, [(1, False), (2, False), (3, True), (3, True)])
        self.assertEqual(await self.publish(bob), Supply(0, True))
        self.assertEqual(await self.publish(bob, fallback=4), Supply(0, False))

    async def test_of_many_who_ask_at_once_no_two_get_the_same(self) -> None:
        bob = await self.bob()
        await self.publish(bob, *range(1, 21))
        asked = [self.store.claim_keys([Wanted(bob, "phone"), Wanted(bob, "phone")]) for _ in range(10)]
        claimed = [each.key.number for answer in await gatherResults(asked) for each in answer]
        self.assertEqual(sorted(claimed), list(range(1, 21)))

    async def test_what_was_handed_out_is_not_taken_again(self) -> None:
        """A device publishes the same again, as the answer was lost; meanwhile somebody has got the first one."""
        bob = await self.bob()
        await self.publish(bob, 1, 2, fallback=3)
        await self.claim(bob)
        self.assertEqual(await self.publish(bob, 1, 2, fallback=3), Supply(1, False))
        self.assertEqual([(await self.claim(bob))[0] for _ in range(2)], [(2, False), (3, True)])
        self.assertEqual(await self.publish(bob, 1, 2, fallback=3), Supply(0, True))

    async def test_what_was_handed_out_stays_so_over_a_restart(self) -> None:
        bob = await self.bob()
        await self.publish(bob, 1, 2)
        await self.claim(bob)
        await self.restart()
        self.assertEqual(await self.claim(bob), [(2, False)])

    async def test_nobody_gets_keys_of_a_device_that_nobody_vouches_for(self) -> None:
        bob = await self.bob(keys=DeviceKeys(PHONE.identity, PHONE.signing))
        await self.publish(bob, 1, fallback=2)
        self.assertEqual(await self.claim(bob), [])

    async def test_who_has_taken_enough_gets_the_fallback_key(self) -> None:
        bob = await self.bob()
        await self.publish(bob, 1, fallback=2)
        self.assertEqual(await self.claim(bob, one_time=False), [(2, True)])
        self.assertEqual(await self.claim(bob), [(1, False)])

    async def test_a_deleted_account_leaves_no_keys(self) -> None:
        bob = await self.bob()
        await self.publish(bob, 1, fallback=2)
        await self.store.delete_account(bob, 1_000, erase=False)
        self.assertEqual(await self.claim(bob), [])
        (found,) = await self.store.keys_of([bob], 0)
        self.assertEqual((found.account_key, found.devices), (None, ()))


class FileKeys(PublishedKeys, OnFile):
    async def test_handed_out_means_committed(self) -> None:
        """What a crash leaves at the moment somebody has a key no longer has it."""
        bob = await self.bob()
        await self.publish(bob, 1, 2)
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        left = Path(folder.name) / Path(self.path).name

        def crash(claimed: object) -> object:
            for each in Path(self.path).parent.glob(f"{left.name}*"):
                shutil.copy(each, folder.name)
            return claimed

        await self.store.claim_keys([Wanted(bob, "phone")]).addCallback(crash)
        after = SqliteStore(str(left), reactor.callFromThread, patience=0.05)  # type: ignore[attr-defined]
        self.addCleanup(after.stop)
        after.start(self.sink)
        claimed = await after.claim_keys([Wanted(bob, "phone")])
        self.assertEqual([each.key.number for each in claimed], [2])


class MemoryKeys(PublishedKeys, InMemory):
    store: MemoryStore

    async def test_nobody_has_a_key_before_that_is_on_disk(self) -> None:
        bob = await self.bob()
        await self.publish(bob, 1)
        self.store.hold()
        claim = self.store.claim_keys([Wanted(bob, "phone")])
        self.assertNoResult(claim)
        self.store.release()
        self.assertEqual(len(self.successResultOf(claim)), 1)

    async def test_what_could_not_be_committed_was_not_handed_out(self) -> None:
        bob = await self.bob()
        await self.publish(bob, 1)
        self.store.fail(1)
        with self.assertRaises(StoreUnavailable):
            await self.claim(bob)
        self.assertEqual(await self.claim(bob), [(1, False)])


# The promises by themselves have no engine to run on.
del EngineCase, OnFile, InMemory, PublishedKeys
