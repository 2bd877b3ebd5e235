"""What ``twistd`` was told that concerns a server: its pid file and log, who it runs as, and who waits for its start.

What ``twistd`` itself would answer with a traceback, or in several lines, is looked at here before, while there is a
terminal to say in one line what to do.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pwd
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from twisted.logger import ILogObserver, LegacyLogObserverWrapper
from twisted.python.reflect import namedAny
from twisted.python.util import runAsEffectiveUser
from twisted.scripts._twistd_unix import UnixAppLogger

from chat.protocol.errors import Misconfigured
from chat.server.logs import HarmlessObserver

T = TypeVar("T")

CLOCK_SLACK = 1.0
"""Seconds by which a process may seem to have started after it wrote its pid file."""

_STATUS_BYTES = 100
"""What ``twistd`` reads of the report of a daemon, the leading ``1 `` included."""


class Twistd:
    """The ``twistd`` around a server.

    :param options: its own options.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self.daemon = not (options["nodaemon"] or options["debug"])
        self.pidfile: str = options["pidfile"] and os.path.abspath(options["pidfile"])
        log = options["logfile"] or ("twistd.log" if self.daemon else "-")
        if options["syslog"] or getattr(options["logger"], "chosen", options["logger"]):
            log = ""
        self.logfile: str = os.path.abspath(log) if log not in ("", "-") else log

    def check(self) -> None:
        """Look at everything that ``twistd`` will use, and forget the pid file of a server that has ended.

        :raises Misconfigured: when it could not be used, or its server runs.
        """
        options = self._options
        if options["chroot"]:
            raise Misconfigured(
                "--chroot is not supported, because the server opens files before and after it. Use a container."
            )
        if (options["uid"] is not None or options["gid"] is not None) and os.geteuid() != 0:
            raise Misconfigured("Only root can use --uid and --gid. Leave them out.")
        if options["uid"] is not None and options["gid"] is None and not _has_name(options["uid"]):
            raise Misconfigured(f"there is no user {options['uid']}. Name an existing user, or give --gid as well.")
        if not os.path.isdir(options["rundir"]):
            raise Misconfigured(f"the folder {options['rundir']} does not exist. Create it, or give another --rundir.")
        if self.logfile == "-" and self.daemon:
            raise Misconfigured("a daemon cannot use --logfile=-. Name a file, or run in the foreground: -n")
        if self.logfile not in ("", "-") and not (os.path.isfile(self.logfile) and os.access(self.logfile, os.W_OK)):
            _check_writable(self.logfile, "logfile")
        if self.pidfile:
            _check_writable(self.pidfile, "pidfile")
            self._check_process()

    def _check_process(self) -> None:
        try:
            with open(self.pidfile, encoding="ascii", errors="replace") as file:
                words = file.read().strip()
                written = os.fstat(file.fileno()).st_mtime
        except FileNotFoundError:
            return
        except OSError as error:
            raise Misconfigured(
                f"{self.pidfile} cannot be read ({error.strerror}). Choose another --pidfile."
            ) from None
        if words.isdigit() and len(words) < 20 and _has_written(int(words), written):
            raise Misconfigured(
                f"a server is already running here, process {words} ({self.pidfile})."
                f" Start this one in another folder, or stop the other: kill {words}"
            )
        os.unlink(self.pidfile)

    def as_user(self, call: Callable[[], T]) -> T:
        """Do something as the user that the server will run as (``--uid``), so that files are that user's."""
        user, group = self._options["uid"], self._options["gid"]
        if user is None and group is None:
            return call()
        user = os.geteuid() if user is None else user
        made: T = runAsEffectiveUser(user, pwd.getpwuid(user).pw_gid if group is None else group, call)
        return made

    def how_to_stop(self, lock: str) -> str:
        """What to type to end the server, and where it says what it does.

        :param lock: a file that holds the number of the process as well.
        """
        if not self.daemon:
            return "Ctrl-C stops the server."
        stop = f"kill $(cat {self.pidfile or lock}) stops the server"
        if self.logfile:
            return f"{stop}; its log is {self.logfile}."
        return f"{stop}; its log is the system log." if self._options["syslog"] else f"{stop}."


class HarmlessLog:
    """What ``twistd`` makes the writer of its log with: the one that it would have, behind a `HarmlessObserver`.

    ``twistd`` takes it by name (``--logger``), while it reads its options, so there is one for the process: `LOG`.

    :ivar chosen: whether ``--logger`` says who writes the log.
    """

    chosen = False

    def __init__(self) -> None:
        self._options: dict[str, Any] = {}
        self._observer: Callable[[], Any] | None = None

    def stand_before(self, options: dict[str, Any]) -> None:
        """Have ``twistd`` use this.

        :param options: of ``twistd``, not all read yet.
        :raises Misconfigured: when there is no such ``--logger``.
        """
        given = options["logger"]
        if given is not None:
            try:
                self._observer = namedAny(given)
            except Exception as error:  # whatever the module does when it is imported
                raise Misconfigured(f"--logger {given} cannot be imported ({error}).") from None
        self.chosen = given is not None
        self._options = {**options, "logger": None}
        options["logger"] = f"{__name__}.LOG"

    def __call__(self) -> HarmlessObserver:
        observer = self._observer() if self._observer is not None else UnixAppLogger(self._options)._getLogObserver()
        if not ILogObserver.providedBy(observer):  # syslog's is of the older kind
            observer = LegacyLogObserverWrapper(observer)
        return HarmlessObserver(observer)


LOG = HarmlessLog()
"""That of this process."""


class Launch:
    """Who started the server and waits to hear whether it runs.

    The terminal of a daemon is held by the process that forked it, which waits at a pipe; ``twistd`` would tell it that
    all is well as soon as the event loop begins.

    :param options: of ``twistd``, a mapping that it changes.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._pipe: int | None = None

    def begin(self) -> None:
        """Take the pipe from ``twistd``, after the fork."""
        self._pipe = self._options.pop("statusPipe", None)

    def succeeded(self) -> None:
        """The server runs."""
        self._report(b"0")

    def failed(self, reason: str) -> None:
        """The server does not run; the process will end with status 1.

        :param reason: in one line, what is wrong and what to do.
        """
        if self._pipe is None:
            print(f"chatserver: {reason}", file=sys.__stderr__, flush=True)
        self._report(f"1 {reason}".encode("ascii", "replace")[:_STATUS_BYTES])
        # Once its event loop has begun, twistd can only end with status 0 or by a signal.
        atexit.register(_end, 1)

    def _report(self, words: bytes) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            with contextlib.suppress(OSError):
                os.write(pipe, words)
            os.close(pipe)


def _end(status: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def _has_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _check_writable(path: str, option: str) -> None:
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise Misconfigured(f"the folder {folder} does not exist. Create it, or give another --{option} to twistd.")
    if os.path.isdir(path):
        raise Misconfigured(f"{path} is a folder. Name a file: twistd --{option}=FILE")
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise Misconfigured(f"{path} is not writable. Change its owner, or choose another file: twistd --{option}=FILE")
    if not os.access(folder, os.W_OK | os.X_OK):
        name = os.path.basename(path)
        raise Misconfigured(
            f"{name} cannot be created in {folder}, which is not writable."
            f" Start the server in your own folder, or name another file: twistd --{option}=FILE chatserver"
        )


def _has_written(process: int, written: float) -> bool:
    """Whether a running ``twistd`` has written a pid file, and not one whose number was given away again since.

    :param written: when it was written, seconds since the epoch.
    :returns: True as well for a running process of which nothing can be found out.
    """
    if process == os.getpid():
        return False
    if not os.path.isdir("/proc/self"):
        return _lives(process)
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:
            if b"twistd" not in file.read():
                return False
        with open(f"/proc/{process}/stat", "rb") as file:
            # The name of the program, in parentheses, may hold anything (proc(5)); starttime is field 22.
            ticks = int(file.read().rpartition(b")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return False
    except (OSError, ValueError, IndexError):
        return True
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + ticks / os.sysconf("SC_CLK_TCK") <= written + CLOCK_SLACK


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
