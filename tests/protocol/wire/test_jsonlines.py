"""The exact frames that programs read, and that nothing they send can do more than be refused."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import BadFrame
from chat.protocol.events import (
    Broadcasted,
    Column,
    CommandTable,
    Devices,
    Done,
    Event,
    Fact,
    Facts,
    Found,
    Help,
    History,
    Listing,
    LoggedIn,
    MembershipChanged,
    Missed,
    Pong,
    Presence,
    Refused,
    Reply,
    Resumed,
    RoomLine,
    Rooms,
    Said,
    Skipped,
    Standing,
    StoredAs,
    TimeNow,
    Traffic,
    VerbHelp,
)
from chat.protocol.values import Conversation, Device, Kind, Rank, Sealed, Text
from chat.protocol.wire.jsonlines import (
    CONTAINERS,
    DEPTH,
    FRAMES,
    OWN_NAMES,
    Request,
    decode,
    encode,
    encode_parts,
    parse,
    request_id,
)
from tests.protocol.wire.strategies import ANYTHING, SHOWN, UTF8, Maker

MORNING = 1_795_165_923_120
TIME = "2026-11-20T09:12:03.120Z"
OPS = Conversation(2, room="ops")
BOB = Conversation(4, partner="bob")
OPS_JSON = {"id": "r2", "room": "ops"}
SAID = Said(OPS, 4712, Kind.TEXT, "bob", "phone", MORNING, Text("disk is full"))
SAID_JSON = {
    "type": "said",
    "msgid": "r2.4712",
    "conversation": OPS_JSON,
    "kind": "text",
    "from": "bob",
    "device": "phone",
    "time": TIME,
    "body": {"text": "disk is full"},
}


class Frames(SynchronousTestCase):
    def sends(self, shown: Event | Reply, **fields: Any) -> None:
        self.assertEqual(json.loads(encode(shown)), fields)

    def test_said(self) -> None:
        self.sends(SAID, **SAID_JSON)
        self.assertEqual(list(json.loads(encode(SAID))), list(SAID_JSON))

    def test_a_body_that_is_sealed_or_gone(self) -> None:
        sealed = Said(BOB, 1, Kind.SEALED, "bob", "phone", MORNING, Sealed("megolm.v1", "k1", b"\x00\xff"), again=True)
        frame = json.loads(encode(sealed))
        self.assertEqual(frame["body"], {"sealed": {"scheme": "megolm.v1", "key": "k1", "ciphertext": "AP8="}})
        self.assertEqual(frame["conversation"], {"id": "k4", "with": "bob"})
        self.assertIs(frame["again"], True)
        self.assertIsNone(json.loads(encode(Said(OPS, 1, Kind.TEXT, "bob", "phone", MORNING, None)))["body"])

    def test_members(self) -> None:
        def changed(kind: Kind) -> Any:
            return json.loads(encode(MembershipChanged(OPS, 3, kind, "bob", "carol", MORNING, until=MORNING)))

        muted = {"type": "moderated", "msgid": "r2.3", "conversation": OPS_JSON, "kind": "muted"}
        self.assertEqual(changed(Kind.MUTED), muted | {"from": "bob", "user": "carol", "time": TIME, "until": TIME})
        self.assertEqual(changed(Kind.JOINED)["type"], "entered")
        self.assertEqual(changed(Kind.LEFT)["type"], "left")

    def test_times_among_the_cells_and_facts(self) -> None:
        columns = (Column("name"), Column("seen", "time"), Column("number"))
        listing = Listing("accounts", columns, (("bob", MORNING, MORNING), ("eve", None, 0)))
        self.assertEqual(json.loads(encode(listing))["rows"], [["bob", TIME, MORNING], ["eve", None, 0]])
        facts = Facts("status", (Fact("since", MORNING, "time"), Fact("size", MORNING, "bytes")))
        self.assertEqual([each["value"] for each in json.loads(encode(facts))["facts"]], [TIME, MORNING])
        for shown in (listing, facts):
            self.assertEqual(parse(encode(shown))[0], shown)

    def test_other_events(self) -> None:
        self.sends(
            Traffic(MORNING, "text", "bob", conversation="k4", partner="ann"),
            **{"type": "traffic", "time": TIME, "kind": "text", "account": "bob", "conversation": "k4", "with": "ann"},
        )
        self.sends(Skipped(OPS, 3, 5), type="skipped", conversation=OPS_JSON, first=3, last=5)
        self.sends(Presence(("a", "b"), "online"), type="presence", users=["a", "b"], state="online")
        self.sends(
            Broadcasted("bob", MORNING, "hi"), **{"type": "broadcast", "from": "bob", "time": TIME, "text": "hi"}
        )

    def test_stored(self) -> None:
        fields = {"msgid": "k4.41", "conversation": {"id": "k4", "with": "bob"}, "time": TIME, "present": False}
        self.sends(StoredAs(BOB, 41, MORNING, present=False), type="stored", **fields)

    def test_refused(self) -> None:
        refused = Refused("no-such-user", 'No user "bbo".', suggest="bob")
        self.sends(refused, type="refused", code="no-such-user", text='No user "bbo".', suggest="bob")
        self.sends(Refused("locked-out", "Wait.", wait=2.5), type="refused", code="locked-out", text="Wait.", wait=2.5)

    def test_what_equals_its_default_is_left_out(self) -> None:
        self.sends(Done(), type="done")
        self.sends(Pong(), type="pong")
        account = {"account": "bob", "rank": "member", "device": "phone", "token": "t", "heartbeat": 30}
        self.sends(LoggedIn("bob", Rank.MEMBER, "phone", "t", 30), type="logged-in", **account)

    def test_a_conversation_stands_among_the_fields_of_its_line(self) -> None:
        marks = {"first": 1, "last": 9, "received": 8, "read": 7, "unread": 2}
        resumed = Resumed((Standing(BOB, 1, 9, 8, 7, 2),), 0, None)
        line = {"id": "k4", "with": "bob", **marks}
        self.sends(resumed, type="resumed", conversations=[line], inbox=0, current=None)
        room = {"id": "r2", "room": "ops", "topic": "", "occupants": 3, "members": 4, "joined": True}
        self.sends(Rooms((RoomLine(OPS, "", 3, 4, True),), True), type="rooms", rooms=[room], mine=True)

    def test_lists_of_frames(self) -> None:
        page = {"conversation": OPS_JSON, "messages": [SAID_JSON], "more": False, "first": 1, "last": 4712}
        history = History(OPS, (SAID,), False, 1, 4712)
        self.sends(history, type="history", **page)
        self.sends(Missed((history,), 3), type="missed", pages=[page], remaining=3)

    def test_other_replies(self) -> None:
        self.sends(TimeNow(MORNING, MORNING), type="time", time=TIME, up_since=TIME)
        phone = {"name": "phone", "seen": TIME, "has_token": True}
        self.sends(Devices((), (Device("phone", MORNING, True),)), type="devices", sessions=[], devices=[phone])
        self.sends(CommandTable(({"verb": "say"},)), type="commands", table=[{"verb": "say"}])
        verb = {"verb": "say", "aliases": [], "form": "say TEXT", "summary": "s", "detail": "", "examples": []}
        say = VerbHelp("say", (), "say TEXT", "s", "", ())
        self.sends(Help((("Talk", (say,)),)), type="help", groups=[["Talk", [verb]]])
        self.sends(Help(verb=say), type="help", verb=verb)

    def test_a_reply_carries_the_id_of_its_request(self) -> None:
        self.assertEqual(encode(Pong(), "7"), b'{"type":"pong","id":"7"}\n')
        self.assertEqual(encode(Pong(), 0), b'{"type":"pong","id":0}\n')

    def test_what_is_large_and_the_same_for_everybody_is_written_once(self) -> None:
        """But for the id of the request."""
        table = CommandTable(tuple({"name": f"verb, {number}"} for number in range(3)))
        page = Help((("Talking", (VerbHelp("say", (), "say TEXT", "speak", "", ()),)),))
        for shown in (table, page):
            written = encode(shown)
            self.assertIs(encode(shown), written)
            frame = json.loads(written)
            for id in (7, "x", "\u00fc, \ud800", 0):
                answer = encode(shown, id)
                self.assertEqual(parse(answer)[0], shown)
                shown_id = id.replace("\ud800", "\ufffd") if isinstance(id, str) else id
                self.assertEqual(json.loads(answer), frame | {"id": shown_id})
                self.assertEqual(list(json.loads(answer))[:2], ["type", "id"])

    def test_a_frame_is_one_line_of_utf8(self) -> None:
        self.assertEqual(encode(Done("größe\n\u2028")), '{"type":"done","text":"größe\\n\u2028"}\n'.encode())

    def test_a_lone_surrogate_is_replaced(self) -> None:
        self.assertEqual(encode(Done("a\ud800b")), '{"type":"done","text":"a\ufffdb"}\n'.encode())

    def test_every_event_and_reply_has_a_frame(self) -> None:
        self.assertEqual(set(FRAMES.values()), set(SHOWN))
        self.assertEqual(len(FRAMES), len(SHOWN))
        self.assertFalse(set(OWN_NAMES.values()) & set(FRAMES))


class RoundTrips(SynchronousTestCase):
    def test_what_is_sent_can_be_read(self) -> None:
        def check(shown: Event | Reply, id: str | int | None) -> None:
            self.assertEqual(parse(encode(shown, id)), (shown, id))

        Maker(UTF8).check(check, st.none() | st.text(max_size=64) | st.integers(-(2**53) + 1, 2**53 - 1))

    def test_the_parts_of_a_page_are_the_page(self) -> None:
        def check(shown: Event | Reply, id: str | int | None) -> None:
            parts = encode_parts(shown, id)
            self.assertEqual(parts is not None, isinstance(shown, (History, Found)))
            if parts is not None:
                self.assertEqual(b"".join(parts), encode(shown, id))

        Maker(ANYTHING).check(check, st.none() | ANYTHING | st.integers(-(2**53) + 1, 2**53 - 1))

    def test_every_frame_is_one_line_of_utf8(self) -> None:
        def check(shown: Event | Reply) -> None:
            line = encode(shown)
            self.assertEqual(line.index(b"\n"), len(line) - 1)
            line.decode()

        Maker(ANYTHING).check(check)

    def test_unknown_fields_are_ignored(self) -> None:
        line = json.dumps(SAID_JSON | {"mood": "good", "body": {"text": "disk is full", "size": 3}}).encode()
        self.assertEqual(parse(line), (SAID, None))


def broken(**fields: Any) -> bytes:
    """The frame of something said, with other fields."""
    return json.dumps(SAID_JSON | fields).encode()


class BrokenFrames(SynchronousTestCase):
    """What a client reads is checked."""

    def test_fields_of_the_wrong_kind(self) -> None:
        for line in (
            broken(type="gossip"),
            broken(type=["said"]),
            broken(msgid="r2"),
            broken(msgid="r3.4712"),
            broken(msgid=7),
            broken(conversation={"id": "k2", "room": "ops"}),
            broken(conversation={"id": "r2", "room": ""}),
            broken(conversation="r2"),
            broken(kind="gossip"),
            broken(time="yesterday"),
            broken(time="2026-11-20T09:12:03"),
            broken(time=5),
            broken(body="text"),
            broken(body={"text": ""}),
            broken(body={"sealed": {"scheme": "s", "key": "k", "ciphertext": "%"}}),
            broken(again=1),
            broken(id=[]),
            b'{"type":"history","conversation":{"id":"r2","room":"ops"},"messages":[{"type":"pong"}],'
            b'"more":false,"first":1,"last":1}',
            b'{"type":"refused","code":"c","text":"t","wait":"1"}',
            b'{"type":"refused","code":"c","text":"t","wait":1' + b"0" * 400 + b"}",
            b'{"type":"presence","users":"bob","state":"online"}',
            b'{"type":"welcome","server":"s","version":"1","limits":[],"features":[],"auth":[]}',
            b'{"type":"help","groups":[["Talk"]]}',
            b"{}",
        ):
            self.assertRaises(BadFrame, parse, line)

    @given(
        st.dictionaries(
            st.sampled_from(["type", "text", "verb", "groups"]), st.sampled_from([*FRAMES, None, 1, [], {}])
        )
    )
    def test_nothing_worse_than_a_bad_frame(self, frame: dict[str, Any]) -> None:
        try:
            parse(json.dumps(frame).encode())
        except BadFrame:
            return
        self.assertIn(frame["type"], FRAMES)


class Requests(SynchronousTestCase):
    def test_a_request(self) -> None:
        line = b'{"id": "7", "cmd": "message", "args": {"user": "bob", "text": "hi"}, "retry": "f3a9f3a9f3a"}'
        self.assertEqual(decode(line), Request("7", "message", {"user": "bob", "text": "hi"}, "f3a9f3a9f3a"))

    def test_what_may_be_missing(self) -> None:
        self.assertEqual(decode(b'{"cmd":"ping"}'), Request(None, "ping", {}, None))
        self.assertEqual(decode(b'{"cmd":"ping","id":null,"retry":null,"mood":1}\r\n'), Request(None, "ping", {}, None))

    def test_numbers_as_ids(self) -> None:
        self.assertEqual(decode(b'{"cmd":"ping","id":9007199254740991}').id, 2**53 - 1)

    def test_escaped_characters_beyond_the_first_plane(self) -> None:
        self.assertEqual(decode(b'{"cmd":"say","args":{"text":"\\ud83d\\ude00"}}').args, {"text": "😀"})

    def test_how_many_arrays_and_objects(self) -> None:
        """Brackets in what somebody says are none."""
        said = "[{" * 8_000 + '\\"[{'
        self.assertEqual(decode(json.dumps({"cmd": "say", "args": {"text": said}}).encode()).args, {"text": said})
        for inner in ("[]", "{}"):
            few = CONTAINERS - 3
            self.assertEqual(decode(b'{"cmd":"x","args":{"a":[' + ",".join([inner] * few).encode() + b"]}}").cmd, "x")
            many = b'{"cmd":"x","id":7,"args":{"a":[' + ",".join([inner] * CONTAINERS).encode() + b"]}}"
            self.assertRaises(BadFrame, decode, many)
            self.assertIsNone(request_id(many))

    def test_depth(self) -> None:
        self.assertEqual(decode(nested(DEPTH - 1)).cmd, "say")
        self.assertRaises(BadFrame, decode, nested(DEPTH))
        flat = {"cmd": "say", "args": {"marks": [{}] * 100}}
        self.assertEqual(decode(json.dumps(flat).encode()).args, flat["args"])


def nested(depth: int) -> bytes:
    """A request whose arguments are nested so deep."""
    return b'{"cmd":"say","args":{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}}"


class BadRequests(SynchronousTestCase):
    def test_what_is_no_request(self) -> None:
        for line in (
            b"",
            b"hello",
            b"[]",
            b'"say"',
            b"{",
            b'{"cmd":"say"} {}',
            b"\xff",
            b'{"cmd":"\xff"}',
            b'\xef\xbb\xbf{"cmd":"ping"}',
            b'{"args":{}}',
            b'{"cmd":""}',
            b'{"cmd":7}',
            b'{"cmd":"' + b"x" * 65 + b'"}',
            b'{"cmd":"say","args":[]}',
            b'{"cmd":"say","args":null}',
            b'{"cmd":"say","id":true}',
            b'{"cmd":"say","id":1.5}',
            b'{"cmd":"say","id":9007199254740992}',
            b'{"cmd":"say","id":"' + b"x" * 65 + b'"}',
            b'{"cmd":"say","retry":"tooshort10"}',
            b'{"cmd":"say","retry":12345678901}',
            b'{"cmd":"say","retry":"' + b"x" * 65 + b'"}',
            b'{"cmd":"say","args":{"n":NaN}}',
            b'{"cmd":"say","args":{"n":-Infinity}}',
            b'{"cmd":"say","args":{"n":1e999}}',
            b'{"cmd":"say","args":{"n":1' + b"0" * 5000 + b"}}",
            b'{"cmd":"say","args":{"text":"\\ud800"}}',
            b'{"cmd":"say","args":{"\\udfff":1}}',
            b"[" * 60_000,
            b'{"a":' * 60_000,
        ):
            self.assertRaises(BadFrame, decode, line)

    @given(st.binary(max_size=60) | st.text('{}[]"\\:,ud8cmargsidtey0.1eNn ', max_size=60).map(str.encode))
    def test_nothing_worse_than_a_bad_frame(self, line: bytes) -> None:
        try:
            self.assertIsInstance(decode(line), Request)
        except BadFrame as error:
            self.assertTrue(error.line)
