"""What is sealed, as programs send it and as people on netcat see it."""

from __future__ import annotations

from base64 import b64encode

from chat.protocol.device_keys import INBOX_BYTES
from tests.server.frontends.server import Caller, ServerCase, SlowReads

CIPHERTEXT = b64encode(b"nothing but noise").decode()
SEALED = {"sealed": {"scheme": "megolm.v1", "key": "key-1", "ciphertext": CIPHERTEXT}}


def base64(letter: bytes, times: int) -> str:
    return b64encode(letter * times).decode()


DEVICE = {"identity": base64(b"i", 32), "signing": base64(b"s", 32), "signature": base64(b"v", 64)}
ONE_TIME = {"number": 1, "key": base64(b"k", 32), "signature": base64(b"S", 64)}


class Private(ServerCase):
    def test_a_sealed_message_goes_from_end_to_end_as_it_is(self) -> None:
        ann, bob = self.program("ann"), self.program("bob")
        self.quiet(ann)
        ann.asks("message", 1, user="bob", text=SEALED)
        self.assertEqual(ann.frame()["type"], "stored")
        frame = bob.frame()
        self.assertEqual(
            (frame["type"], frame["from"], frame["kind"], frame["body"]), ("said", "ann", "sealed", SEALED)
        )
        bob.asks("history", 2, where="ann")
        self.assertEqual(bob.frame()["messages"][0]["body"], SEALED)

    def test_netcat_is_told_that_there_was_one(self) -> None:
        ann, bob = self.program("ann"), self.person("bob")
        ann.asks("message", 1, user="bob", text=SEALED)
        self.assertEqual(bob.sees(), ["ann (private): (encrypted: this client cannot read it)"])

    def test_search_knows_nothing_of_it(self) -> None:
        ann = self.program("ann")
        ann.asks("message", 1, user="ann", text=SEALED)
        self.server.advance(60)
        ann.wire.clear()
        ann.asks("search", 2, words="noise")
        self.assertEqual(ann.frame()["messages"], [])


class Rooms(ServerCase):
    def room(self) -> tuple[Caller, Caller]:
        """Ann with a program and Bob with netcat, in a room that Ann has sealed."""
        ann = self.program("ann")
        ann.asks("create", 1, room="ops")
        bob = self.person("bob", "ops")
        ann.asks("room", 2, room="ops", setting="sealed", value="on")
        self.assertEqual(
            bob.sees(), ["* ann encrypted ops: from now on only clients that hold its keys can read and write there."]
        )
        self.quiet(ann, bob)
        return ann, bob

    def test_netcat_cannot_speak_there(self) -> None:
        ann, bob = self.room()
        for line in ("hello", "/me waves"):
            bob.types(line)
            self.assertEqual(
                bob.sees(), ["! ops is encrypted: only clients that hold its keys can write there. Nothing was sent."]
            )
        self.assertEqual(ann.frames(), [])
        ann.asks("say", 3, room="ops", text=SEALED)
        self.assertEqual(bob.sees(), ["ann: (encrypted: this client cannot read it)"])

    def test_netcat_is_told_before_it_enters(self) -> None:
        self.room()
        eve = self.person("eve")
        eve.types("connect ops")
        self.assertEqual(
            eve.sees(),
            [
                "! ops is encrypted: you can neither read nor write there with this client."
                " To enter anyway: connect ops sealed"
            ],
        )
        eve.types("connect ops sealed")
        self.assertIn("* ops is encrypted: you can neither read nor write there with this client.", eve.sees())

    def test_it_stays_sealed(self) -> None:
        ann = self.person("ann", "lobby")
        ann.types("/create ops", "/room sealed on")
        ann.wire.clear()
        ann.types("/room sealed off", "/room sealed on", "/room sealed maybe")
        self.assertEqual(
            ann.sees(),
            [
                "! An encrypted room stays encrypted. Create another one: create ROOM",
                "! Nothing to change.",
                "! Usage: /room sealed on",
            ],
        )


class Keys(ServerCase):
    """The commands on the wire, from publishing to an acknowledged letter."""

    def test_from_one_end_to_the_other(self) -> None:
        ann, bob = self.program("ann"), self.program("bob")
        self.quiet(ann)
        bob.asks("keys.publish", 1, account=base64(b"a", 32), device=DEVICE, one_time=[ONE_TIME])
        self.assertEqual(bob.frame(), {"type": "keys-left", "id": 1, "one_time": 1, "fallback_used": True})
        ann.asks("keys.of", 2, users=["bob"])
        devices = [{"device": "default", "keys": DEVICE}]
        person = {"user": "bob", "account_key": base64(b"a", 32), "devices": devices}
        self.assertEqual(ann.frame(), {"type": "keys", "id": 2, "people": [person]})
        ann.asks("keys.claim", 3, devices=[{"user": "bob", "device": "default"}])
        claimed = {"user": "bob", "device": "default"} | ONE_TIME
        self.assertEqual(ann.frame(), {"type": "claimed", "id": 3, "keys": [claimed]})
        self.assertEqual(bob.frame(), {"type": "keys-left", "one_time": 0, "fallback_used": True})
        ann.asks("inbox.send", 4, letters=[{"user": "bob", "device": "default", "body": CIPHERTEXT}])
        self.assertEqual(ann.frame(), {"type": "letters-kept", "id": 4})
        letter = bob.frame()
        self.assertEqual((letter["type"], letter["from"], letter["body"]), ("letter", "ann", CIPHERTEXT))
        self.assertNotIn("id", letter)
        del letter["type"]
        bob.asks("inbox.read", 5)
        self.assertEqual(bob.frame(), {"type": "inbox", "id": 5, "letters": [letter], "more": False})
        bob.asks("inbox.acknowledge", 6, upto=letter["number"])
        bob.asks("inbox.read", 7)
        self.assertEqual([frame.get("letters") for frame in bob.frames()], [None, []])

    def test_a_letter_comes_before_what_was_said_after_it(self) -> None:
        """Its key opens what follows, also where both were sent without waiting."""
        ann, bob = self.program("ann"), self.program("bob")
        self.quiet(ann)
        bob.asks("keys.publish", 1, device=DEVICE)
        bob.wire.clear()
        self.server.store.hold()
        ann.asks("inbox.send", 2, letters=[{"user": "bob", "device": "default", "body": CIPHERTEXT}])
        ann.asks("message", 3, user="bob", text=SEALED)
        self.server.store.release()
        self.assertEqual([frame["type"] for frame in bob.frames()], ["letter", "said"])

    def test_a_letter_that_comes_while_one_resumes_is_not_lost_nor_late(self) -> None:
        ann = self.program("ann")
        bob = self.program("bob", resume=False)
        bob.asks("keys.publish", 1, device=DEVICE)
        bob.wire.clear()
        waiting = SlowReads(self.server.store, "waiting")
        bob.asks("resume", 2)
        ann.asks("inbox.send", 3, letters=[{"user": "bob", "device": "default", "body": CIPHERTEXT}])
        ann.asks("message", 4, user="bob", text=SEALED)
        waiting.release()
        kinds = [frame["type"] for frame in bob.frames()]
        self.assertLess(kinds.index("letter"), kinds.index("said"))
        self.assertIn("resumed", kinds)

    def test_what_does_not_fit_is_refused(self) -> None:
        ann = self.program("ann")
        letter = {"user": "ann", "device": "default"}
        for cmd, args, part in (
            ("keys.publish", {"account": base64(b"a", 31)}, "32 bytes"),
            ("keys.publish", {"account": "!!!!"}, "base64"),
            ("keys.publish", {"account": 7}, "base64"),
            ("keys.publish", {"device": "phone"}, "object"),
            ("keys.publish", {"device": DEVICE | {"identity": base64(b"i", 33)}}, "32 bytes"),
            ("keys.publish", {"device": DEVICE | {"signature": base64(b"i", 63)}}, "64 bytes"),
            ("keys.publish", {"one_time": [ONE_TIME] * 101}, "at most 100"),
            ("keys.publish", {"one_time": [ONE_TIME | {"number": 0}]}, "from 1"),
            ("keys.publish", {"fallback": ONE_TIME | {"number": "1"}}, "number"),
            ("keys.publish", {"fallback": ONE_TIME | {"key": None}}, "base64"),
            ("keys.of", {}, "needs users"),
            ("keys.of", {"users": ["bob"] * 101}, "at most 100"),
            ("keys.of", {"users": [7]}, "name"),
            ("keys.claim", {"devices": [{"user": "bob", "device": "a b"}]}, "device name"),
            ("keys.claim", {"devices": [{"user": "bob"}] * 101}, "at most 100"),
            ("inbox.send", {"letters": [letter]}, "base64"),
            ("inbox.send", {"letters": [letter | {"body": ""}]}, "1 to"),
            ("inbox.send", {"letters": [letter | {"body": base64(b"x", INBOX_BYTES + 1)}]}, "1 to"),
            ("inbox.read", {"limit": 101}, "number"),
            ("inbox.acknowledge", {"upto": -1}, "number"),
        ):
            ann.asks(cmd, 9, **args)
            frame = ann.frame()
            self.assertEqual((frame.get("code"), frame["id"]), ("bad-usage", 9), (cmd, args, frame))
            self.assertIn(part, frame["text"])

    def test_nobody_types_them(self) -> None:
        ann = self.person("ann")
        ann.types("keys.publish")
        self.assertIn("!", ann.gets())
