"""The state of one file transfer, as screens and both ways of transferring see it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chat.client.model.transfer_progress import Stage
from chat.client.p2p.file_receiver import FileReceiver
from chat.client.p2p.file_sender import FileSender
from chat.client.p2p.offer import Offer, human
from chat.protocol.wire.sanitize import safe


@dataclass(slots=True, eq=False)
class Transfer:
    """One file, from one device to another.

    :param user: who is at the other end; ``device`` is empty while any device may take it.
    :param incoming: whether it comes here.
    :ivar moved: when something of it moved last, by the clock of who carries it.
    :ivar why: one line for a person, where it is cut or over.
    :ivar path: where it lies, when it has come.
    """

    offer: Offer
    user: str
    device: str
    incoming: bool
    stage: Stage = Stage.OFFERED
    done: int = 0
    moved: float = 0.0
    why: str = ""
    path: Path | None = None
    sender: FileSender | None = None
    receiver: FileReceiver | None = None

    @property
    def id(self) -> bytes:
        """Names it for both ends."""
        return self.offer.id

    @property
    def going(self) -> bool:
        """Whether something may still become of it."""
        return self.stage in (Stage.OFFERED, Stage.MOVING, Stage.CUT)

    @property
    def percent(self) -> int:
        """How much of it has come."""
        return 100 * self.done // self.offer.size if self.offer.size else 100

    def give_up(self, why: str) -> None:
        """It is not wanted any more, nor what has come of it."""
        self.why = why
        if self.receiver is not None:
            self.receiver.discard()
        self.let_go()

    def let_go(self) -> None:
        """Close its files."""
        for each in (self.sender, self.receiver):
            if each is not None:
                each.close()
        self.sender = self.receiver = None

    def line(self) -> str:
        """How it stands, in one line."""
        name, user = safe(self.offer.name), safe(self.user)
        what = f"{name} ({human(self.offer.size)})"
        if self.stage is Stage.OFFERED and self.incoming:
            return f"{user} offers you a file: {what}. To accept: getfile {user}. To decline: refusefile {user}"
        if self.stage is Stage.OFFERED:
            return f"Offered {what} to {user}."
        if self.stage is Stage.DONE:
            return f"Received {what} from {user}: {self.path}" if self.incoming else f"{user} has received {what}."
        if self.stage is Stage.LEFT:
            return f"{what} is on the server, encrypted, until {user} accepts it."
        if self.stage is Stage.OVER:
            return f"{name}: {self.why}"
        way = f"{name} {'from' if self.incoming else 'to'} {user}: {self.percent} %"
        return f"{way}. {self.why}" if self.stage is Stage.CUT else f"{way} of {human(self.offer.size)}"
