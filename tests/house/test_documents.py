"""The documents say what the program does."""

from twisted.trial.unittest import SynchronousTestCase

from chat.server.commands.documents import DOCS, commands_page, protocol_page


class GeneratedPages(SynchronousTestCase):
    """``docs/`` is what the command table and the events make of it today."""

    def test_commands(self) -> None:
        self.assertEqual((DOCS / "commands.md").read_text(encoding="utf-8"), commands_page())

    def test_protocol(self) -> None:
        self.assertEqual((DOCS / "protocol.md").read_text(encoding="utf-8"), protocol_page())
