"""``admin``: the way to the commands of those who run the server, on every front end."""

from __future__ import annotations

from typing import Annotated, Any

from chat.protocol.grammar.parameters import LocalPath, Names, Word, WordsType
from chat.protocol.grammar.parser import is_certain, read_command
from chat.protocol.grammar.verbs import Access
from chat.server.commands.admin import ADMIN
from chat.server.commands.registry import command
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "Administrators"

_SUBJECTS = ("user", "name", "who", "room")


class AdminLine(WordsType):
    """One of the administrators' commands, with its arguments."""

    form = "COMMAND"
    free = False

    def certain(self, word: str, names: Names) -> bool:
        return is_certain(word, ADMIN, names)

    def mistyped(self, word: str) -> bool:
        first = word.split(None, 1)[0].lower()
        return first in ADMIN or ADMIN.typed.near(first) is not None


@command(group=GROUP, access=Access.ADMINISTRATOR, barrier=True, weight=0.2, examples=("admin help", "admin status"))
async def admin(
    chat: ChatService,
    session: Session,
    words: Annotated[str, AdminLine()] = "help",
    *,
    after: Word = "",
    folder: LocalPath = "",
) -> Any:
    """administer the server: admin help lists the commands

    They are the same as those of chatctl on the server's machine.
    """
    call = read_command(words, ADMIN, chat.rooms.names_for(session), session.admin)
    arguments = call.arguments
    given = {"after": after, "folder": folder if session.operator else ""}
    arguments |= {each.name: given[each.name] for each in call.verb.parameters if given.get(each.name)}
    about = next((str(arguments[each]) for each in _SUBJECTS if each in arguments), "")
    if call.verb.barrier:
        chat.administration.note(session, call.verb.name, about)
    return await call.verb.run(chat, session, **arguments)
