"""Megolm sessions of conversations: who has which key, encryption and decryption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from vodozemac import ExportedSessionKey, GroupSession, InboundGroupSession, MegolmMessage, SessionKey

from chat.client.e2e.device import INSIDE, OwnDevice
from chat.client.e2e.payload import MOST_TEXT, Payload, digest_of, place
from chat.client.e2e.transcript import Doubt, Transcript
from chat.client.e2e.trust_store import TrustStore
from chat.client.model.failures import ClientFailure, KeyMissing, NotGenuine, NotYetShown
from chat.protocol.names import fold
from chat.protocol.values import Conversation, Sealed

SCHEME: Final = "megolm.v1"

MOST_MESSAGES: Final = 100
"""Messages under one key."""

LONGEST: Final = 7 * 24 * 3_600
"""Seconds that one key is used."""

AHEAD: Final = 32
"""Messages that a key is kept ahead of itself: so many are sealed between two savings of it, and after a crash the key
goes on behind all of them, as nobody knows how many were sent."""

Reader = tuple[str, str, bytes]
"""A folded name, a device and its identity key."""


@dataclass(slots=True)
class _Own:
    """The key that this device seals one conversation with.

    :param given: who has it.
    :param since: when it was made, seconds since the epoch.
    :param kept: the index from which on it would go on after a crash.
    :param ready: for which people, at which `TrustStore.version`, everybody has it who is to have it.
    """

    session: GroupSession
    since: float
    given: set[Reader] = field(default_factory=set)
    kept: int = 0
    ready: tuple[tuple[str, ...], int] | None = None

    def is_stale(self, now: float) -> bool:
        """Whether it is time for another one."""
        return self.session.message_index >= MOST_MESSAGES or now - self.since >= LONGEST


@dataclass(slots=True)
class _Given:
    """A key that somebody has given to this device: whose it is, and which of its messages stands at which seq."""

    session: InboundGroupSession
    author: str
    device: str
    opened: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeyMessage:
    """A key on its way to a device: to be sealed by `chat.client.e2e.olm.OlmSessions`."""

    user: str
    device: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decrypted:
    """A message that is genuine.

    :param doubts: what it shows to be wrong with what came before it.
    """

    envelope: Payload
    doubts: tuple[Doubt, ...]


class Conversations:
    """All that this device seals and opens."""

    def __init__(self, own: OwnDevice, pins: TrustStore) -> None:
        self._device = own
        self._pins = pins
        self._own: dict[str, _Own] = {}
        self._given: dict[tuple[str, str, str], _Given] = {}
        self._chains: dict[str, Transcript] = {}
        self._counts: dict[str, int] = {}
        self._people: dict[str, set[str]] = {}
        self._dirty: set[tuple[str, ...]] = set()

    # sealing

    def newcomers(self, conversation: Conversation, people: tuple[str, ...]) -> tuple[str, ...]:
        """Who the server says is in a conversation, and has not been shown here yet."""
        known = self._people.get(place(conversation, self._device.user), set())
        return tuple(user for user in people if fold(user) not in known)

    def welcome(self, conversation: Conversation, people: tuple[str, ...]) -> None:
        """The person here has seen that these people are in a conversation, and nobody else."""
        if conversation.partner and {*map(fold, people)} != {fold(self._device.user), fold(conversation.partner)}:
            raise NotGenuine(
                f"The server claims that more than two people are in a private conversation: {', '.join(people)}."
            )
        where = place(conversation, self._device.user)
        if self._people.get(where) != set(map(fold, people)):
            self._people[where] = set(map(fold, people))
            self._dirty.add(("people", where))

    def is_ready(self, conversation: Conversation, people: tuple[str, ...], now: float) -> bool:
        """Whether the next word can be sealed at once: nothing has changed since `keys_to_send` had nothing to send."""
        own = self._own.get(place(conversation, self._device.user))
        return own is not None and own.ready == (people, self._pins.version) and not own.is_stale(now)

    def keys_to_send(self, conversation: Conversation, people: tuple[str, ...], now: float) -> list[KeyMessage]:
        """What has to be in the inboxes before the next word is sealed; makes another key where it is time for one.

        :param people: everybody in the conversation, whoever is here included.
        :param now: seconds since the epoch.
        :raises NotYetShown: when somebody's keys have changed, or somebody has come, and nobody has seen that.
        """
        where = place(conversation, self._device.user)
        if newcomers := self.newcomers(conversation, people):
            raise NotYetShown(f"{', '.join(newcomers)} could read this as well. Check that before you send it.")
        readers: dict[Reader, tuple[str, str]] = {}
        for user in people:
            for device, keys in self._pins.devices_to_seal_for(user).items():
                readers[fold(user), device, keys.identity] = (user, device)
        readers.pop((fold(self._device.user), self._device.name, self._device.keys.identity), None)
        own = self._own.get(where)
        if own is None or own.is_stale(now) or own.given - readers.keys():
            own = self._own[where] = _Own(GroupSession(), now)
            user, device = fold(self._device.user), self._device.name
            inbound = InboundGroupSession(own.session.session_key)
            self._keep_given((user, device, own.session.session_id), inbound)
        # Who comes later reads from now on: the key is handed over as far as it has been turned.
        content = {"type": "key", "key": own.session.session_key.to_base64()}
        letters = [KeyMessage(*readers[each], content) for each in readers if each not in own.given]
        own.ready = None if letters else (people, self._pins.version)
        return letters

    def sent(self, conversation: Conversation, letter: KeyMessage, identity: bytes) -> None:
        """A key lies in the inbox of its device, on disk."""
        where = place(conversation, self._device.user)
        self._own[where].given.add((fold(letter.user), letter.device, identity))
        self._dirty.add(("own", where))

    def hand_over_again(self) -> None:
        """Letters that were not taken may be lost: everybody gets the key of now once more, before the next word."""
        for where, own in self._own.items():
            own.given.clear()
            own.ready = None
            self._dirty.add(("own", where))

    def seal(self, conversation: Conversation, text: str, *, action: bool = False, ref: int = 0) -> Sealed:
        """Seal what somebody here says; where `unsafe` says so, save before it is sent.

        :raises ClientFailure: when it is too long, or no key was made (`keys_to_send`).
        """
        if len(text.encode()) > MOST_TEXT:
            raise ClientFailure(f"This message is too long. An encrypted message has at most {MOST_TEXT:,} bytes.")
        where = place(conversation, self._device.user)
        own = self._own.get(where)
        if own is None:
            raise ClientFailure("There is no key for this conversation yet.")
        author, chain = fold(self._device.user), self._chain(where, 1)
        after, digest = chain.last
        count = self._counts.get(where, chain.count((author, self._device.name))) + 1
        self._counts[where] = count
        envelope = Payload(author, self._device.name, where, count, after, digest, text, action, ref)
        return Sealed(SCHEME, own.session.session_id, own.session.encrypt(envelope.encode()).to_bytes())

    def unsafe(self, conversation: Conversation) -> bool:
        """Whether the key that was sealed with last has to be saved before that is sent: after a crash it could seal
        something else in the same place."""
        where = place(conversation, self._device.user)
        own = self._own[where]
        if own.session.message_index > own.kept:
            self._dirty.add(("own", where))
            return True
        return False

    def take_back(self, conversation: Conversation) -> None:
        """The server refused what was sealed last: it stands in no log."""
        self._counts[place(conversation, self._device.user)] -= 1

    def stored(self, conversation: Conversation, seq: int, sealed: Sealed) -> Decrypted:
        """What was sealed here stands in the log now."""
        return self.open(conversation, seq, self._device.user, self._device.name, sealed)

    # opening

    def take_key(self, author: str, device: str, content: Mapping[str, Any]) -> None:
        """A key came in a letter that was genuine; save before the letter is acknowledged.

        :param author: whose device gave it: a key opens what that very device has said, and nothing else.
        :raises NotGenuine: when it is none.
        """
        try:
            session = InboundGroupSession(SessionKey(str(content.get("key"))))
        except ValueError:
            raise NotGenuine(f"{author}@{device} sent an invalid key.") from None
        # The first one stays: a key that comes again opens no less, and forgets nothing of what was opened.
        whose = fold(author), device, session.session_id
        if whose not in self._given:
            self._keep_given(whose, session)

    def _keep_given(self, whose: tuple[str, str, str], session: InboundGroupSession) -> None:
        self._given[whose] = _Given(session, whose[0], whose[1])
        self._dirty |= {("given", *whose), ("opened", *whose)}

    def end(self, conversation: Conversation) -> int | None:
        """The seq of the last row that was shown of a conversation, or nothing."""
        chain = self._chains.get(place(conversation, self._device.user))
        return None if chain is None else chain.end

    def begin(self, conversation: Conversation, first: int) -> None:
        """From which seq on the rows of a conversation are going to be shown, without gaps. Where that is later than
        what was shown before, nothing is claimed of what lies between."""
        where = place(conversation, self._device.user)
        chain = self._chain(where, first)
        if first > chain.end + 1:
            chain.skip_to(first, (fold(self._device.user), self._device.name))
            self._dirty.add(("chain", where))

    def partners(self) -> list[str]:
        """Whom there was anything private with: folded names, in order."""
        own = fold(self._device.user)
        pairs = [where.split(" ")[1:] for where in self._chains if where.startswith("with ")]
        return sorted(one if other == own else other for one, other in pairs)

    def put_back(self, conversation: Conversation, last: int) -> int:
        """See `Transcript.put_back`. What was opened stays bound to its place: nowhere else does it open again."""
        where = place(conversation, self._device.user)
        chain = self._chains.get(where)
        lost = 0 if chain is None else chain.put_back(last)
        if lost:
            self._dirty.add(("chain", where))
        return lost

    def forget(self, user: str) -> None:
        """Somebody's new keys were accepted: they count anew."""
        for where, chain in self._chains.items():
            chain.forget(fold(user))
            self._dirty.add(("chain", where))

    def pass_over(self, conversation: Conversation, seq: int, unseen: bool = False) -> None:
        """See `Transcript.pass_over`."""
        where = place(conversation, self._device.user)
        self._chain(where, seq).pass_over(seq, unseen)
        self._dirty.add(("chain", where))

    def open(self, conversation: Conversation, seq: int, author: str, device: str, sealed: Sealed) -> Decrypted:
        """Open a message, in the order of the seqs; again it opens as well, at the same place.

        :param author: and the device: as the server says.
        :raises KeyMissing: when this device has no key for it.
        :raises NotGenuine: when it was changed, moved from another conversation or another place, or when it is
            somebody else's.
        """
        where = place(conversation, self._device.user)
        chain = self._chain(where, seq)
        self._dirty.add(("chain", where))
        digest = digest_of(where, author, device, sealed)
        try:
            envelope, index, given = self._open(where, author, device, sealed)
        except ClientFailure:
            chain.add(seq, digest, (fold(author), device), None)
            raise
        at = given.opened.get(index)
        if at == seq <= chain.end:
            return Decrypted(envelope, ())
        if at not in (None, seq):
            chain.add(seq, digest, (fold(author), device), None)
            raise NotGenuine(f"Somebody else has repeated an earlier message of {author} here.")
        self._remember(given, index, seq)
        return Decrypted(envelope, chain.add(seq, digest, (fold(author), device), envelope))

    def reopen(self, conversation: Conversation, seq: int, author: str, device: str, sealed: Sealed) -> Payload:
        """Open a message of the past, in any order: one that was shown before, or lies before all that was.

        :raises KeyMissing, NotGenuine: as `open`; also when something else was shown at that place before.
        """
        where = place(conversation, self._device.user)
        envelope, index, given = self._open(where, author, device, sealed)
        chain = self._chains.get(where)
        before = None if chain is None else chain.digest(seq)
        if before not in (None, digest_of(where, author, device, sealed)):
            raise NotGenuine(f"The server replaced another message with this one of {author}.")
        if given.opened.get(index, seq) != seq:
            raise NotGenuine(f"Somebody else has repeated an earlier message of {author} here.")
        if index not in given.opened:
            self._remember(given, index, seq)
        return envelope

    def _remember(self, given: _Given, index: int, seq: int) -> None:
        given.opened[index] = seq
        self._dirty.add(("opened", given.author, given.device, given.session.session_id))

    def _open(self, where: str, author: str, device: str, sealed: Sealed) -> tuple[Payload, int, _Given]:
        given = self._given.get((fold(author), device, sealed.key))
        if sealed.scheme != SCHEME or given is None:
            if any(id == sealed.key for _, _, id in self._given):
                raise NotGenuine(f"{author}@{device} did not write this.")
            raise KeyMissing("This device has no key for this message.")
        try:
            message = MegolmMessage.from_bytes(sealed.ciphertext)
            if message.message_index() < given.session.first_known_index:
                raise KeyMissing("This message was sent before this device got the key.")
            opened = given.session.decrypt(message)
        except ValueError:
            raise NotGenuine(f"This message of {author} was altered on its way.") from None
        envelope = Payload.decode(opened.plaintext)
        if (envelope.author, envelope.device, envelope.place) != (given.author, given.device, where):
            raise NotGenuine(f"This message was written in another conversation, or not by {author}.")
        return envelope, opened.message_index, given

    def _chain(self, where: str, first: int) -> Transcript:
        return self._chains.setdefault(where, Transcript(first))

    # keeping

    def changed(self, leaving: bool = False) -> dict[str, Any]:
        """See `chat.client.e2e.device.OwnDevice.changed`.

        :param leaving: whether nothing more is going to be sealed: then the keys go on exactly where they are.
        """
        if leaving:
            self._dirty.update(("own", where) for where in self._own)
        names, self._dirty = self._dirty, set()
        return {" ".join(name): self._dump(name[0], name[1:], leaving) for name in names}

    def _dump(self, kind: str, which: tuple[str, ...], leaving: bool) -> Any:
        if kind == "own":
            own = self._own[which[0]]
            own.kept = own.session.message_index + (0 if leaving else AHEAD)
            readers = [[user, device, identity.hex()] for user, device, identity in sorted(own.given)]
            return [own.session.pickle(INSIDE), own.since, readers, own.kept]
        if kind == "chain":
            return self._chains[which[0]].dump()
        if kind == "people":
            return sorted(self._people[which[0]])
        given = self._given[which[0], which[1], which[2]]
        return given.session.pickle(INSIDE) if kind == "given" else list(given.opened.items())

    @classmethod
    def restore(cls, own: OwnDevice, pins: TrustStore, records: Mapping[str, Any]) -> Conversations:
        """From the records that `changed` gave, the latest of each name."""
        here = cls(own, pins)
        for name, kept in records.items():
            kind, _, which = name.partition(" ")
            if kind == "own":
                here._own[which] = _restore_own(*kept)
            elif kind == "given":
                author, device, id = which.split(" ")
                session = InboundGroupSession.from_pickle(kept, INSIDE)
                here._given[author, device, id] = _Given(session, author, device, dict(records[f"opened {which}"]))
            elif kind == "chain":
                here._chains[which] = Transcript.restore(kept)
            elif kind == "people":
                here._people[which] = set(kept)
        return here

    # other devices of the same person

    def keys(self) -> list[tuple[str, str, str]]:
        """What this device can open, for another device of its owner: whose it is, of which device, and the key."""
        found = []
        for (author, device, _), given in self._given.items():
            key = given.session.export_at(given.session.first_known_index)
            if key is not None:
                found.append((author, device, key.to_base64()))
        return found

    def take_old_key(self, author: str, device: str, key: str) -> None:
        """Take what `keys` gave on another device of the same owner.

        :raises NotGenuine: when it is none.
        """
        try:
            session = InboundGroupSession.import_session(ExportedSessionKey(key))
        except ValueError:
            raise NotGenuine("An imported key is not valid.") from None
        whose = fold(author), device, session.session_id
        if whose not in self._given:
            self._keep_given(whose, session)


def _restore_own(pickle: str, since: float, readers: list[tuple[str, str, str]], kept: int) -> _Own:
    session = GroupSession.from_pickle(pickle, INSIDE)
    while session.message_index < kept:
        session.encrypt(b"")
    return _Own(session, since, {(user, device, bytes.fromhex(identity)) for user, device, identity in readers}, kept)
