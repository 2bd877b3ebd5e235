"""Published keys: who may have whose, how many of them, and who is told that somebody has others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chat.protocol.device_keys import HandedOut, Publication, Wanted
from chat.protocol.events import ClaimedKey, Keys, KeysChanged, KeysLeft, PublishedDevice, PublishedKeys
from chat.protocol.values import Account
from chat.server.core.node import Node
from chat.server.core.rate_limit import BucketRegistry, TokenBucket
from chat.server.core.rooms import account_of
from chat.server.core.user import ChatUser, Session
from chat.server.interfaces import Ephemeral, IBus, Published

LATELY = 30 * 24 * 3_600_000
"""Milliseconds for which a device without keys is named: its owner may still read there."""

TAKEN_AT_ONCE = 10
"""One-time keys of one device that one account may take at once; beyond, and for one more each `TAKEN_EVERY`, there is
the fallback key, so that nobody uses up what is there for everybody."""

TAKEN_EVERY = 600.0
"""Seconds."""

MOST_COUNTED = 20_000
"""Takers and devices that are counted; beyond it the pair that was counted longest ago is forgotten."""

_EVERYONE = ("node", 0)
_CHANGED, _LEFT = "keys-changed", "keys-left"
"""The names of what the bus carries to everybody, and to the account whose keys were handed out."""


class KeyDirectory:
    """The published keys of everybody."""

    def __init__(self, node: Node, bus: IBus) -> None:
        self._node = node
        self._bus = bus
        self._taken: BucketRegistry[tuple[int, int, str]] = BucketRegistry(
            lambda: TokenBucket(1 / TAKEN_EVERY, TAKEN_AT_ONCE), MOST_COUNTED
        )
        self._bus.subscribe(_EVERYONE, self._follow_everyone)

    async def publish(self, session: Session, publication: Publication) -> KeysLeft:
        """Keep what the device of a session publishes; see `chat.server.interfaces.IKeyStore.publish_keys`.

        :raises DiskFull: below the floor of free disk.
        """
        node, account = self._node, account_of(session)
        now = node.now()
        node.may_say(account, now)
        supply = await node.store.publish_keys(account, session.device, publication, now)
        if publication.told:
            self.changed(account, session)
        return KeysLeft(supply.one_time, supply.fallback_used)

    async def of(self, session: Session, names: Iterable[str]) -> Keys:
        """What these people have published."""
        node = self._node
        people = self.reachable(session, names)
        found = await node.store.keys_of([each.id for each in people], node.now() - LATELY)
        shown = (
            PublishedKeys(
                person.name.shown,
                keys.account_key,
                tuple(PublishedDevice(device, each) for device, each in keys.devices),
            )
            for person, keys in zip(people, found, strict=True)
        )
        return Keys(tuple(shown))

    async def claim(self, session: Session, devices: Sequence[tuple[str, str]]) -> tuple[ClaimedKey, ...]:
        """Take one key of each of these devices.

        :param devices: names of people and of devices of theirs, each once.
        """
        node, taker = self._node, account_of(session)
        people = {each.name.folded: each for each in self.reachable(session, [user for user, _ in devices])}
        wanted: dict[tuple[int, str], Wanted] = {}
        for user, device in devices:
            person = node.directory.account(user)
            if person is not None and person.name.folded in people and (person.id, device) not in wanted:
                wanted[person.id, device] = Wanted(person.id, device, self._may_take(taker, person.id, device))
        handed_out = await node.store.claim_keys(tuple(wanted.values()))
        for each in handed_out:
            self._tell_owner(each)
        return tuple(
            ClaimedKey(
                node.directory.name_of(each.account),
                each.device,
                each.key.number,
                each.key.key,
                each.key.signature,
                each.fallback,
            )
            for each in handed_out
        )

    def reachable(self, session: Session, names: Iterable[str]) -> list[Account]:
        """Those of these people to whom the session's account may write, each once."""
        directory, asker = self._node.directory, account_of(session)
        found = {person.id: person for name in names if (person := directory.account(name)) is not None}
        return [person for person in found.values() if not directory.blocks(person.id, asker)]

    def _may_take(self, taker: int, account: int, device: str) -> bool:
        """Whether it may still be a one-time key."""
        when = self._node.clock.monotonic()
        return self._taken.of((taker, account, device), when).take(when)[0]

    # who is told

    def changed(self, account: int, session: Session) -> None:
        """An account has other keys than before, by what a session did."""
        self._bus.publish([_EVERYONE], Ephemeral(_CHANGED, {"account": account}, session.origin))

    def _tell_owner(self, handed_out: HandedOut) -> None:
        fields: dict[str, str | int | bool | None] = {
            "device": handed_out.device,
            "one_time": handed_out.supply.one_time,
            "fallback_used": handed_out.supply.fallback_used,
        }
        self._bus.publish([("account", handed_out.account)], Ephemeral(_LEFT, fields))

    def follow(self, user: ChatUser, published: Ephemeral) -> None:
        """Keys of one of this user's devices were handed out."""
        if published.name != _LEFT:
            return
        device, one_time, used = (published.fields[name] for name in ("device", "one_time", "fallback_used"))
        assert isinstance(one_time, int) and isinstance(used, bool), "made by _tell_owner()"
        for session in user.sessions:
            if session.live and session.mind.features.opens_sealed and session.device == device:
                session.mind.deliver(KeysLeft(one_time, used))

    def _follow_everyone(self, published: Published) -> None:
        """Tell the programs of those who share a room or a private conversation with who has other keys."""
        if not isinstance(published, Ephemeral) or published.name != _CHANGED:
            return
        node, account = self._node, published.fields["account"]
        assert isinstance(account, int), "made by changed()"
        owner = node.users.get(account)
        if owner is not None:
            readers = {id for id in owner.contacts if id in node.users}
        else:
            readers = {id for id, user in node.users.items() if account in user.contacts}
        for id in node.memberships.get(account, ()):
            readers.update(node.rooms[id].occupants)
        readers.add(account)
        event, omit = KeysChanged(node.directory.name_of(account)), node.mind_of(published.origin)
        for reader in readers - node.directory.blocked_by(account):
            for mind in node.minds_of(reader):
                if mind.features.opens_sealed and mind not in omit:
                    mind.deliver(event)
