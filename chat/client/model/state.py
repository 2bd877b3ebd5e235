"""Everything that a client knows: conversations, people, the server's verbs. Pure.

All of it is bounded, whatever a server sends.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from chat.client.model.conversation import ConversationModel, Key, Reads
from chat.client.model.send_queue import DraftStore, Fate, NullDraftStore, Outgoing, SendQueue
from chat.protocol.events import (
    Delivered,
    Entry,
    Event,
    Invited,
    MembershipChanged,
    OwnSettings,
    People,
    Person,
    Presence,
    Removed,
    RoomEntered,
    Rooms,
    Said,
    StoredAs,
    TopicChanged,
)
from chat.protocol.grammar.context import Context, Held
from chat.protocol.grammar.typos import near
from chat.protocol.grammar.verbs import Table
from chat.protocol.names import fold
from chat.protocol.preferences import SETTINGS, Notify
from chat.protocol.values import Conversation, Kind, Text

MOST_TALKS = 2_000
MOST_NAMES = 20_000
"""The most people and rooms that are remembered."""

QUIETEST = Notify.NOTHING.quiet
"""The setting of a room that does not notify even when it names the reader."""

MOST_SETTLED = 200
"""The most refused lines that are remembered for each conversation."""


class State:
    """The client's model.

    :param drafts: stores unsent lines and the input history.
    :ivar me: the account that is logged in, or empty.
    :ivar talks: the conversations by key, in the order in which they were found.
    :ivar people: name to ``online``, ``away`` or ``offline``, by folded name.
    :ivar rooms: the names of all known rooms, by folded name.
    :ivar members: the members of a room by its key, if they were asked for.
    :ivar unsent: lines typed here that the server has not stored yet.
    :ivar typed: the input history, the oldest line first.
    :ivar refused: lines typed here that were refused, by conversation.
    :ivar table: the server's verbs, once it has sent them.
    :ivar held: a line that was held back and that ``!`` sends, or nothing.
    :ivar reads: decrypts rows for display, or nothing.
    :ivar settings: the account's settings, once they are known.
    :ivar quiet: the rooms that notify never (``on``) or only for mentions (``mentions``), by folded name.
    :ivar last_writer: the time and the author of the last private message, or nothing.
    :ivar last_said: the conversation and seq of the last line sent from here, or nothing.
    """

    def __init__(self, drafts: DraftStore | None = None) -> None:
        self._drafts = drafts or NullDraftStore()
        self.me = ""
        self.talks: dict[Key, ConversationModel] = {}
        self.people: dict[str, tuple[str, str]] = {}
        self.rooms: dict[str, str] = {}
        self.members: dict[Key, set[str]] = {}
        self.invitations: dict[Key, Invited] = {}
        self.unsent = SendQueue(self._drafts)
        self.typed: list[str] = []
        self.refused: dict[Key, list[Outgoing]] = {}
        self.table = Table()
        self.held: Held | None = None
        self.settings: OwnSettings | None = None
        self.quiet: dict[str, str] = {}
        self.last_writer: tuple[int, str] | None = None
        self.last_said: tuple[ConversationModel, int] | None = None
        self.reads: Reads | None = None
        self._named: re.Pattern[str] | None = None
        self._recalled = False

    def be(self, account: str) -> None:
        """Set who is logged in; another account than before starts with an empty model."""
        if self.me and fold(self.me) != fold(account):
            self.forget()
        if not self.me:
            self.unsent = SendQueue(self._drafts, account)
        self.me = account
        self._named = re.compile(rf"(?<![\w-])@?{re.escape(account)}(?![\w-])", re.IGNORECASE)

    def recall(self) -> None:
        """Load the drafts, once, as soon as the keys that encrypt them are unlocked."""
        if self._recalled or not self._drafts.ready(self.me):
            return
        self._recalled = True
        for each in self.unsent.recall():
            self.refuse(each, each.why)
        self.typed[:0] = self._drafts.typed(self.me)

    def keep_typed(self) -> None:
        """Store the input history."""
        self._drafts.keep_typed(self.me, self.typed)

    def forget(self) -> None:
        """Nobody is logged in: empty the model."""
        fresh = State(self._drafts)
        fresh.table, fresh.reads = self.table, self.reads
        vars(self).update(vars(fresh))

    # conversations

    def talk(self, key: Key, title: str = "") -> ConversationModel:
        """The conversation with that key; a new one if there is none."""
        talk = self.talks.get(key)
        if talk is None:
            talk = ConversationModel(key, title or key.name, self.reads)
            if len(self.talks) < MOST_TALKS:
                self.talks[key] = talk
        return talk

    def talk_of(self, conversation: Conversation) -> ConversationModel:
        """The model of a conversation that the server names."""
        talk = self.talk(Key.of(conversation), conversation.room or conversation.partner)
        talk.be(conversation)
        return talk

    def drop(self, key: Key) -> None:
        """This account has left a conversation: forget it."""
        self.talks.pop(key, None)
        self.refused.pop(key, None)
        self.members.pop(key, None)

    def take_settings(self, settings: OwnSettings) -> None:
        """Store the account's settings."""
        self.settings = settings
        self.quiet = {fold(room): how for room, how in settings.quiet.items()}

    def news_of(self, settings: OwnSettings) -> OwnSettings:
        """The same settings, naming the one that another session of this account has changed, if any."""
        names = (name for name in SETTINGS if self.settings and getattr(self.settings, name) != getattr(settings, name))
        return replace(settings, changed=next(names, ""))

    def calls_me(self, said: Said) -> bool:
        """Whether a message names the reader, in a room that notifies."""
        return self.quiet.get(fold(said.conversation.room)) != QUIETEST and self.names_me(said)

    def names_me(self, said: Said) -> bool:
        """Whether a message contains the reader's name as a word."""
        return self._named is not None and isinstance(said.body, Text) and bool(self._named.search(said.body.text))

    # events

    def take(self, event: Event) -> tuple[ConversationModel | None, list[Entry]]:
        """Apply an event.

        :returns: its conversation, if any, and the rows that were added.
        """
        if isinstance(event, Presence):
            self._presence(event)
        elif isinstance(event, Invited):
            if len(self.invitations) < MOST_NAMES:
                self.invitations[Key.of(event.conversation)] = event
        elif isinstance(event, Delivered):
            talk = self.talk_of(event.conversation)
            talk.delivered = max(talk.delivered, event.seq)
            return talk, []
        elif isinstance(event, Removed):
            self.drop(Key.of(event.conversation))
        elif isinstance(event, OwnSettings):
            self.take_settings(event)
        elif isinstance(event, Entry):
            talk = self.talk_of(event.conversation)
            entries = talk.add(event)
            if isinstance(event, Said) and self.state_of(event.author) == "offline":
                self.meet(event.author, "online")  # a return within moments is not announced
            self.learn(talk, entries)
            return talk, entries
        return None, []

    def learn(self, talk: ConversationModel, entries: Iterable[Entry]) -> None:
        """Apply what rows say about topics and members."""
        for each in entries:
            if isinstance(each, Said) and each.conversation.partner and each.author != self.me:
                self.last_writer = max(self.last_writer or (0, ""), (each.time, each.author))
            elif isinstance(each, TopicChanged):
                talk.topic = each.topic
            elif isinstance(each, MembershipChanged) and talk.key in self.members:
                here = self.members[talk.key]
                if each.kind is Kind.JOINED and len(here) < MOST_NAMES:
                    here.add(each.target)
                elif each.kind in (Kind.LEFT, Kind.KICKED, Kind.BANNED):
                    here.discard(each.target)

    def _presence(self, event: Presence) -> None:
        state = "online" if event.state == "back" else event.state
        for name in event.users:
            self.meet(name, state)

    def meet(self, name: str, state: str) -> None:
        """Remember a person and their presence."""
        if len(self.people) < MOST_NAMES or fold(name) in self.people:
            self.people[fold(name)] = (name, state)

    def list_people(self, people: People) -> None:
        """Apply a page of the roster, or the members of a room."""
        for person in people.people:
            self.meet(person.name, person.state)
        if people.room:
            self.members[Key(True, fold(people.room))] = {person.name for person in people.people[:MOST_NAMES]}

    def list_all(self, people: Collection[Person]) -> None:
        """Apply the complete roster: forget everybody who is not in it."""
        names = {fold(person.name) for person in people}
        self.people = {folded: known for folded, known in self.people.items() if folded in names}

    def list_rooms(self, rooms: Rooms) -> None:
        """Apply a list of rooms."""
        for line in rooms.rooms[:MOST_NAMES]:
            self.rooms[fold(line.conversation.room)] = line.conversation.room
            if line.joined:
                self.talk_of(line.conversation).topic = line.topic

    def enter(self, entered: RoomEntered) -> ConversationModel:
        """This account has entered a room."""
        talk = self.talk_of(entered.conversation)
        talk.topic = entered.topic
        talk.sealed = talk.sealed or entered.sealed
        self.rooms[fold(talk.title)] = talk.title
        self.invitations.pop(talk.key, None)
        for name in entered.occupants:
            self.meet(name, self.state_of(name) if self.state_of(name) != "offline" else "online")
        return talk

    def state_of(self, name: str) -> str:
        """``online``, ``away`` or ``offline``."""
        return self.people.get(fold(name), (name, "offline"))[1]

    # lines typed here

    def stored(self, outgoing: Outgoing, reply: StoredAs) -> tuple[ConversationModel, list[Entry]]:
        """The server has stored a line typed here.

        :returns: its conversation, and the rows that were added.
        """
        outgoing.fate = Fate.KEPT
        self.unsent.done(outgoing)
        talk = self.talk_of(reply.conversation)
        if talk.key != outgoing.where and outgoing.where in self.talks and not self.talks[outgoing.where].rows:
            self.drop(outgoing.where)
        self.last_said = (talk, reply.seq)
        kind = Kind.SEALED if outgoing.sealed is not None else Kind.ACTION if outgoing.action else Kind.TEXT
        body = outgoing.sealed or Text(outgoing.text)
        said = Said(reply.conversation, reply.seq, kind, self.me, "", reply.time, body)
        if reply.repeated and reply.seq <= talk.high:
            return talk, []  # it already arrived as history
        return talk, talk.add(said)

    def refuse(self, outgoing: Outgoing, why: str) -> None:
        """A line typed here was refused for good."""
        outgoing.fate, outgoing.why = Fate.REFUSED, why
        self.unsent.done(outgoing)
        lines = self.refused.setdefault(outgoing.where, [])
        lines.append(outgoing)
        del lines[:-MOST_SETTLED]

    # parsing lines

    def context(self, here: ConversationModel | None, names: KnownNames | None = None) -> Context:
        """The context in which a line that is typed now is parsed.

        A conversation with a person follows the rules of a room, so the person is given as the room.

        :param names: looks up names, and remembers those that it did not know.
        """
        room = here.title if here is not None else None
        return Context(self.table, names or KnownNames(self), bool(self.me), room, self.held)


class KnownNames:
    """The names that a client knows, for `chat.protocol.grammar`.

    :ivar missed: unknown names that were looked up: whether as a room, and the word.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.missed: list[tuple[bool, str]] = []

    def is_account(self, word: str) -> bool:
        return self._is_known(False, word)

    def is_room(self, word: str) -> bool:
        return self._is_known(True, word)

    def _is_known(self, room: bool, word: str) -> bool:
        state, folded = self._state, fold(word)
        known = folded in state.rooms or Key(True, folded) in state.invitations if room else folded in state.people
        if not known:
            self.missed.append((room, word))
        return known

    def near_account(self, word: str) -> str | None:
        found = near(fold(word), self._state.people)
        return self._state.people[found][0] if found is not None else None

    def near_room(self, word: str) -> str | None:
        found = near(fold(word), self._state.rooms)
        return self._state.rooms[found] if found is not None else None
