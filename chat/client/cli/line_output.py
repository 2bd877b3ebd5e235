"""Prints what happens as lines, for scripts, screen readers and simple terminals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from chat.client.model.conversation import ConversationModel
from chat.client.model.failures import ClientFailure
from chat.client.model.rendering import shown_in, view_of
from chat.client.model.send_queue import Outgoing
from chat.client.model.transfer_progress import Stage, TransferProgress
from chat.client.session.observer import Phase, Status
from chat.protocol.events import Entry, Event, Refused, Reply, Said, SignedOut, StoredAs
from chat.protocol.wire.sanitize import safe, safe_lines
from chat.protocol.wire.text import render_history

TOLD_EVERY = 25
"""Percent between two lines about the progress of a file."""


class Printer:
    """Prints everything that an engine reports; implements `chat.client.session.observer.Observer`.

    :param write: called with whole lines.
    :param aside: called with notices and errors instead; by default `write`.
    :ivar only: if given, selects the conversations that are printed; other lines are printed only if alarming.
    :ivar here: the current room, or nothing.
    :ivar failed: whether a line typed here was refused.
    """

    def __init__(self, write: Callable[[str], object], aside: Callable[[str], object] | None = None) -> None:
        self.here: ConversationModel | None = None
        self.failed = False
        self.on_rows: Callable[[ConversationModel], object] = lambda talk: None
        self.on_status: Callable[[Status], object] = lambda status: None
        self.on_settled: Callable[[], object] = lambda: None
        self.only: Callable[[ConversationModel], bool] | None = None
        self._ended = ""
        self._told: dict[TransferProgress, tuple[Stage, int]] = {}
        self._write = write
        self._aside = aside or write

    def show(self, shown: Reply | Event) -> None:
        """Show a reply or an event."""
        write = self._aside if isinstance(shown, Refused) else self._write
        write(shown_in(self.here, shown))

    def show_past(self, rows: Iterable[Entry]) -> None:
        """Show rows with their times."""
        self._write(render_history(rows, view_of(self.here)))

    def note(self, text: str) -> None:
        """Show a notice of the client."""
        self._aside(f"* {safe(text)}\n")

    def refuse(self, text: str) -> None:
        """Show an error."""
        self.show(Refused("client", text))

    def give_up(self, error: ClientFailure) -> None:
        """Show the error that ended the client, unless it was shown before."""
        if str(error) != self._ended:
            self.refuse(str(error))

    # the observer

    def status_changed(self, status: Status) -> None:
        if self.only is None:
            if status.phase is Phase.WAITING:
                self.refuse(f"{status.reason} Reconnecting in {max(1, round(status.wait))} s.")
            elif status.phase is Phase.ENDED:
                self._ended = status.reason
                self.refuse(status.reason)
        self.on_status(status)

    def rows_added(self, talk: ConversationModel, rows: Sequence[Entry], live: bool) -> None:
        if self.only is None or self.only(talk):
            # Lines sent from here have no device.
            others = [row for row in rows if not (isinstance(row, Said) and not row.device)]
            if live:
                for row in others:
                    self.show(row)
            else:
                self.show_past(others)
        self.on_rows(talk)

    def happened(self, event: Event) -> None:
        if self.only is None and not isinstance(event, SignedOut):
            self.show(event)

    def direct(self, user: str, author: str, text: str) -> None:
        if self.only is not None:
            return
        if author != user:
            self.note(f"Delivered directly to {user}.")
            return
        first, *others = safe_lines(text)
        name = safe(author)
        self._write("".join([f"{name} (direct): {first}\n", *(f"{name}| {line}\n" for line in others)]))

    def transferred(self, transfer: TransferProgress) -> None:
        step = transfer.stage, transfer.percent // TOLD_EVERY
        if self.only is None and self._told.get(transfer) != step:
            self._told[transfer] = step
            self.note(transfer.line())
        if not transfer.going:
            self._told.pop(transfer, None)

    def found(self, talk: ConversationModel | None, words: str, alarming: bool) -> None:
        if self.only is None or (alarming if talk is None else self.only(talk)):
            where = f"[{talk.title}] " if talk is not None and talk is not self.here else ""
            if alarming:
                self.refuse(f"{where}{words}")
            else:
                self.note(f"{where}{words}")

    def settled(self, outgoing: Outgoing, stored: StoredAs | None) -> None:
        if stored is not None:
            self.show(stored)
        else:
            self.failed = True
            self.refuse(outgoing.why)
        self.on_settled()
