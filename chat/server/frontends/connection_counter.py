"""How many connections there are, in all and from each network."""

from __future__ import annotations

import gc
import sys
from collections import Counter

YOUNG_COLLECTED_AFTER, ALL_COLLECTED_AFTER = 200, 2_000
"""Connections that have ended, after which what is left of them is collected, where it is young and wherever it is.

It is circular, and the collector of a busy server looks rarely (`chat.server.process.reactor`): somebody who connects
and hangs up in a loop would fill the memory meanwhile, most of all with TLS, of which the collector sees only the
smallest part.
"""

_YOUNG = 1
"""The generation of the collector up to which it looks for what is young."""


class ConnectionCounter:
    """Counts the connections of all listeners, in all and by network.

    :param places: how many the process has files for, whatever the settings say; no network gets the last tenth.
    """

    def __init__(self, places: int = sys.maxsize) -> None:
        self.places = places
        self.total = 0
        self.networks: Counter[str] = Counter()
        self._ended = 0

    def add(self, network: str) -> None:
        self.total += 1
        self.networks[network] += 1

    def remove(self, network: str) -> None:
        self.total -= 1
        self.networks[network] -= 1
        if not self.networks[network]:
            del self.networks[network]
        self._ended += 1
        if self._ended % ALL_COLLECTED_AFTER == 0:
            gc.collect()
        elif self._ended % YOUNG_COLLECTED_AFTER == 0:
            gc.collect(_YOUNG)
