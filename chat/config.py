"""Where settings come from: the command line, over ``config.ini``, over the defaults."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from chat.errors import Misconfigured
from chat.settings import Settings, option_name, read_setting

SECTION = "chatserver"
"""The section of the file that is the server's."""

DEFAULT_FILE = "config.ini"


def option_lines() -> Iterator[tuple[str, str]]:
    """Every option with its help, the default at the end."""
    for each in fields(Settings):
        default = ", ".join(each.default) if isinstance(each.default, tuple) else each.default
        yield option_name(each.name), f"{each.metadata['help']} [default: {default}]"


def given_settings(options: Mapping[str, Any], listen: Sequence[str]) -> Settings:
    """Merge what was given into one checked value.

    :param options: from the command line; those not given are ``None``. ``config`` names the file.
    :param listen: every ``--listen``.
    :raises Misconfigured: naming the option, or the file and the line, and what would do.
    """
    values: dict[str, Any] = {}
    path = options["config"] or (DEFAULT_FILE if os.path.exists(DEFAULT_FILE) else None)
    if path is not None:
        values.update(_from_file(path))
    try:
        for name, words in options.items():
            if name not in ("config", "listen", "help", "version") and words is not None:
                field, value = read_setting(name, words)
                values[field] = value
        if listen:
            values["listen"] = read_setting("listen", "\n".join(listen))[1]
    except ValueError as error:
        raise Misconfigured(f"--{error}") from None
    try:
        return Settings(**values)
    except ValueError as error:
        raise Misconfigured(str(error)) from None


def _from_file(path: str) -> dict[str, Any]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        parser.read_string(text, source=path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Misconfigured(f"{path} cannot be read: {reason}. Mend it, or choose another one with --config.") from None
    except configparser.Error as error:
        first = " ".join(str(error).split())
        raise Misconfigured(f"{first}. Write a section [{SECTION}] with lines such as: name = chat") from None
    values: dict[str, Any] = {}
    for name, words in parser[SECTION].items() if parser.has_section(SECTION) else ():
        try:
            field, value = read_setting(name, words)
        except ValueError as error:
            raise Misconfigured(f"{path}, line {_line_of(name, text)}: {error}") from None
        values[field] = value
    return values


def _line_of(option: str, text: str) -> int:
    """The number of the line that sets an option, from 1."""
    setting = re.compile(rf"\s*{re.escape(option)}\s*[=:]", re.IGNORECASE)
    return next((number for number, line in enumerate(text.splitlines(), 1) if setting.match(line)), 1)
