"""Where settings come from: the command line, over ``config.ini``, over the defaults."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from chat.protocol.errors import Misconfigured
from chat.server.settings.schema import Contradiction, Settings, option_name, read_setting

SECTION = "chatserver"
"""The section of the file that is the server's."""

OTHER_SECTIONS = ("chat", "servers")
"""The sections of the client, which may stand in the same file."""

DEFAULT_FILE = "config.ini"

PATHS = ("db", "certificate", "control", "traffic_log")
"""The settings that are files."""

_NO_SETTINGS = ("config", "listen", "help", "version")
"""Options that are read in another way."""


def option_lines() -> Iterator[tuple[str, str]]:
    """Every option with its help, the default at the end."""
    for each in fields(Settings):
        default = ", ".join(each.default) if isinstance(each.default, tuple) else each.default
        yield option_name(each.name), f"{each.metadata['help']} [default: {default}]"


def given_settings(options: Mapping[str, Any], listen: Sequence[str], folder: str = "") -> Settings:
    """Merge what was given into one checked value.

    :param options: from the command line; those not given are ``None``. ``config`` names the file.
    :param listen: every ``--listen``.
    :param folder: where the path of the file begins, if not here.
    :raises Misconfigured: naming the option, or the file and the line, and what would do.
    """
    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    default = os.path.join(folder, DEFAULT_FILE)
    path = os.path.join(folder, options["config"]) if options["config"] else default
    if path != default or options["config"] or os.path.exists(default):
        _read_file(path, values, places)
    given = {name: words for name, words in options.items() if name not in _NO_SETTINGS and words is not None}
    if listen:
        given["listen"] = "\n".join(listen)
    for name, words in given.items():
        try:
            field, values[field] = read_setting(name, words)
        except ValueError as error:
            raise Misconfigured(f"--{error}") from None
        places[field] = f"--{name}"
    try:
        return Settings(**values)
    except Contradiction as error:
        place = next(places[each] for each in error.fields if each in places)
        raise Misconfigured(f"{place}: {error}.") from None


def placed(settings: Settings, folder: str) -> Settings:
    """The same settings, whose paths begin in a folder: a daemon goes elsewhere (``twistd --rundir``)."""
    paths = {name: getattr(settings, name) for name in PATHS}
    whole: dict[str, Any] = {name: os.path.join(folder, path) for name, path in paths.items() if path != "none"}
    return replace(settings, **whole)


def _read_file(path: str, values: dict[str, Any], places: dict[str, str]) -> None:
    """Read the settings of a file into fields of `Settings`, and where each stands."""
    # Without a section of defaults, which would be read and say nothing where [chatserver] is not there.
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        parser.read_string(text, source=path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Misconfigured(f"{path} cannot be read: {reason}. Fix it, or choose another file with --config.") from None
    except configparser.Error as error:
        raise Misconfigured(f"{path}, {_what_is_wrong(error)}") from None
    for section in parser.sections():
        if section not in (SECTION, *OTHER_SECTIONS):
            line = _line_of(rf"\[{re.escape(section)}\]", text)
            raise Misconfigured(f"{path}, line {line}: unknown section [{section}]. Put settings in [{SECTION}].")
    first = _line_of(rf"\[{SECTION}\]", text)
    for name, words in parser[SECTION].items() if parser.has_section(SECTION) else ():
        line = _line_of(rf"{re.escape(name)}\s*[=:]", text, first)
        place = f"{path}, line {line}"
        try:
            field, values[field] = read_setting(name, words)
        except ValueError as error:
            raise Misconfigured(f"{place}: {error}") from None
        places[field] = place


def _what_is_wrong(error: configparser.Error) -> str:
    """The line of a file that could not be read, and what to write instead."""
    if isinstance(error, configparser.DuplicateOptionError):
        return f"line {error.lineno}: {error.option} is set twice. Remove one of the two lines."
    if isinstance(error, configparser.DuplicateSectionError):
        return f"line {error.lineno}: section [{error.section}] appears twice. Merge the two."
    if isinstance(error, configparser.MissingSectionHeaderError):
        return f"line {error.lineno}: this line is outside any section. Add above it: [{SECTION}]"
    number = error.errors[0][0] if isinstance(error, configparser.ParsingError) and error.errors else 1
    return f"line {number}: this is neither a section nor a setting. Use lines such as: name = x"


def _line_of(pattern: str, text: str, first: int = 1) -> int:
    """The number of the line that begins so, from 1.

    :param first: where to begin.
    """
    begin = re.compile(rf"\s*{pattern}", re.IGNORECASE)
    lines = enumerate(text.split("\n"), 1)
    return next((number for number, line in lines if number >= first and begin.match(line)), first)
