"""A network without sockets or time: hosts that listen and call, wires between them that are recorded and cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import (
    CannotListenError,
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
    TimeoutError,
)
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer


class Transport(StringTransport):
    """One end of a wire."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.wire = wire
        self.aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        self.disconnecting = True

    def setTcpKeepAlive(self, enabled: bool) -> None:
        pass

    def getHost(self) -> Any:
        return self.wire.address

    getPeer = getHost


class Wire:
    """A connection.

    :ivar recorded: every byte that went over it, in both directions.
    :ivar change: what becomes of bytes on their way; a test may meddle.
    """

    def __init__(self, address: Any, caller: Any, listener: Any) -> None:
        self.address = address
        self.recorded = bytearray()
        self.change: Callable[[bytes], bytes] = lambda data: data
        self.silent = False
        self.over = False
        self.ends = (caller, listener)
        self.transports = (Transport(self), Transport(self))
        for end, transport in zip(self.ends, self.transports, strict=True):
            end.makeConnection(transport)

    def pump(self) -> bool:
        """Carry what waits.

        :returns: whether anything did.
        """
        if self.over or self.silent:
            return False
        moved = False
        for number, transport in enumerate(self.transports):
            data = transport.value()
            if data and not self.over:
                moved = True
                transport.clear()
                self.recorded += data
                self.ends[1 - number].dataReceived(self.change(data))
        if not moved and not self.over and any(each.disconnecting for each in self.transports):
            self.cut(ConnectionDone())
            return True
        return moved

    def cut(self, reason: Exception | None = None) -> None:
        """The connection is gone; what was on its way is lost."""
        if not self.over:
            self.over = True
            for end in self.ends:
                end.connectionLost(Failure(reason or ConnectionLost()))


class _Port:
    def __init__(self, net: Host, address: Any) -> None:
        self._host = net
        self._address = address

    def getHost(self) -> Any:
        return self._address

    def stopListening(self) -> None:
        self._host.listening.pop(self._address.port, None)


class Net:
    """All hosts.

    :param clock: that all of them go by.
    :ivar hosts: by address.
    :ivar dropped: addresses behind a firewall that never answers.
    :ivar wires: in the order in which they were made.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.hosts: dict[str, Host] = {}
        self.dropped: set[str] = set()
        self.wires: list[Wire] = []

    def settle(self) -> bool:
        """Until nothing is on its way any more.

        :returns: whether anything was.
        """
        rounds = 0
        while True:
            due = any(each.getTime() <= self.clock.seconds() for each in self.clock.getDelayedCalls())
            self.clock.advance(0)
            if not sum(wire.pump() for wire in tuple(self.wires)) and not due:
                return rounds > 0
            rounds += 1

    def pass_time(self, seconds: float) -> None:
        """In small steps."""
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end:
            self.settle()
            self.clock.advance(min(0.1, end - self.clock.seconds()))
        self.settle()


@implementer(IReactorTCP)
class Host:
    """The reactor of one machine.

    :param addresses: under which it is reached.
    """

    def __init__(self, net: Net, *addresses: str) -> None:
        self.net = net
        self.address = addresses[0]
        self.listening: dict[int, Any] = {}
        for address in addresses:
            net.hosts[address] = self

    def seconds(self) -> float:
        return float(self.net.clock.seconds())

    def callLater(self, delay: float, call: Any, *args: Any, **kw: Any) -> Any:
        return self.net.clock.callLater(delay, call, *args, **kw)

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        port = port or 50_000
        if port in self.listening:
            raise CannotListenError(interface, port, OSError(98, "Address already in use"))
        self.listening[port] = factory
        factory.doStart()
        return _Port(self, IPv6Address("TCP", "::", port))

    def connectTCP(self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None) -> Any:
        return _Connector(self, host, port, factory, timeout)


class _Connector:
    """As much of a connector as endpoints use."""

    def __init__(self, host: Host, address: str, port: int, factory: Any, timeout: float) -> None:
        self._host = host
        self._address = address
        self._port = port
        self._factory = factory
        factory.doStart()
        factory.startedConnecting(self)
        if address in host.net.dropped or address not in host.net.hosts:
            self._call = host.callLater(timeout, self._fail, TimeoutError())
        else:
            self._call = host.callLater(0, self._connect)

    def _fail(self, error: Exception) -> None:
        self._factory.clientConnectionFailed(self, Failure(error))

    def _connect(self) -> None:
        net = self._host.net
        there = net.hosts[self._address].listening.get(self._port)
        if there is None:
            self._fail(ConnectionRefusedError())
            return
        kind: Any = IPv6Address if ":" in self._host.address else IPv4Address
        listener = there.buildProtocol(kind("TCP", self._host.address, 40_000))
        if listener is None:
            self._fail(ConnectionDone())
            return
        caller = self._factory.buildProtocol(kind("TCP", self._address, self._port))
        net.wires.append(Wire(kind("TCP", self._address, self._port), caller, listener))

    def getDestination(self) -> Any:
        return IPv4Address("TCP", self._address, self._port)

    def stopConnecting(self) -> None:
        if self._call.active():
            self._call.cancel()
            self._fail(ConnectionDone())
