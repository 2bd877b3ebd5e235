"""A look at what may be wrong with settings, rights, certificate and disk, and what to do about it."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cryptography import x509

from chat.server.interfaces import Disk, Finding
from chat.server.process.reactor import SPARE_FILES
from chat.server.settings.schema import Settings

OK, NOTE, WRONG = "ok", "note", "wrong"

SOON = timedelta(days=21)
"""So long before its end a certificate is worth a note."""

_MISSING = "Start the server to create it. If it is running, run chatctl in its folder."

_MIB = 1024 * 1024


def check(settings: Settings, disk: Disk, administrators: int | None) -> tuple[Finding, ...]:
    """:param administrators: how many there are, or nothing where that is not known."""
    return (
        *_private("database", settings.db, _MISSING),
        *_certificate(settings),
        *_passwords(settings),
        *_disk(settings, disk),
        *_files(settings),
        *_administrators(administrators),
    )


def _private(subject: str, path: str, missing: str) -> Iterator[Finding]:
    """Whether a file is there and its owner's alone."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        yield Finding(subject, WRONG, f"{path}: {error.strerror}. {missing}")
        return
    if stat.S_IMODE(mode) & 0o077:
        yield Finding(subject, WRONG, f"{path} can be read by other users. Type: chmod 600 {path}")
    else:
        yield Finding(subject, OK, f"Only its owner can read {path}.")


def _certificate(settings: Settings) -> Iterator[Finding]:
    if settings.certificate == "none":
        yield Finding(
            "certificate", NOTE, "TLS is disabled (certificate = none); anybody on the network can read all traffic."
        )
        return
    yield from _private("certificate", settings.certificate, _MISSING)
    try:
        with open(settings.certificate, "rb") as file:
            own = x509.load_pem_x509_certificates(file.read())[0]
    except (OSError, ValueError):
        return
    end, now = own.not_valid_after_utc, datetime.now(UTC)
    day = end.date().isoformat()
    if end <= now:
        yield Finding("certificate", WRONG, f"It expired on {day}. Put a new one into {settings.certificate}.")
    elif end - now < SOON:
        yield Finding("certificate", NOTE, f"It expires on {day}. Renew it; the server loads the new one by itself.")
    elif own.issuer == own.subject:
        yield Finding("certificate", OK, f"It is self-signed and valid until {day}.")
    else:
        yield Finding("certificate", OK, f"It is valid until {day}.")


def _passwords(settings: Settings) -> Iterator[Finding]:
    if settings.plain_login == "always":
        yield Finding(
            "passwords",
            NOTE,
            "Passwords and tokens are accepted unencrypted. On a shared network, set: plain-login = tls",
        )
    elif settings.plain_login == "tls" and settings.certificate == "none":
        yield Finding(
            "passwords", WRONG, "plain-login = tls needs a certificate; without one, nobody can log in with a password."
        )
    else:
        yield Finding("passwords", OK, f"Accepted unencrypted: {settings.plain_login}.")
    if settings.bcrypt_cost < 10:
        yield Finding(
            "passwords", WRONG, "bcrypt-cost is below 10, so stolen hashes can be cracked quickly. Set it to 12."
        )


def _disk(settings: Settings, disk: Disk) -> Iterator[Finding]:
    if disk.free is None:
        return
    free, floor = disk.free // _MIB, settings.disk_floor
    if free < max(floor, 1):
        yield Finding(
            "disk",
            WRONG,
            f"Low disk space: {free:,} MiB free, minimum {floor:,}. Messages are rejected until space is freed.",
        )
    elif free < 4 * floor:
        yield Finding("disk", NOTE, f"{free:,} MiB free; below {floor:,}, messages are rejected.")
    else:
        yield Finding("disk", OK, f"{free:,} MiB free.")


def _files(settings: Settings) -> Iterator[Finding]:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # the server takes what it may have
    needed = settings.max_connections + SPARE_FILES
    if limit != resource.RLIM_INFINITY and limit < needed:
        yield Finding(
            "open files",
            NOTE,
            f"The limit is {limit:,}; max-connections needs {needed:,}, so fewer clients can connect."
            f" Raise it: ulimit -n {needed}",
        )
    else:
        yield Finding("open files", OK, f"The limit is {'none' if limit < 0 else f'{limit:,}'}.")


def _administrators(number: int | None) -> Iterator[Finding]:
    if number == 0:
        yield Finding("administrators", NOTE, "There are none. Type: chatctl create-user NAME administrator")
    elif number is not None:
        yield Finding("administrators", OK, f"There {'is 1' if number == 1 else f'are {number:,}'}.")
