"""The people: who is signed in where, who is away, who blocks whom."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
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
from chat.server.core.delivery_receipts import DeliveryReceipts
from chat.server.core.node import Node, unattended
from chat.server.core.presence import PresenceService
from chat.server.core.rooms import RoomService, account_of
from chat.server.core.row_events import entry, private_conversation
from chat.server.core.user import ChatUser, PendingReceipt, RefusedLogin, Session
from chat.server.interfaces import MOST_DEVICES, EndedDevice, Ephemeral, IBus, Proven, Published


class SignInService:
    def __init__(self, node: Node, bus: IBus, rooms: RoomService, delivery: DeliveryReceipts) -> None:
        self._node = node
        self._bus = bus
        self._rooms = rooms
        self._delivery = delivery
        self.followers: list[Callable[[ChatUser, Ephemeral], None]] = [delivery.follow]
        self.presence = PresenceService(node)
        self.consent = Consent(node)
        self.alerts = AccountAlerts(node)
        self.keys_changed: Callable[[int, Session], object] = lambda account, session: None
        node.epochs.listeners.append(self._end_void)

    # coming and going

    async def sign_in(self, proven: Proven, session: Session) -> ChatUser:
        """Attach a session to the avatar of an account, if the ``sessions`` policy has a place; only cred's realm calls
        it (`chat.server.auth.realm`).

        A session that shows no sign of life takes no place. Whatever may change while this waits is checked once more
        in the last step.

        :raises AlreadySignedIn: with where and since when.
        :raises Banned: from the whole server.
        :raises CredentialsChanged: when what was proven does not count any more.
        """
        node, account_id = self._node, proven.account
        if proven.takeover_of:
            session.device = proven.takeover_of  # the session may have named another one since
        account = self._check(proven, session)
        contacts = frozenset(await node.store.pairs_of(account_id))
        replaced: list[Session] = []
        while rivals := [each for each in self._rivals(account_id, session) if each not in replaced]:
            rival = rivals[0]
            own = proven.takeover_of or (proven.by_token and rival.device == session.device)
            if own or not await rival.mind.probe():
                replaced.append(rival)
            elif rival in self._rivals(account_id, session):
                account = self._check(proven, session)
                session.refusal = RefusedLogin(proven._replace(takeover_of=session.device), node.clock.monotonic())
                raise AlreadySignedIn(_signed_in_elsewhere(account, rival))
        if session.gone:
            raise NotLoggedIn("The connection has ended.")
        account = self._check(proven, session)
        self._check_devices(account_id, session.device)
        user = self._attach(account, session, contacts)
        # Only now, so that to others the person was here all the time.
        for each in replaced:
            if each.user is user:
                self.end(
                    each, "You have logged in from elsewhere, so this session has ended. To log in here: login NAME"
                )
        return user

    def _check(self, proven: Proven, session: Session) -> Account:
        """Find out whether a session may log in to an account at this moment.

        :raises BadCredentials, Banned, CredentialsChanged: see `sign_in`.
        """
        node = self._node
        account = node.directory.account_by_id(proven.account)
        if account is None or account.id in node.deleting:
            raise BadCredentials()
        node.epochs.check(account.id, proven.epoch, session.device if proven.by_token else None)
        node.sanctions.may_enter(account.id, node.now())
        node.sanctions.may_come(session.mind.peer.address, node.now())  # connections that are silent are not put out
        return account

    def _check_devices(self, account: int, device: str) -> None:
        """:raises TooManyDevices: where no device could be forgotten in favour of this one, as each is here."""
        user = self._node.users.get(account)
        if user is None or len(user.sessions) < MOST_DEVICES:
            return
        here = {each.device for each in user.sessions}
        if device not in here and len(here) >= MOST_DEVICES:
            raise TooManyDevices()

    def _attach(self, account: Account, session: Session, contacts: frozenset[int]) -> ChatUser:
        node = self._node
        user = node.users.get(account.id)
        first = user is None
        if user is None:
            user = ChatUser(account, node.now())
            if contacts:
                user.contacts = contacts
            user.unsubscribe = self._bus.subscribe(("account", account.id), _Follower(self, user))
            node.users[account.id] = user
            node.present[account.name.folded] = user
        user.sessions.append(session)
        session.user = user
        session.epoch = node.epochs.current(account.id)
        session.since = node.now()
        node.counters.logins += 1
        node.traffic_log.note("logged-in", session)
        session.refusal = None
        saw = node.store.saw(account.id, session.device, session.since, present=True)
        session.noted = saw.addCallback(lambda forgotten: self._forgot(session, account.id, forgotten))
        unattended(session.noted)
        if first:
            self.presence.arrived(user)
        self.consent.arrived(user, session)
        return user

    def _forgot(self, session: Session, account: int, devices: tuple[EndedDevice, ...]) -> None:
        """A new device has taken the place of others."""
        for each in devices:
            self._node.epochs.token_ended(account, each.name, each.epoch)
            words = (
                f"An account can have {MOST_DEVICES} devices. {session.device} is new, so {each.name}, the one"
                " unused for longest, has been signed out and removed. To see your devices: devices"
            )
            self.alerts.tell(account, words)
            if not session.live:
                self.alerts.keep(account, words)
        if devices:
            self.keys_changed(account, session)

    def _rivals(self, account_id: int, session: Session) -> list[Session]:
        """The sessions that leave no place for this one."""
        user = self._node.users.get(account_id)
        policy = self._node.settings.sessions
        if user is None or policy == "many":
            return []
        return [each for each in user.sessions if policy == "one" or each.device == session.device]

    def sign_out(self, session: Session) -> None:
        """Let a session be nobody; the last one of an account ends its presence."""
        user = session.user
        if user is None:
            return
        node = self._node
        session.mind.flush()
        node.traffic_log.note("logged-out", session)
        self._rooms.leave_all(session)
        user.sessions.remove(session)
        session.user = None
        session.logout = None
        present = any(each.device == session.device for each in user.sessions)
        unattended(node.store.saw(user.account.id, session.device, node.now(), present))
        if not user.sessions:
            user.account = replace(user.account, seen=node.now())
            if node.directory.account_by_id(user.account.id) is not None:
                node.directory.add_account(user.account)
            del node.users[user.account.id]
            del node.present[user.account.name.folded]
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
        known = {each.name for each in await self._node.store.devices(account)}
        account_of(session)  # it may have been ended meanwhile
        user = self._node.users.get(account)
        present = {each.device for each in user.sessions} if user is not None else set()
        if device not in known and device not in present:
            raise NoSuchDevice(f"You have no device {device}. Type devices to see yours.")
        if device == session.device:
            raise BadUsage("That is your current session. To end it: logout")
        epoch = await self._node.store.end_device(account, device, self._node.now())
        self._node.epochs.token_ended(account, device, epoch)
        self.end_sessions(account, device, "Another of your sessions has ended this one.")

    def end_sessions(self, account: int, device: str, reason: str) -> None:
        """End all sessions of a device, those as well that have come while it was being ended.

        :param reason: what they are told, in whole words.
        """
        user = self._node.users.get(account)
        for each in tuple(user.sessions) if user is not None else ():
            if each.device == device:
                self.end(each, reason)

    def _end_void(self, account: int, reason: str) -> None:
        """End the sessions of an account whose credentials do not count any more."""
        user, epochs = self._node.users.get(account), self._node.epochs
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
        node, row, pair, origin = self._node, published.row, published.pair, published.origin
        reader = user.account.id
        other = pair.high if reader == pair.low else pair.low
        if other not in user.contacts:
            user.contacts = user.contacts | {other}
        sessions = [session for session in user.sessions if session.live and session.origin != origin]
        if row.author == reader and not sessions:
            return  # as nearly always for who wrote it
        blocked = node.directory.blocks(reader, row.author)
        if row.author != reader and row.kind in SPOKEN and not blocked:
            user.last_from = row.author
        if blocked:
            sessions = [session for session in sessions if session.mind.features.gaps]
        if not sessions:
            return
        conversation = private_conversation(row.conversation, pair, reader, node.directory)
        event: Entry = Skipped(conversation, row.seq, row.seq) if blocked else entry(row, conversation, node.directory)
        told = not isinstance(event, Skipped)
        for session in sessions:
            if told or session.mind.features.gaps:
                if told and row.author != reader:
                    self._delivery.owe(session, row.conversation, PendingReceipt(reader, row.author, row.seq))
                node.counters.deliveries += 1
                session.mind.deliver(event)

    # what one says of oneself

    def set_away(self, session: Session, note: str | None) -> None:
        """:param note: empty for none; nothing to be back.
        :raises Muted: for a note; being away takes no words.
        """
        user = session.user
        assert user is not None, "perform lets only users act"
        if note:
            self._node.sanctions.may_speak(user.account.id, self._node.now())
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
        if self._node.directory.blocks(account, other.id):
            raise NoEffect(f"User {other.name.shown} is already blocked.")
        await self._node.store.block(account, other.id)
        self._node.directory.add_block(account, other.id)
        self.consent.blocked(account, other.id)
        self._tell_others(session, BlockChanged(other.name.shown, True))

    async def unblock(self, session: Session, other: Account) -> None:
        """:raises NoEffect: when the other is not blocked."""
        account = account_of(session)
        if not self._node.directory.blocks(account, other.id):
            raise NoEffect(f"User {other.name.shown} is not blocked.")
        await self._node.store.unblock(account, other.id)
        self._node.directory.remove_block(account, other.id)
        self._tell_others(session, BlockChanged(other.name.shown, False))

    def _tell_others(self, session: Session, event: BlockChanged) -> None:
        """Tell the other sessions of one's own."""
        for each in session.user.sessions if session.user is not None else ():
            if each.live and each is not session:
                each.mind.deliver(event)

    # who is here

    def state_of(self, account: int, reader: int) -> str:
        """``online``, ``away`` or ``offline``, as one person may know it of another."""
        user = self._node.users.get(account)
        if user is None or (account != reader and self._node.directory.blocks(account, reader)):
            return "offline"
        return user.state

    def seen(self, account: Account, reader: int) -> int | None:
        """When somebody was here last, milliseconds since the epoch; nothing to whom that person blocks."""
        hidden = account.id != reader and self._node.directory.blocks(account.id, reader)
        return None if hidden else account.seen

    def count_shown(self) -> int:
        """How many are here, as everybody may know it: who blocks anybody is left out.

        Otherwise whoever is blocked would find a blocker by counting.
        """
        users = self._node.users
        return len(users) - sum(account in users for account in self._node.directory.blocking)

    def online(self, reader: int, most: int) -> tuple[list[ChatUser], int]:
        """The first of those who are here as well, by name, without those who block the reader.

        :returns: at most so many, and how many more there are.
        """
        node = self._node
        unseen = {reader, *node.directory.blockers_of(reader)}
        others = (user for user in node.present.values() if user.account.id not in unseen)
        found = list(islice(others, most))
        total = len(node.users) - sum(id in node.users for id in unseen)
        return found, total - len(found)


class _Follower:
    """A subscriber to one user's private conversations; smaller than a function, as every user has one."""

    __slots__ = ("_people", "_user")

    def __init__(self, people: SignInService, user: ChatUser) -> None:
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
