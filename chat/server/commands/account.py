"""Getting in and out: accounts, sessions, devices."""

from __future__ import annotations

from typing import Annotated

from chat.protocol.errors import BadCredentials, BadUsage
from chat.protocol.events import Challenge, Devices, Done, LoggedIn, LoggedOut, PasswordChanged, SessionLine
from chat.protocol.grammar.context import INVITATION
from chat.protocol.grammar.parameters import ChoiceType, DeviceName, LoginName, NewUser, Realname, Secret, Word
from chat.protocol.grammar.program_parameters import Digest, NewVerifier, ScramMessage
from chat.protocol.grammar.verbs import Access
from chat.protocol.values import DEFAULT_DEVICE, device_name
from chat.server.commands.registry import command
from chat.server.core.rooms import account_of, actor_of
from chat.server.core.service import ChatService
from chat.server.core.user import ChatUser, Session

GROUP = "Accounts and login"

_ASKED = {"user": "Username:", "password": "Password:"}
_ASKED_FOR_NEW = {**_ASKED, INVITATION: "Invitation code:"}


@command(
    "register",
    group=GROUP,
    access=Access.GUEST,
    barrier=True,
    guarded={"new": (1, 1), "register": (0, 1)},
    examples=("new bob",),
    prompts=_ASKED_FOR_NEW,
    weight=4,
)
async def new(
    chat: ChatService,
    session: Session,
    user: NewUser | None = None,
    password: Secret | None = None,
    *,
    realname: Realname = "",
    device: DeviceName | None = None,
    verifier: NewVerifier | None = None,
    invitation: Word | None = None,
) -> LoggedIn:
    """make an account and log in

    You are asked for whatever you leave out. A name must have 1 to 32 letters, digits, _, - or . and begin with a
    letter; a password must have at least 8 characters. Some servers also ask for an invitation code, which you get from
    an administrator.
    """
    secret = password if verifier is None else verifier
    if user is None or secret is None:
        raise BadUsage("new needs user and password.")
    session.device = device or (DEFAULT_DEVICE if session.mind.features.typed_by_people else session.device)
    await chat.authenticator.register(session, user, secret, realname, invitation)
    return await logged_in(chat, session, created=True)


@command(
    group=GROUP,
    access=Access.GUEST,
    barrier=True,
    guarded={"login": (0, 1)},
    examples=("login bob", "login bob@phone"),
    prompts=_ASKED,
    weight=4,
)
async def login(
    chat: ChatService,
    session: Session,
    user: LoginName | None = None,
    password: Secret | None = None,
    *,
    device: DeviceName | None = None,
    token: Word | None = None,
    scram: ScramMessage | None = None,
    known: Digest | None = None,
) -> LoggedIn | Challenge:
    """log in; you are asked for whatever you leave out

    A device is a name for the place where you log in, such as bob@phone; without one it is called default. Programs can
    log in with the token from an earlier login, or prove the password without sending it. With known (the SHA-256 of a
    token that this device has had, even an expired one), other people's wrong passwords do not lock the device out.
    """
    session.token = known or session.token
    here = DEFAULT_DEVICE if session.mind.features.typed_by_people else session.device
    if token is not None:
        session.device = device or here
        token = await chat.authenticator.log_in_by_token(session, token)
        return await logged_in(chat, session, token=token)
    if user is None or (password is None and scram is None):
        raise BadUsage("login needs user and password, or a token.")
    name, _, after = user.partition("@")
    try:
        session.device = device_name(device or after or here)
    except ValueError:
        raise BadUsage("A device name must have 1 to 32 letters, digits, _ - or . Usage: login NAME@DEVICE") from None
    if scram is not None:
        return Challenge(await chat.authenticator.challenge(session, name, scram))
    assert password is not None, "one of both is there"
    created = await chat.authenticator.log_in(session, name, password)
    return await logged_in(chat, session, created)


@command(group=GROUP, access=Access.GUEST, programs=True, barrier=True)
async def scram(chat: ChatService, session: Session, *, final: ScramMessage) -> LoggedIn:
    """log in with the proof of the password that a challenge asked for"""
    signature = await chat.authenticator.prove(session, final)
    return await logged_in(chat, session, signature=signature)


@command(group=GROUP, access=Access.GUEST, barrier=True, weight=4)
async def takeover(chat: ChatService, session: Session) -> LoggedIn:
    """log in here and end the session elsewhere

    Use it when your password was right but the login was refused because your account is already signed in.
    """
    signature = await chat.authenticator.take_over(session)
    return await logged_in(chat, session, signature=signature)


async def logged_in(
    chat: ChatService, session: Session, created: bool = False, signature: str = "", token: str = ""
) -> LoggedIn:
    """The reply to whatever has logged a session in.

    :param token: what it has for the next time; without it, a program gets one.
    :raises BadCredentials: when it was ended from elsewhere meanwhile.
    """
    if session.mind.features.tokens and not token:
        token = await chat.authenticator.hand_out_token(session)
    user = session.user
    if user is None:
        raise BadCredentials("This session was taken over from elsewhere. To log in again: login NAME")
    return LoggedIn(user.name, user.account.rank, session.device, token, chat.settings.heartbeat, created, signature)


@command(group=GROUP, barrier=True)
async def logout(chat: ChatService, session: Session) -> LoggedOut:
    """log out; the connection stays open

    You remain a member of your rooms, and messages wait for you. A program's token becomes invalid; to keep it, leave
    with quit.
    """
    if session.mind.features.tokens:
        await chat.authenticator.end_token(session)
    return LoggedOut(_end(session))


@command("exit", "bye", group=GROUP, access=Access.ANYONE, barrier=True, spoken=("bye",), weight=0, name="quit")
async def quit_(chat: ChatService, session: Session) -> LoggedOut:
    """log out and close the connection"""
    return LoggedOut(_end(session), closing=True)


def _end(session: Session) -> str:
    """Log out, if anybody is logged in.

    :returns: who was.
    """
    name = session.user.name if session.user is not None else ""
    if session.logout is not None:
        session.logout()
    return name


@command(
    "passwd",
    group=GROUP,
    barrier=True,
    guarded={"password": (0, 4), "passwd": (0, 4)},
    prompts={"old": "Old password:", "new": "New password:"},
    weight=4,
)
async def password(
    chat: ChatService,
    session: Session,
    *,
    old: Secret | None = None,
    new: Secret | None = None,
    scram: ScramMessage | None = None,
    final: ScramMessage | None = None,
    verifier: NewVerifier | None = None,
) -> PasswordChanged | Challenge:
    """change your password

    It asks for the old and the new one. Your other sessions end, and devices that logged in without a password need the
    new one. Programs can begin with scram, prove the old password with final and send a verifier of the new one, so
    that neither password is sent.
    """
    if scram is not None:
        return Challenge(await chat.authenticator.challenge_owner(session, scram))
    if final is not None and verifier is not None:
        await chat.authenticator.change_verifier(session, final, verifier)
    elif old is not None and new is not None:
        await chat.authenticator.change_password(session, old, new)
    else:
        raise BadUsage("password needs old and new, or final and verifier.")
    return PasswordChanged(await chat.authenticator.hand_out_token(session) if session.mind.features.tokens else "")


@command(
    group=GROUP,
    barrier=True,
    prompts={"password": "Password:"},
    examples=("account delete", "account delete everything"),
    weight=4,
)
async def account(
    chat: ChatService,
    session: Session,
    action: Annotated[str, ChoiceType("delete")],
    scope: Annotated[str, ChoiceType("everything")] | None = None,
    *,
    password: Secret | None = None,
    scram: ScramMessage | None = None,
    final: ScramMessage | None = None,
) -> Done | Challenge:
    """delete your account

    It asks for your password. You leave your rooms, and nobody can take your name again. Your messages stay, without
    your name; account delete everything empties them as well. Programs can prove the password with scram and final.
    """
    if scram is not None:
        return Challenge(await chat.authenticator.challenge_owner(session, scram))
    if final is not None:
        await chat.authenticator.prove_owner(session, final)
    elif password is not None:
        await chat.authenticator.check_owner(session, password)
    else:
        raise BadUsage("account needs password, or final.")
    await chat.deletion.delete(actor_of(session), scope is not None, session.epoch)
    return Done()


@command("sessions", group=GROUP, barrier=True, examples=("devices", "devices end phone"))
async def devices(
    chat: ChatService,
    session: Session,
    action: Annotated[str, ChoiceType("end")] | None = None,
    device: DeviceName | None = None,
) -> Devices | Done:
    """show where you are signed in, or sign a device out"""
    if action is not None:
        if device is None:
            raise BadUsage("Missing device. Usage: devices end DEVICE")
        await chat.sign_in.end_device(session, device)
        chat.keys.changed(account_of(session), session)
        return Done(f"Device {device} has been signed out.")
    user = _user(session)
    lines = tuple(
        SessionLine(each.device, each.mind.peer.address, each.since, each is session) for each in user.sessions
    )
    return Devices(lines, await chat.store.devices(user.account.id))


def _user(session: Session) -> ChatUser:
    assert session.user is not None, "perform lets only users act"
    return session.user
