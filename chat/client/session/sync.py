"""Sync up: from where one stood to now, with nothing missing and nothing twice."""

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
"""Rows that are asked for at a time."""

NEWEST = 100
"""Rows of a conversation that are read when nothing is held of it."""

MOST_MISSED = 2_000
"""Rows that are read after those that are held; where more were missed, the newest are read, and the others are loaded
when somebody looks for them."""

MOST_PAGES = 1_000
"""Pages that are read in one go, but where everything is wanted: a hundred times as many as `MOST_MISSED` rows take."""

MARKS_EVERY = 1.0
"""Seconds between two reports of how far this device has everything, and between two looks for gaps."""


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
    """How much is read of what was missed.

    Newest: the end of each conversation. Everything: all that this device has not received. Asked: only conversations
    that somebody has asked for with `Sync.follow`, and no lists; the server is not told that anything was received,
    as what a script reads waits for the person all the same.
    """

    NEWEST = "newest"
    EVERYTHING = "everything"
    ASKED = "asked"


class Sync:
    """Reads what is missing, and says what has come.

    :param seals: keep what was read before the server is told that it was received.
    :ivar roll: the names that the server knows.
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

    # the beginning of a connection

    async def begin(self, client: ChatClient) -> str:
        """Let events flow, and read what is missing.

        :returns: the name of the room that was entered last, or empty.
        :raises ClientFailure: when the connection does not last.
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
        # All of them stand before anything is awaited, so that what comes live meanwhile finds its place.
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
        """The connection is over."""
        self._client = None
        self.roster.end()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _reads(self, talk: ConversationModel) -> bool:
        return self._mode is not SyncMode.ASKED or talk.key in self._followed

    def _stand(self, standing: Standing, kept: Mapping[str, int]) -> tuple[ConversationModel, int] | None:
        """Take up where one stands in a conversation.

        :param kept: see `kept_since`.
        :returns: it, and the seq after which rows were missed; nothing where there are none.
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
        """The row after which to begin anew, or nothing to go on after what is held."""
        first = max(1, standing.first) - 1
        if not talk.high:
            wanted = standing.received if self._mode is SyncMode.EVERYTHING else standing.last - NEWEST
            if (end := self._seals.end(talk)) is not None and standing.last - end <= MOST_MISSED:
                wanted = min(wanted, end)  # what was sealed is read without a gap, so that a gap means something
            return max(first, wanted)
        if self._mode is SyncMode.EVERYTHING:
            return None
        return standing.last - NEWEST if standing.last - talk.high > MOST_MISSED else None

    async def _fill(self, client: ChatClient, talk: ConversationModel, since: int) -> None:
        """Read on after what is held, to the newest row.

        :param since: rows after it were missed; those before it are merely history.
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

    # while it lasts

    def came(self, talk: ConversationModel, entries: list[Entry], live: bool = True) -> None:
        """Rows were added at the end of a conversation, or wait for others that are missing."""
        self._told(talk, entries, live)
        self._later()

    def _told(self, talk: ConversationModel, entries: list[Entry], live: bool) -> None:
        if entries:
            talk.count(entries, self._state.me, self._state.calls_me)
            self._state.learn(talk, entries)
            self._observer.rows_added(talk, entries, live)

    async def follow(self, talk: ConversationModel) -> None:
        """Read a conversation, and whatever comes there from now on.

        :raises ClientFailure: when the connection does not last.
        """
        self._followed.add(talk.key)
        await self.fill(talk)

    async def fill(self, talk: ConversationModel) -> None:
        """Read what is missing at the end of a conversation; at most once at a time."""
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
        """Read the page before what is held.

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
        """The person has read what there is of a conversation."""
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
        """Say how far this device has everything, and the person has read."""
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
