"""`chat.client.dialing`: what people write for where a server is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.client.dialing import PORT, Address


class AnAddress(SynchronousTestCase):
    def test_is_a_host_with_or_without_a_port(self) -> None:
        for words, host, port, shown in (
            ("chat.example.org", "chat.example.org", PORT, "chat.example.org"),
            (" Chat.Example:6000 ", "chat.example", 6000, "chat.example:6000"),
            ("192.0.2.1:7777", "192.0.2.1", PORT, "192.0.2.1"),
            ("::1", "::1", PORT, "[::1]"),
            ("[2001:db8::1]:99", "2001:db8::1", 99, "[2001:db8::1]:99"),
            ("[::1]", "::1", PORT, "[::1]"),
        ):
            address = Address.parse(words)
            self.assertEqual((address.host, address.port, str(address)), (host, port, shown))
            self.assertEqual(Address.parse(str(address)), address)

    def test_that_is_none(self) -> None:
        for words in (
            "",
            ":7777",
            "a b",
            "host:0",
            "host:65536",
            "host:x",
            "[::1",
            "[host]:1",
            "http://host",
            "a@b",
            "host:१",
        ):
            self.assertRaises(ValueError, Address.parse, words)

    @given(st.text(max_size=30))
    def test_of_any_kind_is_read_or_refused_in_one_line(self, words: str) -> None:
        try:
            address = Address.parse(words)
        except ValueError as error:
            self.assertNotIn("\n", str(error))
        else:
            self.assertEqual(Address.parse(str(address)), address)
