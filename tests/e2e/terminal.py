"""Somebody at a real terminal: tmux, with keys sent and the screen captured."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

from tests.e2e.stage import Stage

CHAT = [sys.executable, "-c", "from chat.client.main import main; main()"]
"""The console script of this very tree."""

_NUMBERS = count()


class Terminal:
    """A tmux of its own, with one window in which a command runs.

    :param name: whose it is; one person's files are the same in each.

    :param command: what runs in it; its files are kept on the stage.
    """

    def __init__(self, stage: Stage, name: str, command: list[str], width: int = 80, height: int = 24) -> None:
        self._stage = stage
        self._name = name
        self._socket = stage.path(f"tmux-{next(_NUMBERS)}")
        home = stage.path(f"home-{name}")
        run = f"{home}/run"
        os.makedirs(run, exist_ok=True)
        env = [
            "env",
            "-u",
            "COLUMNS",
            "-u",
            "LINES",
            f"XDG_CONFIG_HOME={home}/config",
            f"XDG_DATA_HOME={home}/data",
            f"XDG_RUNTIME_DIR={run}",
            "LANG=C.UTF-8",
        ]
        modes = "stty -a | grep -q ' icanon.* echo ' || echo the terminal is spoiled"
        words = f"trap : INT; {shlex.join(env + command)}; echo ended with $?; {modes}; exec sleep 1000"
        size = ["-x", str(width), "-y", str(height)]
        self._tmux("-u", "-f", "/dev/null", "new-session", "-d", "-s", "s", *size, "sh", "-c", words)

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *words], capture_output=True, text=True, timeout=20, check=False
        )
        return done.stdout

    def presses(self, *keys: str) -> None:
        """Press keys by their names in tmux: ``Enter``, ``C-c``, ``F4``."""
        self._tmux("send-keys", "-t", "s", *keys)

    def types(self, text: str, enter: bool = True) -> None:
        """Type a line."""
        self._tmux("send-keys", "-t", "s", "-l", text)
        if enter:
            self.presses("Enter")

    def resizes(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-t", "s", "-x", str(width), "-y", str(height))

    def pid(self, words: str) -> int:
        """The process in it whose command line holds some words."""
        shell = self._tmux("list-panes", "-t", "s", "-F", "#{pane_pid}").strip()
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        return next(int(pid) for pid in children if words.encode() in Path(f"/proc/{pid}/cmdline").read_bytes())

    def modes(self) -> str:
        """Which of its modes a program has changed: ``1`` in a place of alternate screen, mouse, hidden cursor."""
        return self._tmux("display", "-p", "-t", "s", "#{alternate_on}#{mouse_any_flag}#{?cursor_flag,0,1}").strip()

    def screen(self) -> str:
        """What shows now."""
        return self._tmux("capture-pane", "-p", "-t", "s")

    def sees(self, *texts: str) -> None:
        """Wait until all of it shows at once."""
        self._wait(lambda shown: all(text in shown for text in texts), f"{self._name} does not see {texts}")

    def does_not_see(self, text: str) -> None:
        """Wait until it shows no more."""
        self._wait(lambda shown: text not in shown, f"{self._name} still sees {text}")

    def _wait(self, holds: Callable[[str], bool], otherwise: str) -> None:
        try:
            self._stage.wait(lambda: holds(self.screen()), otherwise)
        except AssertionError as error:
            raise AssertionError(f"{otherwise} on:\n{self.screen()}\n{error}") from None

    def leave(self) -> None:
        self._tmux("kill-server")
