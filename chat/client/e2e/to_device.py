"""To-device messages: they hand out keys, and wait until their sender's keys are accepted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from twisted.internet.defer import DeferredLock

from chat.client.e2e.key_codec import letter_args
from chat.client.e2e.key_query import Ask, KeyQueries
from chat.client.e2e.key_store import KeyStore
from chat.client.e2e.megolm import KeyMessage
from chat.client.model.failures import ClientFailure, KeyMissing, NotGenuine
from chat.protocol.device_keys import DeviceKeys
from chat.protocol.events import ClaimedKeys, Inbox, Letter, LettersKept
from chat.protocol.names import fold
from chat.protocol.values import Conversation

AT_ONCE = 25
"""Messages in one request: as many of the longest as fit into a frame twice over."""

PAGE = 100
"""Messages that are read at a time."""

LINK = 2
"""The first byte of a letter between two devices of one person that know each other by a code alone; those of a ratchet
have 0 or 1."""

Take = Callable[[str, str, Mapping[str, Any]], object]
"""Takes what a letter says: from whom, from which device, and what."""


async def _nobody(letter: Letter) -> None:
    """Nobody waits for such a letter."""


class ToDeviceMessages:
    """The letters of this device.

    :param found: told, in one line, of letters that are not genuine.
    :ivar takers: who takes which type of letter.
    :ivar take_link: who takes a letter of `LINK`.
    """

    def __init__(self, ring: KeyStore, directory: KeyQueries, ask: Ask, found: Callable[[str], object]) -> None:
        self._ring = ring
        self._directory = directory
        self._ask = ask
        self._found = found
        self.takers: dict[str, Take] = {"key": ring.conversations.take_key}
        self._one_at_a_time = DeferredLock()
        self.take_link: Callable[[Letter], Awaitable[object]] = _nobody

    # what comes

    async def collect(self) -> None:
        """Take everything that lies in the inbox: on disk here before it is gone there.

        :raises ClientFailure: when the connection does not last, or nothing can be saved.
        """
        async with self._one_at_a_time:
            more = True
            while more:
                inbox = await self._ask("inbox.read", {"limit": PAGE})
                if not isinstance(inbox, Inbox) or not inbox.letters:
                    return
                for letter in inbox.letters:
                    await self._take(letter)
                await self._acknowledge(inbox.letters[-1].number)
                more = inbox.more

    async def take(self, letter: Letter) -> None:
        """A letter has come live; it waits for those that came before it."""
        async with self._one_at_a_time:
            if letter.number > self._ring.last_letter:
                await self._take(letter)
                await self._acknowledge(letter.number)

    async def _take(self, letter: Letter) -> None:
        if letter.number <= self._ring.last_letter:
            return  # taken before a crash, and not acknowledged
        if letter.body[0] == LINK:
            self._ring.took(letter.number)
            await self.take_link(letter)
            return
        if self._ring.pins.device_to_read(letter.author, letter.device) is None:
            await self._directory.look([letter.author], again=True)
        self._ring.took(letter.number)
        if not self._read(letter.author, letter.device, letter.body):
            waiting = (letter.number, letter.author, letter.device, letter.body)
            self._ring.keep_waiting([*self._ring.waiting, waiting])

    async def _acknowledge(self, number: int) -> None:
        self._ring.save()
        await self._ask("inbox.acknowledge", {"upto": number})

    def _read(self, author: str, device: str, body: bytes) -> bool:
        """:returns: whether it is done with; else its author's keys are to be accepted first."""
        keys = self._ring.pins.device_to_read(author, device)
        if keys is None:
            return False
        try:
            content = self._ring.letters.open(author, device, keys, body)
            taker = self.takers.get(content.get("type", "")) if isinstance(content, dict) else None
            if taker is not None:
                taker(author, device, content)
        except NotGenuine as error:
            self._found(str(error))
        return True

    def read_waiting(self) -> bool:
        """Somebody's keys were accepted: read what has waited for that.

        :returns: whether any of it could be read.
        """
        before = self._ring.waiting
        waiting = [letter for letter in before if not self._read(*letter[1:])]
        if len(waiting) < len(before):
            self._ring.keep_waiting(waiting)
        return len(waiting) < len(before)

    # what goes

    async def give(self, conversation: Conversation, letters: Iterable[KeyMessage]) -> list[tuple[str, str]]:
        """Hand over the key of a conversation.

        :returns: users and devices that could not be given any.
        :raises ClientFailure: when the connection does not last, or nothing can be saved.
        """
        wanted = list(letters)
        without: list[tuple[str, str]] = []
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            without += await self._give(conversation, some)
        return without

    async def _give(self, conversation: Conversation, letters: list[KeyMessage]) -> list[tuple[str, str]]:
        keys = {(each.user, each.device): self._keys(each.user, each.device) for each in letters}
        await self.meet(keys)
        known = [each for each in letters if self._ring.letters.knows(keys[each.user, each.device])]
        sealed = [
            letter_args(
                each.user,
                each.device,
                self._ring.letters.seal(each.user, each.device, keys[each.user, each.device], each.content),
            )
            for each in known
        ]
        refused = [(each.user, each.device) for each in letters if each not in known]
        if sealed:
            self._ring.save()
            reply = await self._ask("inbox.send", {"letters": sealed})
            if not isinstance(reply, LettersKept):
                raise ClientFailure("The server did not confirm that it delivered the keys.")
            refused += [(each.user, each.device) for each in reply.refused]
        for each in letters:
            # Who could not be given this key gets the next one; to try it at each message would be of no use.
            self._ring.conversations.sent(conversation, each, keys[each.user, each.device].identity)
        return refused

    def _keys(self, user: str, device: str) -> DeviceKeys:
        keys = self._ring.pins.device(user, device)
        if keys is None:
            raise KeyMissing(f"{user}@{device} has no known keys.")
        return keys

    async def meet(self, devices: Mapping[tuple[str, str], DeviceKeys]) -> None:
        """Begin a ratchet with each of these devices with which there is none."""
        strangers = [
            {"user": user, "device": device}
            for (user, device), keys in devices.items()
            if not self._ring.letters.knows(keys)
        ]
        if not strangers:
            return
        claimed = await self._ask("keys.claim", {"devices": strangers})
        known = {(fold(user), device): keys for (user, device), keys in devices.items()}
        for each in claimed.keys if isinstance(claimed, ClaimedKeys) else ():
            keys = known.get((fold(each.user), each.device))
            if keys is not None and not self._ring.letters.knows(keys):
                try:
                    self._ring.letters.begin(keys, each)
                except NotGenuine as error:
                    self._found(str(error))
