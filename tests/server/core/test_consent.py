"""Privacy and consent: an address goes to who asked for it, if its owner wants that, and to nobody else."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Address, AddressChanged, AskedConsent, ConsentRefused, Done, Refused
from chat.protocol.values import Peer
from chat.server.core.consent import ASKED_FOR, MOST_ADDRESSES, MOST_ASKED
from tests.server.core.stage import Person, Stage

PORT = 51_791
HOME, ELSEWHERE = Peer("129.35.26.1", "129.35.26.1"), Peer("198.51.100.9", "198.51.100.9")
HERE = Peer("127.0.0.1", "127.0.0.1")


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage()
        self.ann = self.enter("ann", HOME)
        self.bob = self.enter("bob", ELSEWHERE)

    def enter(self, name: str, peer: Peer) -> Person:
        person = self.stage.arrives(name, peer=peer)
        person.does("resume")
        return person

    def ask(self) -> None:
        self.assertEqual(self.bob.does("getaddress", user="ann"), Done("consent asked from User ann."))

    def consent(self, *addresses: str) -> None:
        self.ann.gets(Done, "consent", user="bob", port=PORT, addresses=addresses)


class Asking(Case):
    def test_the_owner_is_asked(self) -> None:
        self.ask()
        self.assertEqual(self.ann.told(AskedConsent), [AskedConsent("bob")])
        self.assertEqual(self.bob.told(Address), [])

    def test_who_is_blocked_is_refused_in_the_words_of_wish_001(self) -> None:
        self.ann.does("block", user="bob")
        refused = self.bob.gets(Refused, "getaddress", user="ann")
        self.assertEqual((refused.code, refused.text), ("address-refused", "getaddress request for ann failed."))
        self.assertEqual(self.ann.told(AskedConsent), [])

    def test_who_is_blocked_afterwards_gets_nothing_either(self) -> None:
        self.ask()
        self.ann.does("block", user="bob")
        self.assertEqual(self.ann.code("consent", user="bob", port=PORT), "no-effect")

    def test_once_in_ten_minutes(self) -> None:
        self.ask()
        self.assertEqual(self.bob.code("getaddress", user="ann"), "no-effect")
        self.stage.pass_time(ASKED_FOR)
        self.ask()

    def test_not_of_oneself_nor_of_who_is_not_here(self) -> None:
        self.assertEqual(self.bob.code("getaddress", user="bob"), "bad-usage")
        self.ann.does("logout")
        self.assertEqual(self.bob.code("getaddress", user="ann"), "not-here")

    def test_not_of_everybody_at_once(self) -> None:
        for number in range(MOST_ASKED):
            self.enter(f"user{number}", HOME)
            self.bob.gets(Done, "getaddress", user=f"user{number}")
        self.assertEqual(self.bob.code("getaddress", user="ann"), "too-fast")


class Consenting(Case):
    def test_who_asked_gets_the_address(self) -> None:
        self.ask()
        self.consent("10.0.0.7", "fd00::7", "129.35.26.1")
        self.assertEqual(self.bob.told(Address), [Address("ann", "129.35.26.1", PORT, ("10.0.0.7", "fd00::7"))])

    def test_once_for_each_request(self) -> None:
        self.ask()
        self.consent()
        self.assertEqual(self.ann.code("consent", user="bob", port=PORT), "no-effect")

    def test_nobody_gets_what_was_not_asked_for(self) -> None:
        self.assertEqual(self.ann.code("consent", user="bob", port=PORT), "no-effect")
        self.assertEqual(self.bob.told(Address), [])

    def test_a_request_is_forgotten_after_ten_minutes(self) -> None:
        self.ask()
        self.stage.pass_time(ASKED_FOR)
        self.assertEqual(self.ann.code("consent", user="bob", port=PORT), "no-effect")

    def test_it_takes_a_client_that_listens(self) -> None:
        self.ask()
        self.assertIn("refuse bob", self.ann.gets(Refused, "consent", user="bob").text)
        self.consent()

    def test_nobody_is_sent_to_a_stranger(self) -> None:
        self.ask()
        for address in (
            "8.8.8.8",
            "::ffff:8.8.8.8",
            "2001:4860::8888",
            "224.0.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "localhost",
            "",
        ):
            self.assertEqual(
                self.ann.code("consent", user="bob", port=PORT, addresses=(address,)), "bad-usage", address
            )
        many = tuple(f"10.0.0.{number}" for number in range(MOST_ADDRESSES + 1))
        self.assertEqual(self.ann.code("consent", user="bob", port=PORT, addresses=many), "bad-usage")
        self.consent()

    def test_an_address_that_means_another_machine_to_its_reader_is_left_out(self) -> None:
        self.ask()
        self.consent("127.0.0.1", "10.0.0.7", "::1", "::ffff:127.0.0.1", "169.254.1.1", "fe80::1", "fe80::1%eth0")
        self.assertEqual(self.bob.told(Address), [Address("ann", "129.35.26.1", PORT, ("10.0.0.7",))])

    def test_so_is_the_loopback_address_of_a_client_beside_the_server(self) -> None:
        """Another one that it gave comes first then; without any, who consents is told."""
        self.ann.does("logout")
        self.ann = self.enter("ann", HERE)
        self.ask()
        refused = self.ann.gets(Refused, "consent", user="bob", port=PORT, addresses=("127.0.0.1",))
        self.assertEqual(refused.text, "bob could not reach any of your client's addresses, so none was sent.")
        self.consent("10.0.0.7")
        self.assertEqual(self.bob.told(Address), [Address("ann", "10.0.0.7", PORT)])

    def test_between_two_beside_the_server_loopback_is_passed_on(self) -> None:
        for person in (self.ann, self.bob):
            person.does("logout")
        self.ann, self.bob = self.enter("ann", HERE), self.enter("bob", HERE)
        self.ask()
        self.consent("10.0.0.7")
        self.assertEqual(self.bob.told(Address), [Address("ann", "127.0.0.1", PORT, ("10.0.0.7",))])

    def test_who_has_left_meanwhile_gets_nothing(self) -> None:
        self.ask()
        self.bob.does("logout")
        self.assertEqual(self.ann.code("consent", user="bob", port=PORT), "no-effect")

    def test_saying_no(self) -> None:
        self.ask()
        self.ann.gets(Done, "refuse", user="bob")
        self.assertEqual(self.bob.told(ConsentRefused), [ConsentRefused("ann")])
        self.assertEqual(self.ann.code("refuse", user="bob"), "no-effect")


class ComingBackFromElsewhere(Case):
    def setUp(self) -> None:
        super().setUp()
        self.ask()
        self.consent()

    def test_who_holds_the_address_is_told_once(self) -> None:
        for _ in range(2):
            self.ann.does("logout")
            self.ann = self.enter("ann", ELSEWHERE)
        self.assertEqual(self.bob.told(AddressChanged), [AddressChanged("ann")])

    def test_from_the_same_one_nobody_is_told(self) -> None:
        self.ann.does("logout")
        self.enter("ann", HOME)
        self.assertEqual(self.bob.told(AddressChanged), [])

    def test_who_does_not_hold_it_is_not_told(self) -> None:
        carol = self.enter("carol", HOME)
        self.bob.does("logout")
        bob = self.enter("bob", ELSEWHERE)
        self.ann.does("logout")
        self.enter("ann", ELSEWHERE)
        self.assertEqual([bob.told(AddressChanged), carol.told(AddressChanged)], [[], []])


class Private(Case):
    """On a terminal it explains what it needs, and sends nothing."""

    def test_without_an_address(self) -> None:
        refused = self.bob.gets(Refused, "private", user="ann", text="hi")
        self.assertEqual(
            refused.text,
            "Please request user address first (getaddress <user>). Both of you need the console client for private; "
            "nothing was sent. To send it through the server: message ann TEXT",
        )

    def test_with_one(self) -> None:
        self.ask()
        self.consent()
        self.assertIn("message ann TEXT", self.bob.gets(Refused, "private", user="ann", text="hi").text)
        self.assertEqual(self.ann.heard, [])
