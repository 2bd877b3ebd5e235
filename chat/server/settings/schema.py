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
    db: str = _setting("credentials.db", _path, "the database file, made when it does not exist", restart=True)
    certificate: str = _setting(
        "chat.pem",
        _path,
        "the key and certificate for TLS, made when it does not exist; none: no TLS",
        restart=True,
    )
    control: str = _setting("chat.control", _path, "the socket of chatctl; none: there is none", restart=True)
    traffic_log: str = _setting(
        "traffic.log",
        _path,
        "notes who did what kind of thing when, never what; none: there is none",
        restart=True,
    )
    log_level: str = _setting(
        "info", _choice(*LOG_LEVELS), "the least that the log for people notes: debug, info, warn or error"
    )
    metrics_port: int = _setting(
        0, _number(0, 65_535, "a port"), "the port on loopback where Prometheus reads metrics; 0: none", restart=True
    )
    name: str = _setting("chat", _words, "what the server calls itself")
    sessions: str = _setting("one", _choice(*SESSIONS), "sessions an account may have: one, per-device or many")
    registration: str = _setting(
        "open",
        _choice(*REGISTRATION),
        "who makes accounts: open (everybody), code (whoever has an invitation code) or closed (nobody)",
    )
    auto_register: str = _setting(
        "no", _choice(*AUTO_REGISTER), "whether login with an unknown name makes the account: no, ask or yes"
    )
    plain_login: str = _setting(
        "always",
        _choice(*PLAIN_LOGIN),
        "where passwords, tokens and codes may cross unencrypted: always, loopback or tls (nowhere)",
    )
    bcrypt_cost: int = _setting(
        12, _number(4, 15, "each step doubles the time"), "the cost of a password hash", restart=True
    )
    block_time: int = _setting(
        60, _number(1, 86_400, "seconds"), "the longest lock-out after wrong passwords, seconds", restart=True
    )
    heartbeat: int = _setting(
        30, _number(1, 3_600, "seconds"), "how often programs that promise heartbeats send one, seconds"
    )
    timeout: int = _setting(
        90, _number(2, 86_400, "seconds"), "silence after which such a program counts as gone, seconds"
    )
    login_timeout: int = _setting(
        300, _number(5, 86_400, "seconds"), "how long a connection may stay without logging in, seconds"
    )
    max_connections: int = _setting(20_000, _number(1, 1_000_000, "connections"), "connections at the same time")
    network_connections: int = _setting(
        1_000, _number(1, 1_000_000, "connections"), "connections at the same time from one network"
    )
    rate: float = _setting(
        5.0, _number(0.1, 1_000_000, "a second", float), "commands a second that one person may send"
    )
    burst: int = _setting(40, _number(1, 1_000_000, "commands"), "commands that one person may send at once")
    broadcasts: int = _setting(6, _number(1, 1_000_000, "a minute"), "broadcasts a minute that one person may send")
    unsent: int = _setting(
        1_048_576, _number(65_536, 1 << 30, "bytes"), "bytes that may wait for a slow reader before it is dropped"
    )
    mailbox: int = _setting(
        1_000, _number(1, 1_000_000, "messages"), "private messages of one person that may wait unread for another"
    )
    rooms_a_day: int = _setting(
        50,
        _number(1, 1_000_000, "rooms"),
        "rooms that one person may make within 24 hours; administrators are free",
    )
    file_quota: int = _setting(
        100, _number(0, 1 << 20, "MiB"), "MiB of files of one person that wait for their readers; 0: no files are kept"
    )
    file_total: int = _setting(
        2_048, _number(1, 1 << 24, "MiB"), "MiB of files of all people together that wait for their readers"
    )
    file_days: int = _setting(
        7, _number(1, 3_650, "days"), "how long a file waits for its reader before it is removed, days"
    )
    disk_floor: int = _setting(
        256, _number(0, 1 << 30, "MiB"), "MiB of free disk below which nothing new is accepted; logins still are"
    )

    def __post_init__(self) -> None:
        if self.timeout < 2 * self.heartbeat:
            raise Contradiction(
                ("timeout", "heartbeat"),
                f"timeout ({self.timeout}) has to be at least twice heartbeat ({self.heartbeat}), or living clients"
                f" would be dropped. Use a timeout of {2 * self.heartbeat} or more",
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
    raise ValueError(f"there is no setting {option!r}; twistd chatserver --help shows them all")
