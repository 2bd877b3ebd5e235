"""Keeps one account connected to one server, without losing or duplicating a message.

How it works: after a login, ``resume`` says where the log of each conversation ends. The engine reads the missing rows
page by page (`chat.client.session.sync`) while new ones arrive live. Lines typed here wait in
`chat.client.model.send_queue.SendQueue` and are sent one after the other. If the connection breaks or the server stops
answering (`chat.client.session.heartbeat`), the engine reconnects (`chat.client.session.reconnect`), logs in by token,
and reads on from the rows it holds. The rules:

* A line leaves the send queue only when the server has answered it; every retry has the same retry id.
* The engine does not reconnect to a server that turns out to be another one, or that keeps sending invalid data.
* It does not log in again after the session was ended elsewhere: two clients would end each other's session for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred

from chat import __version__
from chat.client.model.failures import ClientFailure, Disconnected, NotConnected, RequestRefused, ServerNotTrusted
from chat.client.model.state import State
from chat.client.session.encryption_api import NullEncryption
from chat.client.session.heartbeat import Heartbeat
from chat.client.session.login import Login
from chat.client.session.observer import Observer, Phase, Status
from chat.client.session.peer_api import NullPeers
from chat.client.session.protocol import ChatClient
from chat.client.session.reconnect import Reconnector
from chat.client.session.sender import Sender
from chat.client.session.sync import Sync, SyncMode
from chat.client.session.tasks import unattended
from chat.protocol.events import (
    CommandTable,
    Entry,
    Event,
    Found,
    History,
    LoggedIn,
    Missed,
    OwnSettings,
    Reply,
    SignedOut,
    Welcome,
)
from chat.protocol.grammar.table_codec import read_table

GREETING_TIMEOUT = 60.0
"""Seconds in which a server must answer the first requests. After a restart thousands of clients connect at once."""

MOST_UNHEARD = 10_000
"""The most events that wait while somebody's keys are being fetched."""

_TO_OPEN = "To unlock your keys, type: unlock (with your old password, if you changed it on another device)."

Dial = Callable[[Callable[[Event], object], Callable[[ClientFailure], object]], Deferred[ChatClient]]
"""Connects, given callbacks for events and for the end; fires when the connection is ready, or fails."""


class Engine:
    """The client without a screen.

    :param clock: tells the time and schedules calls (``IReactorTime``).
    :param make_login: makes the `Login` of a connection.
    :param keep_token: stores the token of an account; empty to forget it.
    :param kept_token: finds the stored token of an account, valid or not; empty if there is none.
    :param look: checks each welcome; raises `ServerNotTrusted` if the client must not talk to the server.
    :param jitter: returns a random number from 0 to 1, so that clients do not reconnect at the same moment.
    :param mode: how much of the missed messages is read.
    :param direct: the peer-to-peer links.
    :param seals: the end-to-end encryption.
    :ivar status: the state of the connection.
    :ivar welcome: the server's answer to ``hello``.
    """

    def __init__(
        self,
        state: State,
        observer: Observer,
        dial: Dial,
        clock: Any,
        make_login: Callable[[ChatClient], Login],
        *,
        device: str,
        keep_token: Callable[[str, str], object] = lambda account, token: None,
        kept_token: Callable[[str], str] = lambda account: "",
        look: Callable[[Welcome], object] = lambda welcome: None,
        jitter: Callable[[], float] = lambda: 0.5,
        mode: SyncMode = SyncMode.NEWEST,
        direct: NullPeers | None = None,
        seals: NullEncryption | None = None,
    ) -> None:
        self.state = state
        self.direct = direct or NullPeers()
        self.seals = seals or NullEncryption()
        self.seals.released = self._release
        self.seals.unlocked = self._unlocked
        state.reads = self.seals
        self.status = Status(Phase.CLOSED)
        self.welcome: Welcome | None = None
        self.sync = Sync(state, observer, clock, mode, self.seals)
        self.sender = Sender(state, observer, self.seals, clock, self.sync.came)
        self.current_room = ""
        self._observer = observer
        self._dial = dial
        self._clock = clock
        self._make_login = make_login
        self.device = device
        self._keep_token = keep_token
        self._kept_token = kept_token
        self._look = look
        self._heartbeat = Heartbeat(clock)
        self._reconnector = Reconnector(clock, jitter, lambda: bool(self._token), self._wait, self._try_again)
        self._client: ChatClient | None = None
        self._login: Login | None = None
        self._token = ""
        self._ends: list[ClientFailure] = []
        self._unheard: deque[Event] = deque()

    # connecting and logging in

    async def connect(self) -> Welcome:
        """Connect to the server.

        :raises ClientFailure: when it does not answer, or must not be trusted.
        """
        self._set(Phase.CONNECTING)
        try:
            return await self._call()
        except ServerNotTrusted as error:
            self._set(Phase.ENDED, str(error), alarming=True)
            raise
        except ClientFailure as error:
            self._set(Phase.CLOSED, str(error))
            raise

    async def _call(self) -> Welcome:
        ends: list[ClientFailure] = []
        self._ends = ends
        client = await self._dial(self._take, lambda reason: self._lost(reason, ends))
        if ends:
            raise ends[0]
        self._client = client
        self._login = self._make_login(client)
        timer = self._clock.callLater(GREETING_TIMEOUT, lambda: client.drop("The server did not answer in time."))
        try:
            self.welcome = await self._greet(client)
            table = await client.ask("commands")
        finally:
            if timer.active():
                timer.cancel()
        if isinstance(table, CommandTable):
            self.state.table = read_table(table.commands)
            self.seals.add_verbs(self.state.table)
        self._set(Phase.OPEN)
        return self.welcome

    async def _greet(self, client: ChatClient) -> Welcome:
        welcome = await client.hello(f"chat {__version__}", self.device, heartbeat=True)
        try:
            self._look(welcome)
        except ClientFailure:
            self._disconnected()
            client.close()
            raise
        return welcome

    async def log_in(self, user: str, password: str) -> None:
        """Log in and catch up; see `chat.client.session.login.Login.log_in`."""
        way_in, token = await self._way_in(), self._kept_token(user)
        await self._enter(await way_in.log_in(user, password, self.device, token), password)

    async def register(self, user: str, password: str, invitation: str = "") -> None:
        """Register and log in; see `chat.client.session.login.Login.register`."""
        way_in = await self._way_in()
        await self._enter(await way_in.register(user, password, device=self.device, invitation=invitation), password)

    async def take_over(self, password: str = "") -> None:
        """See `chat.client.session.login.Login.take_over`.

        :param password: the password of the refused login, to unlock the keys.
        """
        await self._enter(await (await self._way_in()).take_over(), password)

    async def log_in_by_token(self, token: str) -> None:
        """See `chat.client.session.login.Login.log_in_by_token`."""
        await self._enter(await (await self._way_in()).log_in_by_token(token, self.device))

    async def _way_in(self) -> Login:
        """The login of the connection; connects again if the server has closed it while the person was typing."""
        if self._login is None:
            await self.connect()
        assert self._login is not None, "connect makes one"
        return self._login

    async def _enter(self, logged_in: LoggedIn, password: str = "") -> None:
        client = self._client
        if client is None:
            raise Disconnected("The connection to the server was lost.")
        self.state.be(logged_in.account)
        self._token = logged_in.token
        if logged_in.token:
            self._keep_token(logged_in.account, logged_in.token)
        elif self.welcome is not None and "token" in self.welcome.auth:
            # The server's disk is full, so it could not store a new one.
            self._token = self._kept_token(logged_in.account)
        self._heartbeat.begin(client, float(max(1, logged_in.heartbeat)))
        self._set(Phase.CATCHING_UP)
        await self._unlock(logged_in.account, password)
        self.state.recall()
        self.current_room = await self.sync.begin(client)
        self.direct.begin()
        self._set(Phase.ONLINE)
        self.sender.begin(client)

    async def _unlock(self, account: str, passphrase: str) -> None:
        """Unlock the keys; without them, the client continues unencrypted."""
        try:
            await self.seals.unlock(account, passphrase)
        except ClientFailure as error:
            if passphrase:
                self._observer.found(None, f"{error} {_TO_OPEN}", True)

    def _unlocked(self) -> None:
        """The keys are unlocked: load the drafts that they encrypt."""
        self.direct.begin()
        if self._client is not None and self.status.phase is Phase.ONLINE:
            self.state.recall()
            self.sender.begin(self._client)

    # receiving

    def _take(self, event: Event) -> None:
        self._heartbeat.heard()
        if self.seals.busy:
            self._unheard.append(event)
            if len(self._unheard) > MOST_UNHEARD and self._client is not None:
                self._client.drop("The server sent too many events at once.")
        else:
            self._hear(event)

    def _release(self) -> None:
        """Handle the events that had to wait."""
        while self._unheard and not self.seals.busy:
            self._hear(self._unheard.popleft())

    def _hear(self, event: Event) -> None:
        if self.seals.heard(event):
            return
        if isinstance(event, SignedOut):
            self._token = ""
            self._set(Phase.ENDED, event.reason)
            self.close()
        if isinstance(event, OwnSettings):
            event = self.state.news_of(event)
        talk, entries = self.state.take(event)
        if talk is not None:
            self.sync.came(talk, entries)
        if not isinstance(event, Entry) and not (isinstance(event, OwnSettings) and not event.changed):
            self._observer.happened(event)
        self.direct.heard(event)

    def _lost(self, reason: ClientFailure, ends: list[ClientFailure]) -> None:
        """A connection has ended.

        :param ends: identifies the connection, which may be an earlier one.
        """
        ends.append(reason)
        if self._client is None or ends is not self._ends:
            return
        self._disconnected()
        if self.status.phase in (Phase.ENDED, Phase.CLOSED) or self._reconnector.under_way:
            return
        if isinstance(reason, ServerNotTrusted) and (reason.final or not self._token):
            self._set(Phase.ENDED, str(reason), alarming=True)
        elif self._token:
            unattended(self._come_back(str(reason)))
        else:
            self._set(Phase.CLOSED, str(reason))

    def _disconnected(self) -> None:
        """Clear everything that belongs to the connection."""
        self._client = self._login = None
        self.sender.end()
        self.seals.pause()
        self.sync.end()
        self._heartbeat.end()
        self._unheard.clear()

    # reconnecting

    async def _come_back(self, reason: str) -> None:
        try:
            await self._reconnector.come_back(reason)
        except ServerNotTrusted as error:
            self._set(Phase.ENDED, str(error), alarming=True)
        except RequestRefused as refused:
            self._token = ""
            self._set(Phase.OPEN, refused.reply.text)

    def _wait(self, reason: str, pause: float) -> None:
        if (client := self._client) is not None:
            self._disconnected()
            client.close()
        self._set(Phase.WAITING, reason, pause)

    async def _try_again(self, reason: str) -> None:
        self._set(Phase.CONNECTING, reason)
        await self._call()
        await self.log_in_by_token(self._token)

    def try_now(self) -> None:
        """Reconnect without waiting any longer."""
        self._reconnector.wake()

    # leaving

    def logged_out(self) -> None:
        """The person has logged out; the connection stays open for another login."""
        self._keep_token(self.state.me, "")
        self.seals.forget(self.state.me)
        self._token = ""
        self.direct.close()
        self.sender.end()
        self.sync.end()
        self.state.forget()
        self._set(Phase.OPEN)

    async def leave(self) -> None:
        """Report what was received, and end the connection; the stored token stays valid for the next start."""
        try:
            if self.status.phase is Phase.ONLINE:
                await self.sync.report()
                await self.ask("quit")
        except ClientFailure:
            pass  # the connection ends in any case
        finally:
            self.close()

    def close(self) -> None:
        """End the connection and do not reconnect; the stored token stays valid for the next start."""
        self._token = ""
        self.direct.close()
        self._reconnector.wake()
        if self.status.phase is not Phase.ENDED:
            self._set(Phase.CLOSED)
        if self._client is not None:
            self._client.close()
        self.seals.close()

    def _set(self, phase: Phase, reason: str = "", wait: float = 0.0, alarming: bool = False) -> None:
        self.status = Status(phase, reason, wait, alarming)
        self._observer.status_changed(self.status)

    # requests

    async def change_password(self, old: str, new: str) -> Reply:
        """See `chat.client.session.login.Login.change_password`; stores the new token."""
        reply = await self._inside().change_password(old, new)
        self._token = reply.token
        self._keep_token(self.state.me, reply.token)
        self.seals.relock(new)
        return reply

    async def delete_account(self, args: dict[str, object], password: str) -> Reply:
        """See `chat.client.session.login.Login.delete_account`."""
        return await self._inside().delete_account(args, password)

    def _inside(self) -> Login:
        """The login of the connection.

        :raises NotConnected: when nobody is logged in on it.
        """
        if self._login is None or self.status.phase not in (Phase.ONLINE, Phase.CATCHING_UP):
            raise NotConnected()
        return self._login

    async def ask(self, cmd: str, args: Mapping[str, object] | None = None) -> Reply:
        """Send a command that does not go through the send queue; the reply may be a refusal.

        :raises ClientFailure: when there is no connection.
        """
        if self._client is None or self.status.phase not in (Phase.ONLINE, Phase.CATCHING_UP, Phase.OPEN):
            raise NotConnected()
        return self._opened(await self._client.request(cmd, args))

    def _opened(self, reply: Reply) -> Reply:
        """Decrypt the rows in a reply."""
        reread = self.seals.reread
        if isinstance(reply, History | Found):
            return replace(reply, entries=tuple(map(reread, reply.entries)))
        if isinstance(reply, Missed):
            pages = (replace(page, entries=tuple(map(reread, page.entries))) for page in reply.pages)
            return replace(reply, pages=tuple(pages))
        return reply
