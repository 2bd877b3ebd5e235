"""What those who run the server do about what is kept: copies, exports, forgetting, retention, a disk that fills."""

from __future__ import annotations

import contextlib
import json
import os

from chat.protocol.errors import NoSuchConversation
from chat.protocol.events import Done, Refused
from chat.protocol.values import Kind, Text, write_time
from tests.server.commands.test_admin import AdminCase
from tests.server.core.stage import PASSWORD, now


class WhatIsKept(AdminCase):
    def test_an_administrator_makes_files_in_one_folder_alone(self) -> None:
        self.admin("backup monday.db")
        place = os.path.join(self.folder, "backups")
        self.assertEqual(sorted(os.listdir(place)), ["monday.db", "sunday.db"])
        self.assertEqual(os.stat(place).st_mode & 0o777, 0o700)
        self.assertEqual(self.ann.code("admin", words="backup monday.db"), "not-written")
        for file in ("/tmp/x", "../x", "a/b", ".hidden", "a b"):
            self.assertEqual(self.ann.code("admin", words=f"backup {file}", folder="/tmp"), "bad-usage", file)

    def test_who_is_forgotten_is_gone_with_every_word(self) -> None:
        self.bob.says("ops", "my xyzzy")
        self.bob.writes("lou", "another xyzzy")
        self.admin("forget bob")
        self.assertIsNone(self.bob.session.user)
        self.stage.pass_time(5)
        self.admin("backup after.db")
        with open(os.path.join(self.folder, "backups", "after.db"), "rb") as file:
            self.assertFalse(b"xyzzy" in file.read())
        self.assertEqual(self.stage.connection().code("new", user="bob", password=PASSWORD), "name-taken")
        self.assertEqual(self.stage.restart().roles("ops"), {})

    def test_an_export_holds_what_one_wrote_and_nothing_of_others(self) -> None:
        now(self.stage.store.note_network(self.bob.id, "192.0.2.7", self.stage.chat.node.now()))
        self.bob.says("ops", "mine")
        self.bob.writes("lou", "mine too")
        lou = self.stage.enter("lou", "ops")
        lou.says("ops", "not his")
        lou.writes("bob", "not his either")
        self.admin("export bob bob.jsonl")
        path = os.path.join(self.folder, "backups", "bob.jsonl")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        said = [each for each in lines if each.get("kind") == "text"]
        self.assertEqual([(each.get("room"), each.get("with")) for each in said], [("ops", None), (None, "lou")])
        self.assertEqual([each["text"] for each in said], ["mine", "mine too"])
        self.assertEqual(said[0]["msgid"], f"r{self.stage.room('ops').id}.2")
        time = write_time(self.stage.chat.node.now())
        self.assertEqual({each["time"] for each in lines if "time" in each}, {time})
        account, member = lines[0], next(each for each in lines if each["type"] == "room")
        self.assertEqual((account["created"], account["settings"], member["joined"]), (time, {}, time))
        self.assertEqual({each["type"] for each in lines}, {"account", "device", "network", "room", "message"})
        self.assertEqual([each["network"] for each in lines if each["type"] == "network"], ["192.0.2.7"])

    def test_rows_are_kept_as_long_as_was_said(self) -> None:
        self.bob.says("ops", "old")
        self.bob.writes("lou", "old as well")
        self.stage.pass_time(1)
        self.stage.clock.advance(90 * 86_400)
        self.bob.says("ops", "new")
        refused = self.ann.gets(Refused, "admin", words="retention ops 90d")
        self.assertEqual(
            refused.text, "2 lines would go for good, at once. If you mean it: admin retention ops 90d sure"
        )
        self.stage.pass_time(3)
        self.assertEqual(len(self.bodies()), 3)
        self.assertEqual(self.admin("retention ops 90d sure"), Done("ops keeps what was said for 90 days."))
        self.stage.pass_time(3)
        self.assertEqual(self.bodies(), ["new", "old as well"])
        self.assertEqual(self.bob.code("admin", words="retention private 1d"), "forbidden")
        self.assertEqual(self.ann.code("admin", words="retention private 1d"), "bad-usage")
        self.admin("retention private 1d sure")
        self.stage.pass_time(3)
        self.assertEqual(self.bodies(), ["new"])
        page = now(self.stage.store.history(self.stage.room("ops").id, limit=10))
        self.assertEqual((page.first, page.last), (page.rows[0].seq, self.stage.room("ops").last))
        self.assertEqual(self.admin("retention private"), Done("Private conversations keep what was said for 1 day."))
        self.assertEqual(self.admin("retention private forever").text[-9:], "for ever.")

    def test_it_goes_on_by_itself_and_after_a_restart(self) -> None:
        self.assertIsInstance(self.admin("retention ops 1h"), Done)
        stage = self.stage.restart()
        bob = stage.enter("bob")
        bob.says("ops", "soon gone")
        stage.clock.advance(3_700)
        stage.clock.advance(3_700)
        stage.pass_time(2)
        self.assertEqual(self.bodies(), [])

    def bodies(self) -> list[str]:
        """Everything that people said and that is still there."""
        bodies = []
        for conversation in range(1, 10):
            with contextlib.suppress(NoSuchConversation):
                page = now(self.stage.store.history(conversation, limit=100))
                bodies += [row.body.text for row in page.rows if row.kind is Kind.TEXT and isinstance(row.body, Text)]
        return bodies


class AFullDisk(AdminCase):
    """Below the floor nothing new is taken; people still come in, read, and moderate."""

    def setUp(self) -> None:
        super().setUp()
        self.stage.store.free = 255 * 1024 * 1024
        self.stage.pass_time(6)

    def test_takes_nothing_new(self) -> None:
        for command, arguments in (
            ("say", {"room": "ops", "text": Text("hi")}),
            ("message", {"user": "ann", "text": Text("hi")}),
        ):
            self.assertEqual(self.bob.code(command, **arguments), "disk-full", command)

    def test_lets_people_in_and_read(self) -> None:
        self.stage.enter("lou", "ops")
        eve = self.stage.connection()
        eve.does("new", user="eve", password=PASSWORD)
        self.stage.connection().logs_in("eve")
        self.assertNotIsInstance(self.bob.does("history", where="ops"), Refused)
        self.assertNotIsInstance(self.bob.does("kick", room="ops", user="lou"), Refused)

    def test_goes_on_when_there_is_room(self) -> None:
        self.stage.store.free = 256 * 1024 * 1024
        self.stage.pass_time(6)
        self.bob.says("ops", "hello")
