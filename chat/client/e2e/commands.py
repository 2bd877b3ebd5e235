"""The client's own verbs about keys: verify, accept, seal, unseal, unlock and link."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from chat.client.e2e.encryption import Encryption
from chat.client.e2e.key_store import KeyStore
from chat.client.e2e.payload import place
from chat.client.e2e.safety_number import safety_emoji, safety_number
from chat.client.model.conversation import ConversationModel, Key
from chat.client.model.failures import ClientFailure
from chat.protocol.events import Done, Fact, Facts
from chat.protocol.grammar.parameters import ChoiceType, Secret, User, Word
from chat.protocol.grammar.verbs import Bare, Table
from chat.protocol.names import fold
from chat.protocol.values import Conversation

GROUP = "Keys"

TABLE = Table()


def _ring(sealing: Encryption) -> KeyStore:
    if sealing.ring is None:
        raise ClientFailure("Your keys are locked. Type: unlock")
    return sealing.ring


def _talk(sealing: Encryption, user: str) -> ConversationModel:
    return sealing.state.talk(Key(False, fold(user)), user)


@TABLE.command(group=GROUP, examples=("verify bob", "verify bob yes"))
async def verify(
    sealing: Encryption,
    here: ConversationModel | None,
    user: User,
    done: Annotated[str, ChoiceType("yes")] | None = None,
) -> Facts | Done:
    """check that nobody intercepts what you and somebody write

    Both of you see a number and twelve pictures. Compare them by phone or in person. If they are the same, type:
    verify NAME yes.
    """
    ring = _ring(sealing)
    await sealing.directory.look([user], again=True)
    mine, theirs = ring.pins.account_key(ring.own.user), ring.pins.account_key(user)
    if mine is None or theirs is None:
        who = "You have" if mine is None else f"{user} has"
        raise ClientFailure(f"{who} no keys yet.")
    offered = ring.pins.offered_key(user)
    if done is not None:
        if offered is not None:
            raise ClientFailure(f"The key of {user} has changed. If the new one is right, type: accept {user}")
        ring.pins.verify(user)
        ring.save()
        return Done(f"{user} is verified.")
    key = offered or theirs
    known = "changed, not accepted" if offered else "verified" if ring.pins.is_verified(user) else "not verified"
    return Facts(
        f"You and {user}",
        (
            Fact("number", safety_number(ring.own.user, mine, user, key)),
            Fact("pictures", safety_emoji(ring.own.user, mine, user, key)),
            Fact("state", known),
        ),
    )


@TABLE.command(group=GROUP, examples=("accept bob",))
async def accept(sealing: Encryption, here: ConversationModel | None, user: User) -> Done:
    """trust the new key of somebody whose key has changed

    First ask that person by phone or in person, and compare: verify NAME.
    """
    ring = _ring(sealing)
    if fold(user) == ring.own.user:
        raise ClientFailure(
            "You cannot accept another key for your own account. To use the key of another device, type: link"
        )
    await sealing.directory.look([user], again=True)
    if ring.pins.offered_key(user) is None:
        raise ClientFailure(f"The key of {user} has not changed. There is nothing to accept.")
    sealing.accept(user)
    return Done(f"You now use the new key of {user}. It is not verified: verify {user}")


@TABLE.command(group=GROUP, examples=("seal bob",))
async def seal(sealing: Encryption, here: ConversationModel | None, user: User) -> Done:
    """encrypt what you write to somebody, even if some devices cannot read it"""
    _set(sealing, user, plain=False)
    return Done(f"What you write to {user} is encrypted as soon as {user} has keys.")


@TABLE.command(group=GROUP, examples=("unseal bob",))
async def unseal(sealing: Encryption, here: ConversationModel | None, user: User) -> Done:
    """stop encrypting what you write to somebody; the server can then read it"""
    _set(sealing, user, plain=True)
    return Done(f"What you write to {user} is NOT encrypted from now on. Whoever runs the server can read it.")


def _set(sealing: Encryption, user: str, plain: bool) -> None:
    ring = _ring(sealing)
    where = place(Conversation(0, partner=_talk(sealing, user).title), ring.own.user)
    ring.set_policy(where, replace(ring.policy(where), plain=plain, wanted=not plain))
    ring.save()


@TABLE.command(group=GROUP, prompts={"passphrase": "Passphrase of your keys:"})
async def unlock(sealing: Encryption, here: ConversationModel | None, *, passphrase: Secret) -> Done:
    """unlock your keys, if their passphrase is not the password you logged in with"""
    await sealing.unlock_again(passphrase)
    return Done("Your keys are unlocked.")


@TABLE.command(group=GROUP, bare=Bare.NEVER, examples=("/link", "/link ABCDE-FGHIJ-KLMNO-PQRST", "/link new"))
async def link(sealing: Encryption, here: ConversationModel | None, code: Word | None = None) -> Done:
    """link another device to your account

    On a linked device, link shows a code. Type link CODE on the other device: it can then read and write encrypted
    messages, older ones too. If you have no linked device left, link new makes a new key: others see a warning that
    your key has changed, and you cannot read older encrypted messages.
    """
    ring = _ring(sealing)
    if code == "new":
        await sealing.begin_anew()
        return Done(f"You have a new key. Others see a warning; ask them to compare it: verify {ring.own.user}")
    if ring.own.account_key is None:
        if code is None:
            raise ClientFailure(
                "This device is not linked yet. Type link on a linked device, then type here: link CODE"
            )
        await sealing.linking.ask_for(code)
        return Done("Request sent. This device is linked as soon as the other one is online and answers.")
    if code is not None:
        raise ClientFailure("This device is linked already. To link another one, type: link")
    return Done(f"Within 30 minutes, type on the other device: /link {sealing.linking.offer()}")
