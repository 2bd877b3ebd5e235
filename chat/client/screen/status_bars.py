"""The bars of a few lines: above the conversation, what it is; at the bottom, the files that move, a hint, and how it
stands. What stands in the first and in the last is made by pure functions."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from chat.client.model.conversation import ConversationModel, Key
from chat.client.model.state import State
from chat.client.screen.sidebar import HERE
from chat.client.session.observer import Phase, Status
from chat.protocol.wire.sanitize import safe


class Bar(Static):
    """One line across, which is always there."""

    DEFAULT_CSS = "Bar { height: 1; width: 1fr; background: $primary 30%; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__("", markup=False)


class TopicBar(Bar):
    """See `topic_line`."""


class StatusBar(Bar):
    """See `status_line`."""

    DEFAULT_CSS = "StatusBar.alarmed { background: $error; text-style: bold; }"

    def show(self, line: Text, alarmed: bool) -> None:
        """:param alarmed: whether it is to stand out, as nobody can talk."""
        self.set_class(alarmed, "alarmed")
        self.update(line)


class PassingBar(Static):
    """A few lines, which are there while something stands in them."""

    DEFAULT_CSS = "PassingBar { height: auto; padding: 0 1; display: none; }"

    def __init__(self) -> None:
        super().__init__("", markup=False)

    def say(self, lines: Text) -> None:
        self.update(lines)
        self.display = bool(lines)


class FilesBar(PassingBar):
    """The files that are on their way; see `chat.client.screen.transfer_bars`."""

    DEFAULT_CSS = "FilesBar { max-height: 3; }"


class HintBar(PassingBar):
    """What could be typed; see `chat.client.screen.input_box`."""

    DEFAULT_CSS = "HintBar { max-height: 2; color: $text-muted; }"


def topic_line(state: State, talk: ConversationModel | None, sealed: str = "") -> Text:
    """What the conversation is.

    :param sealed: in a few words whether what is said there is sealed.
    """
    if talk is None:
        return Text("no room", no_wrap=True)
    if talk.key.room:
        line = Text(f"#{safe(talk.title)}", style="bold", no_wrap=True, overflow="ellipsis")
        if talk.sealed:
            line.append(f"  {sealed}", style="not bold")
        if talk.topic:
            line.append(f"  {safe(talk.topic)}", style="not bold")
        return line
    presence = state.state_of(talk.title)
    shown = safe(talk.title) if talk.key.deleted else f"{HERE.get(presence, '')} {safe(talk.title)} ({presence})"
    line = Text(shown, style="bold", no_wrap=True)
    if sealed:
        line.append(f"  {sealed}", style="not bold")
    return line


def status_line(
    state: State, status: Status, here: Key | None, *, where: str, secure: bool, listed: bool, at_end: bool
) -> Text:
    """How it stands, what matters most first: a narrow screen cuts the rest off.

    :param here: the conversation that one is in.
    :param where: the server.
    :param secure: whether the connection is encrypted.
    :param listed: whether the side bar shows what waits.
    :param at_end: whether the newest line shows.
    """
    line = Text(no_wrap=True, overflow="ellipsis")
    if not secure:
        line.append("CONNECTION NOT ENCRYPTED  ", style="bold reverse")
    if status.phase is Phase.WAITING:
        line.append(f"Not connected; next try in {max(1, round(status.wait))} s (F5: now)  ")
    elif status.phase is Phase.CONNECTING:
        line.append(f"Connecting to {where} ...  ")
    elif status.phase is Phase.CATCHING_UP:
        line.append("Reading what you missed ...  ")
    elif status.phase is Phase.ENDED:
        line.append(f"Not connected (F5: again): {safe(status.reason)}  ")
    elif status.phase is not Phase.ONLINE:
        line.append(f"{safe(status.reason) or 'Not connected.'}  ")
    if unsent := len(state.unsent):
        line.append(f"{unsent} unsent  ", style="bold")
    others = [talk for key, talk in state.talks.items() if key != here and talk.unread]
    if others and not listed:
        named = "!" if any(talk.mentions for talk in others) else ""
        line.append(f"{named}{sum(talk.unread for talk in others)} unread elsewhere (F4)  ", style="bold")
    if not at_end:
        new = state.talks[here].unread if here in state.talks else 0
        line.append(f"{f'{new} new below' if new else 'older lines'}; Ctrl-End: newest  ", style="bold")
    if status.phase is Phase.ONLINE:
        line.append(f"{safe(state.me)} on {where}  F1: help")
    elif status.phase is Phase.WAITING:
        line.append(safe(status.reason))
    return line
