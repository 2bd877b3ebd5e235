"""Short replies as lines: what became of a command."""

from __future__ import annotations

import re

from chat.protocol.events import (
    CommandTable,
    Done,
    LoggedIn,
    LoggedOut,
    PasswordChanged,
    Pong,
    Refused,
    Restored,
    RoomEntered,
    RoomLeft,
    StoredAs,
    TimeNow,
    Welcome,
)
from chat.protocol.values.quantities import count
from chat.protocol.wire.phrases import at, clock, listed, moment, offset, place, weekday
from chat.protocol.wire.sanitize import safe
from chat.protocol.wire.view import View, notice, renders


@renders(Refused)
def refused(reply: Refused, view: View) -> str:
    text = safe(reply.text)
    if reply.suggest and not _mentions(text, safe(reply.suggest)):
        text += f" Did you mean {safe(reply.suggest)}?"
    return f"{'' if view.classic else '! '}{text}\n"


def _mentions(text: str, suggestion: str) -> bool:
    """Whether a text names this very word; ``ann`` is not named where ``ann-b`` is."""
    return re.search(rf"(?<![\w-]){re.escape(suggestion)}(?![\w-]|\.\w)", text) is not None


@renders(Done)
def done(reply: Done, view: View) -> str:
    return notice(reply.text, view)


@renders(StoredAs)
def stored(reply: StoredAs, view: View) -> str:
    if reply.as_expected:
        return ""
    user = f"User {place(reply.conversation)}"
    if reply.present is False:
        return notice(f"{user} is not here; your message is kept and will be delivered.", view)
    return notice(f"{user} is away: {safe(reply.away)}" if reply.away else f"{user} is away.", view)


@renders(Welcome)
def welcome(reply: Welcome, view: View) -> str:
    return notice(safe(f"{reply.server} {reply.version}"), view)


@renders(Restored)
def restored(reply: Restored, view: View) -> str:
    return notice(f"A backup was restored: {count(len(reply.marks), 'conversation')}.", view)


@renders(CommandTable)
def command_table(reply: CommandTable, view: View) -> str:
    return notice(f"{count(len(reply.commands), 'command')}. Type help to see them.", view)


# --- coming and going -----------------------------------------------------------------------------


@renders(LoggedIn)
def logged_in(reply: LoggedIn, view: View) -> str:
    made = notice(f"Account {safe(reply.account)} created.", view) if reply.created else ""
    return f"{made}Welcome to the chat system!\n"


@renders(PasswordChanged)
def password_changed(reply: PasswordChanged, view: View) -> str:
    return notice("Your password has been changed. Your other sessions have been ended.", view)


@renders(LoggedOut)
def logged_out(reply: LoggedOut, view: View) -> str:
    return "Logging out. Bye for now!\n" if reply.account else "Bye for now!\n"


@renders(RoomEntered)
def room_entered(reply: RoomEntered, view: View) -> str:
    room = place(reply.conversation)
    made = notice(f"Room {room} created; you are its owner.", view) if reply.created else ""
    here = f"{len(reply.occupants) + reply.others:,} here: {listed(reply.occupants, reply.others)}"
    if not reply.occupants:
        here = "nobody else here"
    words = f"You are in {room} ({here})."
    if reply.unread:
        words += f" {count(reply.unread, 'line')} waiting. Type catchup."
    if reply.topic:
        words += f" Topic: {safe(reply.topic)}"
    if reply.sealed:
        closed = f"{room} is encrypted: you can neither read nor write there with this client."
        return made + notice(words, view) + notice(closed, view)
    how = f"What you type is said in {room}; type /help for the commands."
    return made + notice(words, view) + (notice(how, view) if reply.joined and not reply.created else "")


@renders(RoomLeft)
def room_left(reply: RoomLeft, view: View) -> str:
    return notice(f"You have left {place(reply.conversation)}.", view)


# --- time -----------------------------------------------------------------------------------------


@renders(Pong)
def pong(reply: Pong, view: View) -> str:
    return notice("pong", view)


@renders(TimeNow)
def time_now(reply: TimeNow, view: View) -> str:
    now = at(reply.time, view.zone)
    since = moment(reply.up_since, reply.time, view.zone)
    moment_shown = f"{weekday(now)} {clock(now)}:{now.second:02} {offset(now)}"
    return notice(f"{moment_shown}; the server has been running since {since}.", view)
