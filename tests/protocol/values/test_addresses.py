"""How far an IP address reaches."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.values import Reach, reach_of

_REACHES = {
    "0.0.0.0": Reach.NOWHERE,
    "::": Reach.NOWHERE,
    "224.0.0.1": Reach.NOWHERE,
    "ff02::1": Reach.NOWHERE,
    "255.255.255.255": Reach.NOWHERE,
    "127.0.0.1": Reach.MACHINE,
    "127.9.9.9": Reach.MACHINE,
    "::1": Reach.MACHINE,
    "::ffff:127.0.0.1": Reach.MACHINE,
    "169.254.169.254": Reach.LINK,
    "fe80::1%eth0": Reach.LINK,
    "10.1.2.3": Reach.NETWORK,
    "100.64.0.9": Reach.NETWORK,
    "fd00::1": Reach.NETWORK,
    "::ffff:192.168.1.1": Reach.NETWORK,
    "8.8.8.8": Reach.INTERNET,
    "::ffff:8.8.8.8": Reach.INTERNET,
    "2001:4860:4860::8888": Reach.INTERNET,
}


class Reaches(SynchronousTestCase):
    def test_each_kind(self) -> None:
        self.assertEqual({word: reach_of(word) for word in _REACHES}, _REACHES)

    def test_no_address(self) -> None:
        for word in ("", "localhost", "10.0.0", "10.0.0.0/8"):
            self.assertRaises(ValueError, reach_of, word)
