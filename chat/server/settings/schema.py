"""Every setting of the server, declared once.

``--help``, ``config.ini`` and the start message are made from the fields of `Settings`; the rest of
the program receives the one frozen value. Each field's metadata holds its help text and how its value
is read from words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

SESSIONS = ("one", "per-device", "many")
REGISTRATION = ("open", "code", "closed")
AUTO_REGISTER = ("no", "ask", "yes")
LOG_LEVELS = ("debug", "info", "warn", "error")
PLAIN_LOGIN = ("always", "loopback", "tls")


def _choice(*allowed: str) -> Callable[[str], str]:
    def read(word: str) -> str:
        if word.lower() not in allowed:
            raise ValueError(f"use one of: {', '.join(allowed)}")
        return word.lower()

    return read


def _number(low: float, high: float, unit: str, kind: type[int] | type[float] = int) -> Callable[[str], Any]:
    def read(word: str) -> int | float:
        try:
            value = kind(word)
        except ValueError:
            value = kind(low) - 1
        if not low <= value <= high:
            raise ValueError(f"use a number from {low:,} to {high:,} ({unit})")
        return value

    return read


def _words(word: str) -> str:
    if not word.strip() or not word.isprintable() or len(word) > 60:
        raise ValueError("use 1 to 60 printable characters")
    return word.strip()


def _path(word: str) -> str:
    if not word.strip():
        raise ValueError("give a file name")
    return word


def _listen(words: str) -> tuple[str, ...]:
    endpoints = tuple(each.strip() for each in re.split(r"\n|,(?=\s|$)", words) if each.strip())
    if not endpoints:
        raise ValueError("give an endpoint, for example: tcp:7777")
    return endpoints


def _setting(default: Any, read: Callable[[str], Any], description: str, restart: bool = False) -> Any:
    return field(default=default, metadata={"read": read, "help": description, "restart": restart})


class Contradiction(ValueError):
    """Values that do not go together.

    :ivar fields: of `Settings`, the one to mend first.
    """

    def __init__(self, fields: tuple[str, ...], text: str) -> None:
        super().__init__(text)
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration of one server; every value was checked when it was read.

    :raises Contradiction: when two values do not go together.
    """

    listen: tuple[str, ...] = _setting(
        ("auto=tcp:7777", "telnet=tcp:7723"),
        _listen,
        "where to listen, [KIND=]ENDPOINT; KIND is auto, text, telnet or json; may be repeated",
        restart=True,
    )
    db: str = _setting("credentials.db", _path, "the database file; created if it does not exist", restart=True)
    certificate: str = _setting(
        "chat.pem",
        _path,
        "the key and certificate for TLS; created if missing; none: no TLS",
        restart=True,
    )
    control: str = _setting("chat.control", _path, "the socket for chatctl; none: disabled", restart=True)
    traffic_log: str = _setting(
        "traffic.log",
        _path,
        "the log of who did what and when, without message texts; none: disabled",
        restart=True,
    )
    log_level: str = _setting("info", _choice(*LOG_LEVELS), "minimum log level: debug, info, warn or error")
    metrics_port: int = _setting(
        0, _number(0, 65_535, "a port"), "the loopback port for Prometheus metrics; 0: disabled", restart=True
    )
    name: str = _setting("chat", _words, "the name of the server")
    sessions: str = _setting("one", _choice(*SESSIONS), "sessions allowed per account: one, per-device or many")
    registration: str = _setting(
        "open",
        _choice(*REGISTRATION),
        "who can make an account: open (anybody), code (anybody with an invitation code) or closed (nobody)",
    )
    auto_register: str = _setting(
        "no", _choice(*AUTO_REGISTER), "whether login with an unknown name makes an account: no, ask or yes"
    )
    plain_login: str = _setting(
        "always",
        _choice(*PLAIN_LOGIN),
        "where passwords, tokens and codes are accepted unencrypted: always, loopback or tls (nowhere)",
    )
    bcrypt_cost: int = _setting(
        12, _number(4, 15, "each step doubles the time"), "the cost of a password hash", restart=True
    )
    block_time: int = _setting(
        60, _number(1, 86_400, "seconds"), "maximum lockout after wrong passwords, in seconds", restart=True
    )
    heartbeat: int = _setting(
        30, _number(1, 3_600, "seconds"), "how often programs with heartbeats must send one, in seconds"
    )
    timeout: int = _setting(
        90, _number(2, 86_400, "seconds"), "silence after which such a program is disconnected, in seconds"
    )
    login_timeout: int = _setting(
        300, _number(5, 86_400, "seconds"), "how long a connection can stay without logging in, in seconds"
    )
    max_connections: int = _setting(20_000, _number(1, 1_000_000, "connections"), "maximum number of connections")
    network_connections: int = _setting(
        1_000, _number(1, 1_000_000, "connections"), "maximum number of connections from one network"
    )
    rate: float = _setting(5.0, _number(0.1, 1_000_000, "a second", float), "commands per second allowed for each user")
    burst: int = _setting(40, _number(1, 1_000_000, "commands"), "commands that each user can send at once")
    broadcasts: int = _setting(6, _number(1, 1_000_000, "a minute"), "broadcasts per minute allowed for each user")
    unsent: int = _setting(
        1_048_576, _number(65_536, 1 << 30, "bytes"), "bytes that can wait for a slow client before it is disconnected"
    )
    mailbox: int = _setting(
        1_000, _number(1, 1_000_000, "messages"), "unread private messages that one user can have waiting for another"
    )
    rooms_a_day: int = _setting(
        50,
        _number(1, 1_000_000, "rooms"),
        "rooms that each user can create in 24 hours; administrators are exempt",
    )
    file_quota: int = _setting(
        100, _number(0, 1 << 20, "MiB"), "quota for each user's pending files, in MiB; 0: files are not stored"
    )
    file_total: int = _setting(2_048, _number(1, 1 << 24, "MiB"), "quota for all pending files together, in MiB")
    file_days: int = _setting(7, _number(1, 3_650, "days"), "days before a pending file expires")
    disk_floor: int = _setting(
        256,
        _number(0, 1 << 30, "MiB"),
        "minimum free disk space in MiB; below it, messages are rejected but logins still work",
    )

    def __post_init__(self) -> None:
        if self.timeout < 2 * self.heartbeat:
            raise Contradiction(
                ("timeout", "heartbeat"),
                f"timeout ({self.timeout}) must be at least twice heartbeat ({self.heartbeat}), or live clients"
                f" would be disconnected. Use a timeout of {2 * self.heartbeat} or more",
            )


def renewed(running: Settings, given: Settings) -> tuple[Settings, tuple[str, ...], tuple[str, ...]]:
    """What becomes of a running server's settings when they are read again.

    :returns: the settings that count from now on, the options that have changed, and those whose change has to wait
        for a restart.
    """
    changed, later = {}, []
    for each in fields(Settings):
        value = getattr(given, each.name)
        if value == getattr(running, each.name):
            continue
        if each.metadata["restart"]:
            later.append(option_name(each.name))
        else:
            changed[each.name] = value
    return replace(running, **changed), tuple(map(option_name, changed)), tuple(later)


def option_name(field_name: str) -> str:
    """What a person writes for a field of `Settings`: ``block-time`` for ``block_time``."""
    return field_name.replace("_", "-")


def read_setting(option: str, words: str) -> tuple[str, Any]:
    """Read one setting from words.

    :param option: as a person writes it (``block-time``).
    :returns: the field of `Settings` and its value.
    :raises ValueError: when there is no such setting or the value does not fit; the text says what fits.
    """
    for each in fields(Settings):
        if option_name(each.name) == option:
            try:
                return each.name, each.metadata["read"](words)
            except ValueError as error:
                raise ValueError(f"{option}: {error}") from None
    raise ValueError(f"unknown setting {option!r}; twistd chatserver --help lists them")
