"""Opening the ports: an endpoint as the operator writes it -> an open port, or one line that says why not."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from OpenSSL import SSL, crypto
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from chat.protocol.errors import Misconfigured

BACKLOG = 1_024
"""Connections that may wait to be accepted; 50, Twisted's default, makes a crowd wait for its retries."""

_NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
"""What a machine without IPv6 says to it."""

_EXAMPLE = "Use an endpoint such as tcp:7777"


def open_port(reactor: Any, words: str, factories: Mapping[str, Factory]) -> tuple[str, IListeningPort]:
    """Open a port, at once.

    :param words: ``[KIND=]ENDPOINT``, the endpoint as Twisted has it (``serverFromString``).
    :param factories: what speaks at a port, by its kind; without a kind it is ``auto``.
    :returns: the kind and the port.
    :raises Misconfigured: when it cannot be opened.
    """
    kind, separator, endpoint = words.partition("=")
    if not separator or ":" in kind:
        kind, endpoint = "auto", words
    if kind not in factories:
        raise Misconfigured(f"listen {words}: there is no kind {kind}. Use one of: {', '.join(factories)}")
    if not _has_port(endpoint):
        raise Misconfigured(f"listen {words}: the port has to be a number from 0 to 65535. {_EXAMPLE}")
    problem: Exception | None = None
    for each in _spellings(endpoint):
        try:
            opened = _now(serverFromString(reactor, each).listen(factories[kind]))
        except CannotListenError as error:
            problem = error
            if getattr(error.socketError, "errno", None) not in _NO_SUCH_FAMILY:
                break
        except Exception as error:  # an endpoint's parser raises whatever it likes
            problem = error
            break
        else:
            return kind, opened
    raise Misconfigured(f"listen {words}: {_why(endpoint, problem)}")


def _now(listening: Deferred[IListeningPort]) -> IListeningPort:
    """The port of an endpoint, all of which open theirs at once.

    :raises Exception: when it could not be opened.
    """
    outcome: list[Any] = []
    listening.addBoth(outcome.append)
    (opened,) = outcome
    if isinstance(opened, Failure):
        opened.raiseException()
    port: IListeningPort = opened
    return port


def ways_in(kind: str, port: IListeningPort, tls: bool) -> Iterator[str]:
    """What people type to come in by a port.

    :param tls: whether the server has a certificate.
    """
    address: Any = port.getHost()
    number = getattr(address, "port", None)
    if number is None:
        yield f"  {address}"
        return
    everywhere = address.host in ("", "::", "0.0.0.0")
    host = "localhost" if everywhere else address.host
    way = f"  {'telnet' if kind == 'telnet' else 'nc'} {host} {number}"
    yield way
    if everywhere:
        yield f"{way.replace(host, os.uname().nodename)}    (from other machines)"
    if kind == "auto" and tls:
        yield f"  ncat --ssl {host} {number}    (encrypted)"


def _spellings(endpoint: str) -> Iterator[str]:
    """An endpoint as Twisted wants it; plain ``tcp:PORT`` is all addresses, IPv6 as well where there is IPv6."""
    kind, *rest = endpoint.split(":")
    backlog = "" if any(each.startswith("backlog=") for each in rest) else f":backlog={BACKLOG}"
    if kind == "tcp" and len(rest) == 1:
        yield f"tcp6:{rest[0]}:interface=\\:\\:{backlog}"
    yield endpoint + (backlog if kind in ("tcp", "tcp6", "ssl") else "")


def _has_port(endpoint: str) -> bool:
    """Whether an endpoint that has to name a port names one."""
    kind, _, rest = endpoint.partition(":")
    if kind not in ("tcp", "tcp6", "ssl") or "port=" in rest:
        return True
    number = rest.partition(":")[0]
    return number.isascii() and number.isdigit() and int(number) < 1 << 16


def _why(endpoint: str, problem: Exception | None) -> str:
    """What is wrong with an endpoint, and what to do."""
    error = getattr(problem, "socketError", None) or problem
    if isinstance(error, socket.gaierror):
        return "unknown address. Leave interface= out, or use an address of this machine"
    if isinstance(error, OSError):
        return _why_not_opened(error, "the socket" if endpoint.startswith("unix:") else error.filename or "it")
    if isinstance(error, SSL.Error | crypto.Error):
        return "that file has no certificate with its key. Name a PEM file: ssl:PORT:privateKey=FILE"
    return f"not an endpoint. {_EXAMPLE}"


def _why_not_opened(error: OSError, subject: str) -> str:
    why = error.strerror or str(error)
    if error.errno == errno.EADDRINUSE:
        return "the port is in use. Stop the program that uses it, or choose another one: --listen tcp:7778"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address. Leave interface= out, or use one of its addresses"
    if isinstance(error, PermissionError) and subject == "it":
        return f"{why}. Use a port above 1023: --listen tcp:7777"
    return f"{subject} cannot be used ({why}). Fix that, or use another endpoint such as tcp:7777"
