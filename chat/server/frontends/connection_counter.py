"""How many connections there are, in all and from each network."""

from __future__ import annotations

import sys
from collections import Counter


class ConnectionCounter:
    """Counts the connections of all listeners, in all and by network.

    :param places: how many the process has files for, whatever the settings say; no network gets the last tenth.
    """

    def __init__(self, places: int = sys.maxsize) -> None:
        self.places = places
        self.total = 0
        self.networks: Counter[str] = Counter()

    def add(self, network: str) -> None:
        self.total += 1
        self.networks[network] += 1

    def remove(self, network: str) -> None:
        self.total -= 1
        self.networks[network] -= 1
        if not self.networks[network]:
            del self.networks[network]
