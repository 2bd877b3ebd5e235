"""Protocol detection: which protocol a new connection speaks, by the first bytes that the peer sends. Pure.

The first byte tells TLS and JSON apart from everything that begins with a line of text; the first line that is not
empty tells HTTP and IRC apart from a person. HTTP is recognised on every kind of listener and answered once: a web page
can make a browser send a request here whose body holds lines of its choice, and none of them may be read as a command.
"""

from __future__ import annotations

import re

CLIENT_HELLO = b"\x16"
"""The first byte of TLS: a handshake record (RFC 8446, section 5.1)."""

_METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What a method may be (RFC 9110, section 9.1)."""

_VERSIONED = re.compile(rb"\S+[ \t]+\S.*[ \t]HTTP/[0-9.]+\s*", re.IGNORECASE | re.DOTALL)
"""A line that ends with a version of HTTP. Real requests are stricter; what only looks like one is refused as well."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_TARGET = re.compile(rb"/|\*|\w{1,16}://")
"""How the target of a request begins, but for that of CONNECT."""

_IRC = re.compile(rb"(?:CAP (?:LS|REQ|END|LIST)|(?:PASS|NICK|USER) \S)")
"""How an IRC client begins (RFC 2812, section 3.1; IRCv3 capability negotiation)."""

ANSWERS = {
    "http": (
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 23\r\n"
        b"Connection: close\r\n\r\nThis is a chat server.\n"
    ),
    "tls": b"\x15\x03\x01\x00\x02\x02\x28",  # an alert: handshake_failure (RFC 8446, section 6.2)
    "irc": b"ERROR :This server does not speak IRC. Connect with the chat client, netcat or telnet.\r\n",
}
"""What a protocol that nobody speaks here is answered before the connection is closed."""


def by_first_byte(first: bytes) -> str | None:
    """``tls``, ``json``, or nothing where the first line has to decide.

    :param first: the first byte.
    """
    if first == CLIENT_HELLO:
        return "tls"
    return "json" if first == b"{" else None


def by_first_line(line: bytes, whole: bool = True) -> str | None:
    """``http``, ``irc``, or nothing where a person types.

    :param line: the first line that is not empty.
    :param whole: whether it has ended, or only its beginning was read because it is too long.
    """
    if _is_request(line, whole):
        return "http"
    return "irc" if _IRC.match(line) else None


def _is_request(line: bytes, whole: bool) -> bool:
    """Whether a line is a request line of HTTP in any version, or the preface of HTTP/2 (RFC 9113, section 3.4)."""
    line = line.removeprefix(_BYTE_ORDER_MARK)
    if whole and _VERSIONED.fullmatch(line):
        return True
    method, _, rest = line.partition(b" ")
    if not whole:
        return _METHOD.fullmatch(method) is not None and _TARGET.match(rest) is not None
    return method == b"GET" and rest[:1] == b"/"  # HTTP/0.9 names no version
