"""History: pages of a conversation, without blocked people, and what newcomers may read."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Entry, History, MembershipChanged, Said, Skipped, TopicChanged
from chat.protocol.grammar.durations import Span
from chat.protocol.values import Draft, Kind, Name, RoomRecord, Text
from chat.server.core.rooms import LOBBY
from chat.server.storage.memory import MemoryStore
from tests.server.core.stage import NO_PASSWORD, Stage, now


def words(entries: tuple[Entry, ...]) -> list[str]:
    """What was said, and ``-`` for what is skipped."""
    shown = []
    for entry in entries:
        if isinstance(entry, Said):
            shown.append(entry.body.text if isinstance(entry.body, Text) else "")
        elif isinstance(entry, Skipped):
            shown.append("-")
    return shown


class Pages(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage()
        self.ann = self.stage.enter("ann", "ops")  # seq 1: created
        self.bob = self.stage.enter("bob", "ops")  # seq 2: joined
        for number in range(3, 13):
            (self.ann if number % 2 else self.bob).says("ops", str(number))

    def page(self, **more: object) -> History:
        return self.ann.gets(History, "history", where="ops", **more)

    def test_the_newest_lines_oldest_first(self) -> None:
        page = self.page(span=Span(3))
        self.assertEqual((words(page.entries), page.more), (["10", "11", "12"], True))
        self.assertEqual((page.first, page.last), (1, 12))

    def test_pages_after_and_before_a_seq(self) -> None:
        page = self.page(after=3, limit=4)
        self.assertEqual((words(page.entries), page.more), (["4", "5", "6", "7"], True))
        page = self.page(after=10, limit=4)
        self.assertEqual((words(page.entries), page.more), (["11", "12"], False))
        page = self.page(before=5, limit=2)
        self.assertEqual((words(page.entries), page.more), (["3", "4"], True))

    def test_before_and_after_a_message(self) -> None:
        ops = self.page().conversation
        page = self.page(span=Span(2, before=ops.msgid(5)))
        self.assertEqual((words(page.entries), page.more, page.newer), (["3", "4"], True, False))
        page = self.page(span=Span(2, after=ops.msgid(5)))
        self.assertEqual((words(page.entries), page.more, page.newer), (["6", "7"], True, True))

    def test_rows_that_are_not_said_are_shown_too(self) -> None:
        self.ann.does("topic", room="ops", text="soup")
        entries = self.page(span=Span(500)).entries
        kinds = [type(entry) for entry in (entries[0], entries[1], entries[-1])]
        self.assertEqual(kinds, [MembershipChanged, MembershipChanged, TopicChanged])

    def test_by_time(self) -> None:
        self.stage.clock.advance(3600)
        self.ann.says("ops", "later")
        self.assertEqual(words(self.page(span=Span(200, seconds=60)).entries), ["later"])
        self.assertEqual(len(words(self.page(span=Span(200, seconds=7200)).entries)), 11)

    def test_times_that_there_are_not(self) -> None:
        for clock in ("25:00", "09:61", "2026-13-01", "0000-01-01"):
            self.assertEqual(self.ann.code("history", where="ops", span=Span(200, clock=clock)), "bad-usage")
        for clock in ("0001-01-01", "9999-12-31", "00:00", "23:59"):
            self.assertIn(self.outcome(Span(200, clock=clock)), ("bad-usage", "history"))
        self.page(span=Span(200, seconds=999_999 * 604_800))

    def outcome(self, span: Span) -> str:
        reply = self.ann.does("history", where="ops", span=span)
        return "history" if isinstance(reply, History) else getattr(reply, "code", "?")

    def test_what_blocked_people_said_is_skipped(self) -> None:
        self.ann.does("block", user="bob")
        self.assertEqual(words(self.page(span=Span(4)).entries), ["9", "-", "11", "-"])

    def test_by_the_id_of_the_conversation(self) -> None:
        id = self.stage.room("ops").id
        self.assertEqual(words(self.ann.gets(History, "history", conversation=id, limit=1).entries), ["12"])
        self.assertEqual(self.ann.code("history", conversation=99), "no-such-conversation")

    def test_a_room_of_others_and_a_pair_of_others(self) -> None:
        carol = self.stage.enter("carol")
        self.ann.writes("bob", "psst")
        pair = next(iter(now(self.stage.store.pairs_of(self.ann.id)).values()))
        self.assertEqual(carol.code("history", where="ops"), "not-a-member")
        self.assertEqual(carol.code("history", conversation=self.stage.room("ops").id), "no-such-conversation")
        self.assertEqual(carol.code("history", conversation=pair), "no-such-conversation")
        self.assertEqual(carol.code("history", where="ann"), "no-such-conversation")

    def test_a_place_that_there_is_not(self) -> None:
        for place, code in {
            "obs": "no-such-room",
            "#ann": "no-such-room",
            "@ops": "no-such-conversation",
            "bbo": "no-such-user",
            "nothing": "no-such-conversation",
        }.items():
            self.assertEqual(self.ann.code("history", where=place), code, place)
        self.assertEqual(self.ann.code("history"), "not-in-room")

    def test_a_room_and_a_person_of_one_name(self) -> None:
        """The room, unless ``@`` says that the person is meant."""
        stage = Stage()
        ann = stage.enter("ann", "bob")
        stage.enter("bob")
        ann.says("bob", "in the room")
        ann.writes("bob", "to the person")
        self.assertEqual(words(ann.gets(History, "history", where="bob").entries), ["in the room"])
        self.assertEqual(words(ann.gets(History, "history", where="@bob").entries), ["to the person"])

    def test_a_room_that_takes_the_name_of_a_person(self) -> None:
        """It hides that person from its members alone."""
        bob, carol = self.bob, self.stage.enter("carol")
        self.ann.writes("bob", "to the person")
        carol.does("create", room="bob")
        self.assertEqual(words(self.ann.gets(History, "history", where="bob").entries), ["to the person"])
        self.assertEqual(bob.code("history", where="#bob"), "not-a-member")


class Newcomers(SynchronousTestCase):
    """In a room whose history begins with joining nobody reads what came before."""

    def setUp(self) -> None:
        store = MemoryStore()
        store.start(lambda rows: None)
        owner = now(store.create_account(Name("ann", "ann"), "", NO_PASSWORD, 0)).id
        record = RoomRecord(0, Name("ops", "ops"), "", 0, from_start=False)
        now(store.create_room(record, Draft(0, Kind.CREATED, owner, "default", 0)))
        now(store.stop())
        self.stage = Stage(store=store)
        self.ann = self.stage.enter("ann")
        for number in range(2, 8):
            self.ann.says("ops", f"old {number}")
        self.stage.clock.advance(60)
        self.bob = self.stage.enter("bob", "ops")  # seq 8
        self.ann.says("ops", "new 9")
        self.ann.says("ops", "new 10")

    def page(self, **more: object) -> History:
        return self.bob.gets(History, "history", where="ops", **more)

    def test_whichever_way_one_asks(self) -> None:
        everything = Span(200, seconds=86_400)
        for more in (
            {},
            {"span": everything},
            {"after": 0, "limit": 500},
            {"after": 7, "limit": 9},
            {"before": 11, "limit": 9},
        ):
            page = self.page(**more)
            self.assertEqual(words(page.entries), ["new 9", "new 10"], more)
            self.assertEqual((page.more, page.first), (False, 8), more)

    def test_a_page_that_is_full_of_what_came_before(self) -> None:
        """What may be read is found behind it."""
        page = self.page(span=Span(2, seconds=86_400))
        self.assertEqual((len(page.entries), page.more), (2, True))
        self.assertEqual(words(self.page(after=0, limit=2).entries), ["new 9"])

    def test_the_last_page_backwards_says_that_it_is_the_last(self) -> None:
        self.assertEqual([self.page(span=Span(lines)).more for lines in (2, 3, 4)], [True, False, False])
        page = self.page(before=8, limit=5)
        self.assertEqual((page.entries, page.more), ((), False))

    def test_who_was_there_reads_it_all(self) -> None:
        page = self.ann.gets(History, "history", where="ops", span=Span(500))
        self.assertEqual(len(words(page.entries)), 8)

    def test_the_usual_room_is_read_from_its_start(self) -> None:
        self.ann.does("connect", room=LOBBY)
        self.ann.says(LOBBY, "old")
        self.bob.does("connect", room=LOBBY)
        self.assertEqual(words(self.bob.gets(History, "history", where=LOBBY).entries), ["old"])
