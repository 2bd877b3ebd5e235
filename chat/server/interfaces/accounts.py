"""Accounts, their devices and their end, on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred

from chat.protocol.values import Account, Device, Name, Rank, Verifier, VerifierCost

RENEWED_AFTER = 24 * 60 * 60 * 1000
"""Milliseconds after which a login by a token makes a new one. One that somebody has copied does not last for ever, and
mostly a login hands out what the device has already: nothing has to be written, and nothing can get lost on the way."""

TOKEN_KEPT = 90 * RENEWED_AFTER
"""Milliseconds after which the token of a device that was not there is worth nothing."""

MOST_DEVICES = 100
"""Devices of one account. One more takes the place of the one that was unused for longest."""


class CredentialEpoch(NamedTuple):
    """How far the credentials of an account have come.

    :param current: how often they were changed.
    :param valid_since: the epoch before which nothing counts any more.
    """

    account: int
    current: int
    valid_since: int


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """Whose token it is.

    :param epoch: of the account's credentials, as of the moment in which the token was found.
    :param created: when the device got its newest one, milliseconds since the epoch.
    :param seen: when it was last there, milliseconds since the epoch.
    :param newest: whether it is that one, and not the one before.
    :param present: whether the device has a session.
    :param used: whether it lets nobody in any more, as newer ones have replaced it: somebody has copied it.
    """

    account: int
    device: str
    created: int
    seen: int
    newest: bool = True
    epoch: int = 0
    present: bool = False
    used: bool = False


class EndedDevice(NamedTuple):
    """A device that was forgotten in favour of a new one.

    :param epoch: of the account's credentials since then.
    """

    name: str
    epoch: int


class TokenAlert(NamedTuple):
    """A used token of a device was presented, which its owner has to be told.

    :param address: from where.
    :param time: milliseconds since the epoch.
    """

    account: int
    device: str
    address: str
    time: int


class Erased(NamedTuple):
    """What one step of an erasure did.

    :param more: whether something is left to do.
    :param topics: the rooms whose topic was emptied, and what it was.
    """

    more: bool
    topics: tuple[tuple[int, str], ...] = ()


class InvitationBatch(NamedTuple):
    """Invitation codes that were made together.

    :param left: how many were not used.
    :param made: milliseconds since the epoch, as ``until``.
    :param by: who made them, as people may read it.
    """

    batch: int
    left: int
    made: int
    until: int
    by: str


class IAccountStore(Protocol):
    """The part of a store that is about accounts."""

    def create_account(
        self,
        name: Name,
        realname: str,
        verifier: Verifier | None,
        when: int,
        rank: Rank = Rank.MEMBER,
        invitation: bytes | None = None,
    ) -> Deferred[Account]:
        """Make an account; without a verifier nobody can log in to it yet.

        :param invitation: the SHA-256 of an invitation code that is used up by it. Fails with
            `chat.protocol.errors.BadInvitation` when it is not there or has expired.

        Fails with `chat.protocol.errors.NameTaken` when the name, or one that looks like it, exists.
        """

    def verifier(self, account: int) -> Deferred[Verifier | None]: ...

    def verifier_among(self, account: int) -> Deferred[tuple[Verifier | None, tuple[VerifierCost, ...]]]:
        """The same with the costs of all verifiers, as of one moment: what a decoy has to look like."""

    def set_password(self, account: int, verifier: Verifier, epoch: int = 0, device: str = "") -> Deferred[int]:
        """Replace the verifier and end all tokens of the account.

        :param epoch: of the session that asks for it.
        :param device: of that session.
        :returns: fires with the new epoch of the account's credentials.

        Fails with `chat.protocol.errors.CredentialsChanged` when the session does not stand for the account any more.
        """

    def renew_verifier(self, account: int, old: Verifier, new: Verifier) -> Deferred[None]:
        """Replace a verifier by another one of the same password, if it is still the account's; tokens stay."""

    def give_code(self, account: int, digest: bytes, until: int) -> Deferred[int]:
        """Let the owner of a code choose a password, once; the password of now and all tokens end.

        :returns: fires with the new epoch of the account's credentials. Fails with `chat.protocol.errors.NoSuchUser`
            when the account was deleted.

        :param digest: SHA-256 of the code, which replaces an earlier one.
        :param until: milliseconds since the epoch.
        """

    def code(self, account: int) -> Deferred[tuple[bytes, int] | None]:
        """The digest of an account's code and when it ends, if it has one."""

    def use_code(self, account: int, digest: bytes, verifier: Verifier) -> Deferred[int]:
        """Choose a password with a code, which ends. Fails with `chat.protocol.errors.BadCredentials` when it has
        ended.

        :returns: fires with the new epoch of the account's credentials.
        """

    def set_rank(self, account: int, rank: Rank) -> Deferred[None]: ...

    def secret(self, name: str) -> Deferred[bytes]:
        """32 random bytes that this server alone knows, made once for each name and kept."""

    def set_realname(self, account: int, realname: str) -> Deferred[None]: ...

    def prefer(self, account: int, changes: Mapping[str, str | bool]) -> Deferred[None]:
        """Change some of the fields of an account's `chat.protocol.preferences.Preferences`."""

    def saw(self, account: int, device: str, when: int, present: bool) -> Deferred[tuple[EndedDevice, ...]]:
        """Note that a session of this device began or ended.

        :param present: whether a session of it is signed in from now on.
        :returns: fires with the devices that were forgotten in favour of this one, beyond `MOST_DEVICES`.
        """

    def block(self, account: int, other: int) -> Deferred[None]: ...

    def unblock(self, account: int, other: int) -> Deferred[None]: ...

    def delete_account(
        self, account: int, when: int, erase: bool, epoch: int | None = None, device: str = ""
    ) -> Deferred[None]:
        """Forget everything about an account but its name, which nobody else can take.

        :param when: milliseconds since the epoch.
        :param erase: whether what it wrote is emptied as well, by later calls of `erase`.
        :param epoch: of the session whose owner asks for it, on ``device``; nothing where an operator does.

        Fails with `chat.protocol.errors.CredentialsChanged` when that session does not stand for the account any more.
        """

    def erase(self) -> Deferred[Erased]:
        """Empty some of what deleted accounts wrote: one small step through the log."""

    # invitation codes

    def add_invitations(self, digests: Sequence[bytes], when: int, until: int, by: str) -> Deferred[None]:
        """Keep a batch of invitation codes by their SHA-256, and forget those that have expired.

        :param when: now, and ``until`` when they expire, in milliseconds since the epoch.
        :param by: who made them, as people may read it.
        """

    def has_invitation(self, digest: bytes, when: int) -> Deferred[bool]:
        """Whether a code can still be used."""

    def invitation_batches(self, when: int) -> Deferred[tuple[InvitationBatch, ...]]:
        """The batches of which some codes can still be used, the oldest first."""

    def end_invitations(self, batch: int) -> Deferred[int]:
        """Forget the codes of a batch that were not used.

        :returns: how many those were.
        """

    # where an account is known

    def note_network(self, account: int, network: str, when: int) -> Deferred[None]:
        """Note that an account has logged in from a network; the last 16 are kept."""

    def has_network(self, account: int, network: str) -> Deferred[bool]:
        """Whether a network is one of those."""

    def has_had_token(self, account: int, digest: bytes) -> Deferred[bool]:
        """Whether a token was given to a device of an account that is still one of its devices; it may have ended.

        :param digest: SHA-256 of the token; the last 64 of an account are known.
        """

    # devices and their tokens

    def devices(self, account: int) -> Deferred[tuple[Device, ...]]: ...

    def add_token(
        self, account: int, device: str, digest: bytes, when: int, before: bytes | None = None, epoch: int = 0
    ) -> Deferred[bool]:
        """Give a device a token in place of those it had.

        :param digest: SHA-256 of the token.
        :param before: of one that lets it in as well, until the next is made. What was good before is a used token.
        :param epoch: of the session that gets it.
        :returns: fires with whether it was made: not where ``before`` does not count any more, or the newest token is
            younger than `RENEWED_AFTER`.

        Fails with `chat.protocol.errors.CredentialsChanged` when the session does not stand for the account any more.
        """

    def token(self, digest: bytes) -> Deferred[TokenRecord | None]: ...

    def end_token(self, account: int, device: str) -> Deferred[int]:
        """Let a device need the password again.

        :returns: fires with the new epoch of the account's credentials.
        """

    def end_copied(self, account: int, device: str, digest: bytes, address: str, when: int) -> Deferred[int | None]:
        """End the tokens of a device of which a used one was presented, and keep a `TokenAlert`.

        :param digest: SHA-256 of the used token.
        :param when: milliseconds since the epoch.
        :returns: fires with the new epoch of the account's credentials, or nothing when that was done already.
        """

    def end_alerts(self, account: int) -> Deferred[None]:
        """The owner of an account was told every `TokenAlert`."""

    def forget_unused(
        self, before: int, ended: int, after: tuple[int, str] = (0, "")
    ) -> Deferred[tuple[int, str] | None]:
        """Look at some of the devices, and delete the tokens of those that were not there since a time.

        What is known of used tokens and of ended devices for so long goes with them.

        :param before: milliseconds since the epoch.
        :param ended: when devices were ended at the latest that need not be remembered any more.
        :param after: the account and name of the device to go on behind.
        :returns: fires with the one to go on behind, or nothing when all were looked at.
        """

    def end_device(self, account: int, device: str, when: int) -> Deferred[int]:
        """Forget a device and its token.

        :param when: milliseconds since the epoch.
        :returns: fires with the new epoch of the account's credentials.
        """
