"""The server with a wall clock that a test sets: ``python jumping.py TWISTD-OPTIONS``.

The hours by which it is wrong stand in the file ``hours`` of the folder in which the server is started.
"""

from __future__ import annotations

import time

_right = time.time


def _jumping() -> float:
    with open("hours", encoding="ascii") as file:
        return _right() + 3600 * int(file.read())


if __name__ == "__main__":
    time.time = _jumping  # before anything takes it from the module
    from twisted.scripts.twistd import run

    run()
