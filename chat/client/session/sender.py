"""Sends the lines in the send queue one after the other, encrypted where required."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from chat.client.model.conversation import ConversationModel
from chat.client.model.failures import Disconnected, HeldBack, NotConnected, RequestRefused, ServerNotTrusted
from chat.client.model.send_queue import TRY_AGAIN, Outgoing
from chat.client.model.state import State
from chat.client.session.encryption_api import NOT_SEALED, NullEncryption
from chat.client.session.observer import Observer
from chat.client.session.protocol import ChatClient
from chat.protocol.events import Entry, Refused, Reply, StoredAs
from chat.protocol.grammar.context import Held
from chat.protocol.values import Text
from chat.protocol.wire.field_codecs import write_body

TRY_LATER = 3.0
"""Seconds before a line is sent again that the server could not store, unless it says how long to wait."""


class Sender:
    """Sends the queue while there is a connection; unanswered lines are sent again on the next one.

    :param came: called with the rows that were added.
    """

    def __init__(
        self,
        state: State,
        observer: Observer,
        seals: NullEncryption,
        clock: Any,
        came: Callable[[ConversationModel, list[Entry]], object],
    ) -> None:
        self._state = state
        self._observer = observer
        self._seals = seals
        self._clock = clock
        self._came = came
        self._client: ChatClient | None = None
        self._sending: Outgoing | None = None
        self._later: Any = None
        self._waiting: list[Deferred[None]] = []

    def begin(self, client: ChatClient) -> None:
        """Start to send: all missed rows are read."""
        self._client = client
        self._send_next()

    def end(self) -> None:
        """The connection has ended."""
        self._client = self._sending = None
        if self._later is not None and self._later.active():
            self._later.cancel()
        self._wake()

    async def idle(self) -> None:
        """Wait until no line is being sent, so that a command runs after the lines typed before it."""
        if self._sending is not None:
            waiting: Deferred[None] = Deferred()
            self._waiting.append(waiting)
            await waiting

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)

    def say(self, outgoing: Outgoing) -> None:
        """Queue a line; it is sent as soon as possible.

        :raises TooMuch: when too many lines wait.
        """
        self._state.unsent.put(outgoing)
        if self._client is None and self._seals.locked(self._state.me):
            self._refuse(outgoing, NOT_SEALED)  # it could be stored in memory only
        self._send_next()

    def _send_next(self) -> None:
        outgoing, client = self._state.unsent.next, self._client
        if self._sending is not None:
            return
        if outgoing is None or client is None:
            self._wake()
            return
        self._sending = outgoing
        sent: Deferred[Reply] = Deferred.fromCoroutine(self._send(outgoing, client))
        sent.addCallbacks(
            lambda reply: self._answered(outgoing, client, reply),
            lambda failure: self._unanswered(outgoing, client, failure),
        )

    async def _send(self, outgoing: Outgoing, client: ChatClient) -> Reply:
        """Send a line; a retry sends the same bytes."""
        if outgoing.sealed is None:
            outgoing.sealed = await self._seals.seal(self._talk(outgoing), outgoing.text, action=outgoing.action)
            if outgoing.sealed is not None:
                self._state.unsent.changed()
        args = outgoing.args if outgoing.sealed is None else outgoing.args | {"text": write_body(outgoing.sealed)}
        return await client.request(outgoing.cmd, args, outgoing.retry)

    def _talk(self, outgoing: Outgoing) -> ConversationModel:
        """The conversation of a line, also one that this account has left or not entered yet."""
        found = self._state.talks.get(outgoing.where)
        return found or ConversationModel(outgoing.where, outgoing.args.get("room") or outgoing.args.get("user", ""))

    def _answered(self, outgoing: Outgoing, client: ChatClient, reply: Reply) -> None:
        if self._client is client:
            self._sending = None
        if isinstance(reply, StoredAs):
            talk, entries = self._state.stored(outgoing, reply)
            self._observer.settled(outgoing, reply)
            self._came(talk, entries)
        elif isinstance(reply, Refused) and reply.code in TRY_AGAIN:
            self._try_later(reply)
            return
        else:
            if outgoing.sealed is not None:
                self._seals.refused(self._talk(outgoing))
            self._refuse(outgoing, getattr(reply, "text", "") or "The server did not store this line.")
        self._send_next()

    def _unanswered(self, outgoing: Outgoing, client: ChatClient, failure: Any) -> None:
        if self._client is not client:
            return  # the next connection sends it again
        self._sending = None
        if failure.check(Disconnected, ServerNotTrusted):
            return
        if failure.check(RequestRefused) and failure.value.reply.code in TRY_AGAIN:
            self._try_later(failure.value.reply)
            return
        why = str(failure.value)
        if failure.check(HeldBack) and outgoing.again is not None:
            self._state.held = Held(outgoing.again, "")
            why += " Type ! to send it anyway."
        self._refuse(outgoing, why)
        self._send_next()

    def _try_later(self, refused: Refused) -> None:
        self._later = self._clock.callLater(refused.wait or TRY_LATER, self._send_next)
        self._wake()

    def _refuse(self, outgoing: Outgoing, why: str) -> None:
        self._state.refuse(outgoing, why)
        self._observer.settled(outgoing, None)

    async def edit(self, talk: ConversationModel, seq: int, text: str) -> Reply:
        """Edit a message of this account; the reply may be a refusal.

        :raises ClientFailure: when there is no connection, or it must not be sent.
        """
        if self._client is None or talk.conversation is None:
            raise NotConnected()
        sealed = await self._seals.seal(talk, text, ref=seq)
        args = {"id": talk.conversation.msgid(seq), "text": write_body(sealed or Text(text))}
        reply = await self._client.request("edit", args)
        if isinstance(reply, Refused) and sealed is not None:
            self._seals.refused(talk)
        return reply
