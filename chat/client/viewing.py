"""How the person at this machine wants to see things: in its time zone, and as of now."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from chat.client.talks import Talk
from chat.wire.view import View


def view_of(here: Talk | None = None) -> View:
    """The view of somebody who is in a conversation, or in none."""
    zone: Any = datetime.now().astimezone().tzinfo
    conversation = here.conversation if here is not None else None
    current = conversation.id if conversation is not None and conversation.room else None
    return View(current=current, now=int(time.time() * 1000), zone=zone)
