"""`chat.client.session.login` with a whole server: passwords that stay, and what somebody in between may try."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher

from chat.client.model.failures import ClientFailure, RequestRefused, ServerNotTrusted
from chat.client.session.login import Login, _spelled
from chat.protocol.errors import BadPassword
from chat.protocol.passwords import cost_of, new_verifier
from chat.protocol.wire.jsonlines import parse
from tests.client.link import FakeCertificate, LinkCase, at_once
from tests.server.auth.fakes import COST
from tests.server.frontends.server import PASSWORD

OURS = FakeCertificate(b"the server's")
THEIRS = FakeCertificate(b"of somebody in between")


class LoginCase(LinkCase):
    def setUp(self) -> None:
        super().setUp()
        self.run_link(self.login().register("bob", PASSWORD))
        self.links[0].cut()

    def code(self, work: Any) -> str:
        refused = self.fails(work, RequestRefused)
        return str(refused.reply.code)


class ALogin(LoginCase):
    def test_proves_the_password_and_sends_neither_it_nor_a_hash_of_it_to_be_used_again(self) -> None:
        for certificate in (None, OURS):
            client = self.link(certificate)
            logged_in = self.run_link(self.login(client).log_in("bob", PASSWORD, "laptop"))
            self.assertEqual((logged_in.account, logged_in.device), ("bob", "laptop"))
            self.assertEqual(self.online(), ["bob"])
            self.assertEqual(self.links[-1].sent.count(b'"scram"'), 2)
            self.links[-1].cut()
        self.assertEqual(self.server.hashing.calls, [])

    def test_and_the_account_works_with_a_plain_one(self) -> None:
        """One verifier, two doors."""
        self.person("bob").hangs_up()
        self.person("ann").hangs_up()
        self.assertEqual(self.run_link(self.login().log_in("ann", PASSWORD)).account, "ann")

    def test_with_a_wrong_password_and_again_with_the_right_one(self) -> None:
        login = self.login()
        self.assertEqual(self.code(login.log_in("bob", "wrong horse")), "bad-credentials")
        self.run_link(login.log_in("bob", PASSWORD))

    def test_with_an_unknown_name_is_refused_in_the_same_frames(self) -> None:
        frames = []
        for name in ("bob", "nobody"):
            self.code(self.login().log_in(name, "wrong horse"))
            got = [json.loads(line) for line in self.links[-1].got.splitlines()]
            frames.append([{key: len(str(value)) for key, value in frame.items()} for frame in got])
        self.assertEqual(frames[0], frames[1])

    def test_is_locked_out_after_too_many_wrong_ones(self) -> None:
        codes = [self.code(self.login().log_in("bob", "wrong horse")) for _ in range(4)]
        self.assertEqual(codes, ["bad-credentials"] * 3 + ["locked-out"])
        self.assertEqual(self.code(self.login().log_in("bob", PASSWORD)), "locked-out")
        self.server.advance(2)
        self.run_link(self.login().log_in("bob", PASSWORD))

    def test_of_a_device_that_has_had_a_token_is_not_locked_out_by_others(self) -> None:
        """What is sent logs nobody in: the digest of the token and not the token."""
        token = self.run_link(self.login().log_in("bob", PASSWORD)).token
        self.links[-1].cut()
        for _ in range(4):
            self.code(self.login().log_in("bob", "wrong horse"))
        self.assertEqual(self.code(self.login().log_in("bob", PASSWORD)), "locked-out")
        self.run_link(self.login().log_in("bob", PASSWORD, token=token))
        self.assertNotIn(token.encode(), self.links[-1].sent)

    def test_that_takes_longer_than_a_minute(self) -> None:
        client = self.link()

        def slow(function: Any, /, *args: Any) -> Any:
            self.server.advance(61)
            return at_once(function, *args)

        self.assertEqual(self.code(Login(client, slow, least_cost=COST).log_in("bob", PASSWORD)), "bad-usage")

    def test_by_token_is_not_tried_where_the_server_takes_none(self) -> None:
        """Where it would cross the network in the clear, and must not: it is not sent."""
        token = self.run_link(self.login().log_in("bob", PASSWORD, "laptop")).token
        self.links[-1].cut()
        self.server.chat.apply(replace(self.server.settings, plain_login="tls"))
        client = self.link()
        self.assertEqual(self.code(self.login(client).log_in_by_token(token, "laptop")), "plain-login-refused")
        self.assertNotIn(token.encode(), self.links[-1].sent)
        self.assertEqual(self.run_link(self.login(client).log_in("bob", PASSWORD, "laptop")).token, "")
        self.links[-1].cut()
        secure = self.login(self.link(OURS))
        self.assertEqual(self.run_link(secure.log_in_by_token(token, "laptop")).account, "bob")

    def test_by_token_needs_neither_password_nor_proof(self) -> None:
        token = self.run_link(self.login().log_in("bob", PASSWORD, "laptop")).token
        self.links[-1].cut()
        back = self.run_link(self.login().log_in_by_token(token, "laptop"))
        self.assertEqual((back.account, back.device), ("bob", "laptop"))
        self.assertEqual(back.token, token)
        self.links[-1].cut()
        self.assertEqual(self.code(self.login().log_in_by_token(token, "phone")), "bad-credentials")


class ARegistration(LoginCase):
    def test_sends_a_verifier(self) -> None:
        logged_in = self.run_link(self.login().register("ann", PASSWORD, "Ann Other", "phone"))
        self.assertEqual((logged_in.account, logged_in.created, logged_in.device), ("ann", True, "phone"))
        self.assertEqual(self.server.hashing.calls, [])
        self.assertIn(b'"verifier"', self.links[-1].sent)
        account = self.server.chat.directory.account("ann")
        assert account is not None
        self.assertEqual(account.realname, "Ann Other")
        verifier = self.successResultOf(self.server.store.verifier(account.id))
        assert verifier is not None
        self.assertEqual(cost_of(verifier.salt), COST)

    def test_of_a_password_that_will_not_do_sends_nothing(self) -> None:
        self.fails(self.login().register("ann", "short"), BadPassword)
        self.assertEqual(self.links[-1].sent, b"")

    def test_of_a_name_that_is_taken(self) -> None:
        self.assertEqual(self.code(self.login().register("Bob", PASSWORD)), "name-taken")


class ATakeover(LoginCase):
    def setUp(self) -> None:
        super().setUp()
        self.first = self.person("bob")

    def test_brings_the_signature_that_the_refusal_did_not(self) -> None:
        login = self.login(self.link(OURS))
        self.assertEqual(self.code(login.log_in("bob", PASSWORD)), "already-signed-in")
        logged_in = self.run_link(login.take_over())
        self.assertEqual(logged_in.account, "bob")
        self.assertTrue(logged_in.scram)
        self.assertIn("logged in from elsewhere", self.first.gets())

    def test_by_a_server_that_cannot_sign_is_no_login(self) -> None:
        """It could have refused any password as "signed in elsewhere" and let in whoever asks then."""
        for signature in ({}, {"scram": "v=AAAA"}):
            login = self.login()
            self.code(login.log_in("bob", PASSWORD))
            taken = Deferred.fromCoroutine(login.take_over())
            logged_in = {"account": "bob", "rank": "member", "device": "default", "token": "t", "heartbeat": 30}
            self.links[-1].answer("logged-in", **logged_in, **signature)
            self.failureResultOf(taken, ServerNotTrusted)
            self.assertTrue(self.links[-1].near.aborting)

    def test_of_nothing(self) -> None:
        """Another refusal has to take the place of the one before, or its signature would be missed."""
        login = self.login()
        self.fails(login.take_over(), ClientFailure)
        for _ in range(3):
            self.code(self.login().log_in("ann", "wrong horse"))
        login = self.login()
        self.code(login.log_in("bob", PASSWORD))
        self.assertEqual(self.code(login.log_in("ann", PASSWORD)), "locked-out")
        self.fails(login.take_over(), ClientFailure)
        for link in self.links:
            self.assertNotIn(b"takeover", link.sent)


class SomebodyInBetween(LoginCase):
    """With a certificate of his own, or with none; he passes on what both sides say, and changes it."""

    def test_with_a_certificate_of_his_own_learns_nothing_and_gets_nobody_in(self) -> None:
        client = self.link(THEIRS, seen_by_server=OURS)
        self.assertEqual(self.code(self.login(client).log_in("bob", PASSWORD)), "bad-binding")
        self.assertEqual(self.online(), [])

    def test_who_takes_the_tls_away_is_noticed_by_the_server(self) -> None:
        """The client thinks that there is none; the server knows better."""
        client = self.link(None, seen_by_server=OURS)
        self.assertEqual(self.code(self.login(client).log_in("bob", PASSWORD)), "bad-binding")

    def test_who_says_that_there_is_no_binding_is_noticed_by_the_client(self) -> None:
        for offered in (("scram-bcrypt", "password"), ("password",), ()):
            for plain in (False, True):
                log_in = Deferred.fromCoroutine(self.login(self.link(OURS), plain=plain).log_in("bob", PASSWORD))
                self.welcomes(*offered)
                if plain and offered == ("password",):
                    continue  # the caller has allowed it
                error = self.failureResultOf(log_in, ServerNotTrusted).value
                self.assertIn("Your password was not sent", str(error))
                self.assertNotIn(b"login", self.links[-1].sent)

    def test_who_wants_the_password_is_not_given_it(self) -> None:
        for certificate in (None, OURS):
            for enter in (Login.log_in, Login.register):
                entered = Deferred.fromCoroutine(enter(self.login(self.link(certificate)), "bob", PASSWORD))
                self.welcomes("password", "token")
                self.failureResultOf(entered, ServerNotTrusted)
                self.assertNotIn(PASSWORD.encode(), self.links[-1].sent)

    def test_who_lets_everybody_in_without_looking(self) -> None:
        log_in = Deferred.fromCoroutine(self.login().log_in("bob", PASSWORD))
        self.welcomes("scram-bcrypt")
        self.links[-1].answer("done")
        self.failureResultOf(log_in, ServerNotTrusted)

    def test_who_wants_a_cheap_hash_to_guess_by(self) -> None:
        for salt in (b"$2b$04$fx6yZKsu/jygiDmcoOG2Me", b"$2b$09$fx6yZKsu/jygiDmcoOG2Me", b"no salt of bcrypt"):
            log_in = Deferred.fromCoroutine(self.login(least_cost=10).log_in("bob", PASSWORD))
            self.welcomes("scram-bcrypt")
            nonce = json.loads(self.links[-1].near.value())["args"]["scram"].rpartition("r=")[2]
            self.links[-1].answer("challenge", scram=f"r={nonce}x,s={b64encode(salt).decode()},i=4096")
            self.failureResultOf(log_in, ServerNotTrusted)
            self.assertNotIn(b'"final"', self.links[-1].sent)

    def test_who_asks_for_endless_work_at_a_registration(self) -> None:
        made = Deferred.fromCoroutine(self.login().register("ann", PASSWORD))
        self.welcomes("scram-bcrypt", cost=31)
        self.failureResultOf(made, ServerNotTrusted)

    def welcomes(self, *offered: str, **limits: int) -> None:
        """What an impostor says in place of the server."""
        self.links[-1].answer("welcome", server="chat", version="1", limits=limits, features=[], auth=offered)


class Secrets(LoginCase):
    def test_are_neither_on_the_wire_nor_in_any_log(self) -> None:
        """A registration, logins of every kind, right and wrong, a takeover: the bytes, and everything logged."""
        logged: list[LogEvent] = []
        observer = cast(ILogObserver, logged.append)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        secret, wrong = "zanzibar horse", "zanzibar mule"
        for certificate in (None, OURS):
            name = f"ann-{len(self.links)}"
            self.run_link(self.login(self.link(certificate)).register(name, secret))
            other = self.login(self.link(certificate))
            self.code(other.log_in(name, secret))
            token = self.run_link(other.take_over()).token
            self.code(self.login(self.link(certificate)).log_in(name, wrong))
            self.links[-2].cut()
            self.run_link(self.login(self.link(certificate)).log_in_by_token(token))
        for link in self.links:
            self.assertNotIn(b"zanzibar", link.sent + link.got)
        told = repr(logged) + "".join(str(each.get("log_failure")) for each in logged)
        self.assertNotIn("zanzibar", told)
        self.assertNotIn("ct_", told)

    def test_are_not_shown_when_a_frame_is_printed(self) -> None:
        token = self.run_link(self.login().log_in("bob", PASSWORD))
        (line,) = [line for line in self.links[-1].got.splitlines() if b'"logged-in"' in line]
        self.assertEqual(parse(line)[0], token)


class AnotherPassword(LoginCase):
    NEW = "another horse"

    def inside(self) -> Login:
        """Somebody who is logged in."""
        login = self.login(self.link(OURS))
        self.run_link(login.log_in("bob", PASSWORD, "laptop"))
        return login

    def test_sends_neither_the_old_nor_the_new_one(self) -> None:
        login = self.inside()
        changed = self.run_link(login.change_password(PASSWORD, self.NEW))
        sent = self.links[-1].sent
        for secret in (PASSWORD, self.NEW):
            self.assertNotIn(secret.encode(), sent)
            self.assertNotIn(b64encode(secret.encode()), sent)
        self.assertEqual(self.server.hashing.calls, [])
        self.links[-1].cut()
        self.run_link(self.login(self.link(OURS)).log_in_by_token(changed.token, "laptop"))
        self.links[-1].cut()
        again = self.login(self.link(OURS))
        self.assertEqual(self.code(again.log_in("bob", PASSWORD)), "bad-credentials")
        self.run_link(again.log_in("bob", self.NEW))

    def test_ends_what_others_may_have_got_hold_of(self) -> None:
        token = self.run_link(self.login(self.link(OURS)).log_in("bob", PASSWORD, "laptop")).token
        self.links[-1].cut()
        self.run_link(self.inside().change_password(PASSWORD, self.NEW))
        self.links[-1].cut()
        self.assertEqual(self.code(self.login().log_in_by_token(token, "laptop")), "bad-credentials")

    def test_needs_the_old_one(self) -> None:
        refused = self.fails(self.inside().change_password("wrong horse", self.NEW), RequestRefused)
        self.assertIn("That is not your password.", refused.reply.text)
        self.links[-1].cut()
        self.inside()

    def test_needs_a_proof_of_this_very_account_and_moment(self) -> None:
        """Neither that of another account nor one that was used before."""
        token = self.run_link(self.login().register("eve", "the password of eve", device="laptop")).token
        self.links[-1].cut()
        login = self.login(self.link())
        client, verifier = self.links[-1].client, _spelled(new_verifier(self.NEW, COST))
        _, of_bob = self.run_link(login._prove("login", {"user": "bob"}, PASSWORD))
        self.run_link(login.log_in_by_token(token, "laptop"))
        self.assertEqual(self.code(client.ask("password", {"final": of_bob, "verifier": verifier})), "bad-usage")
        _, of_eve = self.run_link(login._prove("password", {}, "the password of eve"))
        self.run_link(client.ask("password", {"final": of_eve, "verifier": verifier}))
        self.assertEqual(self.code(client.ask("password", {"final": of_eve, "verifier": verifier})), "bad-usage")

    def test_that_is_easier_to_guess_than_the_server_wants_is_refused_before_the_proof_is_looked_at(self) -> None:
        self.server.chat.authenticator._registrar._verification.cost = COST + 1  # type: ignore[attr-defined]
        refused = self.fails(self.inside().change_password(PASSWORD, self.NEW), RequestRefused)
        self.assertEqual(refused.reply.code, "bad-verifier")

    def test_that_is_too_short_is_refused_here(self) -> None:
        login = self.inside()
        before = self.links[-1].sent
        self.fails(login.change_password(PASSWORD, "short"), BadPassword)
        self.assertEqual(self.links[-1].sent, before)

    def test_the_end_of_an_account_is_proven_too(self) -> None:
        login = self.inside()
        self.assertEqual(self.code(login.delete_account({"action": "delete"}, "wrong horse")), "bad-credentials")
        self.run_link(login.delete_account({"action": "delete"}, PASSWORD))
        self.assertNotIn(PASSWORD.encode(), self.links[-1].sent)
        self.assertIsNone(self.server.chat.directory.account("bob"))
