"""What a person types about keys: the verbs that are this client's own, declared like those of the server."""

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
    """compare with somebody whether nobody stands between you

    Both of you see the same number and the same pictures; compare them aloud, or where nobody can change them. When
    they are the same, say so: verify NAME yes.
    """
    ring = _ring(sealing)
    await sealing.directory.look([user], again=True)
    mine, theirs = ring.pins.account_key(ring.own.user), ring.pins.account_key(user)
    if mine is None or theirs is None:
        who = "You have" if mine is None else f"{user} has"
        raise ClientFailure(f"{who} no keys that are known here yet.")
    offered = ring.pins.offered_key(user)
    if done is not None:
        if offered is not None:
            raise ClientFailure(f"The key of {user} has changed since. If it is the right one: accept {user}")
        ring.pins.verify(user)
        ring.save()
        return Done(f"{user} is verified.")
    key = offered or theirs
    known = "changed, and not accepted" if offered else "verified" if ring.pins.is_verified(user) else "not verified"
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
    """go on with somebody whose key has changed

    Ask that person by another way first, and compare: verify NAME.
    """
    ring = _ring(sealing)
    if fold(user) == ring.own.user:
        raise ClientFailure("No server tells you which key is yours. To use here the one of another device: link")
    await sealing.directory.look([user], again=True)
    if ring.pins.offered_key(user) is None:
        raise ClientFailure(f"The server shows no other key of {user} than the one that is known here.")
    sealing.accept(user)
    return Done(f"The new key of {user} is what counts from now on. It is not verified.")


@TABLE.command(group=GROUP, examples=("seal bob",))
async def seal(sealing: Encryption, here: ConversationModel | None, user: User) -> Done:
    """seal what you and somebody write, also where some device cannot read it then"""
    _set(sealing, user, plain=False)
    return Done(f"What you write to {user} is sealed, as soon as {user} has keys.")


@TABLE.command(group=GROUP, examples=("unseal bob",))
async def unseal(sealing: Encryption, here: ConversationModel | None, user: User) -> Done:
    """write to somebody in the clear again, for the server to read"""
    _set(sealing, user, plain=True)
    return Done(f"What you write to {user} is NOT sealed from now on: the server, and whoever holds it, can read it.")


def _set(sealing: Encryption, user: str, plain: bool) -> None:
    ring = _ring(sealing)
    where = place(Conversation(0, partner=_talk(sealing, user).title), ring.own.user)
    ring.set_policy(where, replace(ring.policy(where), plain=plain, wanted=not plain))
    ring.save()


@TABLE.command(group=GROUP, prompts={"passphrase": "Passphrase of your keys:"})
async def unlock(sealing: Encryption, here: ConversationModel | None, *, passphrase: Secret) -> Done:
    """open your keys, where they are under another passphrase than the password you have logged in with"""
    await sealing.unlock_again(passphrase)
    return Done("Your keys are open.")


@TABLE.command(group=GROUP, bare=Bare.NEVER, examples=("/link", "/link ABCDE-FGHIJ-KLMNO-PQRST", "/link new"))
async def link(sealing: Encryption, here: ConversationModel | None, code: Word | None = None) -> Done:
    """make another device one of yours

    On a device that is one of yours it shows a code; typed on the other one, link CODE makes that one yours too: it may
    then read and write what is sealed, also what was said before. Where you have no device any more, link new begins
    anew: others are told that your key has changed, and what was said before stays closed.
    """
    ring = _ring(sealing)
    if code == "new":
        await sealing.begin_anew()
        return Done("You have a new key. Others are told so; let them compare it: verify NAME")
    if ring.own.account_key is None:
        if code is None:
            raise ClientFailure("Type link on a device that is one of yours, and here what it shows: link CODE")
        await sealing.linking.ask_for(code)
        return Done("Asked. This device is yours as soon as the other one is signed in and has answered.")
    if code is not None:
        raise ClientFailure("This device is one of yours already. Type link alone to make another one yours.")
    return Done(f"On the other device, within half an hour: /link {sealing.linking.offer()}")
