"""Getting in with a one-time code."""

from __future__ import annotations

from chat.protocol.errors import BadUsage
from chat.protocol.events import LoggedIn
from chat.protocol.grammar.parameters import DeviceName, Secret, User, Word
from chat.protocol.grammar.verbs import Access
from chat.protocol.values import DEFAULT_DEVICE
from chat.server.commands.account import GROUP, logged_in
from chat.server.commands.registry import command
from chat.server.core.service import ChatService
from chat.server.core.user import Session


@command(
    group=GROUP,
    access=Access.GUEST,
    barrier=True,
    guarded={"claim": (2, 2)},
    examples=("claim bob k7mq-2xnp-w4ta-9hdr",),
    prompts={"user": "Username:", "code": "Code:", "password": "New password:"},
    weight=4,
)
async def claim(
    chat: ChatService,
    session: Session,
    user: User | None = None,
    code: Word | None = None,
    password: Secret | None = None,
    *,
    device: DeviceName | None = None,
) -> LoggedIn:
    """choose a password with a one-time code, and log in

    Administrators hand out these codes for new accounts and for lost passwords.
    """
    if user is None or code is None or password is None:
        raise BadUsage("claim needs user, code and password.")
    session.device = device or (DEFAULT_DEVICE if session.mind.features.typed_by_people else session.device)
    await chat.authenticator.claim(session, user, code, password)
    return await logged_in(chat, session)
