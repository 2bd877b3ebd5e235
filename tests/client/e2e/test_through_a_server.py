"""Two programs that seal what they say, a whole server between them, and somebody who records every byte."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from chat.client.model.failures import NotYetShown
from chat.protocol.device_keys import DeviceKeys, NumberedKey, Publication
from chat.protocol.events import (
    ClaimedKeys,
    Event,
    Inbox,
    Keys,
    KeysChanged,
    KeysLeft,
    Letter,
    LettersKept,
    Reply,
    Said,
    StoredAs,
)
from chat.protocol.values import Conversation, Sealed
from chat.protocol.wire.jsonlines import parse
from tests.client.e2e.crypto_people import Person
from tests.server.frontends.server import PASSWORD, Caller, ServerCase

WORDS = "the launch code is on the fridge"


def base64(value: bytes) -> str:
    return b64encode(value).decode()


def device_keys(keys: DeviceKeys) -> dict[str, str]:
    signature = {"signature": base64(keys.signature)} if keys.signature else {}
    return {"identity": base64(keys.identity), "signing": base64(keys.signing)} | signature


def numbered(key: NumberedKey) -> dict[str, object]:
    return {"number": key.number, "key": base64(key.key), "signature": base64(key.signature)}


def spelled(publication: Publication) -> dict[str, object]:
    """A publication as the arguments of its command."""
    assert publication.account_key is not None and publication.device is not None
    args: dict[str, object] = {
        "account": base64(publication.account_key),
        "device": device_keys(publication.device),
        "one_time": [numbered(each) for each in publication.one_time],
    }
    return args | ({"fallback": numbered(publication.fallback)} if publication.fallback is not None else {})


def _in_base64(words: str) -> list[bytes]:
    """How words look in base 64, wherever they begin."""
    return [b64encode(b"." * shift + words.encode())[4:-4] for shift in range(3)]


class Program(Person):
    """A device that talks to the server; what goes over its wire is recorded."""

    def __init__(self, server: ServerCase, name: str, device: str) -> None:
        super().__init__(name, device)
        self.events: list[Event] = []
        self.recorded = b""
        self._server = server
        self._caller: Caller = server.call("json")
        known = server.server.chat.directory.account(name) is not None
        self.asks("login" if known else "new", user=name, password=PASSWORD, device=device)
        self.asks("resume")

    def asks(self, cmd: str, **args: object) -> Reply:
        """Send a request and take its reply; what else has come is an event."""
        self.recorded += json.dumps(args).encode()
        self._caller.asks(cmd, 1, None, **args)
        reply: Reply = next(shown for shown, id in self.hears() if id == 1)
        return reply

    def hears(self) -> list[tuple[Any, object]]:
        self._server.server.settle()
        came = self._caller.wire.value()
        self._caller.wire.clear()
        self.recorded += came
        frames: list[tuple[Any, object]] = [parse(line) for line in came.splitlines()]
        self.events += [shown for shown, id in frames if id is None]
        return frames

    def told(self, kind: type[Any]) -> list[Any]:
        self.hears()
        return [event for event in self.events if isinstance(event, kind)]

    def publishes(self) -> None:
        reply = self.asks("keys.publish", **spelled(self.own.publication()))
        assert isinstance(reply, KeysLeft), reply
        self.own.published()

    def looks_at(self, *users: str) -> list[str]:
        keys = self.asks("keys.of", users=list(users))
        assert isinstance(keys, Keys), keys
        return [each.change.value for person in keys.people for each in self.pins.look(person)]

    def says(self, where: Conversation, people: tuple[str, ...], text: str) -> StoredAs:
        """Give the key to whom it is missing, and say something."""
        for letter in self.conversations.keys_to_send(where, people, 0):
            keys = self.pins.device(letter.user, letter.device)
            assert keys is not None
            to = {"user": letter.user, "device": letter.device}
            if not self.letters.knows(keys):
                claimed = self.asks("keys.claim", devices=[to])
                assert isinstance(claimed, ClaimedKeys), claimed
                self.letters.begin(keys, claimed.keys[0])
            body = self.letters.seal(letter.user, letter.device, keys, letter.content)
            kept = self.asks("inbox.send", letters=[to | {"body": base64(body)}])
            assert kept == LettersKept(), kept
            self.conversations.sent(where, letter, keys.identity)
        sealed = self.conversations.seal(where, text)
        body_json = {"scheme": sealed.scheme, "key": sealed.key, "ciphertext": base64(sealed.ciphertext)}
        to_whom = {"room": where.room} if where.room else {"user": where.partner}
        stored = self.asks("say" if where.room else "message", text={"sealed": body_json}, **to_whom)
        assert isinstance(stored, StoredAs), stored
        self.conversations.stored(where, stored.seq, sealed)
        return stored

    def takes_keys(self, letters: tuple[Letter, ...]) -> None:
        for letter in letters:
            self.looks_at(letter.author)
            keys = self.pins.device(letter.author, letter.device)
            assert keys is not None
            content = self.letters.open(letter.author, letter.device, keys, letter.body)
            self.conversations.take_key(letter.author, letter.device, content)
            self.asks("inbox.acknowledge", upto=letter.number)

    def reads(self, said: Said) -> str:
        assert isinstance(said.body, Sealed)
        opened = self.conversations.open(said.conversation, said.seq, said.author, said.device, said.body)
        assert opened.doubts == (), opened.doubts
        return opened.envelope.text


class ThroughAServer(ServerCase):
    settings = {"sessions": "many"}  # noqa: RUF012  # read only

    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob = Program(self, "ann", "desk"), Program(self, "bob", "phone")
        for each in (self.ann, self.bob):
            each.own.published()
            each.publishes()

    def nobody_has_the_words(self) -> None:
        """Neither whoever records every byte, nor whoever has the server's disk."""
        assert self.server.store._connection is not None
        kept = "".join(self.server.store._connection.iterdump()).encode()
        seen = self.ann.recorded + self.bob.recorded + kept
        self.assertGreater(len(seen), 10_000)
        for words in (WORDS.encode(), WORDS.encode().hex().encode(), *_in_base64(WORDS)):
            self.assertFalse(words.lower() in seen.lower(), words)

    def test_a_private_conversation_begins_while_the_other_one_is_away(self) -> None:
        away, self.bob._caller = self.bob._caller, self.call("json")
        away.hangs_up()
        self.assertEqual(self.ann.looks_at("ann", "bob"), [])
        to_bob = Conversation(1, partner="bob")
        self.ann.conversations.welcome(to_bob, ("ann", "bob"))
        stored = self.ann.says(to_bob, ("ann", "bob"), WORDS)
        self.assertEqual(stored.seq, 1)
        self.bob.asks("login", user="bob", password=PASSWORD, device="phone")
        self.bob.asks("resume")
        inbox = self.bob.asks("inbox.read")
        assert isinstance(inbox, Inbox)
        self.bob.takes_keys(inbox.letters)
        history: Any = self.bob.asks("history", where="ann")
        self.assertEqual([self.bob.reads(each) for each in history.entries], [WORDS])
        self.nobody_has_the_words()

    def test_a_sealed_room(self) -> None:
        people = ("ann", "bob")
        entered: Any = self.ann.asks("create", room="ops")
        ops = entered.conversation
        self.ann.asks("room", room="ops", setting="sealed", value="on")
        entered = self.bob.asks("connect", room="ops")
        self.assertTrue(entered.sealed)
        for each in (self.ann, self.bob):
            each.looks_at(*people)
            each.conversations.welcome(ops, people)
        self.ann.says(ops, people, WORDS)
        self.bob.takes_keys(tuple(self.bob.told(Letter)))
        self.assertEqual([self.bob.reads(each) for each in self.bob.told(Said)], [WORDS])
        self.bob.says(ops, people, "understood")
        self.ann.takes_keys(tuple(self.ann.told(Letter)))
        self.assertEqual([self.ann.reads(each) for each in self.ann.told(Said)], ["understood"])
        self.nobody_has_the_words()

    def test_another_device_is_shown_before_the_next_word(self) -> None:
        to_bob = Conversation(1, partner="bob")
        people = ("ann", "bob")
        self.ann.looks_at(*people)
        self.ann.conversations.welcome(to_bob, people)
        self.ann.says(to_bob, people, "hello")
        laptop = Program(self, "bob", "laptop")
        laptop.own.account_key = self.bob.own.account_key
        laptop.own.published()
        laptop.publishes()
        self.assertEqual(self.ann.told(KeysChanged), [KeysChanged("bob")])
        self.assertEqual(self.ann.looks_at("bob"), ["new-device"])
        with self.assertRaises(NotYetShown):
            self.ann.says(to_bob, people, "a secret")
        self.ann.pins.accept("bob")
        self.ann.says(to_bob, people, "hello both")
        laptop.conversations.welcome(Conversation(1, partner="ann"), people)
        laptop.takes_keys(tuple(laptop.told(Letter)))
        self.assertEqual([laptop.reads(each) for each in laptop.told(Said)], ["hello both"])
