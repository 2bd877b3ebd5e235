"""The files that a client keeps between two runs, in the platform's folders for them; only the owner can read them.

``config.ini`` belongs to the person: settings, and a list of servers. ``servers.json`` belongs to the client: the key
and the database of each server, and login tokens. ``keys`` has a folder of encryption keys for each server. ``history``
is the input history and ``unsent.json`` the unsent lines, both only of accounts without keys (see
`chat.client.session.draft_store`). ``errors.log`` has the internal errors of the last run.
"""

from __future__ import annotations

import configparser
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from platformdirs import PlatformDirs, user_downloads_path

from chat.client.model.failures import ClientFailure
from chat.client.session.endpoint import ServerAddress
from chat.client.session.private_folder import Folder, create_private, replace_private
from chat.client.session.server_record import Known, read_known, read_server, write_server

MOST_RECENT = 20
"""The most servers that are remembered."""

MOST_TYPED = 500
"""The most lines of input history."""


_DATABASE = ".database"
"""The file beside the keys that names their database; no account can have this name."""


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """The section ``[chat]`` of ``config.ini``.

    :param theme: ``dark``, ``light``, or the name of a Textual theme.
    :param bell: whether the terminal rings when a message names the person.
    :param device: the name of this device in the account; empty for the name of the machine.
    :param direct_port: the port for peer-to-peer connections; 0 for any free port.
    :param downloads: the folder for received files.
    :param servers: names and addresses from the section ``[servers]``.
    :param unattended: whether keys that ``chat send`` and ``chat tail`` have unlocked stay unlocked on disk, for cron.
    """

    theme: str = "dark"
    bell: bool = True
    device: str = ""
    servers: tuple[tuple[str, ServerAddress], ...] = ()
    direct_port: int = 0
    downloads: Path = field(default_factory=user_downloads_path)
    unattended: bool = False


class Files:
    """The files of one person.

    :param config: the folder of ``config.ini``.
    :param data: the folder of the rest.
    :ivar unlocked: the folder of unlocked keys for scripts, if the settings allow it.
    """

    def __init__(self, config: Path, data: Path) -> None:
        self.config = config / "config.ini"
        self._folder = Folder(data)
        self._servers = data / "servers.json"
        self._typed = data / "history"
        self._unsent = data / "unsent.json"
        self.unlocked = data / "unlocked"

    @classmethod
    def of_platform(cls) -> Files:
        """The files in the platform's folders (``XDG_CONFIG_HOME`` and ``XDG_DATA_HOME`` on Linux)."""
        folders = PlatformDirs("chat", appauthor=False)
        return cls(Path(folders.user_config_dir), Path(folders.user_data_dir))

    # config.ini

    def settings(self) -> ClientSettings:
        """Read ``config.ini``.

        :raises ClientFailure: in one line, when it cannot be read.
        """
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read(self.config, encoding="utf-8")
            section = dict(parser.items("chat")) if parser.has_section("chat") else {}
            listed = parser.items("servers") if parser.has_section("servers") else ()
            servers = tuple((name, read_server(words)) for name, words in listed)
            bell = parser.getboolean("chat", "bell", fallback=True)
            unattended = parser.getboolean("chat", "unattended", fallback=False)
            port = parser.getint("chat", "direct-port", fallback=0)
            if not 0 <= port < 65_536:
                raise ValueError(f"direct-port must be a number from 0 to 65535, not {port}")
        except (configparser.Error, ValueError, OSError) as error:
            reason = " ".join(str(error).split())
            raise ClientFailure(f"{self.config}: {reason[:200]}") from None
        downloads = Path(section["downloads"]).expanduser() if section.get("downloads") else user_downloads_path()
        theme, device = section.get("theme", "dark"), section.get("device", "")
        return ClientSettings(theme, bell, device, servers, port, downloads, unattended)

    # servers.json and the rest

    def known(self) -> list[Known]:
        """The known servers, the last used first."""
        found = [known for words, record in self._records().items() if (known := read_known(words, record)) is not None]
        return sorted(found, key=lambda each: -each.met)

    def find(self, address: ServerAddress) -> Known:
        """The record of a server; an empty one if it is not known."""
        return next((each for each in self.known() if each.address == address), Known(address))

    def pin(self, address: ServerAddress, fingerprint: bytes) -> None:
        """Remember the key of a server."""
        self._change(address, lambda record: record.update(pin=fingerprint.hex()))

    def keep_token(self, address: ServerAddress, account: str, device: str, token: str) -> None:
        """Remember the login token of this device; empty to forget it."""

        def change(record: dict[str, Any]) -> None:
            tokens = record.setdefault("tokens", {})
            if token:
                tokens[f"{account}@{device}"] = token
                record.update(account=account)
            else:
                tokens.pop(f"{account}@{device}", None)

        self._change(address, change)

    def keys(self, address: ServerAddress) -> Path:
        """The folder of the encryption keys for a server, the same with TLS and without."""
        return self._folder.path / "keys" / quote(str(address), safe="")

    def meet(self, address: ServerAddress, database: str) -> Path | None:
        """Remember the database of a server; keys and unsent lines of another database are moved aside.

        :returns: the folder to which they were moved, if there were any.
        """
        if self.find(address).database != database:
            self._change(address, lambda record: record.update(database=database))
        keys = self.keys(address)
        named = keys / _DATABASE
        aside = None
        with self._folder.locked():
            keys.mkdir(mode=0o700, parents=True, exist_ok=True)
            if named.exists() and named.read_text("utf-8") != database:
                aside = self._put_aside(address, keys)
                keys.mkdir(mode=0o700)
            replace_private(named, database.encode())
        return aside

    def _put_aside(self, address: ServerAddress, keys: Path) -> Path:
        """Move the keys, everything encrypted with them, and the unsent lines to another folder."""
        name = f"{keys.name}+old-{time.strftime('%Y-%m-%d')}"
        names = (name, *(f"{name}-{number}" for number in range(2, 1_000)))
        aside = next(keys.with_name(each) for each in names if not keys.with_name(each).exists())
        keys.rename(aside)
        records = self._folder.read(self._unsent)
        theirs = {f" {write_server(replace(address, tls=tls))}" for tls in (True, False)}
        waiting = {who: lines for who, lines in records.items() if any(who.endswith(each) for each in theirs)}
        if waiting:
            replace_private(aside / self._unsent.name, json.dumps(waiting).encode())
            self._write_unsent({who: lines for who, lines in records.items() if who not in waiting})
        return aside

    def begin_anew(self, address: ServerAddress) -> None:
        """Treat a reinstalled server as a new one, but keep its remembered key."""
        for each in self._both(address):
            self._change(each, lambda record: [record.pop(name, None) for name in ("database", "tokens")])

    def forget(self, address: ServerAddress) -> bool:
        """Forget a server, its key and its tokens.

        :returns: whether it was known.
        """
        both = self._both(address)
        with self._folder.locked():
            records = self._records()
            for each in both:
                records.pop(write_server(each), None)
            replace_private(self._servers, json.dumps(records, indent=1).encode())
        return bool(both)

    def database(self, address: ServerAddress) -> str:
        """The database that a server had last, with TLS or without; empty if it is not known."""
        return next((each for known in self._both(address) if (each := self.find(known).database)), "")

    def _both(self, address: ServerAddress) -> list[ServerAddress]:
        """The known addresses of a server, with TLS and without."""
        known = (each.address for each in self.known())
        return [each for each in known if (each.host, each.port) == (address.host, address.port)]

    def typed(self) -> list[str]:
        """The input history, the oldest line first."""
        try:
            return [json.loads(line) for line in self._typed.read_text("utf-8").splitlines()][-MOST_TYPED:]
        except (OSError, ValueError, RecursionError):
            return []

    def keep_typed(self, lines: list[str]) -> None:
        """Store the input history; an empty one removes the file."""
        if not lines:
            self._remove(self._typed)
            return
        with self._folder.locked():
            replace_private(self._typed, "".join(json.dumps(line) + "\n" for line in lines[-MOST_TYPED:]).encode())

    def _remove(self, path: Path) -> None:
        if path.exists():
            with self._folder.locked():
                path.unlink(missing_ok=True)

    def open_log(self) -> IO[str]:
        """Open a new log of internal errors, in place of the last run's.

        :raises ClientFailure: when nothing can be written.
        """
        with self._folder.locked():
            return io.TextIOWrapper(create_private(self._folder.path / "errors.log"), encoding="utf-8")

    def unsent(self, address: ServerAddress, account: str, device: str) -> list[Any]:
        """The unsent lines of a device, as JSON values."""
        found = self._folder.read(self._unsent).get(f"{account}@{device} {write_server(address)}", [])
        return found if isinstance(found, list) else []

    def keep_unsent(self, address: ServerAddress, account: str, device: str, lines: list[Any]) -> None:
        """Replace the unsent lines of a device; if nobody has any, the file is removed."""
        if not lines and not self._unsent.exists():
            return
        with self._folder.locked():
            records = self._folder.read(self._unsent)
            records.pop(name := f"{account}@{device} {write_server(address)}", None)
            if lines:
                records[name] = lines
            self._write_unsent(records)

    def _write_unsent(self, records: dict[str, Any]) -> None:
        if records:
            replace_private(self._unsent, json.dumps(records).encode())
        else:
            self._unsent.unlink(missing_ok=True)  # another client may have removed it before the lock was taken

    def _change(self, address: ServerAddress, change: Callable[[dict[str, Any]], object]) -> None:
        with self._folder.locked():
            records = self._records()
            record = records.setdefault(write_server(address), {})
            change(record)
            record["met"] = time.time()
            latest = sorted(records.items(), key=lambda each: -float(each[1].get("met", 0)))[:MOST_RECENT]
            replace_private(self._servers, json.dumps(dict(latest), indent=1).encode())

    def _records(self) -> dict[str, Any]:
        return {words: record for words, record in self._folder.read(self._servers).items() if isinstance(record, dict)}
