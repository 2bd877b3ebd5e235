"""Several devices of one person: on one machine, on another one, and one that the server makes up."""

from __future__ import annotations

from chat.client.e2e.device_linking import LASTS
from chat.protocol.events import KeysLeft, Refused
from tests.client.e2e.people import WORDS, SealedCase
from tests.client.engines import Desk


class Devices(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob = self.enters("ann"), self.enters("bob")
        self.ann.types("message bob one")

    def told(self, desk: Desk) -> str:
        return "\n".join(desk.screen.findings)

    def code(self, desk: Desk) -> str:
        words: str = desk.types("/link").text
        return words.rpartition(" ")[2]

    def test_another_one_on_the_same_machine_needs_nothing(self) -> None:
        self.ann.engine.close()
        plain = self.enters("ann", machine="ann", device="plain")
        plain.types("message bob two")
        self.assertEqual(self.sealed(self.bob)[-1], "two")
        self.assertIn("ann has a new device, plain", self.told(self.bob))
        self.assertEqual(self.sealed(plain)[0], "one")

    def test_one_on_another_machine_is_none_of_its_owners_before_it_has_the_code(self) -> None:
        laptop = self.enters("ann", machine="laptop", device="laptop")
        self.assertIn("This device is not linked yet", self.told(laptop))
        self.bob.types(f"message ann {WORDS}")
        self.assertEqual(self.sealed(laptop), [])
        self.assertIn("The server lists a device laptop of ann", self.told(self.bob))

    def test_two_machines_of_one_name_are_told_apart_by_the_person(self) -> None:
        self.ann.engine.close()
        clone = self.enters("ann", machine="laptop", device="desk")
        self.assertIn("You already had a device called desk, with other keys", self.told(clone))
        self.assertNotIn("called desk before", self.told(self.ann))

    def test_then_it_reads_and_writes_like_the_other_one(self) -> None:
        laptop = self.enters("ann", machine="laptop", device="laptop")
        laptop.types(f"/link {self.code(self.ann)}")
        self.settle()
        self.assertIn("laptop is now linked to your account", self.told(self.ann))
        self.assertIn("This device is now linked to your account", self.told(laptop))
        self.assertEqual(self.sealed(laptop), ["one"])
        self.bob.types(f"message ann {WORDS}")
        self.assertEqual((self.sealed(laptop)[-1], self.sealed(self.ann)[-1]), (WORDS, WORDS))
        laptop.types("message bob from the laptop")
        self.assertEqual(self.sealed(self.bob)[-1], "from the laptop")
        self.assertIn("ann has a new device, laptop", self.told(self.bob))
        self.assertNotIn(WORDS.encode(), self.recorded())

    def test_a_wrong_code(self) -> None:
        laptop = self.enters("ann", machine="laptop", device="laptop")
        self.code(self.ann)
        laptop.types("/link AAAAA-BBBBB-CCCCC-DDDDD")
        self.assertNotIn("linked to your account", self.told(self.ann))
        self.assertIsInstance(laptop.types("/link ABC"), Refused)

    def test_a_code_that_is_too_old(self) -> None:
        laptop = self.enters("ann", machine="laptop", device="laptop")
        code = self.code(self.ann)
        for _ in range(int(LASTS / 5) + 1):
            self.pass_time(5)
        laptop.types(f"/link {code}")
        self.assertNotIn("linked to your account", self.told(self.ann))

    def test_new_one_time_keys_are_published_and_nobody_is_told_of_them(self) -> None:
        key_uploader = self.sealing(self.bob).key_uploader
        claimed = {"devices": [{"user": "bob", "device": "desk"}]}
        for _ in range(5):
            self.run_link(self.ann.engine.ask("keys.claim", claimed))
        left = self.run_link(self.bob.engine.ask("keys.publish", {}))
        self.assertEqual(left.one_time, 44)
        before = self.recorded().count(b"keys-changed")
        self.run_link(key_uploader.replenish(left))
        self.assertEqual(self.run_link(self.bob.engine.ask("keys.publish", {})).one_time, 44)
        self.run_link(key_uploader.replenish(KeysLeft(left.one_time, True)))
        self.assertEqual(self.run_link(self.bob.engine.ask("keys.publish", {})), KeysLeft(50, False))
        self.assertEqual(self.recorded().count(b"keys-changed"), before)

    def test_where_a_server_lets_one_device_in_at_a_time_the_two_take_turns(self) -> None:
        code = self.code(self.ann)
        self.ann.engine.close()
        laptop = self.enters("ann", machine="laptop", device="laptop")
        laptop.types(f"/link {code}")
        laptop.engine.close()
        self.enters("ann").engine.close()
        laptop = self.enters("ann", machine="laptop", device="laptop")
        self.assertIn("This device is now linked to your account", self.told(laptop))
        self.bob.types(f"message ann {WORDS}")
        self.assertEqual(self.sealed(laptop)[-1], WORDS)

    def test_whoever_has_lost_all_begins_anew_and_others_are_told(self) -> None:
        self.ann.engine.close()
        anew = self.enters("ann", machine="new one", device="laptop")
        anew.types("/link new")
        self.bob.types(f"message ann {WORDS}")
        self.assertEqual(self.sealed(anew), [])
        self.assertIn("THE KEY OF ann HAS CHANGED", self.bob.screen.outcomes[-1][0].why)
        self.bob.types("accept ann")
        self.bob.types(f"message ann {WORDS}")
        self.assertEqual(self.sealed(anew), [WORDS])
        anew.types("message bob hello again")
        self.assertEqual(self.sealed(self.bob)[-1], "hello again")


class AskingForHelp(SealedCase):
    """The server knows nothing of the verbs that are the client's own."""

    def test_they_stand_after_those_of_the_server(self) -> None:
        groups = dict(self.enters("ann").types("/help").groups)
        self.assertEqual(list(groups)[-2:], ["Help", "Keys"])
        self.assertIn("verify", [each.verb for each in groups["Keys"]])

    def test_one_in_full(self) -> None:
        ann = self.enters("ann")
        self.assertEqual(ann.types("/help /Verify").verb.form, "verify NAME [yes]")
        self.assertEqual(ann.types("/help message").verb.verb, "message")
