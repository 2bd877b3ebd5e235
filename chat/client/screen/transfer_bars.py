"""Progress bars of file transfers and lines of direct messages. Pure."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from chat.client.model.transfer_progress import Stage, TransferProgress
from chat.protocol.wire.sanitize import safe, safe_lines

BAR: Final = 20
"""Columns of a progress bar."""


def direct_lines(author: str, text: str, delivered: bool) -> str:
    """A line that never went through the server.

    :param delivered: whether it is one's own, which is shown when it was.
    """
    first, *others = safe_lines(text)
    lines = [f"{safe(author)} (direct): {first}", *(f"{safe(author)}| {line}" for line in others)]
    return "\n".join(lines) + (" ✓✓" if delivered else "")


class TransferBars:
    """The files that are on their way, and what was said of them."""

    def __init__(self) -> None:
        self._going: dict[tuple[bytes, str, bool], tuple[Stage, TransferProgress]] = {}

    def changed(self, transfer: TransferProgress) -> str:
        """A file has moved.

        :param transfer: itself, or as it stood at a moment.
        :returns: what is to be noted of that; nothing where the bar shows it.
        """
        which, now = (transfer.id, transfer.user, transfer.incoming), transfer.stage
        before, _ = self._going.get(which, (None, transfer))
        self._going[which] = now, transfer
        if not transfer.going:
            del self._going[which]
        return "" if now in (before, Stage.MOVING) else f"* {transfer.line()}"

    def bars(self) -> Text:
        """One line for each that moves, with a bar."""
        lines = [self._bar(each) for stage, each in self._going.values() if stage in (Stage.MOVING, Stage.CUT)]
        return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")

    def _bar(self, transfer: TransferProgress) -> str:
        full = BAR * transfer.percent // 100
        return f"{'█' * full}{'░' * (BAR - full)} {transfer.line()}"
