"""What the engine asks of whoever keeps the keys; and a client that has none, which reads and says all in the clear.

`chat.client.e2e` has the other one. It needs a library that not everybody has installed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from chat.client.model.conversation import ConversationModel, Key
from chat.client.model.failures import ClientFailure
from chat.client.session.protocol import ChatClient
from chat.protocol.events import Entry, Event, Reply
from chat.protocol.grammar.context import Call
from chat.protocol.grammar.verbs import Table, Verb
from chat.protocol.values import Sealed

NOT_SEALED: Final = "Not sent: your keys are locked, so this cannot be encrypted. Type: unlock"


class NullEncryption:
    """A client without keys.

    :ivar busy: whether what comes from the server has to wait until keys were asked for.
    :ivar released: called when that is over.
    :ivar unlocked: called when keys are open, before anything is taken from the inbox.
    """

    busy = False
    released: Callable[[], object] = staticmethod(lambda: None)
    unlocked: Callable[[], object] = staticmethod(lambda: None)

    # keys

    @property
    def ready(self) -> bool:
        """Whether what is sealed can be read and written here."""
        return False

    def lacking(self, account: str) -> bool:
        """Whether an account has no keys on this device yet: a login with the password makes them."""
        return False

    def wanted(self, account: str) -> str:
        """What to ask a person for before an account is logged in by its token, or nothing."""
        return ""

    async def unlock(self, account: str, passphrase: str) -> None:
        """Open the keys of an account on this device, and make them where there are none. Slow.

        :param passphrase: or empty where it is known from before.
        :raises ClientFailure: when they do not open.
        """

    async def begin(self, client: ChatClient, account: str) -> None:
        """Somebody is logged in: publish what has to be, and take what lies in the inbox.

        :raises ClientFailure: when the connection does not last.
        """

    def pause(self) -> None:
        """The connection is over."""

    def forget(self, account: str) -> None:
        """The account is logged out: its keys are locked away."""

    def save(self) -> None:
        """Keep what has changed, before the server is told that this device has it."""

    def close(self) -> None:
        """It is the end."""

    def relock(self, passphrase: str) -> None:
        """The password has changed, and with it what the keys are under."""

    # what is kept under them

    def locked(self, account: str) -> bool:
        """Whether an account has keys on this machine, and they are not open here."""
        return False

    def recall(self, account: str, name: str) -> list[Any] | None:
        """What was kept under that name, as JSON values; nothing where the account has no keys that are open."""
        return None

    def keep(self, account: str, name: str, lines: list[Any]) -> bool:
        """Keep it under the keys of an account; it is on disk with the next `save`, at the latest with `close`.

        :returns: whether that is so: the account has keys that are open.
        """
        return False

    # what comes

    def heard(self, event: Event) -> bool:
        """An event has come.

        :returns: whether it is about keys alone, and not to be shown.
        """
        return False

    def read(self, talk: ConversationModel, entry: Entry) -> Entry:
        """A row of a conversation, as it is shown; in order, and each once."""
        return entry

    def reread(self, entry: Entry) -> Entry:
        """A row of the past, in any order."""
        return entry

    def stand(self, talk: ConversationModel, last: int) -> None:
        """The log of a conversation ends with that seq just now; what was read behind it is there no more."""

    def gone(self, here: Collection[Key]) -> None:
        """The server has these conversations; what was read of another private one is there no more."""

    @property
    def restored(self) -> int | None:
        """What `chat.client.session.sync.restored_at` was when anything was read last; nothing where nothing is
        remembered."""
        return None

    def note_restored(self, restored: int) -> None:
        """Each conversation stands: nothing is remembered that the server does not have."""

    def skip(self, talk: ConversationModel, first: int) -> None:
        """Rows before a seq are not going to be read."""

    def end(self, talk: ConversationModel) -> int | None:
        """The seq of the row that was read last, also before this program was started; nothing where none was."""
        return None

    # what goes

    def state_of(self, talk: ConversationModel) -> str:
        """In a few words whether what is said somewhere is sealed, or empty."""
        return ""

    def is_sealed(self, talk: ConversationModel) -> bool:
        """Whether what is said somewhere is sealed, as far as that is known here."""
        return talk.sealed

    async def seal(self, talk: ConversationModel, text: str, *, action: bool = False, ref: int = 0) -> Sealed | None:
        """Seal something where it has to be; nothing is awaited between the sealing and the return.

        :param ref: the seq of the message that it replaces, where it is an edit.
        :returns: nothing where it goes in the clear.
        :raises ClientFailure: when it must not be sent.
        """
        if talk.sealed:
            raise ClientFailure(
                "Not sent: this conversation is encrypted, and this client cannot encrypt. Run, in the checkout:"
                " pip install -e '.[client]'"
            )
        return None

    def refused(self, talk: ConversationModel) -> None:
        """The server did not keep what was sealed last."""

    def searches_here(self, words: str) -> bool:
        """Whether a search goes through a conversation in which anything was sealed: the server is not to learn of it.

        :raises ChatError: when the words make no search.
        """
        return False

    async def search(self, words: str, there: Reply) -> Reply:
        """Add what is found here to what was found elsewhere.

        :param there: of the same type is what is returned.
        :raises ChatError: when the words make no search.
        :raises ClientFailure: when nothing can be looked through here, and nothing was elsewhere.
        """
        return there

    # what a person types

    def add_verbs(self, table: Table) -> None:
        """Add the verbs that are about keys to those of the server."""

    def runs(self, verb: Verb) -> bool:
        """Whether a verb is one of them."""
        return False

    async def run(self, call: Call, here: ConversationModel | None) -> Reply:
        """Do what one of them says.

        :raises ClientFailure: when that does not work.
        """
        raise ClientFailure(f"{call.verb.name} needs encryption keys, and this client has none.")
