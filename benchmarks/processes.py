"""Server processes: started in a folder of their own, and what the kernel says of them."""

from __future__ import annotations

import os
import random
import resource
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

PATIENCE = 20.0
"""Seconds that a server has to start or to stop."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Failed(Exception):
    """A server did not do what it has to; the text holds what it wrote."""


def allow_connections() -> int:
    """Let this process, and the servers that it starts, have as many open files as the machine allows.

    :returns: how many that are.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (65_536, most):
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, most)))
            break
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def free_port() -> int:
    """A port of this machine that nobody listens on, below those that outgoing connections take."""
    while True:
        port = random.randrange(20_000, 30_000)
        with suppress(OSError), socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True):
            return port


class Process:
    """A running server.

    :param command: what to run.
    :param folder: where; its output goes to ``output`` there.
    :param port: where it will listen.
    """

    def __init__(self, command: Sequence[str], folder: Path, port: int) -> None:
        self.port = port
        self._output = folder / "output"
        self.started = time.monotonic()
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        self._proc = Path(f"/proc/{self._process.pid}")

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for_port(self) -> None:
        """Wait until it accepts connections.

        :raises Failed: when it ends instead, or takes too long.
        """
        while time.monotonic() - self.started < PATIENCE:
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.005)
        raise Failed(f"the server did not start: {self._output.read_text(errors='replace')}")

    def stop(self) -> None:
        """End it in order, or by force when it does not listen."""
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def cpu(self) -> float:
        """Seconds of CPU that all its threads have used, to the nanosecond.

        From ``schedstat`` of each thread (time spent on the CPU), as ``stat`` counts in ticks of 10 ms. The servers
        here end no threads, whose part would be forgotten.
        """
        return sum(int(thread.read_text().split()[0]) for thread in self._proc.glob("task/*/schedstat")) / 1e9

    def memory(self) -> int:
        """Bytes of it that are in memory (``proc_pid_statm(5)``: resident)."""
        return int((self._proc / "statm").read_text().split()[1]) * _PAGE
