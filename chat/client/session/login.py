"""Logs in with a password (SCRAM) or a token, registers accounts and changes passwords.

The password itself is sent only if the caller allows it. Otherwise a server that offers no SCRAM login is not trusted.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from twisted.internet.defer import Deferred

from chat.client.model.failures import ClientFailure, RequestRefused, ServerNotTrusted
from chat.client.session.protocol import ChatClient
from chat.client.session.scram import Proof
from chat.protocol.errors import AlreadySignedIn, BadCredentials, PlainLoginRefused
from chat.protocol.events import Challenge, LoggedIn, PasswordChanged, Refused, Reply
from chat.protocol.passwords import CLIENT_COST, MOST_COST, SCRAM, SCRAM_PLUS, check_password, new_verifier
from chat.protocol.values import Verifier

LEAST_COST = CLIENT_COST
"""The lowest bcrypt cost that a server may ask for."""

_NO_TOKEN = "This server accepts saved logins over TLS only. Log in with your password, or connect with TLS."

InThread = Callable[..., Deferred[Any]]
"""Calls a function in another thread: ``twisted.internet.threads.deferToThread``."""


class Login:
    """Logs one connection in.

    :param in_thread: runs bcrypt.
    :param plain: whether the password may be sent to a server that offers no other login.
    :param least_cost: the lowest bcrypt cost that a server may ask for; tests lower it.
    """

    def __init__(
        self, client: ChatClient, in_thread: InThread, *, plain: bool = False, least_cost: int = LEAST_COST
    ) -> None:
        self._client = client
        self._in_thread = in_thread
        self._plain = plain
        self._least_cost = least_cost
        self._proof: Proof | None = None
        self._elsewhere = False

    async def log_in(self, user: str, password: str, device: str | None = None, token: str = "") -> LoggedIn:
        """Log in with a password; the server has to prove that it knows the account.

        :param token: a token that this device has had, valid or not, or empty. Its digest is sent, so that the server
            recognises the device and does not lock it out for the wrong passwords of others.
        :raises RequestRefused: when the server refuses: ``bad-credentials``, ``locked-out``, ``already-signed-in``.
        :raises ServerNotTrusted: when it offers no login that keeps the password here, asks for too little or too much
            work, or fails to prove itself.
        """
        self._elsewhere = False
        who = _named(device, user=user)
        if token:
            who["known"] = b64encode(sha256(token.encode()).digest()).decode()
        if not await self._keeps_passwords_here():
            return await self._enter(None, "login", who | {"password": password})
        proof, final = await self._prove("login", who, password)
        return await self._enter(proof, "scram", {"final": final})

    async def _prove(self, cmd: str, args: dict[str, object], password: str) -> tuple[Proof, str]:
        """Begin a SCRAM exchange.

        :returns: the exchange, and its final message.
        """
        client = self._client
        proof = Proof(password, client.fingerprint, self._least_cost)
        reply = await client.ask(cmd, args | {"scram": proof.first})
        if not isinstance(reply, Challenge):
            raise client.distrust("The server did not check the password: it may be an impostor. Disconnected.")
        try:
            proof.read(reply.scram)
        except ServerNotTrusted as error:
            raise client.distrust(str(error)) from None
        return proof, await self._in_thread(proof.final)

    async def take_over(self) -> LoggedIn:
        """Log in after a refusal because the account is signed in elsewhere; that session ends.

        :raises ClientFailure: when there was no such refusal: then the answer would prove nothing about the server.
        """
        if not self._elsewhere:
            raise ClientFailure("There is no login to take over. Log in first.")
        return await self._enter(self._proof, "takeover", {})

    async def log_in_by_token(self, token: str, device: str | None = None) -> LoggedIn:
        """Log in with the token of an earlier login of this device.

        :raises RequestRefused: when the server refuses, or accepts no tokens on this connection (it is not sent then).
        """
        client = self._client
        welcome = client.welcome or await client.hello()
        if "token" not in welcome.auth:
            raise RequestRefused(Refused(PlainLoginRefused.code, _NO_TOKEN))
        return await self._enter(None, "login", _named(device, token=token))

    async def register(
        self, user: str, password: str, realname: str = "", device: str | None = None, invitation: str = ""
    ) -> LoggedIn:
        """Create an account; the server gets a verifier, not the password.

        :param invitation: an invitation code, if the server requires one (`chat.protocol.events.Welcome`).
        :raises chat.protocol.errors.BadPassword: when the password is not acceptable.
        :raises RequestRefused, ServerNotTrusted: see `log_in`.
        """
        check_password(password)
        args = _named(device, user=user, realname=realname)
        if invitation:
            args["invitation"] = invitation
        if await self._keeps_passwords_here():
            verifier = await self._in_thread(new_verifier, password, self._cost())
            args["verifier"] = _spelled(verifier)
        else:
            args["password"] = password
        return await self._enter(None, "register", args)

    async def change_password(self, old: str, new: str) -> PasswordChanged:
        """Prove the old password and send a verifier of the new one.

        :raises chat.protocol.errors.BadPassword: when the new password is not acceptable.
        :raises RequestRefused, ServerNotTrusted: see `log_in`.
        """
        check_password(new, "new")
        if await self._keeps_passwords_here():
            _, final = await self._prove("password", {}, old)
            verifier = await self._in_thread(new_verifier, new, self._cost())
            args: dict[str, object] = {"final": final, "verifier": _spelled(verifier)}
        else:
            args = {"old": old, "new": new}
        return await self._client.expect(PasswordChanged, "password", args)

    async def delete_account(self, args: dict[str, object], password: str) -> Reply:
        """Prove the password and delete the account.

        :param args: the other arguments of the command.
        :raises RequestRefused, ServerNotTrusted: see `log_in`.
        """
        if await self._keeps_passwords_here():
            _, final = await self._prove("account", args, password)
            return await self._client.ask("account", args | {"final": final})
        return await self._client.ask("account", args | {"password": password})

    async def _keeps_passwords_here(self) -> bool:
        """Whether the server offers a login that does not send the password.

        :raises ServerNotTrusted: when it does not, and the caller has not allowed to send it.
        """
        client = self._client
        welcome = client.welcome or await client.hello()
        bound = client.fingerprint is not None
        if (SCRAM_PLUS if bound else SCRAM) in welcome.auth:
            return True
        if self._plain and SCRAM not in welcome.auth and "password" in welcome.auth:
            return False
        what = "that is bound to this TLS connection" if bound else "that keeps your password on this machine"
        raise client.distrust(
            f"The server offers no login {what}: somebody may be intercepting it. Your password was not sent."
        )

    def _cost(self) -> int:
        """The bcrypt cost for a new password: the server's, but at least `least_cost`."""
        welcome = self._client.welcome
        assert welcome is not None, "_keeps_passwords_here asked"
        cost = welcome.limits.get("cost", self._least_cost)
        if cost > MOST_COST:
            raise self._client.distrust(
                f"The server asks for a bcrypt cost of {cost}; this client allows at most {MOST_COST}."
            )
        return max(cost, self._least_cost)

    async def _enter(self, proof: Proof | None, cmd: str, args: dict[str, object]) -> LoggedIn:
        """Finish a login, and check that the server has proved itself.

        :param proof: the SCRAM exchange that the server's answer must sign, or nothing.
        """
        self._elsewhere = False
        try:
            reply = await self._client.expect(LoggedIn, cmd, args)
        except RequestRefused as refused:
            # The signature comes with the takeover.
            self._proof, self._elsewhere = proof, refused.reply.code == AlreadySignedIn.code
            raise
        if proof is not None:
            try:
                proof.check(reply.scram)
            except ServerNotTrusted as error:
                raise self._client.distrust(str(error)) from None
        return reply


def why_not(reply: Refused) -> str:
    """Why a login was refused, for a client that asks again by itself: without what to type on netcat."""
    return BadCredentials.what if reply.code == BadCredentials.code else reply.text


def _named(device: str | None, **args: object) -> dict[str, object]:
    return args if device is None else args | {"device": device}


def _spelled(verifier: Verifier) -> dict[str, object]:
    """A verifier as JSON values."""
    return {
        "salt": b64encode(verifier.salt).decode(),
        "iterations": verifier.iterations,
        "stored_key": b64encode(verifier.stored_key).decode(),
        "server_key": b64encode(verifier.server_key).decode(),
    }
