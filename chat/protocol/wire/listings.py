"""Replies that are lists, as lines: people, rooms, devices, history, help."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from chat.protocol.events import (
    Devices,
    Found,
    Help,
    History,
    Missed,
    OwnSettings,
    People,
    Profile,
    RoomLine,
    Rooms,
    RoomSettings,
    Skipped,
    VerbHelp,
)
from chat.protocol.preferences import SETTINGS
from chat.protocol.values.quantities import count, duration
from chat.protocol.wire.columns import columns, entry, paragraph
from chat.protocol.wire.identity_cache import IdentityCache
from chat.protocol.wire.phrases import at, day, moment, offset, place
from chat.protocol.wire.rows import history_lines
from chat.protocol.wire.sanitize import safe
from chat.protocol.wire.view import View, notice, renders, renders_in_parts

UNSEEN = "(Warning: Users that have blocked you will not be listed)"
LINES = 20
"""The lines of a history that one gets without saying how many."""

EXPLANATIONS = 26
"""The column in which the explanations of ``help`` begin."""


def _more(number: int) -> str:
    return f"  and {number:,} more\n" if number else ""


# --- people ---------------------------------------------------------------------------------------


@renders(People)
def people(reply: People, view: View) -> str:
    return _PEOPLE.get(reply.title, _users)(reply, view)


def _online(reply: People, view: View) -> str:
    """As wish 001 has it: a name a line, and the warning."""
    names = "".join(f"{safe(each.name)}{' (away)' * (each.state == 'away')}\n" for each in reply.people)
    return f"{names or notice('Nobody is online.', view)}{_more(reply.more)}{UNSEEN}\n"


def _users(reply: People, view: View) -> str:
    if not reply.people:
        return notice("There are no users.", view)
    return _listed(
        reply,
        view,
        f"{count(len(reply.people) + reply.more, 'user')}:",
        [(each.name, each.state) for each in reply.people],
    )


def _members(reply: People, view: View) -> str:
    room = safe(reply.room)
    if not reply.people:
        return notice(f"Room {room} has no members.", view)
    rows = [(each.name, each.role.value if each.role else "", each.state) for each in reply.people]
    return _listed(reply, view, f"{count(len(rows) + reply.more, 'member')} of {room}:", rows)


def _blocked(reply: People, view: View) -> str:
    if not reply.people:
        return notice("You have not blocked anybody.", view)
    return _listed(reply, view, "Blocked users:", [(each.name,) for each in reply.people])


def _listed(reply: People, view: View, heading: str, rows: Iterable[Sequence[str]]) -> str:
    return notice(heading, view) + columns(rows) + _more(reply.more)


_PEOPLE: dict[str, Callable[[People, View], str]] = {
    "online": _online,
    "users": _users,
    "members": _members,
    "blocked": _blocked,
}


@renders(Profile)
def profile(reply: Profile, view: View) -> str:
    realname = f" ({safe(reply.realname)})" if reply.realname else ""
    state = reply.state
    if reply.since is not None:
        since = moment(reply.since, view.now, view.zone)
        state = f"last seen {since}" if state == "offline" else f"{state} since {since}"
    rows = [("state", state)]
    if reply.away:
        rows.append(("away", reply.away))
    rows.append(("account", f"{reply.rank}, account made on {day(at(reply.created, view.zone))}"))
    if reply.rooms:
        rows.append(("rooms", ", ".join(reply.rooms)))
    return notice(f"{safe(reply.name)}{realname}", view) + columns(rows)


@renders(Devices)
def devices(reply: Devices, view: View) -> str:
    sessions = [
        (each.device, each.address, f"since {moment(each.since, view.now, view.zone)}", "this session" * each.current)
        for each in reply.sessions
    ]
    known = [
        (
            each.name,
            f"last seen {moment(each.seen, view.now, view.zone)}",
            "logs in without a password" if each.has_token else "",
        )
        for each in reply.devices
        if each.has_token or each.name not in {session.device for session in reply.sessions}
    ]
    shown = notice("Signed in:" if sessions else "You are not signed in anywhere.", view) + columns(sessions)
    return shown + (notice("Devices:", view) + columns(known) if known else "")


# --- rooms and what was said there ----------------------------------------------------------------


@renders(Rooms)
def rooms(reply: Rooms, view: View) -> str:
    if not reply.rooms:
        none = "You are not a member of any room. Type list channels, then connect ROOM."
        return notice(none if reply.mine else "There are no rooms yet. Type: create ROOM", view)
    rows = [
        (
            place(each.conversation),
            f"{each.occupants:,} here",
            count(each.members, "member"),
            _remark(each, reply.mine),
            each.topic,
        )
        for each in reply.rooms
    ]
    heading = "Your rooms:" if reply.mine else f"{count(len(rows) + reply.more, 'room')}:"
    return notice(heading, view) + columns(rows) + _more(reply.more)


def _remark(room: RoomLine, mine: bool) -> str:
    """What a list says of a room for its reader."""
    if room.invited_by:
        return f"{safe(room.invited_by)} has invited you"
    private, sealed = "private" * room.private, "sealed" * room.sealed
    here = f"{room.unread:,} waiting" if room.unread else "yours" if room.joined and not mine else ""
    return ", ".join(filter(None, (private, sealed, here)))


_FROM = {"start": "all of it", "joining": "what is said after they join"}


@renders(RoomSettings)
def room_settings(reply: RoomSettings, view: View) -> str:
    slow = f"one line every {duration(reply.slow * 1_000)} for each member" if reply.slow else "off"
    rows = [
        ("topic", reply.topic or "none"),
        ("private", "on: by invitation only" if reply.private else "off: anybody can enter"),
        ("history", f"{safe(reply.history)}: new members can read {_FROM.get(reply.history, 'some of it')}"),
        ("slow", slow),
        ("sealed", "on: only clients that hold its keys can read and write there" if reply.sealed else "off"),
        ("owners", ", ".join(reply.owners) or "nobody"),
        ("moderators", ", ".join(reply.moderators) or "nobody"),
        ("members", f"{reply.members:,}"),
        ("made", f"on {day(at(reply.created, view.zone))}"),
    ]
    return notice(f"Room {place(reply.conversation)}", view) + columns(rows)


@renders_in_parts(History)
def history(reply: History, view: View) -> Iterator[str]:
    entries = [each for each in reply.entries if not isinstance(each, Skipped)]
    more = reply.more and bool(reply.entries)
    if not (more or entries):
        yield notice(f"Nothing to show for {place(reply.conversation)}.", view)
    elif not more and 1 < reply.first == entries[0].seq:
        yield notice("Older lines have expired, or were said before you joined.", view)
    yield from history_lines(entries, view, ids=True)
    if more:
        yield notice(_how_to_read_on(reply, len(entries)), view)


def _how_to_read_on(reply: History, lines: int) -> str:
    """What to type for the next page. It stands below this one, as the beginning of a long one is off the screen."""
    number = f" {lines}" if lines > LINES else ""
    if reply.newer:
        newest = reply.entries[-1]
        seq = newest.last if isinstance(newest, Skipped) else newest.seq
        return f"Newer lines exist. Type: history after {reply.conversation.msgid(seq)}{number}"
    oldest = reply.entries[0]
    seq = oldest.first if isinstance(oldest, Skipped) else oldest.seq
    return f"Older lines exist. Type: history before {reply.conversation.msgid(seq)}{number}"


@renders_in_parts(Found)
def found(reply: Found, view: View) -> Iterator[str]:
    if reply.partial:
        yield notice(_PARTIAL, view)
    if not reply.entries:
        yield notice(
            "Nothing found. A line must contain every word; a * at the end of a word matches any ending.", view
        )
        return
    if reply.more:
        yield notice(
            "Older results were left out. Narrow the search with a word, in:ROOM, from:NAME or since:2h.", view
        )
    yield from history_lines(reversed(reply.entries), view._replace(current=None), ids=True)
    yield notice("To see the lines around a result: history ID", view)


_PARTIAL = "The search index is being built: older messages may be missing. Try again later."


@renders_in_parts(Missed)
def missed(reply: Missed, view: View) -> Iterator[str]:
    nothing = not reply.remaining
    for page in reply.pages:
        number = sum(not isinstance(each, Skipped) for each in page.entries)
        if number:
            nothing = False
            source = "in" if page.conversation.room else "with"
            yield notice(f"{count(number, 'line')} {source} {place(page.conversation)}:", view)
            yield from history_lines(page.entries, view)
    if reply.remaining:
        yield notice(f"{count(reply.remaining, 'more line')} waiting. Type catchup.", view)
    if nothing:
        yield notice("Nothing is waiting.", view)


# --- settings -------------------------------------------------------------------------------------


def setting_values(reply: OwnSettings, view: View) -> dict[str, str]:
    """What each setting is, in words; by its name in `chat.protocol.preferences.SETTINGS`."""
    zone = reply.timezone or "the server's"
    return {
        "style": reply.style,
        "time": "on" if reply.time else "off",
        "timezone": f"{zone} ({offset(at(view.now, view.zone))})",
        "bell": "on" if reply.bell else "off",
        "quiet": ", ".join(f"{room} {how}" for room, how in reply.quiet.items()) or "no room",
        "realname": reply.realname or "none",
    }


@renders(OwnSettings)
def own_settings(reply: OwnSettings, view: View) -> str:
    values = setting_values(reply, view)
    if reply.changed == "quiet":
        return notice(safe(f"Quiet rooms: {values['quiet']}." if reply.quiet else "There are no quiet rooms."), view)
    if reply.changed in values:
        return notice(safe(f"{reply.changed} is now {values[reply.changed]}."), view)
    rows = [(name, values[name], setting.hint) for name, setting in SETTINGS.items()]
    return (
        notice("Your settings:", view)
        + columns(rows)
        + notice("To change one: set style classic (/help set explains them)", view)
    )


# --- help -----------------------------------------------------------------------------------------


@renders(Help)
def help_shown(reply: Help, view: View) -> str:
    if reply.verb is not None:
        return _verb(reply.verb)
    return _groups.of(reply) + notice(f"Type {reply.more} for more.", view)


def _all_verbs(reply: Help) -> str:
    return "".join(
        paragraph(title) + "".join(entry(verb.form, verb.summary, EXPLANATIONS) for verb in verbs)
        for title, verbs in reply.groups
    )


_groups = IdentityCache(_all_verbs)
"""The same for everybody who may use the same verbs."""


def _verb(verb: VerbHelp) -> str:
    shown = paragraph(verb.form) + paragraph(verb.summary, 2)
    if verb.detail:
        shown += "".join(paragraph(part, 2) for part in verb.detail.split("\n\n"))
    if verb.aliases:
        shown += paragraph(f"Also: {', '.join(verb.aliases)}", 2)
    if verb.examples:
        shown += paragraph("For example:", 2) + "".join(paragraph(example, 4) for example in verb.examples)
    return shown
