"""``chat keys export FILE`` and ``chat keys import FILE``: moves keys to another machine, under a passphrase."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from chat.client.e2e.key_export import COST, KeyFile
from chat.client.e2e.key_files import KeyFiles
from chat.client.model.failures import BadKeyFile, ClientFailure

Secret = Callable[[str], str]
"""Asks a person at a terminal for a word that is not shown; raises `ClientFailure` where there is nobody."""


def export_keys(key_files: KeyFiles, account: str, device: str, file: Path, ask: Secret, cost: int = COST) -> str:
    """Write the keys of an account into a file.

    :returns: what to tell the person.
    :raises ClientFailure: when they do not open, or the file is there or cannot be written.
    """
    if file.exists():
        raise ClientFailure(f"{file} already exists. Choose another name.")
    if not key_files.path(account, device).exists():
        raise ClientFailure(f"{account} has no keys on this device. Log in first: chat --user {account}")
    ring = key_files.open(account, device, ask(f"Password of {account}: "))
    try:
        bundle = ring.bundle()
    finally:
        ring.close()
    passphrase = ask("New passphrase for the file: ")
    if ask("Repeat the passphrase: ") != passphrase:
        raise BadKeyFile("The passphrases do not match. Nothing was saved.")
    try:
        KeyFile.make(file, passphrase, cost).save(bundle)
    except OSError as error:
        raise ClientFailure(f"Cannot write {file}: {error.strerror}.") from None
    return f"Saved the keys of {account} in {file}. Anyone with the file and its passphrase can read your messages."


def import_keys(key_files: KeyFiles, account: str, device: str, file: Path, ask: Secret) -> str:
    """Take the keys of an account from a file; this device is one of its owner's then.

    :returns: what to tell the person.
    :raises ClientFailure: when the file does not open, or holds somebody else's keys.
    """
    try:
        _, bundle = KeyFile.open(file, ask(f"Passphrase of {file}: "))
    except OSError as error:
        raise ClientFailure(f"Cannot read {file}: {error.strerror}.") from None
    ring = key_files.open(account, device, ask(f"Password of {account}: "))
    try:
        count = ring.take_bundle(bundle)
    finally:
        ring.close()
    return f"Imported the keys of {account} and {count:,} keys of conversations."
