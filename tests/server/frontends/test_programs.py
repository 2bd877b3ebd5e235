"""JSON lines: one object a line, both ways."""

from __future__ import annotations

import json

from chat.server.frontends.jsonlines import FRAME_BYTES
from tests.server.frontends.server import PASSWORD, ServerCase, SlowReads


class Requests(ServerCase):
    def test_hello(self) -> None:
        program = self.call()
        program.sends(b'{"id": "1", "cmd": "hello", "args": {"client": "test"}}\n')
        frame = program.frame()
        self.assertEqual([frame[name] for name in ("type", "id", "server")], ["welcome", "1", "chat"])
        self.assertRegex(frame["database"], "^[0-9a-f]{32}$")
        self.assertEqual(frame["limits"]["frame"], FRAME_BYTES)

    def test_ids_are_echoed_as_they_are(self) -> None:
        program = self.call("json")
        for id in ("7", 7, "", "ü" * 64):
            program.asks("ping", id)
            self.assertEqual(program.frame(), {"type": "pong", "id": id})
        program.asks("ping")
        self.assertEqual(program.frame(), {"type": "pong"})

    def test_login_hands_out_a_token_that_logs_in_again(self) -> None:
        self.person("ann").hangs_up()
        program = self.call("json")
        program.asks("login", 1, user="ann", password=PASSWORD, device="laptop")
        frame = program.frame()
        self.assertEqual([frame[name] for name in ("type", "account", "device")], ["logged-in", "ann", "laptop"])
        program.hangs_up()
        again = self.call("json")
        again.asks("login", 2, token=frame["token"], device="laptop")
        self.assertEqual(again.frame()["type"], "logged-in")
        self.assertEqual(self.online(), ["ann"])

    def test_a_token_replaces_what_its_device_left_behind(self) -> None:
        """The program came back before its broken connection was noticed."""
        first = self.call("json")
        first.asks("new", user="ann", password=PASSWORD)
        token = first.frame()["token"]
        second = self.call("json")
        second.asks("login", 1, token=token)
        self.assertEqual(second.frame()["type"], "logged-in")
        self.assertEqual(first.frame()["type"], "signed-out")

    def test_a_wrong_token(self) -> None:
        program = self.call("json")
        program.asks("login", 1, token="ct_nonsense")
        self.assertEqual(program.frame()["code"], "bad-credentials")

    def test_refusals_have_codes(self) -> None:
        ann = self.program("ann")
        for cmd, args, code in (
            ("nonsense", {}, "unknown-command"),
            ("message", {"user": "bob", "text": "hi"}, "no-such-user"),
            ("message", {"user": "bob"}, "bad-usage"),
            ("connect", {"room": "nowhere"}, "no-such-room"),
            ("login", {"user": "ann", "password": PASSWORD}, "already-logged-in"),
            ("history", {"where": "lobby"}, "not-a-member"),
        ):
            ann.asks(cmd, 9, **args)
            frame = ann.frame()
            self.assertEqual((frame["type"], frame["id"], frame["code"]), ("refused", 9, code))

    def test_what_is_no_request(self) -> None:
        """Each is refused in one frame, and the next one is read."""
        program = self.call("json")
        for line in (b"nonsense", b"[]", b"{", b'{"cmd": 3}', b'{"id": 1}', b'{"cmd":"ping","args":[]}', b"\xff", b"1"):
            program.sends(line + b"\n")
            self.assertEqual(program.frame()["code"], "bad-frame", repr(line))
        program.sends(b'\n  \r\n{"cmd": "ping"}\r\n')
        self.assertEqual(program.frame(), {"type": "pong"})

    def test_what_has_an_id_is_refused_with_it(self) -> None:
        program = self.call("json")
        for line, id in (
            (b'{"id":"x","cmd":"ping","args":[]}', "x"),
            (b'{"id":1,"cmd":5}', 1),
            (b'{"id":"x","cmd":"ping","args":null}', "x"),
            (b'{"id":[],"cmd":"ping"}', None),
            (b"{", None),
        ):
            program.sends(line + b"\n")
            frame = program.frame()
            self.assertEqual((frame["code"], frame.get("id")), ("bad-frame", id))

    def test_a_frame_may_be_cut_anywhere(self) -> None:
        program = self.call("json")
        frame = '{"id": "grüße", "cmd": "ping"}\n'.encode()
        for place in range(len(frame)):
            program.sends(frame[:place])
            program.sends(frame[place:])
            self.assertEqual(program.frame(), {"type": "pong", "id": "grüße"})

    def test_a_frame_that_is_too_long_is_refused_once(self) -> None:
        program = self.call("json")
        for _ in range(5):
            program.sends(b'{"cmd": "ping", "args": {"x": "' + b"x" * FRAME_BYTES)
        program.sends(b'"}}\n{"cmd": "ping"}\n')
        self.assertEqual([frame.get("code") or frame["type"] for frame in program.frames()], ["too-long", "pong"])

    def test_the_longest_frame(self) -> None:
        program = self.call("json")
        frame = json.dumps({"cmd": "ping", "x": ""})
        program.types(frame.replace('""', f'"{"x" * (FRAME_BYTES - len(frame))}"'))
        self.assertEqual(program.frame(), {"type": "pong"})

    def test_the_same_retry_id_stores_once(self) -> None:
        bob, ann = self.program("bob"), self.program("ann")
        self.quiet(bob)
        for id in (1, 2):
            ann.asks("message", id, retry="r" * 11, user="bob", text="hi")
        first, second = ann.frames()
        self.assertEqual(first["msgid"], second["msgid"])
        self.assertEqual([frame["type"] for frame in bob.frames()], ["said"])
        ann.asks("message", 3, retry="r" * 11, user="bob", text="something else")
        self.assertEqual(ann.frame()["code"], "retry-mismatch")

    def test_retry_where_nothing_is_stored(self) -> None:
        ann = self.program("ann")
        ann.asks("ping", 1, retry="r" * 11)
        self.assertEqual(ann.frame()["code"], "bad-frame")


class TheLog(ServerCase):
    def test_history_page_by_page(self) -> None:
        ann = self.program("ann")
        ann.asks("connect", room="lobby")
        for number in range(5):
            ann.asks("say", room="lobby", text=str(number))
        ann.frames()
        ann.asks("history", 1, conversation="r1", limit=2)
        page = ann.frame()
        self.assertEqual([each["body"]["text"] for each in page["messages"]], ["3", "4"])
        self.assertTrue(page["more"])
        first = int(page["messages"][0]["msgid"].partition(".")[2])
        ann.asks("history", 2, conversation="r1", before=first, limit=2)
        self.assertEqual([each["body"]["text"] for each in ann.frame()["messages"]], ["1", "2"])

    def test_received_and_read_move_marks(self) -> None:
        bob, ann = self.program("bob"), self.program("ann")
        ann.asks("message", user="bob", text="one")
        ann.asks("message", user="bob", text="two")
        msgid = bob.frames()[-1]["msgid"]
        conversation = msgid.partition(".")[0]
        for cmd, name in (("received", "received"), ("read", "read")):
            bob.asks(cmd, 1, marks={conversation: 2})
            self.assertEqual(bob.frame(), {"type": "done", "id": 1})
            bob.asks("resume", 2)
            (standing,) = bob.frame()["conversations"]
            self.assertEqual((standing[name], standing["last"]), (2, 2))

    def test_who_is_blocked_leaves_a_gap_that_is_told(self) -> None:
        """A missing seq is never taken for a loss."""
        bob, ann = self.program("bob"), self.program("ann")
        for program in (ann, bob):
            program.asks("connect", room="lobby")
        bob.asks("block", user="ann")
        bob.frames()
        ann.asks("say", room="lobby", text="hello")
        said = next(frame for frame in ann.frames() if frame["type"] == "stored")
        (gap,) = [frame for frame in bob.frames() if frame["type"] == "skipped"]
        seq = int(said["msgid"].rpartition(".")[2])
        self.assertEqual((gap["first"], gap["last"]), (seq, seq))


class NothingCanBeWritten(ServerCase):
    def test_what_is_in_the_index_is_found(self) -> None:
        ann = self.program("ann")
        ann.asks("message", user="ann", text="needle one")
        ann.asks("search", words="needle")
        ann.asks("message", user="ann", text="needle two")
        ann.wire.clear()
        self.server.store.fail(10)
        ann.asks("search", words="needle")
        self.assertEqual([each["body"]["text"] for each in ann.frame()["messages"]], ["needle one"])

    def test_a_login_is_whole_without_a_token(self) -> None:
        for _ in ("new", "login"):
            self.program("ann").hangs_up()
        program = self.call("json")
        self.server.store.fail(10)
        program.asks("login", user="ann", password=PASSWORD)
        self.assertEqual((program.frame()["token"], self.online()), ("", ["ann"]))


class BadFrames(ServerCase):
    def test_a_lone_surrogate_is_refused_under_its_id(self) -> None:
        ann = self.program("ann")
        ann.types('{"cmd": "say", "id": 7, "args": {"text": "\\ud800"}}')
        frame = ann.frame()
        self.assertEqual((frame["code"], frame["id"]), ("bad-frame", 7))


class Resuming(ServerCase):
    def test_nothing_live_before_resume(self) -> None:
        """No unasked replay, no greeting: a program says when it is ready."""
        bob, ann = self.program("bob", resume=False), self.program("ann")
        ann.asks("message", user="bob", text="hi")
        self.assertFalse(ann.frame()["present"])
        self.assertEqual(bob.frames(), [])

    def test_resumed_comes_before_every_live_event(self) -> None:
        """And what happened while it was read is either in it or told after it, never both, never neither."""
        bob, ann = self.program("bob", resume=False), self.program("ann")
        ann.asks("message", user="bob", text="one")
        reads = SlowReads(self.server.store, "waiting")
        bob.asks("resume", 1)
        ann.asks("message", user="bob", text="two")
        self.assertEqual(bob.frames(), [])
        reads.release()
        frames = bob.frames()
        self.assertEqual([frame["type"] for frame in frames], ["resumed", "said"])
        self.assertEqual(frames[0]["conversations"][0]["last"], 1)
        self.assertEqual(frames[1]["body"], {"text": "two"})

    def test_live_events_after_it(self) -> None:
        bob, ann = self.program("bob"), self.program("ann")
        self.quiet(bob)
        ann.asks("message", user="bob", text="hi")
        said = bob.frame()
        self.assertEqual([said["type"], said["from"], said["body"]], ["said", "ann", {"text": "hi"}])
        self.assertNotIn("id", said)

    def test_text_and_programs_meet(self) -> None:
        program, person = self.program("ann"), self.person("bob", "lobby")
        program.asks("connect", room="lobby")
        self.quiet(program, person)
        person.types("hello")
        program.asks("say", room="lobby", text="one\ntwo")
        self.assertEqual([frame["type"] for frame in program.frames()], ["said", "stored"])
        self.assertEqual(person.sees(), ["ann: one", "ann| two"])


class Heartbeats(ServerCase):
    settings = {"heartbeat": 10, "timeout": 30}  # noqa: RUF012

    def test_silence_after_a_promise_ends_the_connection(self) -> None:
        program = self.program("ann")
        program.asks("hello", heartbeat=True)
        program.frames()
        for _ in range(10):
            self.server.advance(20)
            program.asks("ping")
        self.assertEqual({frame["type"] for frame in program.frames()}, {"pong"})
        self.server.advance(29)
        self.assertEqual(program.frames(), [])
        self.server.advance(1)
        self.assertEqual(program.frame(), {"type": "closing", "reason": "No heartbeat for 30 seconds."})
        self.assertTrue(program.ended)

    def test_a_promise_and_nothing_more(self) -> None:
        """The promise itself is the first sign of life, and must not be the last one that is waited for."""
        program = self.call("json")
        program.asks("hello", heartbeat=True)
        program.frames()
        self.server.advance(31)
        self.assertTrue(program.ended)

    def test_nobody_else_is_dropped_for_silence(self) -> None:
        program, person = self.program("ann"), self.person("bob")
        self.server.advance(100_000)
        self.assertFalse(program.ended or person.ended)
