"""Each feature of a front end is asked for by itself: none stands for another."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Delivered, LoggedIn, Said, Skipped
from chat.server.interfaces import Features
from tests.server.core.stage import PASSWORD, Person, Stage


class OneFeatureAlone(SynchronousTestCase):
    def with_features(self, stage: Stage, name: str, features: Features) -> Person:
        person = stage.arrives(name)
        person.mind.features = features
        person.does("resume")
        person.does("connect", room="lobby")
        return person

    def test_gaps(self) -> None:
        for features, expected in ((Features(gaps=True), 1), (Features(tokens=True, receipts=True), 0)):
            stage = Stage()
            ann, eve = self.with_features(stage, "ann", features), stage.enter("eve", "lobby")
            ann.does("block", user="eve")
            eve.says("lobby", "spam")
            self.assertEqual(len(ann.told(Skipped)), expected)

    def test_receipts(self) -> None:
        for features, expected in ((Features(receipts=True), 1), (Features(gaps=True, tokens=True), 0)):
            stage = Stage()
            ann, bob = self.with_features(stage, "ann", features), stage.enter("bob", program=True)
            ann.writes("bob", "hello")
            bob.does("received", marks={bob.told(Said)[0].conversation.id: 1})
            self.assertEqual(len(ann.told(Delivered)), expected)

    def test_tokens(self) -> None:
        for features, given in ((Features(tokens=True), True), (Features(gaps=True, receipts=True), False)):
            stage = Stage()
            guest = stage.connection()
            guest.mind.features = features
            reply = guest.gets(LoggedIn, "new", user="ann", password=PASSWORD)
            self.assertEqual(bool(reply.token), given)
