"""Everything that can be refused, each as a class with a stable code and one line for a person.

A front end shows the line or numbers the code; it never invents words of its own. The line says what
happened and, where it is not obvious, what to type next. The only file of the server that
catches a ``ChatError`` is ``chat.server.core.dispatcher``.
"""

from __future__ import annotations

from typing import ClassVar


class ChatError(Exception):
    """A refusal: nothing was done.

    :param text: the one line that a person reads; the class's own ``text`` when left out.
    :param suggest: what was probably meant (a verb, a name, a room), or nothing.
    :param ask: the parameter worth asking again (a mistyped password), or nothing.
    :param wait: seconds after which the same may be tried again, or nothing.
    """

    code: ClassVar[str] = "refused"
    text: ClassVar[str] = "The server refused this."
    asks: ClassVar[str | None] = None
    closed: ClassVar[str] = ""
    """The text on a server where nobody makes an account, where it is another one."""

    def __init__(
        self, text: str | None = None, *, suggest: str | None = None, ask: str | None = None, wait: float | None = None
    ) -> None:
        self.line = text or self.text
        self.suggest = suggest
        self.ask = ask or self.asks
        self.wait = wait
        super().__init__(self.line)


# --- what was typed -----------------------------------------------------------------------------


class UnknownCommand(ChatError):
    code = "unknown-command"
    text = "No such command. Type help for a list."


class BadUsage(ChatError):
    """A verb with arguments that are missing, too many, or not of the right kind."""

    code = "bad-usage"
    text = "Invalid arguments. Try: help COMMAND"


class BadFrame(ChatError):
    """A line of a program that is no request: not JSON, no object, or without a command."""

    code = "bad-frame"
    text = "Invalid request. Send one JSON object per line, with id, cmd and args."


class TooLong(ChatError):
    code = "too-long"
    text = "That line is too long; it was not sent."


class BadText(ChatError):
    """Bytes that are no UTF-8, or characters that no line may hold."""

    code = "bad-text"
    text = "That line is not valid UTF-8 and was ignored. Set your terminal to UTF-8."


class NeedsClient(ChatError):
    """Something that the server cannot do for a terminal."""

    code = "needs-client"
    text = "This command needs the console client."


# --- the door -----------------------------------------------------------------------------------


class NotLoggedIn(ChatError):
    code = "not-logged-in"
    closed = "You are not logged in. Type: login NAME"
    text = f"{closed} (or: new NAME)"


class AlreadyLoggedIn(ChatError):
    code = "already-logged-in"
    text = "You are already logged in. Type logout first."


class BadCredentials(ChatError):
    """A wrong name and a wrong password alike."""

    code = "bad-credentials"
    what = "Wrong name or password."
    closed = f"{what} Try again: login NAME"
    text = f"{closed} (or make an account: new NAME)"
    asks = "password"


class CredentialsChanged(ChatError):
    """What a login or a session was proven with does not count any more."""

    code = "credentials-changed"
    text = "The password of this account has changed. Log in with the new one: login NAME"


class NameTaken(ChatError):
    code = "name-taken"
    text = "That name is taken."


class RegistrationClosed(ChatError):
    """``registration = closed``."""

    code = "registration-closed"
    text = "Registration is closed. Ask an administrator for an account."


class InvitationNeeded(ChatError):
    """``registration = code``, and none was given."""

    code = "invitation-needed"
    text = "You need an invitation code to make an account here. Ask an administrator for one."
    asks = "invitation"


class BadInvitation(ChatError):
    """An invitation code that lets nobody make an account."""

    code = "bad-invitation"
    text = "That invitation code is wrong, used or expired. Type it again, or ask for another."
    asks = "invitation"


class BadName(ChatError):
    code = "bad-name"
    text = "A name must have 1 to 32 letters, digits, _ - or . and begin with a letter."


class BadPassword(ChatError):
    """A new password that the rules do not allow."""

    code = "bad-password"
    text = "A password must have 8 to 1,000 characters. Choose another one."


class BadVerifier(ChatError):
    """What was sent in place of a new password is not what this server could store."""

    code = "bad-verifier"
    text = "The server cannot store that verifier."


class LockedOut(ChatError):
    code = "locked-out"
    text = "Too many wrong passwords. Wait a while and try again."


class AlreadySignedIn(ChatError):
    """The right password, but the ``sessions`` policy allows no further session."""

    code = "already-signed-in"
    text = "This account is already signed in. Try a different account, or: takeover"


class NothingToTakeOver(ChatError):
    code = "nothing-to-take-over"
    text = "There is no session to take over. Type login NAME first."


class PlainLoginRefused(ChatError):
    """Something that is as good as a password would cross the network in the clear (``plain-login``).

    :param secret: what it is, at the beginning of a sentence and in the plural.
    """

    code = "plain-login-refused"
    text = "Passwords are not accepted on this unencrypted connection. Connect with TLS: ncat --ssl HOST PORT"

    def __init__(self, secret: str = "Passwords") -> None:
        super().__init__(secret + self.text.removeprefix("Passwords"))


class TooManyDevices(ChatError):
    """Each of the most devices that an account may have is signed in."""

    code = "too-many-devices"
    text = "You are signed in on 100 devices, which is the limit. Sign one out there: devices end NAME"


class SecretNotShown(ChatError):
    """An answer that holds a one-time code would cross the network in the clear (``plain-login``)."""

    code = "secret-not-shown"
    text = "One-time codes are not shown on this unencrypted connection. Connect with TLS, or use chatctl."


class BadBinding(ChatError):
    """A login without the password that is not bound to the TLS connection it came over, or to another one."""

    code = "bad-binding"
    text = "You were not logged in: the login belongs to another TLS connection. Somebody may be intercepting yours."


class Busy(ChatError):
    """A bounded queue is full."""

    code = "busy"
    text = "The server is busy. Try again in a few seconds."


class Forbidden(ChatError):
    code = "forbidden"
    text = "You may not do that here."


# --- people and rooms ---------------------------------------------------------------------------


class NoSuchUser(ChatError):
    code = "no-such-user"
    text = "No such user. Type list users to see them all."


class NoSuchRoom(ChatError):
    code = "no-such-room"
    text = "No such room. Type list channels to see them all."


class NoSuchDevice(ChatError):
    code = "no-such-device"
    text = "No such device. Type devices to see yours."


class NoSuchConversation(ChatError):
    code = "no-such-conversation"
    text = "No such conversation. Type rooms to see your rooms, or list users to see people."


class RoomTaken(ChatError):
    code = "room-taken"
    text = "That name is taken. Choose another one."


class TooManyRooms(ChatError):
    """An account has made as many rooms within a day as one may."""

    code = "too-many-rooms"
    text = "You have reached the daily limit for new rooms. Try again tomorrow."


class NotInRoom(ChatError):
    code = "not-in-room"
    text = "You are not in a room. Type list channels, then connect ROOM."


class NotAMember(ChatError):
    code = "not-a-member"
    text = "You are not a member of that room. Type: connect ROOM"


class Banned(ChatError):
    code = "banned"
    text = "You are banned from that room."


class Muted(ChatError):
    code = "muted"
    text = "You are muted in that room."


class InviteOnly(ChatError):
    code = "invite-only"
    text = "That room is private. Ask a member to invite you."


class SlowMode(ChatError):
    code = "slow-mode"
    text = "That room is in slow mode. Wait a moment."


class NoEffect(ChatError):
    """What was asked for is so already."""

    code = "no-effect"
    text = "Nothing to change."


# --- messages -----------------------------------------------------------------------------------


class NotHere(ChatError):
    code = "not-here"
    text = "That user is not here."


class AddressRefused(ChatError):
    code = "address-refused"
    text = "The address request failed."


class SealedRoom(ChatError):
    """A room into which nothing is said in the clear."""

    code = "sealed-room"
    text = "That room is encrypted. Only clients that hold its keys can read and write there."


class BlockedByRecipient(ChatError):
    code = "blocked"
    text = "Your message could not be delivered as the recipient has blocked you."


class MailboxFull(ChatError):
    code = "mailbox-full"
    text = "That mailbox is full. Wait until your earlier messages have been read."


class NobodyToReplyTo(ChatError):
    code = "nobody-to-reply-to"
    text = "Nobody has sent you a private message yet. Type: message NAME TEXT"


class NoSuchMessage(ChatError):
    code = "no-such-message"
    text = "No such message, or it was deleted. history shows the messages with their ids."


class SearchTooBroad(ChatError):
    """A search that the server ended because it took too long."""

    code = "search-too-broad"
    text = "The search took too long. Narrow it with in:ROOM, from:NAME or since:2h, or use rarer words."


class RetryMismatch(ChatError):
    """The same retry id came with another body: the program that sends has a bug."""

    code = "retry-mismatch"
    text = "This retry id was already used for another message."


class TooFast(ChatError):
    code = "too-fast"
    text = "You are sending too fast. Wait a few seconds."


# --- keys ---------------------------------------------------------------------------------------


class AccountKeyExists(ChatError):
    """Another account key is there already: somebody who has lost it says so with ``reset``."""

    code = "account-key-exists"
    text = "This account already has another key. A reset replaces it and the keys of all its devices."


class NoDeviceKeys(ChatError):
    code = "no-device-keys"
    text = "This device has not published any keys yet."


class TooManyKeys(ChatError):
    code = "too-many-keys"
    text = "Too many keys."


# --- files --------------------------------------------------------------------------------------


class NoSuchFile(ChatError):
    code = "no-such-file"
    text = "No such file, or it has expired."


class QuotaUsed(ChatError):
    code = "quota-used"
    text = "Your file quota is full. Wait until pending files are collected."


# --- the server ---------------------------------------------------------------------------------


class StoreUnavailable(ChatError):
    """The log could not be written: nothing of the command was kept."""

    code = "not-stored"
    text = "Nothing was sent or changed: the server cannot write to its disk. Try again in a minute."


class DiskFull(ChatError):
    """The floor of free disk is reached: what is there stays readable, and people still come in."""

    code = "disk-full"
    text = "Nothing was sent: the server's disk is almost full. Ask an administrator to free space."


class NotWritten(ChatError):
    """A file of those who run the server could not be written or read."""

    code = "not-written"
    text = "The file could not be written."


class ShuttingDown(ChatError):
    code = "shutting-down"
    text = "The server is shutting down. Nothing was sent."


class BadSettings(ChatError):
    """Settings that were read again do not fit."""

    code = "bad-settings"
    text = "The settings are invalid; nothing has changed."


class Internal(ChatError):
    """A bug of ours; the log holds the incident with the traceback."""

    code = "internal"
    text = "Internal server error."


class Misconfigured(Exception):
    """A setting, a port or a file that keeps the server from starting.

    Its text is the one line that the operator reads: what is wrong, and what to do.
    """
