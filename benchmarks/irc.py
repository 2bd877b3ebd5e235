"""Two IRC servers written in C and C++, from Debian's packages, with their limits on floods lifted.

They store nothing: what a delivery costs them is what a delivery costs.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.load_clients import Step
from benchmarks.peers import Rooms

_NGIRCD = """
[Global]
Name = irc.example.net
Info = benchmark
Listen = 127.0.0.1
Ports = {port}
MotdPhrase = hello
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 20
MaxPenaltyTime = 0
PingTimeout = 3600
PongTimeout = 600
[Options]
DNS = no
Ident = no
PAM = no
"""

_INSPIRCD = """
<config format="xml">
<server name="irc.example.net" description="benchmark" network="example">
<admin name="nobody" nick="nobody" email="nobody@example.net">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect allow="*" timeout="60" pingfreq="1h" hardsendq="64M" softsendq="64M" recvq="1M" threshold="1000000"
 commandrate="1000000000" fakelag="no" localmax="100000" globalmax="100000" resolvehostnames="no" maxconnwarn="no"
 usednsbl="no" useident="no" limit="100000">
<class name="none">
<performance softlimit="20000" somaxconn="1024" netbuffersize="65534" clonesonconnect="no" quietbursts="yes">
<channels users="20">
<log method="file" type="*" level="default" target="inspircd.log" flush="1">
<pid file="inspircd.pid">
<path configdir="." datadir="." logdir="." moduledir="/usr/lib/inspircd/modules" runtimedir=".">
"""


class _Irc:
    name: str
    encrypted = False
    program: str
    configuration: str

    def missing(self) -> str:
        return "" if shutil.which(self.program, path=_PATH) else f"apt-get install {self.name}"

    def furnish(self, folder: Path, rooms: Rooms) -> None:
        folder.chmod(0o755)  # ngircd gives up its rights before it writes

    def entering(self, name: str, room: str) -> Sequence[Step]:
        return (
            Step(f"NICK {name}\r\nUSER {name} 0 * :{name}\r\n".encode(), b" 001 "),
            Step(f"JOIN #{room}\r\n".encode(), b" 366 "),
        )

    def saying(self, room: str, words: bytes) -> bytes:
        return b"PRIVMSG #%s :%s\r\n" % (room.encode(), words)

    def writing(self, name: str, words: bytes) -> bytes:
        return b"PRIVMSG %s :%s\r\n" % (name.encode(), words)

    def command(self, port: int) -> Sequence[str]:
        """A shell writes the configuration into the folder first, as only now the port is known."""
        written = self.configuration.format(port=port)
        return ("sh", "-c", f'printf %s "$1" >server.conf; exec {self.starting}', "sh", written)

    starting: str


_PATH = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
"""Servers are not on everybody's path."""


class Ngircd(_Irc):
    """https://ngircd.barton.de"""

    name = "ngircd"
    program = "ngircd"
    configuration = _NGIRCD
    starting = f'env PATH={_PATH} ngircd --nodaemon --config "$PWD/server.conf"'


class Inspircd(_Irc):
    """https://www.inspircd.org"""

    name = "inspircd"
    program = "inspircd"
    configuration = _INSPIRCD
    starting = f'env PATH={_PATH} inspircd --nofork --runasroot --config="$PWD/server.conf"'
