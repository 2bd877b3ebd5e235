"""Invitation codes: who may make an account where that needs a code."""

from __future__ import annotations

from typing import Annotated

from chat.protocol.errors import BadUsage, NoEffect
from chat.protocol.events import Column, Done, InvitationCodes, Listing
from chat.protocol.grammar.durations import NumberType
from chat.protocol.grammar.parameters import ChoiceType
from chat.protocol.values.quantities import count
from chat.server.commands.admin.registry import command
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "People"

MOST = 500
"""The most codes of one batch: one frame holds them."""

_BATCHES = (Column("batch"), Column("left"), Column("made", "time"), Column("until", "time"), Column("by"))


@command(group=GROUP, barrier=True, examples=("invite", "invite 30"))
async def invite(
    chat: ChatService, session: Session, number: Annotated[int, NumberType(1, MOST)] = 1
) -> InvitationCodes:
    """create invitation codes, which people need to make accounts

    They are needed where registration = code. Each works once, within 30 days; the server stores only digests and
    cannot show the codes again. On the server's machine, chatctl invite 30 codes.txt writes them to a new file.
    """
    chat.authenticator.check_shown(session)
    return InvitationCodes(*await chat.authenticator.invite(number, session.actor))


@command(group=GROUP, barrier=True, examples=("invites", "invites end 3"))
async def invites(
    chat: ChatService,
    session: Session,
    action: Annotated[str, ChoiceType("end")] | None = None,
    batch: Annotated[int, NumberType(1, 2**31)] | None = None,
) -> Listing | Done:
    """list unused invitation codes by batch, or revoke one batch"""
    if action is None:
        batches = await chat.store.invitation_batches(chat.node.now())
        return Listing("batches of invitation codes", _BATCHES, tuple(tuple(each) for each in batches))
    if batch is None:
        raise BadUsage(f"Missing batch. Usage: {session.admin} invites end BATCH")
    ended = await chat.store.end_invitations(batch)
    if not ended:
        raise NoEffect(f"Batch {batch} has no unused codes. {session.admin} invites lists the batches.")
    return Done(f"{count(ended, 'invitation code')} revoked.")
