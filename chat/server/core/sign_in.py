"""The people: who is signed in where, who is away, who blocks whom."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice

from chat.protocol.errors import (
    AlreadySignedIn,
    BadCredentials,
    BadUsage,
    NoEffect,
    NoSuchDevice,
    NotLoggedIn,
    TooManyDevices,
)
from chat.protocol.events import BlockChanged, Entry, SignedOut, Skipped
from chat.protocol.values import SPOKEN, Account
from chat.server.core.account_alerts import AccountAlerts
from chat.server.core.consent import Consent
from chat.server.core.delivery_receipts import Delivery
from chat.server.core.node import House, unattended
from chat.server.core.presence import Presence
from chat.server.core.rooms import Rooms, account_of
from chat.server.core.row_events import entry, private_conversation
from chat.server.core.user import ChatUser, Owed, Refusal, Session
from chat.server.interfaces import MOST_DEVICES, EndedDevice, Ephemeral, Proven, Published


@dataclass(frozen=True, slots=True)
class Arrival:
    """A session on its way through the portal: cred's mind.

    :param by_token: it comes back with the token of its device, so it replaces what that device left behind.
    :param takeover: other sessions are ended where the policy leaves no place.
    """

    session: Session
    by_token: bool = False
    takeover: bool = False


class People:
    def __init__(self, house: House, rooms: Rooms, delivery: Delivery) -> None:
        self._house = house
        self._rooms = rooms
        self._delivery = delivery
        self.followers: list[Callable[[ChatUser, Ephemeral], None]] = [delivery.follow]
        self.presence = Presence(house)
        self.consent = Consent(house)
        self.alerts = AccountAlerts(house)
        self.keys_changed: Callable[[int, Session], object] = lambda account, session: None
        house.epochs.listeners.append(self._end_void)

    # coming and going

    async def sign_in(self, proven: Proven, arrival: Arrival) -> ChatUser:
        """Let a session be somebody, as far as the ``sessions`` policy has a place.

        A session that shows no life any more takes no place. Whatever may change while this waits is looked at in the
        last step once more.

        :raises AlreadySignedIn: with where and since when.
        :raises Banned: from the whole server.
        :raises CredentialsChanged: when what was proven does not count any more.
        """
        house, session, account_id = self._house, arrival.session, proven.account
        account = self._check(proven, arrival)
        contacts = frozenset(await house.store.pairs_of(account_id))
        replaced: list[Session] = []
        while rivals := [each for each in self._rivals(account_id, session) if each not in replaced]:
            rival = rivals[0]
            own = arrival.takeover or (arrival.by_token and rival.device == session.device)
            if own or not await rival.mind.probe():
                replaced.append(rival)
            elif rival in self._rivals(account_id, session):
                account = self._check(proven, arrival)
                when = house.clock.monotonic()
                session.refusal = Refusal(account_id, proven.epoch, session.device, arrival.by_token, when)
                raise AlreadySignedIn(_signed_in_elsewhere(account, rival))
        if session.gone:
            raise NotLoggedIn("The connection has ended.")
        account = self._check(proven, arrival)
        self._check_devices(account_id, session.device)
        user = self._attach(account, session, contacts)
        # Only now, so that to others the person was here all the time.
        for each in replaced:
            if each.user is user:
                self.end(each, "You have logged in from elsewhere; this session is over. To come back: login NAME")
        return user

    def _check(self, proven: Proven, arrival: Arrival) -> Account:
        """Find out whether an account may be entered at this moment.

        :raises BadCredentials, Banned, CredentialsChanged: see `sign_in`.
        """
        house, session = self._house, arrival.session
        account = house.directory.account_by_id(proven.account)
        if account is None or account.id in house.deleting:
            raise BadCredentials()
        house.epochs.check(account.id, proven.epoch, session.device if arrival.by_token else None)
        house.sanctions.may_enter(account.id, house.now())
        house.sanctions.may_come(session.mind.peer.address, house.now())  # connections that are silent are not put out
        return account

    def _check_devices(self, account: int, device: str) -> None:
        """:raises TooManyDevices: where no device could be forgotten in favour of this one, as each is here."""
        user = self._house.users.get(account)
        if user is None or len(user.sessions) < MOST_DEVICES:
            return
        here = {each.device for each in user.sessions}
        if device not in here and len(here) >= MOST_DEVICES:
            raise TooManyDevices()

    def _attach(self, account: Account, session: Session, contacts: frozenset[int]) -> ChatUser:
        house = self._house
        user = house.users.get(account.id)
        first = user is None
        if user is None:
            user = ChatUser(account, house.now())
            if contacts:
                user.contacts = contacts
            user.unsubscribe = house.bus.subscribe(("account", account.id), _Follower(self, user))
            house.users[account.id] = user
            house.present[account.name.folded] = user
        user.sessions.append(session)
        session.user = user
        session.epoch = house.epochs.current(account.id)
        session.since = house.now()
        house.counts.logins += 1
        house.traffic.note("logged-in", session)
        session.refusal = None
        saw = house.store.saw(account.id, session.device, session.since, present=True)
        session.noted = saw.addCallback(lambda forgotten: self._forgot(session, account.id, forgotten))
        unattended(session.noted)
        if first:
            self.presence.arrived(user)
        self.consent.arrived(user, session)
        return user

    def _forgot(self, session: Session, account: int, devices: tuple[EndedDevice, ...]) -> None:
        """A new device has taken the place of others."""
        for each in devices:
            self._house.epochs.token_ended(account, each.name, each.epoch)
            words = (
                f"An account may have {MOST_DEVICES} devices. {session.device} is a new one, so {each.name}, which was"
                " unused for longest, was signed out and forgotten. To see yours: devices"
            )
            self.alerts.tell(account, words)
            if not session.live:
                self.alerts.keep(account, words)
        if devices:
            self.keys_changed(account, session)

    def _rivals(self, account_id: int, session: Session) -> list[Session]:
        """The sessions that leave no place for this one."""
        user = self._house.users.get(account_id)
        policy = self._house.settings.sessions
        if user is None or policy == "many":
            return []
        return [each for each in user.sessions if policy == "one" or each.device == session.device]

    def sign_out(self, session: Session) -> None:
        """Let a session be nobody; the last one of an account ends its presence."""
        user = session.user
        if user is None:
            return
        house = self._house
        session.mind.flush()
        house.traffic.note("logged-out", session)
        self._rooms.leave_all(session)
        user.sessions.remove(session)
        session.user = None
        session.logout = None
        present = any(each.device == session.device for each in user.sessions)
        unattended(house.store.saw(user.account.id, session.device, house.now(), present))
        if not user.sessions:
            user.account = replace(user.account, seen=house.now())
            if house.directory.account_by_id(user.account.id) is not None:
                house.directory.add_account(user.account)
            del house.users[user.account.id]
            del house.present[user.account.name.folded]
            user.unsubscribe()
            self.consent.departed(user)
            self.presence.departed(user, lost=session.gone)

    def end(self, session: Session, reason: str) -> None:
        """End a session from elsewhere; its connection stays where people type.

        :param reason: what it is told, in whole words.
        """
        session.mind.deliver(SignedOut(reason))
        logout = session.logout
        if logout is not None:
            logout()
        else:
            self.sign_out(session)

    async def end_device(self, session: Session, device: str) -> None:
        """End the sessions of one of one's own devices and forget its token.

        :raises NoSuchDevice: when there is none.
        """
        account = account_of(session)
        known = {each.name for each in await self._house.store.devices(account)}
        account_of(session)  # it may have been ended meanwhile
        user = self._house.users.get(account)
        present = {each.device for each in user.sessions} if user is not None else set()
        if device not in known and device not in present:
            raise NoSuchDevice(f"You have no device {device}. Type devices to see yours.")
        if device == session.device:
            raise BadUsage("That is this very session. To end it: logout")
        epoch = await self._house.store.end_device(account, device, self._house.now())
        self._house.epochs.token_ended(account, device, epoch)
        self.end_sessions(account, device, "This session was ended from another one of yours.")

    def end_sessions(self, account: int, device: str, reason: str) -> None:
        """End all sessions of a device, those as well that have come while it was being ended.

        :param reason: what they are told, in whole words.
        """
        user = self._house.users.get(account)
        for each in tuple(user.sessions) if user is not None else ():
            if each.device == device:
                self.end(each, reason)

    def _end_void(self, account: int, reason: str) -> None:
        """End the sessions of an account whose credentials do not count any more."""
        user, epochs = self._house.users.get(account), self._house.epochs
        for each in tuple(user.sessions) if user is not None else ():
            if not epochs.is_valid(account, each.epoch):
                self.end(each, reason)

    # what the log says

    def follow(self, user: ChatUser, published: Published) -> None:
        """A row of one of this user's private conversations is on disk, or something became of one."""
        if isinstance(published, Ephemeral):
            for follow in self.followers:
                follow(user, published)
            return
        if published.pair is None:
            return
        house, row, pair, origin = self._house, published.row, published.pair, published.origin
        reader = user.account.id
        other = pair.high if reader == pair.low else pair.low
        if other not in user.contacts:
            user.contacts = user.contacts | {other}
        sessions = [session for session in user.sessions if session.live and session.origin != origin]
        if row.author == reader and not sessions:
            return  # as nearly always for who wrote it
        blocked = house.directory.blocks(reader, row.author)
        if row.author != reader and row.kind in SPOKEN and not blocked:
            user.last_from = row.author
        if blocked:
            sessions = [session for session in sessions if session.mind.program]
        if not sessions:
            return
        conversation = private_conversation(row.conversation, pair, reader, house.directory)
        event: Entry = Skipped(conversation, row.seq, row.seq) if blocked else entry(row, conversation, house.directory)
        told = not isinstance(event, Skipped)
        for session in sessions:
            if told or session.mind.program:
                if told and row.author != reader:
                    self._delivery.owe(session, row.conversation, Owed(reader, row.author, row.seq))
                house.counts.deliveries += 1
                session.mind.deliver(event)

    # what one says of oneself

    def set_away(self, session: Session, note: str | None) -> None:
        """:param note: empty for none; nothing to be back.
        :raises Muted: for a note; being away takes no words.
        """
        user = session.user
        assert user is not None, "perform lets only users act"
        if note:
            self._house.sanctions.may_speak(user.account.id, self._house.now())
        if user.away is None and note is None:
            raise NoEffect("You are not away.")
        user.away = note
        self.presence.changed(user)

    # blocks

    async def block(self, session: Session, other: Account) -> None:
        """Block somebody: one-way, and kept.

        :raises NoEffect: when it is so already.
        """
        account = account_of(session)
        if other.id == account:
            raise BadUsage("You cannot block yourself.")
        if self._house.directory.blocks(account, other.id):
            raise NoEffect(f"User {other.name.shown} is blocked already.")
        await self._house.store.block(account, other.id)
        self._house.directory.add_block(account, other.id)
        self.consent.blocked(account, other.id)
        self._tell_others(session, BlockChanged(other.name.shown, True))

    async def unblock(self, session: Session, other: Account) -> None:
        """:raises NoEffect: when the other is not blocked."""
        account = account_of(session)
        if not self._house.directory.blocks(account, other.id):
            raise NoEffect(f"User {other.name.shown} is not blocked.")
        await self._house.store.unblock(account, other.id)
        self._house.directory.remove_block(account, other.id)
        self._tell_others(session, BlockChanged(other.name.shown, False))

    def _tell_others(self, session: Session, event: BlockChanged) -> None:
        """Tell the other sessions of one's own."""
        for each in session.user.sessions if session.user is not None else ():
            if each.live and each is not session:
                each.mind.deliver(event)

    # who is here

    def state_of(self, account: int, reader: int) -> str:
        """``online``, ``away`` or ``offline``, as one person may know it of another."""
        user = self._house.users.get(account)
        if user is None or (account != reader and self._house.directory.blocks(account, reader)):
            return "offline"
        return user.state

    def seen(self, account: Account, reader: int) -> int | None:
        """When somebody was here last, milliseconds since the epoch; nothing to whom that person blocks."""
        hidden = account.id != reader and self._house.directory.blocks(account.id, reader)
        return None if hidden else account.seen

    def count_shown(self) -> int:
        """How many are here, as everybody may know it: who blocks anybody is left out.

        Otherwise whoever is blocked would find a blocker by counting.
        """
        users = self._house.users
        return len(users) - sum(account in users for account in self._house.directory.blocking)

    def online(self, reader: int, most: int) -> tuple[list[ChatUser], int]:
        """The first of those who are here as well, by name, without those who block the reader.

        :returns: at most so many, and how many more there are.
        """
        house = self._house
        unseen = {reader, *house.directory.blockers_of(reader)}
        others = (user for user in house.present.values() if user.account.id not in unseen)
        found = list(islice(others, most))
        total = len(house.users) - sum(id in house.users for id in unseen)
        return found, total - len(found)


class _Follower:
    """A subscriber to one user's private conversations; smaller than a function, as every user has one."""

    __slots__ = ("_people", "_user")

    def __init__(self, people: People, user: ChatUser) -> None:
        self._people = people
        self._user = user

    def __call__(self, published: Published) -> None:
        self._people.follow(self._user, published)


def _signed_in_elsewhere(account: Account, rival: Session) -> str:
    since = time.strftime("%H:%M", time.localtime(rival.since / 1000))
    return (
        f"{account.name.shown} is already signed in (from {rival.mind.peer.address} since {since})."
        " Try a different account, or: takeover"
    )
