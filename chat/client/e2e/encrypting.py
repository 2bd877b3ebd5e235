"""Encrypts outgoing lines: whether, for which devices, and what the person is told first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from typing import Final

from chat.client.e2e.key_query import FRESH, Ask, KeyQueries
from chat.client.e2e.key_store import KeyStore, Policy
from chat.client.e2e.notices import NEEDS_ACCEPTING, change_words, named
from chat.client.e2e.payload import place
from chat.client.e2e.to_device import ToDeviceMessages
from chat.client.e2e.trust_store import Change
from chat.client.model.conversation import ConversationModel
from chat.client.model.failures import ClientFailure, NotYetShown
from chat.protocol.events import MembershipChanged, People
from chat.protocol.names import fold
from chat.protocol.values import Conversation, Kind, Sealed

Found = Callable[[ConversationModel | None, str, bool], object]
"""Tells a person something of a conversation; the last says whether it is alarming."""

_COMING: Final = frozenset({Kind.JOINED, Kind.CREATED})
_MOVING: Final = _COMING | {Kind.LEFT, Kind.KICKED, Kind.BANNED}

MOST_PAGES: Final = 100
"""Pages of members of one room: 50,000 people."""


class Encrypter:
    """Encrypts what is said here.

    :param now: seconds since the epoch.
    """

    def __init__(
        self,
        ring: KeyStore,
        directory: KeyQueries,
        post: ToDeviceMessages,
        ask: Ask,
        found: Found,
        now: Callable[[], float],
    ) -> None:
        self._ring = ring
        self._directory = directory
        self._post = post
        self._ask = ask
        self._found = found
        self._now = now
        self._told: set[tuple[str, str]] = set()
        self._members: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._shown: dict[str, set[str]] = {}

    async def seal(self, talk: ConversationModel, text: str, *, action: bool = False, ref: int = 0) -> Sealed | None:
        """Seal something where it has to be; nothing is awaited between the sealing and the return.

        :param ref: the seq of the message that it replaces, where it is an edit.
        :returns: nothing where it goes in the clear.
        :raises NotYetShown: when something was shown just now that the person should look at first.
        :raises ClientFailure: when it must not be sent.
        """
        conversation = talk.conversation
        if conversation is None:
            if talk.key.room:
                return None  # the server says that one is not there
            conversation = Conversation(0, partner=talk.title)
        where = place(conversation, self._ring.own.user)
        policy = self._ring.policy(where)
        if policy.plain:
            self._tell(talk, where, f"Not encrypted, as you asked. To encrypt again, type: seal {talk.title}")
            return None
        if talk.key.room:
            if not (talk.sealed or policy.sealed):
                return None
            self._vouched_for()
            people = await self._people_of(conversation)
        else:
            people = tuple(dict.fromkeys((self._ring.own.user, talk.title)))
        asked = await self._directory.look(people)
        if not asked and self._ring.conversations.is_ready(conversation, people, self._now()):
            return self._ring.seal(conversation, text, action=action, ref=ref)
        if not talk.key.room and not self._to_be_sealed(talk, where, policy):
            return None
        self._settle(talk, people)
        if not policy.sealed:
            self._ring.set_policy(where, replace(policy, sealed=True))
            self._tell(talk, where, self._welcome_words(talk))
        self._look_who_is_there(talk, conversation, where, people)
        letters = self._ring.conversations.keys_to_send(conversation, people, self._now())
        if without := await self._post.give(conversation, letters):
            self._tell(talk, where, f"{named(without)} did not get the key and cannot read what you write now.")
        return self._ring.seal(conversation, text, action=action, ref=ref)

    def _welcome_words(self, talk: ConversationModel) -> str:
        if talk.key.room:
            return f"What you write in {talk.title} is encrypted: only members can read it."
        if fold(talk.title) == self._ring.own.user:
            return "What you write to yourself is encrypted: only your own devices can read it."
        return (
            f"What you and {talk.title} write is encrypted from now on: not even the server can read it."
            f" To make sure that this is {talk.title}, compare: verify {talk.title}"
        )

    # private conversations

    def _to_be_sealed(self, talk: ConversationModel, where: str, policy: Policy) -> bool:
        """Whether a private conversation is sealed; what speaks against it is told once."""
        partner, ring = talk.title, self._ring
        if ring.own.account_key is None:
            if policy.sealed:
                self._vouched_for()
            self._tell(talk, where, "Not encrypted: this device is not linked yet. Type on a linked device: link")
            return False
        readable = ring.pins.account_key(partner) is not None
        if not readable:
            if policy.sealed:
                raise ClientFailure(f"Not sent: {partner} has no keys. To send it unencrypted, type: unseal {partner}")
            self._tell(
                talk,
                where,
                f"Not encrypted: {partner} has no keys. Whoever runs the server can read what you write.",
            )
            return False
        without = self._directory.without_keys({ring.own.user, fold(partner)})
        if without and not (policy.sealed or policy.wanted):
            self._tell(
                talk,
                where,
                f"Not encrypted, because these devices have no keys: {named(without)}. The server can read it."
                f" To encrypt all the same, type: seal {partner}",
            )
            return False
        if without:
            self._tell(talk, where, f"{named(without)} cannot read this conversation: no keys.")
        return True

    def _vouched_for(self) -> None:
        if self._ring.own.account_key is None:
            raise ClientFailure("Not sent: this device is not linked yet. Type on a linked device: link")

    # what has to be shown first

    def _settle(self, talk: ConversationModel, people: Iterable[str]) -> None:
        """Show whose keys are not what they were.

        :raises NotYetShown: when that was not shown before.
        :raises ClientFailure: when it has to be accepted first.
        """
        news = False
        for ghost in self._directory.ghosts(people):
            self._tell(talk, f"{ghost.user}@{ghost.device}", change_words(ghost), alarming=True)
        for user in people:
            news = self.show_changes(talk, user) or news
        if news:
            raise NotYetShown("Not sent yet. Read the warning, then send it again.")

    def show_changes(self, talk: ConversationModel | None, user: str) -> bool:
        """Show how somebody's keys have changed; what is shown is accepted, but for what needs an own word.

        :returns: whether anything was shown.
        :raises ClientFailure: when it has to be accepted first.
        """
        changes = self._ring.pins.changes(user)
        serious = next((each for each in changes if each.change in NEEDS_ACCEPTING), None)
        if serious is not None:
            raise ClientFailure(f"Not sent. {change_words(serious)}")
        for each in changes:
            self._found(talk, change_words(each), True)
        if changes:
            self.accept(user)
        return bool(changes)

    def accept(self, user: str) -> None:
        """Somebody's keys of now are what counts from now on."""
        changes = self._ring.pins.changes(user)
        self._ring.pins.accept(user)
        if any(each.change in (Change.OTHER_ACCOUNT_KEY, Change.OTHER_KEYS) for each in changes):
            self._ring.conversations.forget(user)
        self._ring.save()

    # rooms

    async def _people_of(self, conversation: Conversation) -> tuple[str, ...]:
        """The members of a room, as the server says."""
        where = conversation.reference
        asked, people = self._members.get(where, (-FRESH, ()))
        if asked + FRESH <= self._now():
            people = tuple([name async for page in self._pages_of(conversation) for name in page])
            self._members[where] = (self._now(), people)
        return people

    async def _pages_of(self, conversation: Conversation) -> AsyncIterator[tuple[str, ...]]:
        """The names of the members of a room, in their order.

        :raises ClientFailure: when they have no end, or the server does not tell them.
        """
        last = ""
        for _ in range(MOST_PAGES):
            reply = await self._ask("members", {"room": conversation.room, "after": last})
            names = tuple(each.name for each in reply.people) if isinstance(reply, People) else ()
            if not isinstance(reply, People) or (last and names and names[0].casefold() <= last.casefold()):
                break
            yield names
            if not reply.more or not names:
                return
            last = names[-1]
        raise ClientFailure(f"Not sent: the server did not list the members of {conversation.room}. Try again later.")

    def saw(self, row: MembershipChanged) -> None:
        """A row says who has come or gone, and the person sees it."""
        if row.kind in _MOVING:
            self._members.pop(row.conversation.reference, None)
        if row.kind in _COMING:
            self._shown.setdefault(row.conversation.reference, set()).add(fold(row.target))

    def _look_who_is_there(
        self, talk: ConversationModel, conversation: Conversation, where: str, people: tuple[str, ...]
    ) -> None:
        """:raises NotYetShown: when somebody is there of whom no row has told."""
        conversations = self._ring.conversations
        newcomers = conversations.newcomers(conversation, people)
        first = len(newcomers) == len(people)
        conversations.welcome(conversation, people)
        if not talk.key.room or not newcomers:
            return
        if first:
            self._found(talk, f"These people can read what you write in {talk.title}: {', '.join(people)}.", False)
            return
        ghosts = [each for each in newcomers if fold(each) not in self._shown.get(where, ())]
        if ghosts:
            self._found(
                talk,
                f"{', '.join(ghosts)} can read this too. The server never showed you that they joined {talk.title}.",
                True,
            )
            self._ring.save()
            raise NotYetShown("Not sent yet. Read the warning, then send it again.")

    def _tell(self, talk: ConversationModel, what: str, words: str, alarming: bool = False) -> None:
        """Once in a run of the program."""
        if (what, words) not in self._told:
            self._told.add((what, words))
            self._found(talk, words, alarming)
