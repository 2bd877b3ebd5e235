"""The exact lines that people read, and that nobody can forge one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import (
    Address,
    AddressChanged,
    AskedConsent,
    BlockChanged,
    Broadcasted,
    Closing,
    CommandTable,
    ConsentRefused,
    Deleted,
    Devices,
    Done,
    Edited,
    Entry,
    Event,
    Facts,
    Help,
    History,
    Invited,
    LoggedIn,
    LoggedOut,
    MembershipChanged,
    Missed,
    Notice,
    OneTimeCode,
    People,
    Person,
    Pong,
    Presence,
    Profile,
    Refused,
    Removed,
    Reply,
    Resumed,
    RoomChanged,
    RoomEntered,
    RoomLeft,
    RoomLine,
    Rooms,
    RoomSettings,
    Said,
    SessionLine,
    SignedOut,
    Skipped,
    Standing,
    StoredAs,
    TimeNow,
    TopicChanged,
    VerbHelp,
    Welcome,
)
from chat.protocol.values import Body, Conversation, Device, Kind, Rank, Role, Sealed, Text
from chat.protocol.wire.columns import width
from chat.protocol.wire.text import View, greeting, invitation_summary, render, render_history, waiting_summary
from chat.protocol.wire.view import RENDERINGS, renders
from tests.protocol.wire.strategies import ANYTHING, SHOWN, Maker
from tests.protocol.wire.test_sanitize import harmful

NOON = 1_795_176_000_000
"""Friday, 20 November 2026, 12:00 UTC."""

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
OPS = Conversation(2, room="ops")
LOBBY = Conversation(1, room="lobby")
BOB = Conversation(4, partner="bob")
ANN = Conversation(5, partner="ann")
VIEW = View(OPS.id, now=NOON)
CLASSIC = View(OPS.id, "classic", now=NOON)
TIMED = View(OPS.id, now=NOON, zone=timezone(timedelta(hours=1)), times=True)


def said(
    text: str,
    conversation: Conversation = OPS,
    author: str = "bob",
    kind: Kind = Kind.TEXT,
    time: int = NOON,
    again: bool = False,
) -> Said:
    return Said(conversation, 17, kind, author, "default", time, Text(text), again)


def without_text(body: Body | None) -> Said:
    return Said(OPS, 17, Kind.TEXT, "bob", "default", NOON, body)


class Lines(SynchronousTestCase):
    def shows(self, shown: Event | Reply, lines: str, view: View = VIEW) -> None:
        self.assertEqual(render(shown, view), lines)


class Messages(Lines):
    def test_a_line_of_the_current_room(self) -> None:
        self.shows(said("hello all"), "bob: hello all\n")
        self.shows(said("grüß Gott"), "bob: grüß Gott\n")

    def test_the_following_lines_of_a_message(self) -> None:
        self.shows(
            said("hello all\nand a second line\n\nend"), "bob: hello all\nbob| and a second line\nbob|\nbob| end\n"
        )

    def test_a_line_of_another_room(self) -> None:
        lines = "[ops] bob: disk\n[ops] bob| is full\n"
        self.shows(said("disk\nis full"), lines, View(LOBBY.id))
        self.shows(said("disk\nis full"), lines, View())

    def test_a_private_message(self) -> None:
        self.shows(said("got a minute?", BOB), "bob (private): got a minute?\n")
        self.shows(said("one\ntwo", BOB), "bob (private): one\nbob| two\n")

    def test_a_private_message_that_the_reader_sent_elsewhere(self) -> None:
        self.shows(said("yes", ANN), "bob (private to ann): yes\n")

    def test_an_action(self) -> None:
        self.shows(said("waves", kind=Kind.ACTION), "* bob waves\n")
        self.shows(said("waves", kind=Kind.ACTION), "[ops] * bob waves\n", View(LOBBY.id))
        self.shows(said("waves\ntwice", BOB, kind=Kind.ACTION), "* bob (private) waves\nbob| twice\n")

    def test_what_may_be_a_repeat(self) -> None:
        self.shows(said("hello", again=True), "(again) bob: hello\n")

    def test_a_body_that_is_gone_or_sealed(self) -> None:
        self.shows(without_text(None), "bob: (deleted)\n")
        self.shows(without_text(Sealed("megolm.v1", "k", b"x")), "bob: (encrypted: this client cannot read it)\n")

    def test_what_was_said_anew(self) -> None:
        self.shows(Edited(OPS, 18, 17, "bob", "default", NOON, Text("hello\nall")), "bob (edited): hello\nbob| all\n")
        self.shows(Edited(LOBBY, 18, 17, "bob", "default", NOON, Text("hello")), "[lobby] bob (edited): hello\n")
        self.shows(Edited(BOB, 18, 17, "bob", "default", NOON, Text("hello")), "bob (private) (edited): hello\n")
        self.shows(Edited(OPS, 18, 17, "bob", "default", NOON, None), "bob (edited): (deleted)\n")

    def test_what_was_deleted(self) -> None:
        self.shows(Deleted(OPS, 18, 17, "bob", "bob", NOON), "* bob deleted message r2.17.\n")
        self.shows(Deleted(LOBBY, 18, 17, "ann", "bob", NOON), "* [lobby] ann deleted message r1.17 of bob.\n")

    def test_a_broadcast(self) -> None:
        self.shows(Broadcasted("bob", NOON, "lunch!\nnow"), "bob (broadcast): lunch!\nbob| now\n")

    def test_times_for_those_who_want_them(self) -> None:
        self.shows(said("hello"), "(13:00) bob: hello\n", TIMED)
        self.shows(Broadcasted("bob", NOON, "lunch!"), "(13:00) bob (broadcast): lunch!\n", TIMED)
        self.shows(TopicChanged(OPS, 3, "bob", NOON, "disks"), "(13:00) * bob set the topic of ops: disks\n", TIMED)


class Classic(Lines):
    """The exact look of wish 001."""

    def test_every_message_looks_alike(self) -> None:
        for message in (said("hi there!"), said("hi there!", LOBBY), said("hi there!", BOB), said("hi there!", ANN)):
            self.shows(message, "bob: hi there!\n", CLASSIC)
        self.shows(Broadcasted("A", NOON, "hello all"), "A: hello all\n", CLASSIC)

    def test_events_and_errors_have_no_mark(self) -> None:
        self.shows(Presence(("B",), "online"), "User B has logged on.\n", CLASSIC)
        self.shows(Done("User B has been blocked."), "User B has been blocked.\n", CLASSIC)
        self.shows(Refused("blocked", "Your message was not sent."), "Your message was not sent.\n", CLASSIC)
        self.shows(said("waves", kind=Kind.ACTION), "bob waves\n", CLASSIC)

    def test_messages_that_waited_have_no_time(self) -> None:
        rows = [said("hi", BOB, time=NOON - 3 * DAY), said("there", BOB)]
        self.assertEqual(render_history(rows, CLASSIC), "bob: hi\nbob: there\n")
        self.assertIn("(12:00) bob: there\n", render_history(rows, CLASSIC, ids=True))


class Presences(Lines):
    def test_somebody_comes_and_goes(self) -> None:
        self.shows(Presence(("B",), "online"), "* User B has logged on.\n")
        self.shows(Presence(("C",), "offline"), "* User C has logged out.\n")

    def test_several_are_one_line(self) -> None:
        self.shows(Presence(("A", "B"), "offline"), "* Users A and B have logged out.\n")
        self.shows(Presence(("A", "B", "C"), "online"), "* Users A, B and C have logged on.\n")
        self.shows(Presence(("A", "B"), "online", others=7), "* Users A, B and 7 others have logged on.\n")
        self.shows(Presence(("A",), "online", others=1), "* Users A and 1 other have logged on.\n")

    def test_away_and_back(self) -> None:
        self.shows(Presence(("A",), "away", text="lunch"), "* User A is away: lunch\n")
        self.shows(Presence(("A",), "away"), "* User A is away.\n")
        self.shows(Presence(("A",), "back"), "* User A is back.\n")

    def test_a_state_of_a_newer_server(self) -> None:
        self.shows(Presence(("A", "B"), "asleep"), "* Users A and B are asleep.\n")


class RoomEvents(Lines):
    def changed(self, kind: Kind, line: str, detail: str = "", until: int | None = None, target: str = "carol") -> None:
        self.shows(MembershipChanged(OPS, 3, kind, "bob", target, NOON, detail, until), line)

    def test_members_come_and_go(self) -> None:
        self.changed(Kind.CREATED, "* bob has created ops.\n", target="bob")
        self.changed(Kind.JOINED, "* bob has entered ops.\n", target="bob")
        self.changed(Kind.LEFT, "* bob has left ops.\n", target="bob")

    def test_moderation_says_who_and_why(self) -> None:
        self.changed(Kind.KICKED, "* carol was kicked from ops by bob: spam\n", "spam")
        self.changed(Kind.KICKED, "* carol was kicked from ops by bob.\n")
        self.changed(Kind.BANNED, "* carol was banned from ops by bob: spam\n", "spam")
        self.changed(Kind.UNBANNED, "* carol was unbanned from ops by bob.\n")
        self.changed(Kind.UNMUTED, "* carol was unmuted in ops by bob.\n")
        self.changed(Kind.ROLE, "* bob made carol moderator of ops.\n", "moderator")

    def test_a_ban_or_mute_says_for_how_long(self) -> None:
        self.changed(Kind.MUTED, "* carol was muted in ops by bob for 10 minutes.\n", until=NOON + 10 * MINUTE)
        self.changed(
            Kind.BANNED, "* carol was banned from ops by bob for 1 day and 2 hours: x\n", "x", NOON + 26 * 60 * MINUTE
        )
        self.changed(Kind.MUTED, "* carol was muted in ops by bob for 1 second.\n", until=NOON - 5)

    def test_braces_are_only_text(self) -> None:
        self.changed(Kind.KICKED, "* {room} was kicked from ops by bob: {author}\n", "{author}", target="{room}")

    def test_consent_in_the_words_of_wish_001(self) -> None:
        self.shows(
            AskedConsent("bob"),
            "* User bob is asking for consent.\n"
            "* To ignore, do nothing. To give consent, enter: consent bob (or: refuse bob)\n",
        )
        self.shows(Address("ann", "129.35.26.1", 51791), "* User ann ip: 129.35.26.1, port: 51791\n")
        both = "* User ann ip: 129.35.26.1, port: 51791 (also 10.0.0.7)\n"
        self.shows(Address("ann", "129.35.26.1", 51791, ("10.0.0.7",)), both)
        self.shows(ConsentRefused("ann"), "* User ann declined to give an address.\n")
        moved = "* User ann has changed IP addresses. Ask for the address again.\n"
        self.shows(AddressChanged("ann"), moved)

    def test_a_block_that_another_session_has_made_or_ended(self) -> None:
        blocked = "* User bob has been blocked, from another of your sessions.\n"
        self.shows(BlockChanged("bob", True), blocked)
        self.shows(BlockChanged("bob", False), blocked.replace("blocked", "unblocked"))

    def test_invitations(self) -> None:
        change = MembershipChanged(OPS, 3, Kind.INVITED, "ann", "bob", NOON)
        self.shows(change, "* ann has invited bob to ops.\n")
        words = "* ann has invited you to ops. Type connect ops or decline ops.\n"
        self.shows(Invited(OPS, "ann", NOON), words)

    def test_the_settings_of_a_room(self) -> None:
        for setting, value, words in (
            ("private", "on", "ann made ops private: entry is by invitation only."),
            ("private", "off", "ann opened ops: anybody can enter."),
            ("history", "start", "ann let new members of ops read it from its start."),
            ("history", "joining", "ann let new members of ops read only what is said after they join."),
            ("slow", "90", "ann turned on slow mode in ops: one line every 1 minute and 30 seconds for each member."),
            ("slow", "0", "ann turned off slow mode in ops."),
            ("colour", "red", "ann set colour of ops to red."),
        ):
            self.shows(RoomChanged(OPS, 3, "ann", NOON, setting, value), f"* {words}\n")

    def test_the_topic(self) -> None:
        self.shows(TopicChanged(OPS, 3, "bob", NOON, "disks\nand fans"), "* bob set the topic of ops: disks and fans\n")
        self.shows(TopicChanged(OPS, 3, "bob", NOON, ""), "* bob cleared the topic of ops.\n")

    def test_the_reader_is_out(self) -> None:
        self.shows(Removed(OPS, Kind.KICKED, "bob", "spam"), "* You were kicked from ops by bob: spam\n")
        self.shows(Removed(OPS, Kind.BANNED, "bob"), "* You were banned from ops by bob.\n")
        banned = Removed(OPS, Kind.BANNED, "bob", "spam", NOON + 3_600_000)
        self.shows(banned, "* You were banned from ops by bob until 13:00: spam\n")
        self.shows(Removed(OPS, Kind.LEFT, "ann"), "* You have left ops.\n")

    def test_gaps_are_for_programs(self) -> None:
        self.shows(Skipped(OPS, 3, 5), "")


class ServerLines(Lines):
    def test_notices(self) -> None:
        self.shows(SignedOut("You logged in elsewhere."), "* You logged in elsewhere.\n")
        self.shows(Closing("Server is shutting down."), "* Server is shutting down.\n")

    def test_the_second_line_of_a_notice_is_no_notice(self) -> None:
        self.shows(Closing("Kicked: go\n* User ann has logged on."), "* Kicked: go\n  * User ann has logged on.\n")


class Refusals(Lines):
    def test_one_line_with_what_was_probably_meant(self) -> None:
        self.shows(Refused("no-such-user", 'No user "bbo".', "bob"), '! No user "bbo". Did you mean bob?\n')

    def test_a_suggestion_is_not_repeated(self) -> None:
        self.shows(
            Refused("x", "Not sent. Did you mean: message bob hi ?", "bob"),
            "! Not sent. Did you mean: message bob hi ?\n",
        )

    def test_a_part_of_another_word_is_no_mention(self) -> None:
        self.shows(Refused("x", 'No user "ann-b".', "ann"), '! No user "ann-b". Did you mean ann?\n')
        self.shows(Refused("x", 'No user "anna".', "ann"), '! No user "anna". Did you mean ann?\n')

    def test_it_stays_one_line(self) -> None:
        self.shows(Refused("x", 'No user "a\nb".'), '! No user "a b".\n')


class ShortReplies(Lines):
    def test_done(self) -> None:
        self.shows(Done("User B has been blocked."), "* User B has been blocked.\n")
        self.shows(Done(), "")

    def test_what_is_stored_shows_by_itself(self) -> None:
        self.shows(StoredAs(OPS, 3, NOON), "")
        self.shows(StoredAs(BOB, 3, NOON, present=True), "")

    def test_a_message_for_somebody_who_is_not_there(self) -> None:
        kept = "* User bob is not here; your message is kept and will be delivered.\n"
        self.shows(StoredAs(BOB, 3, NOON, present=False), kept)
        self.shows(StoredAs(BOB, 3, NOON, present=True, away="lunch"), "* User bob is away: lunch\n")
        self.shows(StoredAs(BOB, 3, NOON, present=True, away=""), "* User bob is away.\n")

    def test_logging_in_and_out(self) -> None:
        reply = LoggedIn("B", Rank.MEMBER, "default", "t", 30)
        self.shows(reply, "Welcome to the chat system!\n")
        self.shows(reply, "Welcome to the chat system!\n", CLASSIC)
        made = LoggedIn("B", Rank.MEMBER, "default", "t", 30, created=True)
        self.shows(made, "* Account B created.\nWelcome to the chat system!\n")
        self.shows(LoggedOut("ann"), "Logging out. Bye for now!\n")

    def test_entering_a_room(self) -> None:
        people = ("ann", "bob", "carol")
        self.shows(RoomEntered(OPS, "disks", people, 0), "* You are in ops (3 here: ann, bob, carol). Topic: disks\n")
        self.shows(
            RoomEntered(OPS, "", people, 14),
            "* You are in ops (3 here: ann, bob, carol). 14 lines waiting. Type catchup.\n",
        )
        self.shows(
            RoomEntered(OPS, "", ("bob",), 0, created=True),
            "* Room ops created; you are its owner.\n* You are in ops (1 here: bob).\n",
        )

    def test_a_crowd_is_counted(self) -> None:
        people = tuple(f"p{number}" for number in range(50))
        named = ", ".join(people[:10])
        self.shows(RoomEntered(OPS, "", people, 0), f"* You are in ops (50 here: {named} and 40 others).\n")
        some = RoomEntered(OPS, "", people, 0, others=4_000)
        self.shows(some, f"* You are in ops (4,050 here: {named} and 4,040 others).\n")

    def test_leaving_a_room(self) -> None:
        self.shows(RoomLeft(OPS), "* You have left ops.\n")

    def test_the_time_where_the_reader_is(self) -> None:
        reply = TimeNow(NOON, NOON - DAY)
        self.shows(
            reply, "* Friday 20 November 2026 12:00:00 UTC; the server has been running since yesterday 12:00.\n"
        )
        self.shows(
            reply,
            "* Friday 20 November 2026 13:00:00 UTC+01:00; the server has been running since yesterday 13:00.\n",
            TIMED,
        )
        west = View(zone=timezone(-timedelta(hours=3, minutes=30)))
        self.assertIn("08:30:00 UTC-03:30;", render(reply, west))

    def test_replies_for_programs_are_short(self) -> None:
        self.shows(Pong(), "* pong\n")
        self.shows(Welcome("chat", "1.0", {}, (), ()), "* chat 1.0\n")
        self.shows(Resumed((), 0, None), "")
        self.shows(CommandTable(({"verb": "say"},)), "* 1 command. Type help to see them.\n")


class Listings(Lines):
    def test_who_is_online_as_wish_001_has_it(self) -> None:
        warning = "(Warning: Users that have blocked you will not be listed)\n"
        people = (Person("A", "online"), Person("C", "away"))
        self.shows(People("online", people), f"A\nC (away)\n{warning}")
        self.shows(People("online", people[:1], more=3), f"A\n  and 3 more\n{warning}")
        self.shows(People("online", ()), f"* Nobody is online.\n{warning}")

    def test_users_stand_in_columns(self) -> None:
        people = (Person("ann", "online"), Person("日本", "offline"), Person("c", "away"))
        self.shows(People("users", people), "* 3 users:\n  ann   online\n  日本  offline\n  c     away\n")

    def test_members_have_roles(self) -> None:
        people = (Person("ann", "online", Role.OWNER), Person("bob", "offline", Role.MEMBER))
        lines = "* 5 members of ops:\n  ann  owner   online\n  bob  member  offline\n  and 3 more\n"
        self.shows(People("members", people, "ops", more=3), lines)

    def test_blocked_people(self) -> None:
        self.shows(People("blocked", (Person("bob", "online"),)), "* Blocked users:\n  bob\n")

    def test_empty_lists_are_sentences(self) -> None:
        self.shows(People("users", ()), "* There are no users.\n")
        self.shows(People("members", (), "ops"), "* Room ops has no members.\n")
        self.shows(People("blocked", ()), "* You have not blocked anybody.\n")
        self.shows(Rooms((), mine=False), "* There are no rooms yet. Type: create ROOM\n")
        self.shows(Rooms((), mine=True), "* You are not a member of any room. Type list channels, then connect ROOM.\n")

    def test_rooms(self) -> None:
        rooms = (
            RoomLine(OPS, "disks", 3, 12, True, 14),
            RoomLine(LOBBY, "", 0, 1, True),
            RoomLine(Conversation(3, "x"), "", 1, 1, False),
        )
        lines = (
            "* 3 rooms:\n"
            "  ops    3 here  12 members  14 waiting  disks\n"
            "  lobby  0 here  1 member    yours\n"
            "  x      1 here  1 member\n"
        )
        self.shows(Rooms(rooms, mine=False), lines)
        self.shows(Rooms(rooms[1:2], mine=True), "* Your rooms:\n  lobby  0 here  1 member\n")

    def test_invitations_among_the_rooms(self) -> None:
        lines = (
            RoomLine(OPS, "", 1, 2, True, 3, private=True),
            RoomLine(LOBBY, "", 0, 4, False, private=True, invited_by="ann"),
        )
        shown = render(Rooms(lines, True), VIEW)
        self.assertIn("private, 3 waiting", shown)
        self.assertIn("ann has invited you", shown)

    def test_what_a_room_is_like(self) -> None:
        reply = RoomSettings(OPS, "", NOON, True, "joining", 30, 3, ("ann",), ())
        lines = (
            "* Room ops\n"
            "  topic       none\n"
            "  private     on: by invitation only\n"
            "  history     joining: new members can read what is said after they join\n"
            "  slow        one line every 30 seconds for each member\n"
            "  sealed      off\n"
            "  owners      ann\n"
            "  moderators  nobody\n"
            "  members     3\n"
            "  made        on 20 November 2026\n"
        )
        self.shows(reply, lines)

    def test_devices(self) -> None:
        sessions = (SessionLine("phone", "192.0.2.7", NOON - DAY, False), SessionLine("default", "::1", NOON, True))
        lines = (
            "* Signed in:\n"
            "  phone    192.0.2.7  since yesterday 12:00\n"
            "  default  ::1        since 12:00            this session\n"
            "* Devices:\n"
            "  laptop  last seen 2 March 2026 08:05  logs in without a password\n"
        )
        self.shows(Devices(sessions, (Device("laptop", 1_772_438_700_000, True),)), lines)
        self.shows(Devices((), ()), "* You are not signed in anywhere.\n")

    def test_a_profile(self) -> None:
        reply = Profile("bob", "Robert", Rank.MEMBER, "away", "lunch", 1_772_438_700_000, NOON, ("ops", "lobby"))
        lines = (
            "* bob (Robert)\n"
            "  state    away since 12:00\n"
            "  away     lunch\n"
            "  account  member, account made on 2 March 2026\n"
            "  rooms    ops, lobby\n"
        )
        self.shows(reply, lines)
        gone = Profile("bob", "", Rank.ADMINISTRATOR, "offline", "", NOON, NOON - DAY, ())
        self.shows(
            gone,
            "* bob\n  state    last seen yesterday 12:00\n  account  administrator, account made on 20 November 2026\n",
        )


class Replays(Lines):
    def test_today_and_yesterday_need_no_date_line_to_begin_with(self) -> None:
        rows = [said("night", time=NOON - DAY), said("more", time=NOON - DAY + MINUTE), said("morning", time=NOON)]
        lines = (
            "(yesterday 12:00) bob: night\n"
            "(yesterday 12:01) bob: more\n"
            "-- Friday 20 November 2026 --\n"
            "(12:00) bob: morning\n"
        )
        self.assertEqual(render_history(rows, VIEW), lines)

    def test_older_days_begin_with_a_date_line(self) -> None:
        rows = [said("old", time=NOON - 2 * DAY), said("old too", time=NOON - 2 * DAY + MINUTE)]
        lines = "-- Wednesday 18 November 2026 --\n(12:00) bob: old\n(12:01) bob: old too\n"
        self.assertEqual(render_history(rows, VIEW), lines)

    def test_days_change_where_the_reader_is(self) -> None:
        late = NOON + 11 * 60 * MINUTE + 30 * MINUTE
        shown = render_history([said("a", time=late), said("b", time=late + MINUTE * 60)], TIMED)
        self.assertEqual(
            shown,
            "-- Saturday 21 November 2026 --\n(00:30) bob: a\n(01:30) bob: b\n",
        )

    def test_ids_to_cite(self) -> None:
        rows: list[Entry] = [said("morning", author="carol"), TopicChanged(OPS, 18, "bob", NOON, "x")]
        lines = "r2.17 (12:00) carol: morning\nr2.18 (12:00) * bob set the topic of ops: x\n"
        self.assertEqual(render_history(rows, VIEW, ids=True), lines)

    def test_an_edit_cites_what_it_replaces_where_ids_are_shown(self) -> None:
        rows: list[Entry] = [Edited(OPS, 18, 17, "bob", "default", NOON, Text("hello"))]
        self.assertEqual(render_history(rows, VIEW, ids=True), "r2.18 (12:00) bob (edited r2.17): hello\n")
        self.assertEqual(render_history(rows, VIEW), "(12:00) bob (edited): hello\n")

    def test_every_kind_of_message(self) -> None:
        rows: list[Entry] = [
            said("a", LOBBY),
            said("b", BOB),
            said("c\nd", again=True),
            Skipped(OPS, 1, 2),
            without_text(None),
        ]
        lines = (
            "(12:00) [lobby] bob: a\n(12:00) bob (private): b\n(12:00) (again) bob: c\nbob| d\n(12:00) bob: (deleted)\n"
        )
        self.assertEqual(render_history(rows, VIEW), lines)
        self.assertEqual(render_history([], VIEW), "")

    def test_a_page_of_history_says_how_to_see_more(self) -> None:
        row = said("hi")
        self.shows(History(OPS, (row,), False, 1, 17), "r2.17 (12:00) bob: hi\n")
        shown = "r2.17 (12:00) bob: hi\n"
        self.shows(History(OPS, (row,), True, 1, 17), f"{shown}* Older lines exist. Type: history before r2.17\n")
        newer = History(OPS, (row,), True, 1, 40, newer=True)
        self.shows(newer, f"{shown}* Newer lines exist. Type: history after r2.17\n")
        rows = tuple(said("hi") for _ in range(30))
        self.assertIn("Type: history before r2.17 30\n", render(History(OPS, rows, True, 1, 40), VIEW))

    def test_so_does_a_page_of_which_nothing_is_shown(self) -> None:
        hidden = (Skipped(OPS, 18, 40),)
        self.shows(History(OPS, hidden, True, 1, 50), "* Older lines exist. Type: history before r2.18\n")
        newer = History(OPS, hidden, True, 1, 50, newer=True)
        self.shows(newer, "* Newer lines exist. Type: history after r2.40\n")

    def test_what_a_log_no_longer_has(self) -> None:
        row = said("hi")
        kept = "* Older lines have expired, or were said before you joined.\nr2.17 (12:00) bob: hi\n"
        self.shows(History(OPS, (row,), False, 17, 17), kept)
        self.shows(History(OPS, (Skipped(OPS, 1, 9),), False, 1, 9), "* Nothing to show for ops.\n")

    def test_what_was_missed(self) -> None:
        pages = (
            History(BOB, (said("hi", BOB),), False, 1, 17),
            History(LOBBY, (Skipped(LOBBY, 1, 2),), False, 1, 2),
            History(OPS, (said("a"), said("b")), True, 1, 40),
        )
        lines = (
            "* 1 line with bob:\n(12:00) bob (private): hi\n"
            "* 2 lines in ops:\n(12:00) bob: a\n(12:00) bob: b\n"
            "* 21 more lines waiting. Type catchup.\n"
        )
        self.shows(Missed(pages, 21), lines)
        self.shows(Missed((), 0), "* Nothing is waiting.\n")


class Helps(Lines):
    SAY = VerbHelp("say", ("chat",), "say TEXT", "Say something in the current room.", "", ())
    LONG = VerbHelp(
        "history",
        (),
        "history [ROOM|NAME] [N|2h|since TIME]",
        "Show what was said, by default the last 20 lines of the current room, with their ids.",
        "A number is a number of lines.\n\nA time is a clock time of today.",
        ("history 20", "history ops 2h"),
    )

    def test_all_verbs_by_group(self) -> None:
        lines = (
            "Talk\n"
            "  say TEXT                Say something in the current room.\n"
            "  history [ROOM|NAME] [N|2h|since TIME]\n"
            "                          Show what was said, by default the last 20\n"
            "                          lines of the current room, with their ids.\n"
            "* Type help VERB for more.\n"
        )
        self.shows(Help((("Talk", (self.SAY, self.LONG)),)), lines)

    def test_the_page_of_all_verbs_is_made_once(self) -> None:
        """In whichever style it is shown."""
        looks = 0

        class Verbs(tuple[VerbHelp, ...]):
            def __iter__(self) -> Iterator[VerbHelp]:
                nonlocal looks
                looks += 1
                return super().__iter__()

        page = Help((("Talk", Verbs((self.SAY, self.LONG))),))
        self.assertEqual(render(page, VIEW).splitlines()[:-1], render(page, CLASSIC).splitlines()[:-1])
        self.assertEqual(looks, 1)

    def test_one_verb_in_full(self) -> None:
        lines = (
            "history [ROOM|NAME] [N|2h|since TIME]\n"
            "  Show what was said, by default the last 20 lines of the current room,\n"
            "  with their ids.\n"
            "  A number is a number of lines.\n"
            "  A time is a clock time of today.\n"
            "  For example:\n"
            "    history 20\n"
            "    history ops 2h\n"
        )
        self.shows(Help(verb=self.LONG), lines)
        self.shows(Help(verb=self.SAY), "say TEXT\n  Say something in the current room.\n  Also: chat\n")

    @given(Maker(st.text(st.characters(codec="ascii"), max_size=120)).make(Help))
    def test_no_line_is_wider_than_72_columns(self, reply: Help) -> None:
        self.assertLessEqual(max(map(width, render(reply, VIEW).split("\n"))), 72)


class Summaries(SynchronousTestCase):
    def standing(self, conversation: Conversation, unread: int) -> Standing:
        return Standing(conversation, 1, 40, 0, 0, unread)

    def test_what_waits_in_one_line(self) -> None:
        standings = [self.standing(OPS, 14), self.standing(BOB, 1), self.standing(ANN, 1), self.standing(LOBBY, 0)]
        line = "* 2 private messages, 14 lines in ops. Type catchup.\n"
        self.assertEqual(waiting_summary(standings, VIEW), line)
        self.assertEqual(waiting_summary(standings, CLASSIC), "14 lines in ops. Type catchup.\n")

    def test_many_rooms_are_counted(self) -> None:
        standings = [self.standing(Conversation(number, room=f"r{number}"), 1) for number in range(1, 9)]
        named = ", ".join(f"1 line in r{number}" for number in range(1, 6))
        self.assertEqual(waiting_summary(standings, VIEW), f"* {named}, 3 lines in 3 other rooms. Type catchup.\n")

    def test_invitations_in_one_line(self) -> None:
        one = Invited(OPS, "ann", NOON)
        tail = " Type connect ROOM or decline ROOM.\n"
        self.assertEqual(invitation_summary((one,), VIEW), "* You are invited to ops (from ann)." + tail)
        self.assertIn(" and 2 more.", invitation_summary((one,) * 7, VIEW))
        self.assertEqual(invitation_summary((), VIEW), "")

    def test_nothing_waits(self) -> None:
        self.assertEqual(waiting_summary([self.standing(OPS, 0)], VIEW), "")


class Greetings(SynchronousTestCase):
    def test_a_connection_that_is_not_encrypted(self) -> None:
        lines = (
            "Welcome to NAME (3 people online). You are not logged in.\n"
            "  login NAME        log in (asks for the password)\n"
            "  new NAME          make an account\n"
            "  help              everything else\n"
            "This connection is not encrypted. Encrypted: ncat --ssl HOST 7777\n"
        )
        self.assertEqual(greeting("NAME", 3, False, "", 7777), lines)

    def test_an_encrypted_one_needs_no_advice(self) -> None:
        shown = greeting("chat", 1, True, "chat.example", 7777)
        self.assertTrue(shown.startswith("Welcome to chat (1 person online)."))
        self.assertNotIn("encrypted", shown)
        self.assertIn("(nobody online)", greeting("chat", 0, True, "", 7777))

    def test_an_address_that_does_not_fit(self) -> None:
        self.assertIn(" Encrypted: ncat --ssl localhost 7777\n", greeting("chat", 1, False, "localhost", 7777))
        self.assertIn(
            " Encrypted:\n  ncat --ssl 192.168.100.107 7777\n", greeting("chat", 1, False, "192.168.100.107", 7777)
        )
        self.assertIn(" Encrypted: ncat --ssl HOST 7777\n", greeting("chat", 1, False, "a" * 60, 7777))

    def test_a_long_name_has_a_line_of_its_own(self) -> None:
        shown = greeting("x" * 60, 3, True, "", 7777)
        self.assertTrue(shown.startswith(f"Welcome to {'x' * 60}\n(3 people online). You are not logged in.\n"))

    @given(
        ANYTHING, st.integers(0, 10**6), st.booleans(), ANYTHING | st.text("a.", max_size=253), st.integers(1, 65535)
    )
    def test_eight_plain_lines_of_72_columns(self, name: str, online: int, tls: bool, host: str, port: int) -> None:
        lines = greeting(name * 2, online, tls, host, port).split("\n")
        self.assertEqual(lines.pop(), "")
        self.assertLessEqual(len(lines), 8)
        for line in lines:
            self.assertLessEqual(len(line), 72)
            self.assertTrue(line.isascii() and line.isprintable())


class Table(SynchronousTestCase):
    def test_everything_has_a_rendering(self) -> None:
        self.assertEqual(set(RENDERINGS), set(SHOWN))

    def test_nothing_has_two(self) -> None:
        self.assertRaises(ValueError, renders(Said), lambda event, view: "")


VIEWS = st.builds(
    View,
    st.none() | st.integers(1, 3),
    st.sampled_from(["plain", "classic"]),
    st.integers(0, 1 << 41),
    times=st.booleans(),
)
FORGERY = "* User EVIL has logged on."
FORGERIES = st.lists(
    st.sampled_from(["\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\x1b[2K\r", "\x1b[1A", "\x08\x08", " ", "x"]),
    max_size=4,
).map(lambda breaks: "".join(f"{each}{FORGERY}" for each in ["", *breaks]))

WORDED = (Help, Closing, SignedOut, Done, Refused, Welcome, Notice, Facts, OneTimeCode)
"""What begins with the server's own words."""


class Forgeries(SynchronousTestCase):
    """Text from people never starts a line by itself, and never harms a terminal."""

    def complete(self, shown: str) -> None:
        """Check that it is complete harmless lines."""
        self.assertTrue(not shown or shown.endswith("\n"))
        self.assertFalse([char for char in shown if harmful(char) and char != "\n"])
        shown.encode()

    def test_nothing_harmful_comes_out(self) -> None:
        def check(shown: Event | Reply, view: View) -> None:
            self.complete(render(shown, view))

        Maker(ANYTHING).check(check, VIEWS)

    @given(Maker(ANYTHING).entries(), VIEWS, st.booleans())
    def test_nor_out_of_a_replay(self, entries: list[Said], view: View, ids: bool) -> None:
        self.complete(render_history(entries, view, ids))

    @given(Maker(ANYTHING).standings(), VIEWS)
    def test_nor_out_of_a_summary(self, standings: list[Standing], view: View) -> None:
        self.complete(waiting_summary(standings, view))

    def test_no_line_begins_with_what_somebody_wrote(self) -> None:
        def check(shown: Event | Reply, view: View) -> None:
            for line in render(shown, view).splitlines():
                self.assertFalse(line.startswith((FORGERY, FORGERY[2:])), line)

        maker = Maker(FORGERIES, st.sampled_from(["bob", "ann"]))
        maker.check(check, VIEWS, without=WORDED)

    @given(FORGERIES.map(lambda text: f"Kicked: {text}"), st.sampled_from([Closing, SignedOut, Done]), VIEWS)
    def test_nor_with_a_reason_inside_a_notice(self, text: str, kind: type[Closing], view: View) -> None:
        for line in render(kind(text), view).splitlines():
            self.assertFalse(line.startswith((FORGERY, FORGERY[2:])), line)

    @given(Maker(ANYTHING).make(Refused), VIEWS)
    def test_a_refusal_is_one_line(self, refused: Refused, view: View) -> None:
        self.assertEqual(render(refused, view).count("\n"), 1)
