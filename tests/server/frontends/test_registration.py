"""``registration`` as people on netcat meet it."""

from __future__ import annotations

from tests.server.frontends.server import ASKED, GREETING, PASSWORD, WELCOME, ServerCase


class Open(ServerCase):
    def test_asks_for_no_code(self) -> None:
        caller = self.guest()
        caller.types("new bob", PASSWORD)
        self.assertIn(WELCOME, caller.gets())


class ByCode(ServerCase):
    settings = {"registration": "code"}  # noqa: RUF012

    def code(self) -> str:
        (codes, _) = self.run_until_done(self.server.chat.authenticator.invite(1, "ann"))
        return str(codes[0])

    def test_is_said_by_the_greeting(self) -> None:
        caller = self.call()
        self.server.advance(1)
        offer = "make an account"
        self.assertEqual(caller.gets(), GREETING.replace(offer, f"{offer} (asks for your invitation code)"))

    def test_asks_for_the_code(self) -> None:
        caller = self.guest()
        caller.types("new bob")
        self.assertEqual(caller.gets(), ASKED)
        caller.types(PASSWORD)
        self.assertEqual(caller.gets(), "Invitation code: ")
        caller.types(self.code())
        self.assertIn(WELCOME, caller.gets())

    def test_asks_again_for_a_mistyped_code_and_for_nothing_else(self) -> None:
        caller = self.guest()
        caller.types("new bob", PASSWORD)
        caller.gets()
        caller.types("k7mq-2xnp-w4ta-9hdr")
        refusal, prompt = caller.gets().split("\n")
        self.assertEqual(
            refusal, "! That invitation code is wrong, used or expired. Type it again, or ask for another."
        )
        self.assertEqual(prompt, "Invitation code: ")
        caller.types(self.code())
        self.assertIn(WELCOME, caller.gets())

    def test_tells_nobody_without_a_code_which_names_exist(self) -> None:
        caller = self.guest()
        caller.types("new bob", PASSWORD, self.code(), "logout")
        caller.gets()
        asked = []
        for name in ("bob", "eve"):
            other = self.guest()
            other.types(f"new {name}", PASSWORD, "wrong")
            asked.append(other.gets())
        self.assertEqual(*asked)


class Closed(ServerCase):
    settings = {"registration": "closed"}  # noqa: RUF012

    def test_is_not_offered(self) -> None:
        caller = self.call()
        self.server.advance(1)
        self.assertEqual(caller.gets(), GREETING.replace("  new NAME          make an account\n", ""))
        caller.types("hello", "rooms")
        self.assertEqual(
            caller.sees(),
            ["! No command hello. Type login NAME or help.", "! You are not logged in. Type: login NAME"],
        )

    def test_is_refused_before_a_password_is_asked_for(self) -> None:
        caller = self.guest()
        for words in ("new", "new bob", f"new bob {PASSWORD}", "register bob"):
            caller.types(words)
            self.assertEqual(caller.sees(), ["! Registration is closed. Ask an administrator for an account."])

    def test_counts_from_the_reload_on(self) -> None:
        """Somebody who has come before the settings were read again meets the new ones."""
        caller = self.guest()
        caller.types("new bob")
        caller.gets()
        self.server.chat.apply(type(self.server.settings)(bcrypt_cost=4, registration="open"))
        caller.types("new bob", PASSWORD)
        self.assertIn(WELCOME, caller.gets())
