"""Runs the lines that a person types, with the verb table that the server has sent.

In a conversation with a person, a line is a message to that person; it is parsed by the rules of a room. Only this file
of the client catches ``ChatError``, and shows it like a refusal of the server.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.defer import DeferredLock

from chat.client.model.conversation import ConversationModel, Key
from chat.client.model.failures import ClientFailure, RequestRefused
from chat.client.model.search_result import EVERYWHERE, FoundHere, FoundThere
from chat.client.model.send_queue import Outgoing
from chat.client.model.state import KnownNames
from chat.client.session.engine import Engine
from chat.client.session.peer_api import RelayFallback
from chat.protocol.errors import BadName, ChatError
from chat.protocol.events import Found, Help, LoggedOut, OwnSettings, Refused, Reply, RoomEntered, RoomLeft
from chat.protocol.grammar.context import Ask, Call, Held, Reading
from chat.protocol.grammar.parser import answer, read
from chat.protocol.names import fold, read_name
from chat.protocol.values import Text, is_msgid, parse_msgid

HELD = "held"
"""The code of the answer to a line that was held back."""

_SAID = {"say": False, "me": False, "message": True}
"""Verbs whose lines wait in the send queue until the server has stored them, and whether they are private."""


def refusal(error: Exception) -> Refused:
    """An error as a refusal for display."""
    if isinstance(error, ChatError):
        return Refused(error.code, error.line, error.suggest, error.ask, error.wait)
    return Refused("client", str(error))


class CommandInput:
    """Runs lines for one engine.

    :param clock: seconds since the epoch.
    """

    def __init__(self, engine: Engine, clock: Any) -> None:
        self._engine = engine
        self._clock = clock
        self._one_at_a_time = DeferredLock()

    async def typed(self, line: str, here: ConversationModel | None) -> Reply | Ask | ConversationModel | None:
        """Run a line.

        :param here: the conversation in which it was typed.
        :returns: a reply to show; a question to ask the person; a conversation to switch to; or nothing.
        """
        async with self._one_at_a_time:
            try:
                reading = await self._read(line, here)
            except ChatError as error:
                return refusal(error)
            self._engine.state.held = None
            if isinstance(reading, Call) and reading.verb.name in (*_SAID, "reply"):
                return await self._do(reading, here)  # without waiting, so that lines keep their order
        return await self._do(reading, here)

    async def _read(self, line: str, here: ConversationModel | None) -> Reading:
        """Parse a line. If its meaning depends on unknown names, ask the server for them first.

        In an encrypted conversation the server is not asked: it must not learn any word of a message.

        :raises ChatError: when the line is not valid.
        """
        engine, names = self._engine, KnownNames(self._engine.state)
        reading = read(line, engine.state.context(here, names))
        speech = isinstance(reading, Call) and reading.verb.name == "say"
        in_the_open = here is not None and here.key.room and not engine.seals.is_sealed(here)
        if in_the_open and (speech or isinstance(reading, Held)):
            missed = [each for each in dict.fromkeys(names.missed) if self._could_be_a_name(each[1])]
            if await engine.sync.roster.look_up(missed):
                return read(line, engine.state.context(here))
        return reading

    def _could_be_a_name(self, word: str) -> bool:
        try:
            read_name(word, verbs=self._engine.state.table)
        except BadName:
            return False
        return True

    async def answered(
        self, ask: Ask, line: str, here: ConversationModel | None
    ) -> Reply | Ask | ConversationModel | None:
        """Continue a line after the person has answered a question."""
        try:
            reading = answer(ask, line, self._engine.state.context(here))
        except ChatError as error:
            return refusal(error)
        return await self._do(reading, here)

    async def _do(self, reading: Reading, here: ConversationModel | None) -> Reply | Ask | ConversationModel | None:
        if reading is None or isinstance(reading, Ask):
            return reading
        if isinstance(reading, Held):
            self._engine.state.held = reading
            return self._hold(reading, here)
        try:
            if self._engine.seals.runs(reading.verb):
                await self._engine.sender.idle()
                return await self._engine.seals.run(reading, here)
            if reading.verb.name == "reply":
                reading = self._to_last(reading)
            if reading.verb.name in _SAID:
                return self._say(reading, here)
            if self._engine.direct.runs(reading.verb):
                return await self._engine.direct.run(reading)
            if reading.verb.name == "edit":
                return await self._edit(reading)
            return await self._ask(reading, here)
        except RequestRefused as refused:
            return refused.reply
        except RelayFallback as error:
            self._engine.state.held = self._by_server(error)
            return refusal(error)
        except (ChatError, ClientFailure) as error:
            return refusal(error)

    def _hold(self, held: Held, here: ConversationModel | None) -> Refused:
        title = here.title if here is not None else "everybody"
        return Refused(HELD, f"Not sent. Did you mean: {held.meant} ? Type ! to say it to {title} anyway.")

    def _by_server(self, error: RelayFallback) -> Held:
        """The message through the server that ``!`` sends in place of a line that could not be delivered directly."""
        return Held(Call(self._engine.state.table["message"], {"user": error.user, "text": Text(error.text)}), "")

    def _say(self, call: Call, here: ConversationModel | None) -> ConversationModel | None:
        """:raises ClientFailure: when too many lines are waiting, or the other account was deleted."""
        text = call.arguments["text"]
        assert isinstance(text, Text), "people type text"
        cmd, private = call.verb.name, _SAID[call.verb.name]
        if private:
            where = Key(False, fold(call.arguments["user"]))
            args = {"user": call.arguments["user"], "text": text.text}
        elif here is not None and here.key.deleted:
            raise ClientFailure("Not sent: this account was deleted.")
        elif here is not None and not here.key.room:
            where, said = here.key, f"* {self._engine.state.me} {text.text}" if cmd == "me" else text.text
            cmd, args = "message", {"user": here.title, "text": said}  # actions exist in rooms only
        else:
            where = Key(True, fold(call.arguments["room"]))
            args = {"room": call.arguments["room"], "text": text.text}
        engine, state = self._engine, self._engine.state
        if here is not None and private and where.name not in state.people and where not in state.talks:
            where = here.key  # an unknown name: show the refusal in this conversation
        title = state.people[where.name][0] if private and where.name in state.people else ""
        talk = state.talk(where, title or args.get("room") or args["user"])
        again = call if where.room else Call(state.table["message"], {"user": args["user"], "text": Text(args["text"])})
        engine.sender.say(Outgoing(where, cmd, args, args["text"], int(self._clock() * 1000), again=again))
        return talk if here is None or talk.key != here.key else None

    def _to_last(self, call: Call) -> Call:
        """Turn ``reply`` into a message to the last writer. The client does this itself, as it may have to encrypt it.

        :raises ClientFailure: when nobody has written.
        """
        state = self._engine.state
        if state.last_writer is None:
            raise ClientFailure("Nobody has written to you privately yet. Write: message NAME TEXT")
        return Call(state.table["message"], call.arguments | {"user": state.last_writer[1]})

    async def _edit(self, call: Call) -> Reply:
        """Edit a message; in an encrypted conversation the new text is encrypted as well."""
        engine, state, text = self._engine, self._engine.state, call.arguments["text"]
        assert isinstance(text, Text), "people type text"
        await engine.sender.idle()
        msgid = call.arguments.get("id")
        if msgid is not None:
            reference, seq = parse_msgid(msgid)
            talk = next((each for each in state.talks.values() if each.is_called(reference)), None)
        elif state.last_said is not None:
            talk, seq = state.last_said
        else:
            talk, seq = None, 0
        if talk is None or talk.conversation is None:
            return await engine.ask("edit", {"text": text.text} | ({"id": msgid} if msgid is not None else {}))
        seq = talk.corrected_by(seq)
        reply = await engine.sender.edit(talk, seq, text.text)
        if not isinstance(reply, Refused):
            await engine.sync.fill(talk)
        return reply

    async def _ask(self, call: Call, here: ConversationModel | None) -> Reply | ConversationModel | None:
        engine, verb = self._engine, call.verb
        args = {
            each.name: each.type.to_json(call.arguments[each.name])
            for each in verb.parameters
            if call.arguments.get(each.name) is not None
        }
        await engine.sender.idle()
        if verb.name == "password":
            reply = await engine.change_password(str(args["old"]), str(args["new"]))
        elif verb.name == "account":
            reply = await engine.delete_account(args, str(args.pop("password")))
        elif verb.name == "search":
            reply = await self._search(call, str(args["words"]))
        elif verb.name == "help":
            reply = await self._help(args)
        else:
            reply = await engine.ask(verb.name, args)
        if isinstance(reply, RoomEntered):
            talk = engine.state.enter(reply)
            await engine.sync.newest(talk)
            if engine.seals.ready:
                reply = replace(reply, sealed=False)  # this client can read and write encrypted messages
        elif isinstance(reply, RoomLeft):
            engine.state.drop(Key.of(reply.conversation))
        elif isinstance(reply, LoggedOut) and not reply.closing:
            engine.logged_out()
        elif isinstance(reply, OwnSettings):
            engine.state.take_settings(reply)
        elif verb.name == "block" and not isinstance(reply, Refused):
            engine.direct.shut_out(str(args["user"]))
        elif verb.name == "delete" and not isinstance(reply, Refused):
            await self._reread(str(args.get("id", "")), here)
        return reply

    async def _help(self, args: dict[str, Any]) -> Reply:
        """The server's help, with the verbs of this client added."""
        engine = self._engine
        own = [each for each in engine.state.table.verbs if engine.seals.runs(each)]
        asked = engine.state.table.get(str(args.get("verb", "")).lower().lstrip("/"))
        if asked in own:
            return Help(verb=asked.help)
        reply = await engine.ask("help", args)
        if isinstance(reply, Help) and reply.verb is None and own:
            reply = replace(reply, groups=(*reply.groups, (own[0].group, tuple(each.help for each in own))))
        return reply

    async def _search(self, call: Call, words: str) -> Reply:
        """Search. If any conversation is encrypted, the server learns the search words only if the person agrees."""
        engine = self._engine
        if EVERYWHERE in call.arguments:
            rest = await engine.ask("search", {"words": words})
            return FoundThere(rest.entries, rest.more) if isinstance(rest, Found) else rest
        if not engine.seals.searches_here(words):
            return await engine.seals.search(words, await engine.ask("search", {"words": words}))
        engine.state.held = Held(Call(call.verb, call.arguments | {EVERYWHERE: True}), "")
        return await engine.seals.search(words, FoundHere((), False))

    async def _reread(self, msgid: str, here: ConversationModel | None) -> None:
        """Read the row that a deletion has made: the server does not send it to the session that deleted."""
        reference = parse_msgid(msgid)[0] if is_msgid(msgid) else None
        for talk in tuple(self._engine.state.talks.values()):
            conversation = talk.conversation
            if conversation is not None and (conversation.reference == reference or (not reference and talk is here)):
                await self._engine.sync.fill(talk)
