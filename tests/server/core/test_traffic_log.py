"""Who did what kind of thing, when, and how much; never what was said."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import astuple

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import Misconfigured
from chat.protocol.events import Traffic
from chat.protocol.values import Peer, Rank, Text
from chat.server.core import traffic_log as traffic
from chat.server.core.traffic_log import NOTED_EACH
from chat.server.storage.traffic_file import TrafficFile, line
from tests.server.core.stage import MANY, PASSWORD, Stage, now

SECRET = "xyzzy"


class WhatIsTold(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.told: list[Traffic] = []
        self.stage.chat.node.traffic_log.add_sink(self.told.extend)
        self.ann = self.stage.enter("ann", "ops", rank=Rank.ADMINISTRATOR)
        self.bob = self.stage.enter("bob", "ops")

    def kinds(self) -> list[tuple[str, str, str, int]]:
        found = [(each.kind, each.account, each.conversation, each.size) for each in self.told]
        self.told.clear()
        return found

    def test_coming_talking_and_going(self) -> None:
        self.kinds()
        eve = self.stage.connection()
        eve.does("new", user="eve", password=PASSWORD)
        eve.does("resume")
        eve.does("connect", room="ops")
        eve.says("ops", SECRET)
        eve.writes("bob", SECRET * 2)
        eve.does("broadcast", text=SECRET)
        eve.does("logout")
        eve.hangs_up()
        room = self.stage.room("ops").conversation.reference
        pair = "k3"
        self.assertEqual(
            self.kinds(),
            [
                ("connected", "", "", 0),
                ("logged-in", "eve", "", 0),
                ("joined", "eve", room, 0),
                ("text", "eve", room, 5),
                ("text", "eve", pair, 10),
                ("broadcast", "eve", "", 5),
                ("logged-out", "eve", "", 0),
                ("disconnected", "", "", 0),
            ],
        )

    def test_from_where_and_through_which_connection(self) -> None:
        self.bob.says("ops", SECRET)
        last = self.told[-1]
        self.assertEqual((last.session, last.network), (self.bob.session.id, "192.0.2.7"))
        self.assertEqual(last.time, self.stage.chat.node.now())

    def test_where_and_to_whom(self) -> None:
        self.bob.says("ops", SECRET)
        self.bob.writes("ann", SECRET)
        places = [(each.room, each.partner) for each in self.told if each.kind == "text"]
        self.assertEqual(places, [("ops", ""), ("", "ann")])

    def test_what_was_refused_at_the_door_names_nobody(self) -> None:
        """The name that was typed may have been a password."""
        self.kinds()
        self.stage.connection().code("login", user=SECRET, password=PASSWORD)
        self.assertEqual(self.kinds()[-1], ("login-refused", "", "", 0))

    def test_connections_that_say_nothing_are_one_line_a_minute_for_each_network(self) -> None:
        self.kinds()
        for _ in range(5_000):
            self.stage.connection().hangs_up()
        self.stage.connection(peer=Peer("198.51.100.9", "198.51.100.9")).hangs_up()
        self.stage.clock.advance(60)
        counted = [(each.kind, each.network, each.count, each.session) for each in self.told]
        self.assertEqual(counted, [("silent", "192.0.2.7", 5_000, 0), ("silent", "198.51.100.9", 1, 0)])

    def test_one_that_does_something_connected_when_it_did(self) -> None:
        self.kinds()
        eve, connected = self.stage.connection(), self.stage.chat.node.now()
        self.stage.clock.advance(30)
        eve.code("login", user=SECRET, password=PASSWORD)
        self.assertEqual(
            [(each.kind, each.session) for each in self.told],
            [("connected", eve.session.id), ("login-refused", eve.session.id)],
        )
        self.assertEqual(self.told[0].time, connected)

    def test_refusals_are_counted_beyond_a_few_a_minute(self) -> None:
        self.kinds()
        eve = self.stage.connection()
        for _ in range(NOTED_EACH + 500):
            eve.code("scram", final="c=biws,r=nonce,p=AAAA")
        self.assertEqual(len(self.told), 1 + NOTED_EACH)
        self.stage.clock.advance(60)
        self.assertEqual((self.told[-1].kind, self.told[-1].count), ("scram-refused", 500))

    def test_many_networks_are_counted_together(self) -> None:
        """An hour of anything that needs no account is a small part of what the log holds."""
        self.patch(traffic, "MOST_COUNTED", 3)
        self.kinds()
        for number in range(100):
            network = f"2001:db8:0:{number:x}::/64"
            guest = self.stage.connection(peer=Peer(network, network))
            guest.code("scram", final="c=biws,r=nonce,p=AAAA")
            self.stage.connection(peer=Peer(network, network)).hangs_up()
        self.stage.clock.advance(60)
        self.assertLess(len(self.told), 50)
        self.assertEqual(sum(each.count or 1 for each in self.told if each.kind in ("silent", "scram-refused")), 200)

    def test_the_end_tells_what_was_counted(self) -> None:
        self.stage.connection().hangs_up()
        self.kinds()
        now(self.stage.chat.stop("The end."))
        self.assertEqual([each.count for each in self.told if each.kind == "silent"], [1])

    def test_what_those_who_run_the_server_do(self) -> None:
        self.kinds()
        self.ann.does("admin", words=f"mute bob 30m {SECRET}")
        self.assertEqual(self.kinds(), [("admin-mute", "ann", "", 0)])

    def test_nothing_of_what_was_said(self) -> None:
        self.bob.says("ops", SECRET)
        self.bob.does("topic", room="ops", text=SECRET)
        self.bob.does("away", text=SECRET)
        self.bob.does("edit", text=Text(SECRET))
        self.bob.writes("ann", SECRET)
        self.assertTrue(self.told)
        for each in self.told:
            self.assertNotIn(SECRET, str(astuple(each)))

    def test_who_watches_sees_it_until_the_rank_ends(self) -> None:
        self.ann.does("admin", words="watch")
        self.bob.says("ops", SECRET)
        self.assertEqual([each.kind for each in self.ann.told(Traffic)][-1], "text")
        self.ann.forget()
        self.ann.does("admin", words="watch")
        self.bob.says("ops", SECRET)
        self.assertEqual(self.ann.told(Traffic), [])
        self.ann.does("admin", words="watch")
        self.stage.enter("adam", rank=Rank.ADMINISTRATOR).does("admin", words="revoke ann")
        self.ann.forget()
        self.bob.says("ops", SECRET)
        self.assertEqual(self.ann.told(Traffic), [])

    def test_it_ends_with_the_connection(self) -> None:
        self.ann.does("admin", words="watch")
        self.ann.hangs_up()
        self.ann.forget()
        self.bob.says("ops", SECRET)
        self.assertEqual(self.ann.told(Traffic), [])


class TheFile(SynchronousTestCase):
    EVENT = Traffic(1_795_165_923_120, "text", "bob", 7, "192.0.2.7", "r2", "ops", size=12)

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "traffic.log")

    def test_is_one_object_a_line(self) -> None:
        self.assertEqual(
            json.loads(line(self.EVENT)),
            {
                "time": "2026-11-20T09:12:03.120Z",
                "kind": "text",
                "account": "bob",
                "session": 7,
                "network": "192.0.2.7",
                "conversation": "r2",
                "room": "ops",
                "size": 12,
            },
        )
        self.assertEqual(line(Traffic(0, "connected")).count("\n"), 1)

    def test_is_its_owners_alone_and_goes_on_where_it_was(self) -> None:
        os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o644))
        for _ in range(2):
            file = TrafficFile(self.path)
            file.write([self.EVENT, self.EVENT])
            file.close()
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)
        with open(self.path, encoding="utf-8") as lines:
            self.assertEqual(list(lines), [line(self.EVENT)] * 4)

    def test_is_put_aside_when_it_is_long_and_the_oldest_goes(self) -> None:
        file = TrafficFile(self.path, rotate=1_000, kept=2)
        for _ in range(50):
            file.write([self.EVENT])
        file.close()
        folder = os.path.dirname(self.path)
        self.assertEqual(sorted(os.listdir(folder)), ["traffic.log", "traffic.log.1", "traffic.log.2"])
        self.assertEqual({os.stat(os.path.join(folder, each)).st_mode & 0o777 for each in os.listdir(folder)}, {0o600})

    def test_that_cannot_be_made_is_said_at_the_start(self) -> None:
        self.assertRaises(Misconfigured, TrafficFile, "/nowhere/traffic.log")

    def test_takes_nothing_after_the_end(self) -> None:
        """Connections that end last have nowhere to be noted, and end all the same."""
        file = TrafficFile(self.path)
        file.close()
        file.write([self.EVENT])
        self.assertEqual(os.path.getsize(self.path), 0)
