"""Keys for end-to-end encryption, and the inboxes of devices; for programs alone."""

from __future__ import annotations

from typing import Annotated

from chat.protocol.device_keys import MOST_NUMBER, Publication
from chat.protocol.errors import BadUsage
from chat.protocol.events import ClaimedKeys, Done, Inbox, Keys, KeysLeft, LettersKept
from chat.protocol.grammar.durations import NumberType
from chat.protocol.grammar.key_parameters import (
    DevicesOf,
    KeysOfDevice,
    Letters,
    Numbered,
    OneTimeKeys,
    PublicKey,
    Users,
)
from chat.protocol.grammar.program_parameters import Flag
from chat.server.commands.registry import command
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "Keys"

MOST_SHOWN = 100
"""The most letters in one reply."""

Number = Annotated[int, NumberType(0, MOST_NUMBER)]


@command(group=GROUP, programs=True, barrier=True, weight=2, name="keys.publish")
async def publish(
    chat: ChatService,
    session: Session,
    *,
    account: PublicKey | None = None,
    reset: Flag = False,
    device: KeysOfDevice | None = None,
    one_time: OneTimeKeys = (),
    fallback: Numbered | None = None,
) -> KeysLeft:
    """publish the keys of the account and of this device; without arguments, show how many are left"""
    try:
        publication = Publication(account, reset, device, one_time, fallback)
    except ValueError as error:
        raise BadUsage(f"keys.publish: {error}.") from None
    return await chat.keys.publish(session, publication)


@command(group=GROUP, programs=True, name="keys.of")
async def keys_of(chat: ChatService, session: Session, *, users: Users) -> Keys:
    """get the keys of these users, including devices without keys; users who block you are left out"""
    return await chat.keys.of(session, users)


@command(group=GROUP, programs=True, weight=2, name="keys.claim")
async def claim(chat: ChatService, session: Session, *, devices: DevicesOf) -> ClaimedKeys:
    """claim one key of each of these devices: a one-time key, which nobody else gets, or the fallback key"""
    return ClaimedKeys(await chat.keys.claim(session, devices))


@command(group=GROUP, programs=True, barrier=True, name="inbox.send")
async def send(chat: ChatService, session: Session, *, letters: Letters) -> LettersKept:
    """put letters into the inboxes of devices, each encrypted for its device; repeating a letter is harmless"""
    return await chat.inboxes.send(session, letters)


@command(group=GROUP, programs=True, name="inbox.read")
async def read(
    chat: ChatService,
    session: Session,
    *,
    after: Number = 0,
    limit: Annotated[int, NumberType(1, MOST_SHOWN)] = MOST_SHOWN,
) -> Inbox:
    """read the inbox of this device; read it before the history, because it holds the keys for it"""
    return await chat.inboxes.read(session, after, limit)


@command(group=GROUP, programs=True, weight=0.2, name="inbox.acknowledge")
async def acknowledge(chat: ChatService, session: Session, *, upto: Number) -> Done:
    """confirm that this device has stored everything up to this number; the server deletes it"""
    await chat.inboxes.acknowledge(session, upto)
    return Done()
