"""A server that does what it likes to clients with keys: it reads nothing, and what it does is shown or refused."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

from chat.client.e2e.cross_signing import AccountKey
from chat.client.e2e.device import OwnDevice
from chat.client.model.message_status import InTheClear, Unopened
from chat.client.model.send_queue import Fate
from chat.protocol.events import Said
from tests.client.e2e.people import WORDS, SealedCase
from tests.client.engines import Desk
from tests.server.frontends.server import PASSWORD

Frame = dict[str, Any]
Change = Callable[[Frame], list[Frame]]


def is_sealed(frame: Frame) -> bool:
    return frame["type"] in ("said", "edited") and "sealed" in (frame.get("body") or {})


class BadServer(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob = self.enters("ann"), self.enters("bob")
        self.ann.types("message bob first")
        self.bob.types("message ann second")
        self.seen: list[Frame] = []

    def does(self, desk: Desk, change: Change) -> None:
        """What the server says to somebody is changed from now on."""
        desk.links[-1].tamper = change

    def honest(self, desk: Desk) -> None:
        desk.links[-1].tamper = None

    def told(self, desk: Desk) -> str:
        return "\n".join(desk.screen.findings)


class Messages(BadServer):
    def test_one_bit(self) -> None:
        def change(frame: Frame) -> list[Frame]:
            if is_sealed(frame):
                sealed = frame["body"]["sealed"]
                cipher = bytearray(b64decode(sealed["ciphertext"]))
                cipher[len(cipher) // 2] ^= 1
                sealed["ciphertext"] = b64encode(cipher).decode()
            return [frame]

        self.does(self.bob, change)
        self.ann.types("message bob pay 1")
        self.assertEqual(self.sealed(self.bob), ["first", "second"])
        self.assertIn("altered on its way", self.told(self.bob))

    def test_words_of_its_own(self) -> None:
        def change(frame: Frame) -> list[Frame]:
            return [frame | {"body": {"text": "pay 1000"}}] if is_sealed(frame) else [frame]

        self.does(self.bob, change)
        self.ann.types("message bob pay 1")
        (forged,) = (row for row in self.bob.screen.rows if isinstance(row, Said) and isinstance(row.body, InTheClear))
        self.assertEqual(getattr(forged.body, "text", ""), "pay 1000")

    def test_another_senders_name(self) -> None:
        eve = self.enters("eve")
        eve.types("message bob hello")
        self.does(self.bob, lambda frame: [frame | {"from": "ann"}] if is_sealed(frame) else [frame])
        eve.types("message bob i am ann")
        self.assertNotIn("i am ann", self.sealed(self.bob))
        self.assertIn("did not write this", self.told(self.bob))

    def test_a_message_that_is_repeated(self) -> None:
        def change(frame: Frame) -> list[Frame]:
            if is_sealed(frame):
                self.seen.append(dict(frame))
                if len(self.seen) > 1:
                    return [frame | {"body": self.seen[0]["body"]}]
            return [frame]

        self.does(self.bob, change)
        self.ann.types("message bob pay 1")
        self.ann.types("message bob thanks")
        self.assertEqual(self.sealed(self.bob), ["first", "second", "pay 1"])
        self.assertIn("repeated an earlier message", self.told(self.bob))

    def test_a_message_that_is_moved_to_another_conversation(self) -> None:
        for desk in (self.ann, self.bob):
            desk.types("create ops" if desk is self.ann else "connect ops")
        self.ann.types("/room sealed on", room="ops")
        self.ann.types("in the room", room="ops")
        room: Frame = {}

        def change(frame: Frame) -> list[Frame]:
            if not is_sealed(frame):
                return [frame]
            if "room" in frame["conversation"]:
                room.update(frame)
                return [frame]
            return [frame | {"body": room["body"]}]

        self.does(self.bob, change)
        self.ann.types(WORDS, room="ops")
        self.ann.types("message bob harmless")
        self.assertIn("in another conversation", self.told(self.bob))
        self.assertEqual(self.sealed(self.bob).count(WORDS), 1)

    def test_a_message_that_is_left_out_shows_at_the_next_one(self) -> None:
        def change(frame: Frame) -> list[Frame]:
            if is_sealed(frame) and not self.seen:
                self.seen.append(frame)
                return [self.emptied(frame)]
            return [frame]

        self.does(self.bob, change)
        self.ann.types("message bob do not")
        self.assertEqual(self.told(self.bob).count("hiding"), 0)
        self.ann.types("message bob go ahead")
        self.assertIn("hiding", self.told(self.bob))

    def emptied(self, frame: Frame) -> Frame:
        """A row that says nothing, in the place of one that says something."""
        return {
            "type": "deleted",
            "msgid": frame["msgid"],
            "conversation": frame["conversation"],
            "from": "ann",
            "ref": 1,
            "of": "ann",
            "time": frame["time"],
        }

    def test_messages_in_another_order(self) -> None:
        held: list[Frame] = []

        def change(frame: Frame) -> list[Frame]:
            if not is_sealed(frame):
                return [frame]
            held.append(frame)
            if len(held) < 2:
                return []
            one, two = held
            return [one | {"body": two["body"]}, two | {"body": one["body"]}]

        self.does(self.bob, change)
        self.ann.types("message bob is it safe?")
        self.ann.types("message bob no")
        self.assertIn("not in the order", self.told(self.bob))

    def test_another_message_in_the_same_place_later(self) -> None:
        """What was shown once is not changed behind one's back."""
        self.ann.types("message bob pay 1")
        self.ann.types("message bob thanks")
        talk = self.bob.talk("ann", room=False)
        assert talk.conversation is not None

        def change(frame: Frame) -> list[Frame]:
            if frame["type"] == "history":
                rows = [each for each in frame["messages"] if is_sealed(each)]
                rows[-1]["body"], rows[-2]["body"] = rows[-2]["body"], rows[-1]["body"]
            return [frame]

        self.does(self.bob, change)
        page = self.run_link(self.bob.engine.ask("history", {"conversation": talk.conversation.reference, "limit": 10}))
        bodies = [row.body for row in page.entries]
        self.assertEqual([type(body) for body in bodies[-2:]], [Unopened, Unopened])

    def test_a_message_that_was_held_back_in_the_place_of_another_one_later(self) -> None:
        self.ann.types("message bob shall we?")
        held: list[Frame] = []

        def withhold(frame: Frame) -> list[Frame]:
            if not is_sealed(frame):
                return [frame]
            held.append(frame)
            return [self.emptied(frame)]

        self.does(self.bob, withhold)
        self.ann.types("message bob no, do not")

        def swap(frame: Frame) -> list[Frame]:
            for row in frame.get("messages", ()):
                if row["msgid"].endswith(".3"):
                    row["body"] = held[0]["body"]
            return [frame]

        self.does(self.bob, swap)
        talk = self.bob.talk("ann", room=False)
        assert talk.conversation is not None
        page = self.run_link(self.bob.engine.ask("history", {"conversation": talk.conversation.reference, "limit": 10}))
        third = next(row for row in page.entries if row.seq == 3)
        self.assertEqual(third.body.text, "The server replaced another message with this one of ann.")

    def test_an_edit_of_another_message(self) -> None:
        self.ann.types("message bob do you want to marry me?")
        self.ann.types("message bob do you want fish?")
        self.bob.types("message ann yes")

        def change(frame: Frame) -> list[Frame]:
            return [frame | {"ref": 3}] if frame["type"] == "edited" else [frame]

        self.does(self.bob, change)
        self.ann.types("/edit do you want meat?", person="bob")
        talk = self.bob.talk("ann", room=False)
        third = next(row for row in talk.rows if isinstance(row, Said) and row.seq == 3)
        body, _ = talk.body_of(third)
        self.assertIsInstance(body, Unopened)
        self.assertIn("at the wrong message", self.told(self.bob))


class KeysOfOthers(BadServer):
    def keys(self, user: str, change: Callable[[Frame], None]) -> Change:
        """Change what is shown of somebody's keys."""

        def changed(frame: Frame) -> list[Frame]:
            for person in frame.get("people", ()) if frame["type"] == "keys" else ():
                if person["user"] == user:
                    change(person)
            return [frame]

        return changed

    def forged(self, device: str, account_key: AccountKey | None = None) -> Frame:
        """A device of the server's own making, in the name of bob."""
        keys = OwnDevice("bob", device, account_key or AccountKey()).keys
        names = ("identity", "signing", "signature")
        return {
            "device": device,
            "keys": {name: b64encode(getattr(keys, name)).decode() for name in names},
        }

    def looks_again(self) -> None:
        self.sealing(self.ann).directory.all_stale()

    def last(self) -> tuple[Fate, str]:
        outgoing = self.ann.screen.outcomes[-1][0]
        return outgoing.fate, outgoing.why

    def test_a_ghost_device_is_shown_and_given_nothing(self) -> None:
        self.does(self.ann, self.keys("bob", lambda person: person["devices"].append(self.forged("ghost"))))
        self.looks_again()
        self.ann.types(f"message bob {WORDS}")
        self.assertIn("The server lists a device ghost of bob", self.told(self.ann))
        self.assertNotIn(b'"device":"ghost"', self.ann.links[-1].sent)
        self.assertEqual(self.sealed(self.bob)[-1], WORDS)

    def test_a_key_that_was_swapped_stops_everything_until_it_is_accepted(self) -> None:
        other = AccountKey()

        def swap(person: Frame) -> None:
            person["account_key"] = b64encode(other.public).decode()
            person["devices"] = [self.forged("desk", other)]

        self.does(self.ann, self.keys("bob", swap))
        self.looks_again()
        for _ in range(2):
            self.ann.types(f"message bob {WORDS}")
            fate, why = self.last()
            self.assertEqual(fate, Fate.REFUSED)
            self.assertIn("THE KEY OF bob HAS CHANGED", why)
        self.ann.types("!")
        self.assertEqual(len(self.sealed(self.bob)), 2)
        self.ann.types("accept bob")
        self.ann.types("message bob whoever you are")
        self.assertEqual(self.last()[0], Fate.KEPT)

    def test_keys_that_are_hidden_make_nobody_speak_in_the_clear(self) -> None:
        def hide(person: Frame) -> None:
            person["account_key"] = None
            person["devices"] = [{"device": "desk", "keys": None}]

        self.does(self.ann, self.keys("bob", hide))
        self.looks_again()
        self.ann.types(f"message bob {WORDS}")
        self.assertEqual(self.last()[0], Fate.REFUSED)
        self.assertNotIn(WORDS.encode(), self.recorded())

    def test_a_new_device_is_shown_before_the_next_word(self) -> None:
        bob_key = self.sealing(self.bob).ring
        assert bob_key is not None
        laptop = self.forged("laptop", bob_key.own.account_key)
        self.does(self.ann, self.keys("bob", lambda person: person["devices"].append(laptop)))
        self.looks_again()
        self.ann.types(f"message bob {WORDS}")
        self.assertEqual(self.last()[0], Fate.REFUSED)
        self.assertIn("bob has a new device, laptop", self.told(self.ann))
        self.ann.types("!")
        self.assertEqual(self.sealed(self.bob)[-1], WORDS)

    def test_ones_own_key_that_is_not_ones_own(self) -> None:
        self.ann.engine.close()
        again = self.desk(keys=self.folder / "ann")
        self.desks.append(again)
        other = b64encode(AccountKey().public).decode()
        dial = again.dial

        def bad(*both: Any) -> Any:
            client = dial(*both)
            self.does(again, self.keys("ann", lambda person: person.update(account_key=other)))
            return client

        again.engine._dial = bad
        self.run_link(again.engine.log_in("ann", PASSWORD))
        self.assertIn("ANOTHER KEY FOR YOUR ACCOUNT", self.told(again))
