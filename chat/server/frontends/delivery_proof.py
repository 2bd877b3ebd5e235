"""What a person on netcat provably has.

A write to a socket proves nothing. Bytes that the peer's kernel has acknowledged were delivered to its machine: that
makes marks *tentative*. They become firm with a line that comes later than that: somebody was reading. A line that
comes sooner may have been on its way before the bytes arrived. An orderly end proves what was acknowledged until then,
since a kernel whose program has left bytes unread ends with a reset; a reset or a time-out proves nothing. What was
shown since the last proof is shown again. A telnet that answers a timing mark (RFC 860) proves everything before it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from types import MappingProxyType

from chat.protocol.events import History, Said
from chat.protocol.names import fold
from chat.protocol.preferences import Notify
from chat.protocol.values import Shown, Text, join_shown
from chat.server.core.user import Session
from chat.server.frontends.outbox import Outbox
from chat.server.frontends.telnet import Telnet
from chat.server.frontends.text_audience import mentioned
from chat.server.interfaces import IClock, IDelayed

LOOK_AFTER = 1.0
"""Seconds after something private was shown, or a line has come, when it is looked at what the peer's kernel has."""

LOOK_EVERY = 30.0
"""Seconds between two such looks where nothing makes them urgent."""

LATER = 0.1
"""Seconds after a look in which a line that comes may have been waiting to be read when it was made."""

_NOWHERE: Mapping[int, int] = MappingProxyType({})
"""Where nothing waits: one value for everybody, as it is so for most."""


class DeliveryProof:
    """The marks of one login of one text session.

    :param clock: tells when to look, and what is later.
    :param began: the newest seq of each conversation when events began to flow; what came later was shown, or will be.
    :param behind: those of which earlier lines still wait unseen: their marks move with the pages that are shown alone,
        until `caught_up`. The marks of quiet rooms stand still as well; of these it is kept up to which seq everything
        was shown.
    :param write: called with marks that are proven, conversation to seq, and which of them the person asked for.
    :param telnet: where the peer speaks it.
    :param leave: called with what was shown and not proven when the login ended.
    """

    __slots__ = (
        "_asked",
        "_began",
        "_behind",
        "_clock",
        "_final",
        "_later",
        "_leave",
        "_look",
        "_looked",
        "_outbox",
        "_pages",
        "_proven",
        "_quiet",
        "_session",
        "_soon",
        "_telnet",
        "_tentative",
        "_write",
    )

    def __init__(
        self,
        session: Session,
        outbox: Outbox,
        clock: IClock,
        began: Mapping[int, int],
        behind: Collection[int],
        write: Callable[[Mapping[int, int], Mapping[int, int]], None],
        leave: Callable[[Mapping[int, Shown]], None],
        telnet: Telnet | None = None,
    ) -> None:
        self._session = session
        self._outbox = outbox
        self._clock = clock
        self._behind: Mapping[int, int] = {id: began[id] for id in behind} or _NOWHERE
        self._write = write
        self._leave = leave
        self._telnet = telnet
        self._quiet: dict[int, int] | None = None
        self._pages: dict[int, int] | None = None
        self._later: dict[int, int] | None = None
        self._asked: dict[int, int] | None = None
        self._final: dict[int, int] | None = None
        self._began: Mapping[int, int] = {id: seq for id, seq in began.items() if id not in behind}
        self._proven = self._began
        self._tentative: Mapping[int, int] | None = None
        self._looked = 0.0
        self._look: IDelayed | None = None  # none before there is something to look at: most people are silent
        self._soon = False

    # what was shown

    def live(self, conversation: int, seq: int) -> None:
        """A private message was handed to the outbox as it came."""
        if conversation not in self._behind:
            self.shown(conversation, seq)
        else:
            self._later = {**(self._later or {}), conversation: seq}

    def shown(self, conversation: int, seq: int) -> None:
        """The next page of what waited was handed to the outbox."""
        pages = self._pages
        if pages is None:
            pages = self._pages = {}
        if seq > pages.get(conversation, 0):
            pages[conversation] = seq
        if not self._soon:
            self._look_soon()

    def asked(self, conversation: int, seq: int) -> None:
        """The same with a page that the person asked for: it counts as read, as soon as it provably arrived."""
        self.shown(conversation, seq)
        self._asked = {**(self._asked or {}), conversation: seq}

    def caught_up(self, conversations: Collection[int] | None = None) -> None:
        """Nothing waits unseen any more in these conversations, or anywhere."""
        behind = self._behind.items() if conversations is not None else ()
        self._behind = {id: seq for id, seq in behind if id not in (conversations or ())} or _NOWHERE
        if self._quiet is not None:
            rooms = self._session.rooms
            seen = self._quiet if conversations is None else self._quiet.keys() & set(conversations)
            self._quiet |= {id: rooms[id].last for id in seen if id in rooms}

    def quiet(self, rooms: Collection[int]) -> None:
        """Not everything that is said in these rooms is shown from now on, and in all others it is.

        Where something was said that was not shown, the marks stand still until `caught_up`.
        """
        last = {id: room.last for id, room in self._session.rooms.items()}
        before = self._quiet or {}
        for id in rooms:
            if id not in before and id not in self._behind:
                self.shown(id, last[id])
        self._quiet = {id: before.get(id, last[id]) for id in rooms} or None
        loud = {id: last[id] for id, seq in before.items() if id not in rooms and last.get(id, 0) > seq}
        if loud:
            self._behind = {**self._behind, **loud}

    def again(self, page: History) -> History:
        """A page of what one missed; the messages on it are marked that came live since its room fell behind.

        In a quiet room those came live that mention the reader, as far as the reader was here.
        """
        id = page.conversation.id
        if id in (self._quiet or ()):
            return self._mark(page, self._mentions)
        live_after = self._behind.get(id, page.last)
        return page if live_after >= page.last else self._mark(page, lambda said: said.seq > live_after)

    def _mark(self, page: History, repeated: Callable[[Said], bool]) -> History:
        entries = (
            replace(each, again=True) if isinstance(each, Said) and repeated(each) else each for each in page.entries
        )
        return replace(page, entries=tuple(entries))

    def _mentions(self, said: Said) -> bool:
        user, room = self._session.user, self._session.rooms.get(said.conversation.id)
        if user is None or room is None or room.notify_of(user.account.id) is not Notify.MENTIONS:
            return False
        return isinstance(said.body, Text) and fold(user.name) in mentioned(said.body.text)

    def _shown_meanwhile(self) -> dict[int, Shown]:
        """What came live, and was shown, in conversations of which earlier lines wait unseen."""
        rooms, later = self._session.rooms, self._later or {}
        last = {id: rooms[id].last if id in rooms else later.get(id, 0) for id in self._behind}
        return {id: Shown(after, last[id]) for id, after in self._behind.items() if last[id] > after}

    def handed(self) -> dict[int, int]:
        """How far each conversation was handed to the outbox.

        Batches of rooms leave at the end of each turn, so a room counts up to its newest row.
        """
        if self._final is not None:
            return self._final
        still = (*self._behind, *(self._quiet or ()))
        marks = {id: room.last for id, room in self._session.rooms.items() if id not in still}
        for id, seq in (self._pages or {}).items():
            marks[id] = max(seq, marks.get(id, 0))
        return marks

    def newly(self) -> dict[int, int]:
        """The same without the conversations of which nothing was handed over since the login began."""
        pages = self._pages or {}
        return {id: seq for id, seq in self.handed().items() if id in pages or seq > self._began.get(id, 0)}

    # what is proven

    def heard(self) -> None:
        """A line has come."""
        if self._tentative is not None and self._clock.monotonic() - self._looked >= LATER:
            self._prove(self._tentative)
            self._tentative = None
        if not self._soon:
            self._look_soon()

    def ended(self) -> None:
        """The peer has ended its side in order, or has everything and stays silent."""
        if self._outbox.acknowledged():
            self._prove(self.handed())

    def _look_soon(self) -> None:
        if not self._soon and self._final is None:
            self._soon = True
            if self._look is not None:
                self._look.cancel()
            self._look = self._clock.call_later(LOOK_AFTER, self._look_now)

    def _look_now(self) -> None:
        """See whether the peer's kernel has everything that was handed over."""
        if self._outbox.acknowledged():
            self._tentative = self.handed()
            self._looked = self._clock.monotonic()
            self._soon = False
            self._ask(self._tentative)
        self._look = self._clock.call_later(LOOK_AFTER if self._soon else LOOK_EVERY, self._look_now)

    def _ask(self, marks: Mapping[int, int]) -> None:
        """Let a telnet say that it has come so far; what is proven does not need it."""
        if self._telnet is not None and any(seq > self._proven.get(id, 0) for id, seq in marks.items()):
            asking = self._telnet.ask(lambda: self._prove(marks))
            if asking:
                self._outbox.write(asking)

    def _prove(self, marks: Mapping[int, int]) -> None:
        proven = {id: seq for id, seq in marks.items() if seq > self._proven.get(id, 0)}
        if not proven:
            return
        self._proven = {**self._proven, **proven}
        asked = self._asked or {}
        read = {id: seq for id, seq in asked.items() if seq <= self._proven.get(id, 0)}
        self._asked = {id: seq for id, seq in asked.items() if id not in read} or None
        self._write(proven, read)

    def close(self) -> None:
        """The login is over: nothing more is handed over, but what was may still be proven."""
        if self._final is not None:
            return
        self._final = self.handed()
        if self._look is not None:
            self._look.cancel()
            self._look = None
        proven = self._proven
        handed = {id: Shown(proven.get(id, 0), seq) for id, seq in self._final.items() if seq > proven.get(id, 0)}
        unsure = join_shown(handed, self._shown_meanwhile())
        if unsure:
            self._leave(unsure)
