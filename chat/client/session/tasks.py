"""What is done while nobody waits for it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chat.client.model.failures import ClientFailure

log = Logger()


def unattended(work: Coroutine[Any, Any, Any]) -> None:
    """Let something be done; what goes wrong with the server shows at the latest when the connection ends."""
    done: Deferred[Any] = Deferred.fromCoroutine(work)
    done.addErrback(lambda failure: failure.trap(ClientFailure) and None)
    done.addErrback(lambda failure: log.failure("a request failed", failure))
