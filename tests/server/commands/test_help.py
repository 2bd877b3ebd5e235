"""Help is made from the table, for people."""

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import CommandTable, Help, Refused
from chat.protocol.grammar.verbs import Access
from chat.protocol.values import Rank
from chat.server.commands.table import TABLE
from tests.server.core.stage import Stage


class AskingForHelp(SynchronousTestCase):
    def setUp(self) -> None:
        self.person = Stage().connection()

    def test_every_verb_that_people_type_is_in_it_once(self) -> None:
        groups = self.person.gets(Help, "help").groups
        shown = [verb.verb for _, verbs in groups for verb in verbs]
        self.assertCountEqual(
            shown, [verb.name for verb in TABLE.verbs if not verb.programs and verb.access is not Access.ADMINISTRATOR]
        )
        self.assertEqual(len(groups), len({title for title, _ in groups}))

    def test_everybody_gets_the_same_page_and_the_same_table(self) -> None:
        """So that they are made and written once."""
        other = self.person.stage.enter("bob")
        for command in ("help", "commands"):
            self.assertIs(self.person.does(command), other.does(command))
        boss = self.person.stage.enter("boss", rank=Rank.ADMINISTRATOR)
        self.assertIsNot(self.person.does("help"), boss.does("help"))

    def test_every_verb_in_full(self) -> None:
        for verb in TABLE.verbs:
            if not verb.programs:
                full = self.person.gets(Help, "help", verb=verb.name).verb
                assert full is not None
                self.assertEqual((full.verb, full.form, full.summary), (verb.name, verb.form, verb.summary))

    def test_by_alias_and_with_a_slash(self) -> None:
        for word in ("tell", "/tell", "TELL"):
            full = self.person.gets(Help, "help", verb=word).verb
            self.assertEqual(full.verb if full else None, "message")

    def test_a_word_that_is_no_verb(self) -> None:
        refused = self.person.gets(Refused, "help", verb="mesage")
        self.assertEqual((refused.code, refused.suggest), ("unknown-command", "message"))

    def test_a_verb_of_the_console_client(self) -> None:
        refused = self.person.gets(Refused, "help", verb="/verify")
        self.assertEqual((refused.code, refused.text[:20]), ("needs-client", "verify works only in"))

    def test_a_verb_of_programs_has_none(self) -> None:
        self.assertEqual(self.person.code("help", verb="resume"), "unknown-command")

    def test_programs_get_the_whole_table(self) -> None:
        table = self.person.gets(CommandTable, "commands").commands
        self.assertEqual([each["name"] for each in table], [verb.name for verb in TABLE.verbs])
