"""What a client keeps between two starts, in the folders that the platform has for it; nobody else may read it.

``config.ini`` is the person's: settings, and the servers to pick from. ``servers.json`` is the program's: which key a
server had when it was first met, and the tokens that log in without a password. ``history`` is what was typed and
``unsent.json`` what could not be sent yet, both of accounts without keys alone (see `chat.client.shelf`).
``errors.log`` is what went wrong unseen in the run before or in this one.
"""

from __future__ import annotations

import configparser
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from platformdirs import PlatformDirs, user_downloads_path

from chat.client.dialing import Address
from chat.client.failures import ClientFailure

MOST_RECENT = 20
"""Servers that are remembered, the latest first."""

MOST_TYPED = 500
"""Lines of input that are remembered."""


@dataclass(frozen=True, slots=True)
class Known:
    """A server that was met before.

    :param pin: the SHA-256 of its certificate, or empty where an authority vouched for it, or it has no TLS.
    :param tokens: what logs in without a password, by account.
    :param account: who was logged in last, or empty.
    :param met: when it was called last, seconds since the epoch.
    """

    address: Address
    pin: bytes = b""
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    account: str = ""
    met: float = 0.0

    @property
    def accounts(self) -> tuple[str, ...]:
        """Whose accounts need no password here, the one of last time first."""
        names = dict.fromkeys(each.rpartition("@")[0] for each in self.tokens)
        return tuple(sorted(names, key=lambda name: (name != self.account, name)))


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``config.ini`` says, in its section ``[chat]``.

    :param theme: ``dark`` or ``light``, or a name of Textual's.
    :param bell: whether the terminal rings when one is named.
    :param device: what this machine is called among the devices of an account, or empty for its own name.
    :param direct_port: where other clients may call once one has consented, or 0 for any port that is free.
    :param downloads: the folder in which files land that one takes.
    :param servers: names and addresses of the section ``[servers]``.
    """

    theme: str = "dark"
    bell: bool = True
    device: str = ""
    servers: tuple[tuple[str, Address], ...] = ()
    direct_port: int = 0
    downloads: Path = field(default_factory=user_downloads_path)


class Files:
    """The files of one person.

    :param config: the folder of ``config.ini``.
    :param data: the folder of the rest.
    """

    def __init__(self, config: Path, data: Path) -> None:
        self.config = config / "config.ini"
        self._data = data
        self._servers = data / "servers.json"
        self._typed = data / "history"
        self._unsent = data / "unsent.json"

    @classmethod
    def of_platform(cls) -> Files:
        """Where such files belong on this machine (``XDG_CONFIG_HOME`` and ``XDG_DATA_HOME`` on Linux)."""
        folders = PlatformDirs("chat", appauthor=False)
        return cls(Path(folders.user_config_dir), Path(folders.user_data_dir))

    # the person's

    def settings(self) -> Settings:
        """Read ``config.ini``.

        :raises ClientFailure: in one line, when it cannot be read.
        """
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read(self.config, encoding="utf-8")
            section = dict(parser.items("chat")) if parser.has_section("chat") else {}
            listed = parser.items("servers") if parser.has_section("servers") else ()
            servers = tuple((name, _read_server(words)) for name, words in listed)
            bell = parser.getboolean("chat", "bell", fallback=True)
            port = parser.getint("chat", "direct-port", fallback=0)
            if not 0 <= port < 65_536:
                raise ValueError(f"direct-port is a number from 0 to 65535, not {port}")
        except (configparser.Error, ValueError, OSError) as error:
            reason = " ".join(str(error).split())
            raise ClientFailure(f"{self.config}: {reason[:200]}") from None
        downloads = Path(section["downloads"]).expanduser() if section.get("downloads") else user_downloads_path()
        return Settings(section.get("theme", "dark"), bell, section.get("device", ""), servers, port, downloads)

    # the program's

    def known(self) -> list[Known]:
        """The servers that were met, the latest first."""
        found = [
            known for words, record in self._records().items() if (known := _read_known(words, record)) is not None
        ]
        return sorted(found, key=lambda each: -each.met)

    def find(self, address: Address) -> Known:
        """What is known of a server; nothing much where it was never met."""
        return next((each for each in self.known() if each.address == address), Known(address))

    def pin(self, address: Address, fingerprint: bytes) -> None:
        """Remember the key of a server."""
        self._change(address, lambda record: record.update(pin=fingerprint.hex()))

    def keep_token(self, address: Address, account: str, device: str, token: str) -> None:
        """Remember what logs this device in again; empty to forget it."""

        def change(record: dict[str, Any]) -> None:
            tokens = record.setdefault("tokens", {})
            if token:
                tokens[f"{account}@{device}"] = token
                record.update(account=account)
            else:
                tokens.pop(f"{account}@{device}", None)

        self._change(address, change)

    def keys(self, address: Address) -> Path:
        """The folder of the keys that are used on a server; with TLS or without, it is the same server."""
        return self._data / "keys" / quote(str(address), safe="")

    def forget(self, address: Address) -> None:
        """Forget a server, its key and its tokens."""
        with self._locked():
            records = self._records()
            records.pop(_write_server(address), None)
            self._write(self._servers, json.dumps(records, indent=1))

    def typed(self) -> list[str]:
        """Lines of input, the oldest first."""
        try:
            return [json.loads(line) for line in self._typed.read_text("utf-8").splitlines()][-MOST_TYPED:]
        except (OSError, ValueError):
            return []

    def keep_typed(self, lines: list[str]) -> None:
        """Remember lines of input; without any there is no such file."""
        if not lines:
            self._remove(self._typed)
            return
        with self._locked():
            self._write(self._typed, "".join(json.dumps(line) + "\n" for line in lines[-MOST_TYPED:]))

    def _remove(self, path: Path) -> None:
        if path.exists():
            with self._locked():
                path.unlink(missing_ok=True)

    def open_log(self) -> IO[str]:
        """What goes wrong in this run; that of the run before is gone.

        :raises ClientFailure: when nothing can be written.
        """
        with self._locked():
            return self._open(self._data / "errors.log")

    def unsent(self, address: Address, account: str, device: str) -> list[Any]:
        """Lines of a device that wait to be sent, as JSON values."""
        found = self._read(self._unsent).get(f"{account}@{device} {_write_server(address)}", [])
        return found if isinstance(found, list) else []

    def keep_unsent(self, address: Address, account: str, device: str, lines: list[Any]) -> None:
        """Remember them instead of those before; without any of anybody there is no such file."""
        if not lines and not self._unsent.exists():
            return
        with self._locked():
            records = self._read(self._unsent)
            records.pop(name := f"{account}@{device} {_write_server(address)}", None)
            if lines:
                records[name] = lines
            if records:
                self._write(self._unsent, json.dumps(records))
            else:
                self._unsent.unlink()

    def _change(self, address: Address, change: Callable[[dict[str, Any]], object]) -> None:
        with self._locked():
            records = self._records()
            record = records.setdefault(_write_server(address), {})
            change(record)
            record["met"] = time.time()
            latest = sorted(records.items(), key=lambda each: -float(each[1].get("met", 0)))[:MOST_RECENT]
            self._write(self._servers, json.dumps(dict(latest), indent=1))

    def _records(self) -> dict[str, Any]:
        return {words: record for words, record in self._read(self._servers).items() if isinstance(record, dict)}

    def _read(self, path: Path) -> dict[str, Any]:
        """A file as a JSON object; an empty one where there is none."""
        try:
            records = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return records if isinstance(records, dict) else {}

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other clients of this person from writing meanwhile.

        :raises ClientFailure: when nothing can be written.
        """
        try:
            self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(self._data / "lock", os.O_CREAT | os.O_RDWR, 0o600)) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise ClientFailure(f"{self._data} cannot be written ({error.strerror}).") from None

    def _write(self, path: Path, text: str) -> None:
        """Replace a file whole, readable by nobody else."""
        draft = path.with_suffix(".new")
        with self._open(draft) as file:
            file.write(text)
        os.replace(draft, path)

    def _open(self, path: Path) -> IO[str]:
        """Begin a file that nobody else may read."""
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "w", encoding="utf-8")


def _read_server(words: str) -> Address:
    """``HOST[:PORT]``, and the word ``unencrypted`` after it."""
    address, _, rest = words.strip().partition(" ")
    if rest.strip() not in ("", "unencrypted"):
        raise ValueError(f"{words[:60]!r}: write HOST[:PORT], or HOST[:PORT] unencrypted")
    return Address.parse(address, tls=not rest.strip())


def _write_server(address: Address) -> str:
    return f"{address}{'' if address.tls else ' unencrypted'}"


def _read_known(words: str, record: dict[str, Any]) -> Known | None:
    try:
        return Known(
            _read_server(words),
            bytes.fromhex(record.get("pin", "")),
            {str(account): str(token) for account, token in record.get("tokens", {}).items()},
            str(record.get("account", "")),
            float(record.get("met", 0)),
        )
    except (ValueError, TypeError, AttributeError):
        return None
