"""The rate limit: what every line and frame costs, whatever it turns out to be, and who pays for it.

An account pays from one bucket, in whichever sessions and however often it connects; networks do not count any more,
so a class behind one address is not slowed down. A guest pays twice: from a bucket of its connection, which is as large
as an account's, and from one of its network. That one is large enough for everybody behind an address to log in at the
same moment, and so small that nobody gets more by connecting again.

Nobody is refused while there is patience: a session in debt is not read until it has waited. Only who goes on although
nothing of it is of any use is disconnected.
"""

from __future__ import annotations

from collections.abc import Callable

from chat.protocol.errors import TooFast
from chat.server.core.rate_limit import BucketRegistry, TokenBucket
from chat.server.core.user import Session
from chat.server.interfaces import IClock
from chat.server.settings.schema import Settings

LONGEST_DELAY = 20.0
"""Seconds that a command of somebody too fast is put off before it is refused."""

MOST_WASTED = 100
"""Lines in a row, refused as too fast or as unreadable while there was a debt, that end a connection."""

MOST_UNKNOWN = 10
"""Lines of a guest without a single command among them that end a connection: that is no client of ours."""

BRIEFLY = 1.0
"""Seconds that a session is not read after it was refused as too fast."""

NETWORK_BURST = 1 / 4
"""The share of an account's burst that a network has for each connection which it may have (``network-connections``):
10 of 40. A login costs 4 to 6, with its prompts and a first frame."""

NETWORK_RATE = 1 / 50
"""The same of the rate: 100 a second for 1,000 connections, which is 20 logins."""

PLAIN, SMALL = 1.0, 0.1
"""What a line costs that was refused, and one that is empty or is answered with a prompt."""

TELNET = 0.05
"""What a telnet command costs."""

MOST_TELNET = 500
"""Telnet commands in one packet that end a connection."""

READ_FOR_ONE = 4 * 1024
"""Bytes of a refused line, or of a guest's long frame, that cost as much as a line."""


_TOO_MANY = "Disconnected: too many commands."


class Throttle:
    """Charges sessions for what they send.

    :param settings: the settings of this moment.
    :ivar broadcasts: by account.
    """

    def __init__(self, settings: Callable[[], Settings], clock: IClock) -> None:
        self._settings = settings
        self._now = clock.monotonic
        accounts: BucketRegistry[int] = BucketRegistry(self.bucket)
        self._account = accounts.of
        self._networks: BucketRegistry[str] = BucketRegistry(self._network_bucket)
        self.broadcasts: BucketRegistry[int] = BucketRegistry(self._broadcast_bucket)

    def bucket(self) -> TokenBucket:
        """A full one, of an account or of one connection."""
        settings = self._settings()
        return TokenBucket(settings.rate, settings.burst)

    def admit(self, session: Session, weight: float) -> float:
        """Charge a command.

        :returns: the seconds that it is put off.
        :raises TooFast: beyond `LONGEST_DELAY`; nothing is charged then.
        """
        when = self._now()
        user = session.user
        if user is not None:
            allowed, wait = self._account(user.account.id, when).take(when, weight, LONGEST_DELAY)
        else:
            session.unknown = None
            allowed, wait = self._take_from_guest(session, when, weight)
        if not allowed:
            session.mind.slow_down(BRIEFLY)
            self._waste(session)
            raise TooFast(f"You are sending too fast. Wait {max(1, round(wait))} seconds.", wait=wait)
        session.wasted = 0
        return wait

    def _take_from_guest(self, session: Session, when: float, weight: float) -> tuple[bool, float]:
        allowed, wait = session.bucket.take(when, weight, LONGEST_DELAY)
        if session.operator or not allowed:
            return allowed, wait
        allowed, longer = self._networks.of(session.mind.peer.network, when).take(when, weight, LONGEST_DELAY)
        return allowed, max(wait, longer)

    def refused(self, session: Session, size: int, *, unknown: bool) -> None:
        """Charge a line that was refused when it was read.

        :param size: in bytes.
        :param unknown: whether it meant nothing at all, as no line of a person or a client does.
        """
        debt = self.charge(session, PLAIN + size / READ_FOR_ONE)
        if debt:
            self._waste(session)
        if session.user is not None or session.unknown is None:
            return
        if not unknown:
            session.unknown = None
            return
        session.unknown += 1
        if session.unknown == MOST_UNKNOWN:
            session.mind.close(f"Disconnected: none of the first {MOST_UNKNOWN} lines was a command.")

    def telnet(self, session: Session, commands: int) -> None:
        """Charge telnet commands, which are no lines; a client sends a few dozen of them in all.

        :param commands: how many came in one packet.
        """
        if commands > MOST_TELNET:
            session.mind.close(_TOO_MANY)
        elif commands and self.charge(session, commands * TELNET):
            self._waste(session)

    def charge(self, session: Session, weight: float = SMALL) -> float:
        """Charge what is neither a command nor refused.

        :returns: the seconds for which the session is not read.
        """
        when = self._now()
        user = session.user
        if user is not None:
            wait = self._account(user.account.id, when).charge(when, weight, LONGEST_DELAY)
        else:
            network = self._networks.of(session.mind.peer.network, when)
            wait = max(each.charge(when, weight, LONGEST_DELAY) for each in (session.bucket, network))
        if wait:
            session.mind.slow_down(wait)
        return wait

    def _waste(self, session: Session) -> None:
        session.wasted += 1
        if session.wasted == MOST_WASTED:
            session.mind.close(_TOO_MANY)

    def _network_bucket(self) -> TokenBucket:
        settings = self._settings()
        places = settings.network_connections
        return TokenBucket(
            settings.rate * max(1.0, places * NETWORK_RATE), settings.burst * max(1.0, places * NETWORK_BURST)
        )

    def _broadcast_bucket(self) -> TokenBucket:
        a_minute = self._settings().broadcasts
        return TokenBucket(a_minute / 60, a_minute)
