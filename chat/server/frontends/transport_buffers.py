"""What the layers of a Twisted transport hold of what was written to it: TLS, and the buffers above the socket.

Twisted tells a producer when it has too much, and nobody how much that is. TLS gathers small writes until the next turn
(``_AggregateSmallWrites``), keeps what comes before the end of the handshake, and hands the rest, enciphered, to the
transport below, whose buffers have no bound.
"""

from __future__ import annotations

from typing import Any

from twisted.protocols.tls import BufferingTLSTransport


def buffered(transport: Any) -> int:
    """Bytes that were written and that the kernel has not taken yet."""
    held = len(getattr(transport, "dataBuffer", b"")) - getattr(transport, "offset", 0)
    held += sum(map(len, getattr(transport, "_tempDataBuffer", ())))
    tls = _tls(transport)
    if tls is not None:
        held += sum(map(len, getattr(tls._aggregator, "_buffer", ())))
        held += sum(map(len, tls._appSendBuffer))
    return held


def push_out(transport: Any) -> int:
    """Let the kernel take now what it would be offered in the next turn.

    :returns: what it has not taken; 0 where the connection turns out to be lost, which is then aborted.
    """
    tls = _tls(transport)
    if tls is None:
        return buffered(transport)
    tls._aggregator.flush()
    below = tls.transport if tls is transport else transport
    while left := buffered(transport):
        if below.doWrite() is not None:
            transport.abortConnection()
            return 0
        if buffered(transport) >= left:
            break
    return buffered(transport)


def _tls(transport: Any) -> Any:
    """The layer of TLS: the transport itself at an ``ssl:`` endpoint, its protocol after ``startTLS``."""
    if isinstance(transport, BufferingTLSTransport):
        return transport
    protocol = getattr(transport, "protocol", None)
    return protocol if isinstance(protocol, BufferingTLSTransport) else None
