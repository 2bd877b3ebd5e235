"""Work in the background."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chat.client.model.failures import ClientFailure

log = Logger()


def unattended(work: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine for which nobody waits. A `ClientFailure` is ignored: it shows at the latest as the end of the
    connection."""
    done: Deferred[Any] = Deferred.fromCoroutine(work)
    done.addErrback(lambda failure: failure.trap(ClientFailure) and None)
    done.addErrback(lambda failure: log.failure("a request failed", failure))
