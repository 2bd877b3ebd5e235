"""Logins that send no password, with a real server: plain, under TLS, and after a restart."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from chat.client.model.failures import RequestRefused, ServerNotTrusted
from chat.client.session.endpoint import ServerAddress, dial
from chat.client.session.login import Login
from chat.client.session.protocol import ChatClient
from chat.client.session.tls import Handshake
from chat.protocol.events import Challenge, LoggedIn
from tests.e2e.stage import Stage
from tests.server.auth.fakes import COST

SECRET = "zanzibar horse"


class NoPasswordOnTheWire(TestCase):
    timeout = 20

    def setUp(self) -> None:
        self.stage = Stage("--rate=1000000", "--burst=1000000", "--block-time=1")
        self.addCleanup(self.stage.close)
        self.stage.start()

    async def connect(self, tls: bool, trust: Any = bytes.hex) -> ChatClient:
        lost: Deferred[Any] = Deferred()
        client = ChatClient(id, trust=trust if tls else None, lost=lost.callback)
        handshake = Handshake("127.0.0.1")
        await dial(reactor, ServerAddress("127.0.0.1", self.stage.port, tls), client, handshake)
        self.addCleanup(lambda: lost)
        self.addCleanup(client.close)
        await client.ready
        self.assertFalse(handshake.vouched_for)
        return client

    async def enter(self, tls: bool) -> tuple[Login, ChatClient]:
        client = await self.connect(tls)
        return Login(client, deferToThread, least_cost=COST), client

    async def test_plain_and_under_tls(self) -> None:
        for tls in (False, True):
            name = "ann" if tls else "bob"
            first, client = await self.enter(tls)
            made = await first.register(name, SECRET)
            self.assertEqual((made.account, made.created), (name, True))
            self.assertEqual(client.fingerprint is not None, tls)
            second, _ = await self.enter(tls)
            codes = []
            for word in ("zanzibar mule", SECRET):
                try:
                    await second.log_in(name, word)
                except RequestRefused as refused:
                    codes.append(refused.reply.code)
            self.assertEqual(codes, ["bad-credentials", "already-signed-in"])
            taken: LoggedIn = await second.take_over()
            self.assertTrue(taken.scram.startswith("v="))
            third, _ = await self.enter(tls)
            self.assertEqual((await third.log_in_by_token(taken.token)).account, name)
        self.stage.stop()
        self.assert_nothing_holds(b"zanzibar", taken.token.encode())

    def assert_nothing_holds(self, *secrets: bytes) -> None:
        """Neither the database nor the log of the server."""
        for path in Path(self.stage.folder).iterdir():
            for secret in secrets:
                self.assertNotIn(secret, path.read_bytes(), path.name)

    async def test_on_a_port_of_tls_alone(self) -> None:
        """What Twisted encrypts before we see it is bound as well."""
        self.stage.stop()
        path = self.stage.path("chat.pem")
        self.stage.start(f"--listen=ssl:0:interface=127.0.0.1:privateKey={path}:certKey={path}")
        *_, port = re.findall(r"nc 127\.0\.0\.1 (\d+)", self.stage.log())
        self.stage.port = int(port)
        login, _ = await self.enter(True)
        self.assertTrue((await login.register("bob", SECRET)).created)

    async def test_another_certificate_than_the_one_that_is_known(self) -> None:
        def refuse(fingerprint: bytes) -> None:
            raise ServerNotTrusted("another one")

        with self.assertRaises(ServerNotTrusted):
            await self.connect(True, refuse)

    async def test_a_name_that_nobody_has_keeps_its_salt_over_a_restart(self) -> None:
        before = await self.salt("nobody")
        self.assertEqual(await self.salt("nobody"), before)
        self.stage.stop()
        self.stage.start()
        self.assertEqual(await self.salt("nobody"), before)

    async def salt(self, name: str) -> str:
        client = await self.connect(True)
        first = "p=tls-server-end-point,,n=*,r=nonce"
        challenge = await client.ask("login", {"user": name, "scram": first})
        assert isinstance(challenge, Challenge)
        return challenge.scram.split(",")[1]
