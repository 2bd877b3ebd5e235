"""Lets Textual's coroutines, which asyncio runs, await the engine's, which await Deferreds."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

T = TypeVar("T")


async def twisted(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of a coroutine of the engine, for one of Textual's."""
    outcome: T = await Deferred.fromCoroutine(work).asFuture(asyncio.get_running_loop())
    return outcome
