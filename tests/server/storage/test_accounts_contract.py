"""What accounts and devices promise, on every engine."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from twisted.internet.defer import Deferred

from chat.protocol.errors import BadInvitation, CredentialsChanged, NameTaken, NoSuchUser, ShuttingDown
from chat.protocol.preferences import Preferences, Style
from chat.protocol.values import Account, Device, Kind, Name, Pair, Rank, Text, Verifier, VerifierCost
from chat.protocol.values.terms import read_terms
from chat.server.interfaces import (
    MOST_DEVICES,
    RENEWED_AFTER,
    CredentialEpoch,
    EndedDevice,
    InvitationBatch,
    Snapshot,
    TokenAlert,
    TokenRecord,
)
from chat.server.storage.erasure import AT_ONCE
from chat.server.storage.tokens import AT_ONCE as AT_ONCE_TOKENS
from tests.server.storage.engines import VERIFIER, EngineCase, InMemory, OnFile, act, text

OTHER = Verifier(b"$2b$04$other", 2, b"\x00", b"\xff")


class Accounts(EngineCase):
    async def test_a_new_store_is_empty(self) -> None:
        self.assertEqual(self.snapshot, Snapshot((), (), ()))

    async def test_an_account_is_kept(self) -> None:
        name = Name("Bob", "bob")
        made = await self.store.create_account(name, "Bob B.", VERIFIER, 500)
        self.assertEqual(made, Account(made.id, name, "Bob B.", Rank.MEMBER, 500, 500))
        self.assertEqual((await self.restart()).accounts, (made,))
        self.assertEqual(await self.store.verifier(made.id), VERIFIER)
        self.assertIsNone(await self.store.verifier(99))

    async def test_names_that_look_alike_are_one_name(self) -> None:
        """ASCII against ASCII, the fold; else the look: Cyrillic "рау" looks like "pay", either way round."""
        latin, cyrillic, third = Name("pay", "pay"), Name("Рау", "рау", "pay"), Name("раy", "раy", "pay")
        for one, other in ((latin, Name("PAY", "pay")), (latin, cyrillic), (cyrillic, latin), (cyrillic, third)):
            await self.store.stop()
            self.store = self.make()
            self.store.start(self.sink)
            await self.store.create_account(one, "", VERIFIER, 1)
            with self.assertRaises(NameTaken):
                await self.store.create_account(other, "", VERIFIER, 1)

    async def test_names_without_a_skeleton_do_not_collide_for_that(self) -> None:
        for word in ("bob", "eve"):
            await self.person(word)
        self.assertEqual(len((await self.restart()).accounts), 2)

    async def test_of_two_who_want_a_name_at_once_the_first_gets_it(self) -> None:
        asked = [self.store.create_account(Name("bob", "bob"), "", VERIFIER, 1) for _ in range(3)]
        outcomes = [(await one.addErrback(lambda failure: failure.type)) for one in asked]
        self.assertEqual(outcomes[1:], [NameTaken, NameTaken])
        self.assertEqual((await self.restart()).accounts, (outcomes[0],))

    async def test_a_renewed_verifier_is_of_the_same_password_so_tokens_stay(self) -> None:
        """It is not written over a password that was changed meanwhile."""
        bob = await self.person("bob")
        await self.store.add_token(bob.id, "phone", b"t" * 32, 600)
        await self.store.renew_verifier(bob.id, VERIFIER, OTHER)
        self.assertEqual(await self.store.verifier(bob.id), OTHER)
        self.assertIsNotNone(await self.store.token(b"t" * 32))
        await self.store.renew_verifier(bob.id, VERIFIER, VERIFIER)
        self.assertEqual(await self.store.verifier(bob.id), OTHER)

    async def test_an_invitation_code_is_used_up_by_one_account(self) -> None:
        one, other = b"1" * 32, b"2" * 32
        await self.store.add_invitations([one, other], 1_000, 2_000, "ann")
        self.assertTrue(await self.store.has_invitation(one, 1_999))
        self.assertFalse(await self.store.has_invitation(one, 2_000))
        await self.store.create_account(Name("bob", "bob"), "", VERIFIER, 1_500, invitation=one)
        for when, code, name in ((1_500, one, "eve"), (2_000, other, "eve")):
            with self.assertRaises(BadInvitation):
                await self.store.create_account(Name(name, name), "", VERIFIER, when, invitation=code)
        with self.assertRaises(NameTaken):
            await self.store.create_account(Name("bob", "bob"), "", VERIFIER, 1_500, invitation=other)
        self.assertEqual(await self.store.invitation_batches(1_500), (InvitationBatch(1, 1, 1_000, 2_000, "ann"),))
        self.assertEqual(await self.store.invitation_batches(2_000), ())
        self.assertEqual(len((await self.restart()).accounts), 1)

    async def test_the_last_sixteen_networks_are_known(self) -> None:
        bob, eve = await self.person("bob"), await self.person("eve")
        for number in range(18):
            await self.store.note_network(bob.id, f"192.0.2.{number}", 1_000 + number)
        await self.store.note_network(bob.id, "192.0.2.3", 2_000)
        await self.store.note_network(bob.id, "192.0.2.99", 2_001)
        known = [number for number in range(100) if await self.store.has_network(bob.id, f"192.0.2.{number}")]
        self.assertEqual(known, [3, *range(4, 18), 99])
        self.assertFalse(await self.store.has_network(eve.id, "192.0.2.99"))

    async def test_a_token_stays_known_after_its_end_until_its_device_is_ended(self) -> None:
        bob, eve = await self.person("bob"), await self.person("eve")
        await self.store.add_token(bob.id, "phone", b"1" * 32, 600)
        await self.store.add_token(bob.id, "phone", b"2" * 32, 601)
        await self.store.add_token(bob.id, "laptop", b"3" * 32, 602)
        await self.store.set_password(bob.id, OTHER)
        tokens = [number * 32 for number in (b"1", b"2", b"3", b"4")]
        self.assertEqual([await self.store.has_had_token(bob.id, each) for each in tokens], [True, True, True, False])
        self.assertFalse(await self.store.has_had_token(eve.id, tokens[0]))
        await self.store.end_device(bob.id, "phone", 700)
        self.assertEqual([await self.store.has_had_token(bob.id, each) for each in tokens], [False, False, True, False])

    async def test_the_last_sixty_four_tokens_are_known(self) -> None:
        bob = await self.person("bob")
        tokens = [sha256(b"%d" % number).digest() for number in range(66)]
        for number, token in enumerate(tokens):
            await self.store.add_token(bob.id, "phone", token, 600 + number)
        known = [number for number, token in enumerate(tokens) if await self.store.has_had_token(bob.id, token)]
        self.assertEqual(known, list(range(2, 66)))

    async def test_the_costs_of_verifiers_are_counted(self) -> None:
        """Whatever makes, replaces or ends one."""
        store = self.store

        async def costs() -> dict[tuple[int, int], int]:
            _, found = await store.verifier_among(0)
            return {(each.cost, each.iterations): each.accounts for each in found}

        bob, eve = await self.person("bob"), await self.person("eve")
        await store.create_account(Name("dan", "dan"), "", None, 1)
        self.assertEqual(await costs(), {(4, 1): 2})
        dear = Verifier(b"$2b$11$salt", 4_096, b"\x00", b"\xff")
        await store.set_password(bob.id, dear)
        self.assertEqual(await costs(), {(4, 1): 1, (11, 4_096): 1})
        await store.renew_verifier(eve.id, VERIFIER, dear)
        self.assertEqual(await costs(), {(11, 4_096): 2})
        await store.give_code(bob.id, b"c" * 32, 900)
        self.assertEqual(await costs(), {(11, 4_096): 1})
        await store.use_code(bob.id, b"c" * 32, VERIFIER)
        await store.delete_account(eve.id, 5, False)
        self.assertEqual(await costs(), {(4, 1): 1})
        self.assertEqual(await store.verifier_among(bob.id), (VERIFIER, (VerifierCost(4, 1, 1),)))

    async def test_a_new_password_ends_all_tokens(self) -> None:
        bob, eve = await self.person("bob"), await self.person("eve")
        for account, device in ((bob.id, "a"), (bob.id, "b"), (eve.id, "a")):
            await self.store.add_token(account, device, sha256(f"{account}{device}".encode()).digest(), 600)
        await self.store.set_password(bob.id, OTHER)
        self.assertEqual(await self.store.verifier(bob.id), OTHER)
        self.assertEqual(await self.store.verifier(eve.id), VERIFIER)
        self.assertEqual([device.has_token for device in await self.store.devices(bob.id)], [False, False])
        self.assertIsNone(await self.store.token(sha256(b"1a").digest()))
        self.assertIsNotNone(await self.store.token(sha256(b"2a").digest()))

    async def test_realname_and_last_seen(self) -> None:
        bob = await self.person("bob")
        await self.store.set_realname(bob.id, "Robert")
        await self.store.saw(bob.id, "phone", 700, present=True)
        await self.store.saw(bob.id, "phone", 900, present=False)
        await self.store.saw(bob.id, "desk", 800, present=True)
        (kept,) = (await self.restart()).accounts
        self.assertEqual((kept.realname, kept.seen), ("Robert", 900))
        self.assertEqual(await self.store.devices(bob.id), (Device("phone", 900, False), Device("desk", 800, False)))

    async def test_settings_are_changed_one_by_one(self) -> None:
        bob = await self.person("bob")
        await self.store.prefer(bob.id, {"bell": True})
        await self.store.prefer(bob.id, {"style": "classic", "timezone": "Europe/Berlin"})
        (kept,) = (await self.restart()).accounts
        self.assertEqual(kept.preferences, Preferences(Style.CLASSIC, False, "Europe/Berlin", True))

    async def test_blocks_are_one_way_and_kept(self) -> None:
        bob, eve = await self.person("bob"), await self.person("eve")
        for _ in range(2):
            await self.store.block(bob.id, eve.id)
        self.assertEqual((await self.restart()).blocks, ((bob.id, eve.id),))
        await self.store.unblock(eve.id, bob.id)
        self.assertEqual((await self.restart()).blocks, ((bob.id, eve.id),))
        await self.store.unblock(bob.id, eve.id)
        self.assertEqual((await self.restart()).blocks, ())


class Deleting(EngineCase):
    async def test_nothing_is_left_but_the_name(self) -> None:
        bob, eve = await self.person("bob"), await self.person("eve")
        room = await self.room(eve.id)
        await self.store.append(text(room, bob.id, "hello"))
        await self.store.add_token(bob.id, "phone", b"d" * 32, 1)
        await self.store.note_network(bob.id, "192.0.2.7", 1)
        await self.store.mark_read(bob.id, {room: 1})
        await self.store.block(eve.id, bob.id)
        await self.store.delete_account(bob.id, 5, False)
        self.assertFalse(await self.store.has_network(bob.id, "192.0.2.7"))
        self.assertFalse(await self.store.has_had_token(bob.id, b"d" * 32))
        self.assertIsNone(await self.store.verifier(bob.id))
        self.assertIsNone(await self.store.token(b"d" * 32))
        self.assertEqual(await self.store.devices(bob.id), ())
        with self.assertRaises(NameTaken):
            await self.person("bob")
        snapshot = await self.restart()
        self.assertEqual(([each.name.shown for each in snapshot.accounts], snapshot.blocks), (["eve"], ()))
        self.assertEqual(await self.words(room), ["", "hello"])
        self.assertFalse((await self.store.erase()).more)

    async def erased(self) -> list[tuple[int, str]]:
        """Take all steps of the erasures.

        :returns: the rooms whose topics were emptied, and what they were.
        """
        topics: list[tuple[int, str]] = []
        while (step := await self.store.erase()).more:
            topics.extend(step.topics)
        return topics

    async def test_what_it_wrote_is_emptied_step_by_step(self) -> None:
        bob, eve = await self.person("bob"), await self.person("eve")
        room, other = await self.room(eve.id), await self.room(eve.id, "ops")
        for place in (room, other):
            await self.store.append(text(place, bob.id, "needle of bob"))
            await self.store.append(text(place, eve.id, "needle of eve"))
        await self.store.append(act(other, Kind.TOPIC, bob.id, body=Text("cats")))
        while await self.store.index((room, other)):
            pass
        await self.store.delete_account(bob.id, 5, True)
        self.assertEqual(await self.erased(), [(other, "cats")])
        self.assertEqual(await self.words(room), ["", "", "needle of eve"])
        self.assertEqual(await self.words(other), ["", "", "needle of eve", ""])
        hits = await self.store.search(
            read_terms("needle"), {room: 0, other: 0}, author=None, since=0, blocked=[], limit=10
        )
        self.assertEqual({row.author for row in hits.rows}, {eve.id})

    async def test_so_are_topics_and_reasons(self) -> None:
        bob, eve = await self.person("bob"), await self.person("eve")
        room, other = await self.room(bob.id), await self.room(bob.id, "ops")
        for place in (room, other):
            await self.store.append(act(place, Kind.TOPIC, bob.id, body=Text("cats")))
        await self.store.append(act(other, Kind.TOPIC, eve.id, body=Text("dogs")))
        await self.store.append(act(room, Kind.BANNED, bob.id, eve.id, body=Text("hates cats")))
        await self.store.delete_account(bob.id, 5, True)
        self.assertEqual(await self.erased(), [(room, "cats")])
        self.assertEqual(await self.words(room), ["", "", ""])
        stored = {each.record.name.shown: each for each in (await self.restart()).rooms}
        self.assertEqual((stored["lobby"].record.topic, stored["ops"].record.topic), ("", "dogs"))
        self.assertEqual([each.reason for each in stored["lobby"].restrictions], [""])

    async def test_a_step_looks_at_so_many_rows(self) -> None:
        bob, eve = await self.person("bob"), await self.person("eve")
        room = await self.room(bob.id)
        for _ in range(AT_ONCE):
            self.store.append(text(room, eve.id))
        await self.store.delete_account(bob.id, 5, True)
        steps = [await self.store.erase() for _ in range(5)]
        self.assertEqual([step.more for step in steps], [True, True, True, False, False])

    async def test_a_step_empties_so_many_bytes(self) -> None:
        bob = await self.person("bob")
        room = await self.room(bob.id)
        for _ in range(8):
            self.store.append(text(room, bob.id, "word " * 3_000))
        await self.store.delete_account(bob.id, 5, True)
        await self.store.erase()
        self.assertEqual(sum(map(bool, await self.words(room))), 3)


class Devices(EngineCase):
    async def test_a_token_finds_its_device_until_the_next_one(self) -> None:
        bob = await self.person("bob")
        old, new = sha256(b"old").digest(), sha256(b"new").digest()
        await self.store.add_token(bob.id, "phone", old, 600)
        self.assertEqual(await self.store.token(old), TokenRecord(bob.id, "phone", 600, 600))
        await self.store.add_token(bob.id, "phone", new, 700)
        self.assertIsNone(await self.store.token(old))
        await self.store.saw(bob.id, "phone", 800, False)
        self.assertEqual(await self.store.token(new), TokenRecord(bob.id, "phone", 700, 800))
        self.assertEqual(await self.store.devices(bob.id), (Device("phone", 800, True),))

    async def test_the_token_before_lets_in_until_the_next_is_made(self) -> None:
        """From then on it is a used one, which gives away that it was copied."""
        bob = await self.person("bob")
        first, second, third = (sha256(each).digest() for each in (b"first", b"second", b"third"))
        await self.store.add_token(bob.id, "phone", first, 600)
        day, next_day = 600 + RENEWED_AFTER, 600 + 2 * RENEWED_AFTER
        self.assertTrue(await self.store.add_token(bob.id, "phone", second, day, before=first))
        self.assertEqual(await self.store.token(second), TokenRecord(bob.id, "phone", day, 600))
        self.assertEqual(await self.store.token(first), TokenRecord(bob.id, "phone", day, 600, newest=False))
        self.assertTrue(await self.store.add_token(bob.id, "phone", third, next_day, before=second))
        self.assertEqual(await self.used(first, second, third), [True, False, False])
        self.assertFalse(await self.store.add_token(bob.id, "phone", b"4" * 32, next_day, before=first))
        await self.store.add_token(bob.id, "phone", b"5" * 32, next_day)
        self.assertEqual(await self.used(first, second, third, b"5" * 32), [None, None, None, False])

    async def test_the_answer_with_the_newest_token_was_lost(self) -> None:
        """The one before stays good; the next one replaces both a day later, and the newest is the used one then."""
        bob = await self.person("bob")
        first, lost, third = (sha256(each).digest() for each in (b"first", b"lost", b"third"))
        await self.store.add_token(bob.id, "phone", first, 600)
        day = 600 + RENEWED_AFTER
        await self.store.add_token(bob.id, "phone", lost, day, before=first)
        self.assertFalse(await self.store.add_token(bob.id, "phone", third, day + 1, before=first))
        self.assertEqual(await self.used(first, lost, third), [False, False, None])
        self.assertTrue(await self.store.add_token(bob.id, "phone", third, day + RENEWED_AFTER, before=first))
        self.assertEqual(await self.used(first, lost, third), [False, True, False])

    async def used(self, *tokens: bytes) -> list[bool | None]:
        """Whether tokens are used ones; nothing of those that nobody knows."""
        found = [await self.store.token(each) for each in tokens]
        return [each.used if each is not None else None for each in found]

    async def test_a_used_token_ends_its_device_once(self) -> None:
        bob, store = await self.person("bob"), self.store
        for device in ("phone", "desk"):
            await store.saw(bob.id, device, 600, present=True)
            await store.add_token(bob.id, device, device.encode(), 600)
        for days, (old, new) in enumerate(((b"phone", b"2" * 32), (b"2" * 32, b"3" * 32)), start=1):
            await store.add_token(bob.id, "phone", new, 600 + days * RENEWED_AFTER, before=old)
        self.assertEqual(await store.end_copied(bob.id, "phone", b"phone", "192.0.2.7", 900), 1)
        self.assertIsNone(await store.end_copied(bob.id, "phone", b"phone", "192.0.2.7", 901))
        self.assertEqual(await self.used(b"phone", b"2" * 32, b"3" * 32, b"desk"), [None, None, None, False])
        with self.assertRaises(CredentialsChanged):
            await store.add_token(bob.id, "phone", b"4" * 32, 901)
        self.assertEqual((await self.restart()).alerts, (TokenAlert(bob.id, "phone", "192.0.2.7", 900),))
        await self.store.end_alerts(bob.id)
        self.assertEqual((await self.restart()).alerts, ())

    async def test_an_ended_token_ends_with_the_one_before(self) -> None:
        bob = await self.person("bob")
        await self.store.add_token(bob.id, "phone", b"1" * 32, 600)
        await self.store.add_token(bob.id, "phone", b"2" * 32, 600 + RENEWED_AFTER, before=b"1" * 32)
        await self.store.end_token(bob.id, "phone")
        self.assertEqual([await self.store.token(each * 32) for each in (b"1", b"2")], [None, None])
        self.assertEqual(await self.store.devices(bob.id), (Device("phone", 600, False),))

    async def test_tokens_that_nobody_uses_are_deleted(self) -> None:
        """Not those of devices that are here, however long ago they came."""
        bob, store = await self.person("bob"), self.store
        for device, when, present in (("old", 600, False), ("here", 600, True), ("new", 700, False)):
            await store.saw(bob.id, device, when, present=True)
            await store.add_token(bob.id, device, device.encode(), when)
            await store.saw(bob.id, device, when, present=present)
        await store.add_token(bob.id, "here", b"2" * 32, 600 + RENEWED_AFTER, before=b"here")
        await store.add_token(bob.id, "here", b"3" * 32, 600 + 2 * RENEWED_AFTER, before=b"2" * 32)
        self.assertIsNone(await store.forget_unused(650, 0))
        found = {each.name: each.has_token for each in await store.devices(bob.id)}
        self.assertEqual(found, {"old": False, "here": True, "new": True})
        self.assertEqual(await self.used(b"old", b"new", b"here"), [None, False, True])
        await store.forget_unused(601 + 2 * RENEWED_AFTER, 0)
        self.assertEqual(await self.used(b"new", b"here", b"2" * 32), [None, None, False])

    async def test_they_are_looked_at_step_by_step(self) -> None:
        bob, store = await self.person("bob"), self.store
        added = [store.add_token(bob.id, f"{n:05}", b"%032d" % n, 600) for n in range(AT_ONCE_TOKENS + 1)]
        await added[-1]
        after = await store.forget_unused(650, 0)
        self.assertEqual(after, (bob.id, f"{AT_ONCE_TOKENS - 1:05}"))
        assert after is not None
        self.assertEqual(sum(each.has_token for each in await store.devices(bob.id)), 1)
        self.assertIsNone(await store.forget_unused(650, 0, after))
        self.assertEqual(sum(each.has_token for each in await store.devices(bob.id)), 0)

    async def test_beyond_the_most_the_one_unused_for_longest_is_forgotten(self) -> None:
        bob, store = await self.person("bob"), self.store
        await store.saw(bob.id, "d0", 600, present=True)
        for number in range(1, MOST_DEVICES):
            await self.seen(bob.id, f"d{number}", 600 + number)
        await store.add_token(bob.id, "d1", b"1" * 32, 1)
        self.assertEqual(await store.saw(bob.id, "new", 900, present=True), (EndedDevice("d1", 1),))
        names = {each.name for each in await store.devices(bob.id)}
        self.assertEqual((len(names), {"d0", "d1", "new"} & names), (MOST_DEVICES, {"d0", "new"}))
        self.assertIsNone(await store.token(b"1" * 32))
        self.assertEqual(await store.saw(bob.id, "new", 901, present=False), ())

    async def seen(self, account: int, device: str, when: int) -> None:
        """A session of a device, that is over."""
        for present in (True, False):
            await self.store.saw(account, device, when, present=present)

    async def test_a_device_that_was_cut_off_was_there_until_then(self) -> None:
        """Its token counts from the end of the server before, and not from a login a year ago."""
        bob = await self.person("bob")
        await self.store.saw(bob.id, "bot", 600, present=True)
        await self.store.add_token(bob.id, "bot", b"1" * 32, 600)
        await self.store.note_crash(900)
        self.assertEqual(await self.store.devices(bob.id), (Device("bot", 900, True),))

    async def test_the_end_of_a_session_brings_no_device_back(self) -> None:
        """One that was ended meanwhile, or whose account was deleted."""
        bob = await self.person("bob")
        await self.store.saw(bob.id, "phone", 600, present=True)
        await self.store.end_device(bob.id, "phone", 700)
        await self.store.saw(bob.id, "phone", 700, present=False)
        self.assertEqual(await self.store.devices(bob.id), ())
        await self.store.delete_account(bob.id, 800, False)
        await self.store.saw(bob.id, "desk", 900, present=True)
        self.assertEqual(await self.store.devices(bob.id), ())

    async def test_a_device_that_is_ended_is_forgotten_with_its_token_and_marks(self) -> None:
        bob, eve = await self.person("bob"), await self.person("eve")
        stored = await self.store.append(text(Pair.of(bob.id, eve.id), eve.id))
        for device in ("phone", "desk"):
            await self.store.add_token(bob.id, device, device.encode(), 600)
            await self.store.mark_received(bob.id, device, {stored.conversation: 1})
        await self.store.end_device(bob.id, "phone", 1)
        self.assertEqual(await self.store.devices(bob.id), (Device("desk", 600, True),))
        self.assertIsNone(await self.store.token(b"phone"))
        received = [(await self.store.waiting(bob.id, device, ())).places[0].received for device in ("phone", "desk")]
        self.assertEqual(received, [0, 1])
        self.assertEqual((await self.store.waiting(bob.id, "phone", ())).letters, 0)

    async def test_pairs_of_an_account(self) -> None:
        bob, eve, dan = [await self.person(name) for name in ("bob", "eve", "dan")]
        first = await self.store.append(text(Pair.of(bob.id, eve.id), bob.id))
        second = await self.store.append(text(Pair.of(dan.id, bob.id), dan.id))
        self.assertEqual(await self.store.pairs_of(bob.id), {eve.id: first.conversation, dan.id: second.conversation})
        self.assertEqual(await self.store.pair(Pair.of(eve.id, bob.id)), first.conversation)
        self.assertIsNone(await self.store.pair(Pair.of(eve.id, dan.id)))


class Epochs(EngineCase):
    """What was proven before credentials were changed writes neither a token nor a password."""

    async def refused(self, work: Deferred[Any]) -> None:
        with self.assertRaises(CredentialsChanged):
            await work

    async def test_of_an_account(self) -> None:
        bob, store = await self.person("bob"), self.store
        self.assertTrue(await store.add_token(bob.id, "phone", b"1" * 32, 600))
        self.assertEqual(await store.set_password(bob.id, OTHER), 1)
        await self.refused(store.add_token(bob.id, "phone", b"2" * 32, 600))
        await self.refused(store.set_password(bob.id, VERIFIER))
        await self.refused(store.delete_account(bob.id, 5, False, epoch=0))
        self.assertEqual(await store.verifier(bob.id), OTHER)
        self.assertEqual([each.has_token for each in await store.devices(bob.id)], [False])
        self.assertTrue(await store.add_token(bob.id, "phone", b"2" * 32, 600, epoch=1))
        found = await store.token(b"2" * 32)
        self.assertEqual(found and found.epoch, 1)
        self.assertEqual(await store.give_code(bob.id, b"c" * 32, 900), 2)
        await self.refused(store.set_password(bob.id, VERIFIER, 1))
        self.assertEqual(await store.use_code(bob.id, b"c" * 32, VERIFIER), 3)
        self.assertEqual((await self.restart()).epochs, (CredentialEpoch(bob.id, 3, 3),))

    async def test_of_a_device(self) -> None:
        bob, store = await self.person("bob"), self.store
        for device in ("phone", "desk"):
            await store.add_token(bob.id, device, device.encode() * 4, 600)
        self.assertEqual(await store.end_device(bob.id, "phone", 700), 1)
        await self.refused(store.add_token(bob.id, "phone", b"2" * 32, 800))
        await self.refused(store.set_password(bob.id, OTHER, 0, "phone"))
        self.assertEqual([each.name for each in await store.devices(bob.id)], ["desk"])
        self.assertTrue(await store.add_token(bob.id, "desk", b"2" * 32, 800))
        self.assertTrue(await store.add_token(bob.id, "phone", b"3" * 32, 800, epoch=1))
        self.assertEqual((await self.restart()).epochs, (CredentialEpoch(bob.id, 1, 0),))

    async def test_a_token_that_has_ended_is_not_renewed(self) -> None:
        bob, store = await self.person("bob"), self.store
        await store.add_token(bob.id, "phone", b"1" * 32, 600)
        await store.end_token(bob.id, "phone")
        self.assertFalse(await store.add_token(bob.id, "phone", b"2" * 32, 700, before=b"1" * 32, epoch=1))
        self.assertEqual([each.has_token for each in await store.devices(bob.id)], [False])

    async def test_of_an_account_that_was_deleted(self) -> None:
        bob, store = await self.person("bob"), self.store
        await store.delete_account(bob.id, 5, False, epoch=0)
        await self.refused(store.add_token(bob.id, "phone", b"1" * 32, 600, epoch=9))
        await self.refused(store.set_password(bob.id, OTHER, 9))
        with self.assertRaises(NoSuchUser):
            await store.give_code(bob.id, b"c" * 32, 900)
        self.assertEqual((await self.restart()).epochs, ())


class Stopping(EngineCase):
    async def test_what_waits_is_committed_and_what_comes_later_is_refused(self) -> None:
        bob = await self.person("bob")
        room = await self.room(bob.id)
        last = [self.store.append(text(room, bob.id, f"{n}")) for n in range(20)]
        stopped = self.store.stop()
        late = self.store.append(text(room, bob.id, "late"))
        with self.assertRaises(ShuttingDown):
            await late
        with self.assertRaises(ShuttingDown):
            await self.store.history(room, limit=1)
        await stopped
        await self.store.stop()
        self.assertEqual([self.successResultOf(one).seq for one in last], list(range(2, 22)))
        self.assertEqual((await self.restart()).rooms[0].last, 21)


class FileAccounts(Accounts, OnFile): ...


class MemoryAccounts(Accounts, InMemory): ...


class FileDeleting(Deleting, OnFile): ...


class MemoryDeleting(Deleting, InMemory): ...


class FileDevices(Devices, OnFile): ...


class MemoryDevices(Devices, InMemory): ...


class FileEpochs(Epochs, OnFile): ...


class MemoryEpochs(Epochs, InMemory): ...


class FileStopping(Stopping, OnFile): ...


class MemoryStopping(Stopping, InMemory): ...


# The promises by themselves have no engine to run on.
del EngineCase, OnFile, InMemory, Accounts, Deleting, Devices, Epochs, Stopping
