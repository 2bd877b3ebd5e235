"""The process around a service: its end, its settings read again, what waits in it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping

from chat.protocol.errors import BadSettings, Misconfigured
from chat.server.core.service import ChatService
from chat.server.interfaces import Finding
from chat.server.logs import Logger, write_from
from chat.server.process.diagnostics import check
from chat.server.settings.schema import Settings, renewed

log = Logger()


class Lifecycle:
    """Implements `chat.server.interfaces.IHost`.

    :ivar reason: why the server ends, for those who are told, in a whole sentence.
    :param read_settings: reads the settings as they were read at the start.
    :param end: ends the process in order.
    :param queues: how much waits, by what it waits for.
    """

    def __init__(
        self,
        chat: ChatService,
        read_settings: Callable[[], Settings],
        end: Callable[[], object],
        queues: Callable[[], Mapping[str, int]],
    ) -> None:
        self._chat = chat
        self._read_settings = read_settings
        self._end = end
        self._queues = queues
        self.reason = "The operator stopped it."

    def stop(self, reason: str) -> None:
        if reason:
            self.reason = f"Reason: {reason}"
        self._end()

    def reload(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        try:
            return self._read_again()
        except Misconfigured as error:
            raise BadSettings(f"{error} Nothing has changed.") from None

    def hung_up(self) -> None:
        """A server without a terminal was told so (SIGHUP), which by custom means: read the settings again."""
        try:
            changed, later = self._read_again()
        except Misconfigured as error:
            log.error("{error} Nothing has changed.", error=str(error))
            return
        log.info(
            "Settings reloaded. Changed: {changed}; a restart is needed for: {later}.",
            changed=", ".join(changed) or "nothing",
            later=", ".join(later) or "nothing",
        )

    def _read_again(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        settings, changed, later = renewed(self._chat.settings, self._read_settings())
        self._chat.apply(settings)
        write_from(settings.log_level)
        return changed, later

    def check(self) -> tuple[Finding, ...]:
        administrators = self._chat.directory.administrators()
        return check(self._chat.settings, self._chat.store.disk(), len(administrators))

    def queues(self) -> Mapping[str, int]:
        return self._queues()


def has_terminal() -> bool:
    """Whether this process ends with a terminal, if that is closed (``tty(4)``)."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def tell_manager(words: str) -> None:
    """Tell systemd how the service is (``sd_notify(3)``); nothing where nobody listens.

    :param words: such as ``READY=1``.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    name = f"\0{address[1:]}" if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        try:
            notify.sendto(words.encode(), name)
        except OSError:
            return
