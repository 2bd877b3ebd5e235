"""Synchronises conversations with the server: reads missed rows, and reports what was received and read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from chat.client.model.conversation import ConversationModel, Key, span
from chat.client.model.state import State
from chat.client.session.encryption_api import NullEncryption
from chat.client.session.observer import Observer
from chat.client.session.protocol import ChatClient
from chat.client.session.roster import Roster
from chat.client.session.tasks import unattended
from chat.protocol.events import Entry, History, OwnSettings, Restored, Resumed, Standing

PAGE = 200
"""Rows requested at a time."""

NEWEST = 100
"""Rows that are read of a conversation of which nothing is held."""

MOST_MISSED = 2_000
"""The most missed rows that are read completely. If more were missed, only the newest are read; older ones are loaded
when somebody scrolls back."""

MOST_PAGES = 1_000
"""The most pages read at once, except in the mode ``EVERYTHING``: a hundred times what `MOST_MISSED` rows take."""

MARKS_EVERY = 1.0
"""Seconds between two reports of received and read marks, and between two checks for gaps."""


def restored_at(client: ChatClient) -> int:
    """When the operator last restored a backup, as the server says: a number that grows; 0 if that never happened."""
    return client.welcome.restored if client.welcome is not None else 0


async def kept_since(client: ChatClient, *before: int | None) -> Mapping[str, int]:
    """Up to which seq each conversation is still the one that was read, after the operator has restored a backup.

    :param before: `restored_at` when something was read; nothing where nothing was.
    :returns: the conversations that have lost rows.
    :raises ClientFailure: when the connection is lost.
    """
    since = min((each for each in before if each is not None), default=None)
    if since is None or since >= restored_at(client):
        return {}
    return (await client.expect(Restored, "restored", {"since": since})).marks


class SyncMode(Enum):
    """How many of the missed rows are read.

    Newest: the end of each conversation. Everything: all that this device has not received. Asked: only conversations
    requested with `Sync.follow`, and no lists; nothing is reported as received, because a person still has to read what
    a script has read.
    """

    NEWEST = "newest"
    EVERYTHING = "everything"
    ASKED = "asked"


class Sync:
    """Reads missed rows and reports marks.

    :param seals: stores what was read before it is reported as received.
    :ivar roster: the names that the server knows.
    """

    def __init__(self, state: State, observer: Observer, clock: Any, mode: SyncMode, seals: NullEncryption) -> None:
        self._state = state
        self._seals = seals
        self._observer = observer
        self._clock = clock
        self.roster = Roster(state, clock)
        self._mode = mode
        self._client: ChatClient | None = None
        self._timer: Any = None
        self._seen: set[Key] = set()
        self._filling: set[Key] = set()
        self._followed: set[Key] = set()
        self._restored: int | None = None

    # after a login

    async def begin(self, client: ChatClient) -> str:
        """Start to receive events, and read what was missed.

        :returns: the name of the room that this account entered last, or empty.
        :raises ClientFailure: when the connection is lost.
        """
        self._client = client
        self._filling.clear()
        kept = await kept_since(client, self._restored, self._seals.restored)
        resumed = await client.expect(Resumed, "resume")
        state = self._state
        standing = {Key.of(each.conversation) for each in resumed.conversations}
        for key in [key for key, talk in state.talks.items() if talk.conversation is not None and key not in standing]:
            state.drop(key)
        state.invitations = {Key.of(each.conversation): each for each in resumed.invitations[:1_000]}
        # Apply all positions before the first await, so that live rows find their conversation.
        waiting = [stood for each in resumed.conversations if (stood := self._stand(each, kept)) is not None]
        self._seals.gone(standing)
        self._restored = restored_at(client)
        self._seals.note_restored(self._restored)
        settings = await client.request("set")
        if isinstance(settings, OwnSettings):
            state.take_settings(settings)
        await self._seals.begin(client, state.me)
        for talk, since in waiting:
            if self._reads(talk):
                await self._fill(client, talk, since)
        if self._mode is not SyncMode.ASKED:
            await self.roster.begin(client)
        self._later()
        return resumed.current or ""

    def end(self) -> None:
        """The connection has ended."""
        self._client = None
        self.roster.end()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _reads(self, talk: ConversationModel) -> bool:
        return self._mode is not SyncMode.ASKED or talk.key in self._followed

    def _stand(self, standing: Standing, kept: Mapping[str, int]) -> tuple[ConversationModel, int] | None:
        """Apply the server's position in a conversation.

        :param kept: see `kept_since`.
        :returns: the conversation and the seq after which rows were missed; nothing if none were.
        """
        talk = self._state.talk_of(standing.conversation)
        before = talk.high
        if not talk.stand(standing, kept.get(standing.conversation.reference)):
            return None
        start = self._start(talk, standing)
        if start is not None:
            talk.begin_at(start + 1)
            self._seals.skip(talk, start + 1)
        return talk, max(before, standing.received)

    def _start(self, talk: ConversationModel, standing: Standing) -> int | None:
        """The seq after which to start again, or nothing to read on after the rows that are held."""
        first = max(1, standing.first) - 1
        if not talk.high:
            wanted = standing.received if self._mode is SyncMode.EVERYTHING else standing.last - NEWEST
            if (end := self._seals.end(talk)) is not None and standing.last - end <= MOST_MISSED:
                wanted = min(wanted, end)  # encrypted rows are read without a gap, so that a gap is a warning
            return max(first, wanted)
        if self._mode is SyncMode.EVERYTHING:
            return None
        return standing.last - NEWEST if standing.last - talk.high > MOST_MISSED else None

    async def _fill(self, client: ChatClient, talk: ConversationModel, since: int) -> None:
        """Read from the last row held to the newest.

        :param since: rows after this seq were missed; earlier ones are history.
        """
        assert talk.conversation is not None, "there is something to read"
        more, pages = True, 0
        while more:
            after, pages = talk.high, pages + 1
            if pages > MOST_PAGES and self._mode is not SyncMode.EVERYTHING:
                raise client.distrust("The server's history does not end.")
            page = await client.expect(
                History, "history", {"conversation": talk.conversation.reference, "after": after, "limit": PAGE}
            )
            taken = talk.extend(page)
            more = page.more and talk.high > after
            self._told(talk, [each for each in taken if span(each)[1] > since], live=False)

    # while connected

    def came(self, talk: ConversationModel, entries: list[Entry], live: bool = True) -> None:
        """Rows were added at the end of a conversation, or wait for missing ones."""
        self._told(talk, entries, live)
        self._later()

    def _told(self, talk: ConversationModel, entries: list[Entry], live: bool) -> None:
        if entries:
            talk.count(entries, self._state.me, self._state.calls_me)
            self._state.learn(talk, entries)
            self._observer.rows_added(talk, entries, live)

    async def follow(self, talk: ConversationModel) -> None:
        """Read a conversation from now on.

        :raises ClientFailure: when the connection is lost.
        """
        self._followed.add(talk.key)
        await self.fill(talk)

    async def fill(self, talk: ConversationModel) -> None:
        """Read the rows missing at the end of a conversation; one call at a time."""
        client = self._client
        if client is None or talk.conversation is None or talk.key in self._filling:
            return
        self._filling.add(talk.key)
        try:
            await self._fill(client, talk, since=talk.high)
        finally:
            self._filling.discard(talk.key)

    async def newest(self, talk: ConversationModel) -> None:
        """Read the last rows of a conversation of which nothing is held."""
        client = self._client
        if client is None or talk.conversation is None or talk.rows:
            return
        page = await client.ask(
            "history", {"conversation": talk.conversation.reference, "before": 2**32 - 1, "limit": NEWEST}
        )
        if isinstance(page, History) and not talk.rows:
            first = span(page.entries[0])[0] if page.entries else page.last + 1
            talk.begin_at(max(1, first))
            self._seals.stand(talk, page.last)
            self._seals.skip(talk, max(1, first))
            taken = talk.extend(page)
            talk.see()
            self._told(talk, taken, live=False)

    async def older(self, talk: ConversationModel) -> int:
        """Read the page before the rows that are held.

        :returns: how many rows were added at the top.
        """
        client = self._client
        if client is None or talk.conversation is None or talk.complete or talk.key in self._filling:
            return 0
        self._filling.add(talk.key)
        try:
            page = await client.ask(
                "history", {"conversation": talk.conversation.reference, "before": talk.low, "limit": PAGE}
            )
            return talk.prepend(page) if isinstance(page, History) else 0
        finally:
            self._filling.discard(talk.key)

    def saw(self, talk: ConversationModel) -> None:
        """The person has read a conversation to its end."""
        if talk.see():
            self._seen.add(talk.key)
            self._later()

    # marks

    def _later(self) -> None:
        if self._client is not None and (self._timer is None or not self._timer.active()):
            self._timer = self._clock.callLater(MARKS_EVERY, self._report)

    def _report(self) -> None:
        for talk in self._state.talks.values():
            if talk.gap and self._reads(talk):
                unattended(self.fill(talk))
        unattended(self.report())

    async def report(self) -> None:
        """Report which rows this device has received, and the person has read."""
        client, talks = self._client, self._state.talks
        if client is None:
            return
        self._seals.save()
        if self._mode is SyncMode.ASKED:
            return
        received = {}
        for talk in talks.values():
            if talk.conversation is not None and talk.high > talk.received:
                talk.received = talk.high
                received[talk.conversation.reference] = talk.high
        seen = [talks[key] for key in self._seen if key in talks]
        read = {talk.conversation.reference: talk.read for talk in seen if talk.conversation is not None}
        self._seen.clear()
        for cmd, marks in (("received", received), ("read", read)):
            if marks:
                await client.ask(cmd, {"marks": dict(list(marks.items())[:1_000])})
