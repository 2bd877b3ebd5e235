"""What is left of what was seen, after the operator of a server has put a backup in place."""

from __future__ import annotations

from collections.abc import Mapping

from chat.client.session.protocol import ChatClient
from chat.protocol.events import Restored


def state_of(client: ChatClient) -> int:
    """When a backup was put in place last, as the server says: a number that grows; 0 when that never was."""
    return client.welcome.restored if client.welcome is not None else 0


async def left(client: ChatClient, *before: int | None) -> Mapping[str, int]:
    """Up to which seq conversations are still what was seen of them; nothing of those that are as they were.

    :param before: what `state_of` was when something was seen; nothing where nothing was.
    :raises ClientFailure: when the connection does not last.
    """
    since = min((each for each in before if each is not None), default=None)
    if since is None or since >= state_of(client):
        return {}
    reply = await client.ask("restored", {"since": since})
    if not isinstance(reply, Restored):
        raise client.distrust("The server does not answer restored with what is left.")
    return reply.marks
