"""Events that no log holds, as lines: who comes and goes, and what the server has to say."""

from __future__ import annotations

from chat.protocol.events import (
    Address,
    AddressChanged,
    AskedConsent,
    BlockChanged,
    Closing,
    ConsentRefused,
    Invited,
    Kept,
    Notice,
    Presence,
    Removed,
    SignedOut,
)
from chat.protocol.values import Kind
from chat.protocol.wire.phrases import moment, named, place
from chat.protocol.wire.sanitize import safe
from chat.protocol.wire.view import View, notice, renders

_STATES = {
    "online": ("has logged on", "have logged on"),
    "offline": ("has logged out", "have logged out"),
    "away": ("is away", "are away"),
    "back": ("is back", "are back"),
}
_REMOVALS = {
    Kind.KICKED: "You were kicked from {room} by {author}",
    Kind.BANNED: "You were banned from {room} by {author}{until}",
    Kind.CLOSED: "{room} was closed by {author}",
}


@renders(Presence)
def presence(event: Presence, view: View) -> str:
    one = len(event.users) == 1 and not event.others
    state = _STATES.get(event.state, (f"is {event.state}", f"are {event.state}"))
    words = f"User{'' if one else 's'} {named(event.users, event.others)} {state[0 if one else 1]}"
    return notice(safe(f"{words}: {event.text}" if event.text else f"{words}."), view)


@renders(Invited)
def invited(event: Invited, view: View) -> str:
    room = place(event.conversation)
    words = f"{safe(event.author)} has invited you to {room}. Type connect {room} or decline {room}."
    return notice(words, view)


@renders(AskedConsent)
def asked_consent(event: AskedConsent, view: View) -> str:
    """In the words of wish 001."""
    name = safe(event.author)
    how = f"To ignore, do nothing. To give consent, enter: consent {name} (or: refuse {name})"
    return notice(f"User {name} is asking for consent.", view) + notice(how, view)


@renders(Address)
def address(event: Address, view: View) -> str:
    """In the words of wish 001."""
    words = f"User {safe(event.author)} ip: {safe(event.address)}, port: {event.port}"
    return notice(f"{words} (also {', '.join(map(safe, event.others))})" if event.others else words, view)


@renders(ConsentRefused)
def consent_refused(event: ConsentRefused, view: View) -> str:
    return notice(f"User {safe(event.author)} declined to give an address.", view)


@renders(AddressChanged)
def address_changed(event: AddressChanged, view: View) -> str:
    return notice(f"User {safe(event.author)} has changed IP addresses. Ask for the address again.", view)


@renders(BlockChanged)
def block_changed(event: BlockChanged, view: View) -> str:
    words = "blocked" if event.blocked else "unblocked"
    return notice(f"User {safe(event.user)} has been {words}, from another of your sessions.", view)


@renders(Removed)
def removed(event: Removed, view: View) -> str:
    words = _REMOVALS.get(event.kind, "You have left {room}")
    until = "" if event.until is None else f" until {moment(event.until, view.now, view.zone)}"
    words = words.format(room=place(event.conversation), author=safe(event.author), until=until)
    return notice(f"{words}: {safe(event.detail)}" if event.detail else f"{words}.", view)


@renders(SignedOut)
def signed_out(event: SignedOut, view: View) -> str:
    return notice(event.reason, view)


@renders(Closing)
def closing(event: Closing, view: View) -> str:
    return notice(event.reason, view)


@renders(Notice)
def announced(event: Notice, view: View) -> str:
    return notice(event.text, view)


@renders(Kept)
def kept(event: Kept, view: View) -> str:
    partner = safe(event.conversation.partner)
    return notice(
        f"User {partner} has disconnected and may not have seen your last message; it will be delivered again.", view
    )
