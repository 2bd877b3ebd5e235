"""Private conversations seal themselves: two clients with keys, and a server between them that reads nothing."""

from __future__ import annotations

import json
from typing import Any

from chat.client.e2e.key_query import FRESH
from chat.client.model.message_status import InTheClear
from chat.client.model.send_queue import Fate
from chat.protocol.events import Said
from tests.client.e2e.people import WORDS, SealedCase, in_base64
from tests.client.engines import Desk
from tests.server.frontends.server import PASSWORD


class Privately(SealedCase):
    def test_the_first_message_is_sealed(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types(f"message bob {WORDS}")
        self.assertEqual(self.sealed(bob), [WORDS])
        self.assertEqual(self.sealed(ann), [WORDS])
        bob.types("got it", person="ann")
        self.assertEqual(self.sealed(ann), [WORDS, "got it"])
        wire = self.recorded()
        for each in (WORDS.encode(), PASSWORD.encode(), *in_base64(WORDS), *in_base64(PASSWORD)):
            self.assertNotIn(each, wire)

    def test_also_to_somebody_who_is_away(self) -> None:
        self.enters("bob").engine.close()
        ann = self.enters("ann")
        ann.types(f"message bob {WORDS}")
        self.assertEqual(self.sealed(self.enters("bob")), [WORDS])

    def test_both_may_begin_at_once(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        self.begin(ann.keyboard.typed("message bob one", None))
        self.begin(bob.keyboard.typed("message ann two", None))
        self.settle()
        self.assertEqual(sorted(self.sealed(ann)), ["one", "two"])
        self.assertEqual(sorted(self.sealed(bob)), ["one", "two"])

    def test_after_a_restart_of_both(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob one")
        ann.engine.close()
        bob.engine.close()
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob two")
        bob.types("message ann three")
        self.assertEqual(self.sealed(ann)[-2:], ["two", "three"])
        self.assertEqual(self.sealed(bob)[-2:], ["two", "three"])
        self.assertFalse([words for desk in (ann, bob) for words in desk.screen.findings if "hiding" in words])

    def test_what_is_sent_again_after_a_broken_connection_is_the_same(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob one")
        ann.reachable = False
        ann.cut()
        ann.types("message bob two")
        ann.types("message bob three")
        ann.reachable = True
        self.quiet_link()
        self.assertEqual(self.sealed(bob), ["one", "two", "three"])
        self.assertEqual(bob.screen.findings, [])

    def test_also_where_the_server_has_it_and_its_answer_was_lost(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob one")
        ann.links[-1].tamper = lambda frame: [] if frame["type"] == "stored" else [frame]
        ann.types("message bob two")
        self.assertEqual(ann.screen.outcomes[-1][0].text, "one")
        ann.cut()
        self.quiet_link()
        self.assertEqual((ann.screen.outcomes[-1][0].text, ann.screen.outcomes[-1][0].fate), ("two", Fate.KEPT))
        ann.types("message bob three")
        self.assertEqual(self.sealed(bob), ["one", "two", "three"])
        self.assertEqual((bob.screen.findings, ann.screen.findings[1:]), ([], []))

    def test_an_answer_goes_to_who_wrote_last_and_is_sealed(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob one")
        bob.types(f"/r {WORDS}")
        self.assertEqual(self.sealed(ann), ["one", WORDS])
        self.assertNotIn(WORDS.encode(), self.recorded())

    def test_a_note_to_oneself(self) -> None:
        ann = self.enters("ann")
        ann.types(f"message ann {WORDS}")
        self.assertEqual(self.sealed(ann), [WORDS])
        self.assertNotIn(WORDS.encode(), self.recorded())

    def test_what_is_written_anew(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob teh code")
        ann.types(f"/edit {WORDS}", person="bob")
        for desk, name in ((ann, "bob"), (bob, "ann")):
            talk = desk.talk(name, room=False)
            said = next(row for row in talk.rows if isinstance(row, Said))
            self.assertEqual(getattr(talk.body_of(said)[0], "text", ""), WORDS)
        self.assertNotIn(WORDS.encode(), self.recorded())
        bob.types("message ann thanks")
        self.assertEqual((ann.screen.findings[1:], bob.screen.findings), ([], []))

    def test_what_is_deleted(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob one")
        ann.types("message bob two")
        ann.types("/delete", person="bob")
        ann.types("message bob three")
        self.quiet_link()
        bob.engine.close()
        again = self.enters("bob")
        ann.types("message bob four")
        self.assertEqual(self.sealed(again), ["four"])
        self.assertFalse([words for words in again.screen.findings if "hiding" in words])

    def test_a_name_in_it_is_a_mention(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob hello bob, are you there?")
        self.assertEqual(bob.talk("ann", room=False).mentions, 1)
        self.assertEqual(bob.talk("ann", room=False).unread, 1)


class WithoutKeys(SealedCase):
    """Somebody at a netcat can be written to as ever, and one is told who reads along."""

    def told(self, desk: Desk) -> str:
        return "\n".join(desk.screen.findings)

    def test_somebody_who_has_none(self) -> None:
        self.logged_in("bob")
        ann = self.enters("ann")
        ann.types("message bob hi")
        self.assertIn("Not encrypted: bob has no keys", self.told(ann))
        self.assertEqual(ann.types("verify bob").text, "bob has no keys yet.")
        ann.types("message bob there")
        self.assertEqual(self.told(ann).count("Not encrypted"), 1)

    def test_one_device_of_somebody_who_has_keys_elsewhere(self) -> None:
        netcat, ann = self.logged_in("bob", device="netcat"), self.enters("ann")
        bob = self.enters("bob")
        ann.types("message bob hi")
        self.assertIn("bob@netcat", self.told(ann))
        self.assertEqual(netcat.screen.said(), ["hi"])
        ann.types("seal bob")
        ann.types(f"message bob {WORDS}")
        self.assertEqual(self.sealed(bob), [WORDS])
        self.assertNotIn(WORDS, netcat.screen.said())

    def test_once_sealed_it_stays_so_when_a_device_without_keys_comes(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob one")
        netcat = self.logged_in("bob", device="netcat")
        for _ in range(int(FRESH / 5)):
            self.pass_time(5)
        ann.types(f"message bob {WORDS}")
        self.assertEqual(self.sealed(bob), ["one", WORDS])
        self.assertNotIn(WORDS, netcat.screen.said())
        self.assertIn("bob@netcat cannot read", self.told(ann))

    def test_or_when_the_client_is_started_without_keys(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob one")
        ann.engine.close()
        bare = self.logged_in("ann", device="bare")
        self.assertTrue(bare.talk("bob", room=False).sealed)
        bare.types(f"message bob {WORDS}")
        ((outgoing, _),) = bare.screen.outcomes
        self.assertEqual(outgoing.fate, Fate.REFUSED)
        self.assertNotIn(WORDS.encode(), self.recorded())
        self.assertEqual(self.sealed(bob), ["one"])

    def test_back_only_with_the_senders_yes(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob one")
        ann.types("unseal bob")
        ann.types("message bob in the clear")
        self.assertEqual(bob.screen.said(), ["one", "in the clear"])
        last = bob.screen.rows[-1]
        self.assertIsInstance(last.body if isinstance(last, Said) else None, InTheClear)
        ann.types("seal bob")
        ann.types(f"message bob {WORDS}")
        self.assertEqual(self.sealed(bob), ["one", WORDS])

    def test_locked_keys_send_nothing_in_the_clear(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob one")
        self.sealing(ann).close()
        ann.types(f"message bob {WORDS}")
        self.assertEqual(ann.screen.outcomes[-1][0].fate, Fate.REFUSED)
        self.assertIn("locked", ann.screen.outcomes[-1][0].why)
        bob.types("message ann are you there?")
        self.assertEqual(ann.screen.said()[-1], "encrypted, and your keys are locked. Type: unlock")
        self.run_link(self.sealing(ann).unlock_again(PASSWORD))
        self.assertEqual(ann.screen.said()[-1], "are you there?")


class TheInbox(SealedCase):
    def crashes(self, desk: Desk) -> None:
        """The program ends without a word, and without saving anything more."""
        sealing = self.sealing(desk)
        assert sealing.ring is not None
        sealing.ring.database.close()
        sealing.ring = None
        desk.engine.close()

    def test_a_letter_that_was_taken_before_a_crash_is_passed_over_without_a_word(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        post = self.sealing(bob).post

        async def save_alone(number: int) -> None:
            post._ring.save()

        post._acknowledge = save_alone  # type: ignore[method-assign]
        ann.types("message bob one")
        self.crashes(bob)
        again = self.enters("bob")
        ann.types("message bob two")
        self.assertEqual(self.sealed(again), ["one", "two"])
        self.assertEqual(again.screen.findings, [])

    def test_what_a_server_was_told_is_received_is_saved(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob one")
        self.quiet_link()
        self.crashes(bob)
        again = self.enters("bob")
        self.assertEqual(self.sealed(again), [])
        ring = self.sealing(again).ring
        assert ring is not None
        self.assertIsNotNone(ring.conversations._chains["with ann bob"].digest(1))

    def test_a_letter_that_comes_live_overtakes_none_that_is_still_being_read(self) -> None:
        bob, carol = self.enters("bob"), self.enters("carol")
        bob.types("verify carol")
        bob.engine.close()
        for name in ("ann", "eve"):
            self.enters(name).types(f"message bob from {name}")
        late: list[dict[str, Any]] = []
        bob = self.desk(keys=self.folder / "bob")
        self.desks.append(bob)

        def slow(frame: dict[str, Any]) -> list[dict[str, Any]]:
            """What the server says of ann's keys is on its way for a while."""
            if any(person["user"] == "ann" for person in frame.get("people", ()) if frame["type"] == "keys"):
                late.append(frame)
                return []
            return [frame]

        dial = bob.dial

        def call(*both: Any) -> Any:
            client = dial(*both)
            bob.links[-1].tamper = slow
            return client

        bob.engine._dial = call
        self.begin(bob.engine.log_in("bob", PASSWORD))
        self.settle()
        self.assertEqual(len(late), 1)
        carol.types("message bob from carol")
        bob.links[-1].client.dataReceived(json.dumps(late[0]).encode() + b"\n")
        self.settle()
        self.assertEqual(sorted(self.sealed(bob)), ["from ann", "from carol", "from eve"])
