"""Renders replies and events as lines, in this machine's time zone; search results of the client included."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from chat.client.model.conversation import ConversationModel
from chat.client.model.search_result import NOT_IN_THE_REST, NOTHING_SEALED, THE_REST, FoundHere, FoundThere
from chat.protocol.events import Event, Found, Reply
from chat.protocol.wire.text import render
from chat.protocol.wire.view import View, notice


def view_of(here: ConversationModel | None = None) -> View:
    """The view of somebody who is in that conversation, or in none."""
    zone: Any = datetime.now().astimezone().tzinfo
    conversation = here.conversation if here is not None else None
    current = conversation.id if conversation is not None and conversation.room else None
    return View(current=current, now=int(time.time() * 1000), zone=zone)


def shown_in(here: ConversationModel | None, shown: Reply | Event) -> str:
    """Render a reply or an event as lines."""
    view = view_of(here)
    if isinstance(shown, FoundHere) and not shown.entries:
        return notice(NOTHING_SEALED, view)
    if isinstance(shown, FoundHere):
        return render(Found(shown.entries, shown.more), view) + notice(THE_REST, view)
    if isinstance(shown, FoundThere):
        return render(Found(shown.entries, shown.more), view) if shown.entries else notice(NOT_IN_THE_REST, view)
    return render(shown, view)
