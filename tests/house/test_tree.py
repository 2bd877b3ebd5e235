"""Rules of the tree that no import contract holds (those are in ``setup.cfg``, for ``lint-imports``)."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import chat
from chat.client.e2e import commands as verbs
from chat.protocol import errors
from chat.protocol.grammar.client_verbs import CLIENT_VERBS
from chat.server.commands.table import TABLE

ROOT = Path(chat.__file__).parent
OURS = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in sorted(ROOT.rglob("*.py"))}


def imported(tree: ast.Module) -> Iterator[str]:
    """Everything that a module imports, wherever in it: ``package.module`` and ``package.module.name``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def caught(tree: ast.Module) -> Iterator[str]:
    """The names of exceptions in ``except`` clauses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            for each in ast.walk(node.type):
                if isinstance(each, ast.Name):
                    yield each.id
                elif isinstance(each, ast.Attribute):
                    yield each.attr


class Modules(SynchronousTestCase):
    def test_the_rules_are_looked_for_in_the_whole_tree(self) -> None:
        self.assertGreater(len(OURS), 60)
        self.assertIn("twisted.internet.reactor", set(imported(OURS["server/tap.py"])))
        self.assertIn("ChatError", set(caught(OURS["server/core/dispatcher.py"])))

    def test_only_the_composition_root_imports_the_reactor(self) -> None:
        mine = {name for name, tree in OURS.items() if "twisted.internet.reactor" in imported(tree)}
        self.assertEqual(mine - {"server/tap.py"}, {name for name in mine if name.startswith("client/")})

    def test_only_one_place_catches_a_refusal(self) -> None:
        catching = {name for name, tree in OURS.items() if "ChatError" in caught(tree)}
        # The store hands the failure of each job on to whoever waits for that job; it answers nobody.
        # The client is another program; its one place is where a person types.
        self.assertEqual(
            catching - {"server/storage/group_commit.py"},
            {"server/core/dispatcher.py", "client/input/input_commands.py"},
        )

    def test_no_file_shadows_a_standard_module(self) -> None:
        shadows = {name for name in OURS if Path(name).stem in sys.stdlib_module_names}
        shadows |= {name for name in OURS if name.count("/") and name.split("/")[0] in sys.stdlib_module_names}
        # absolute imports keep the package apart from the module
        self.assertEqual({name for name in shadows if not name.startswith("operator/")}, set())

    def test_every_module_says_what_it_is(self) -> None:
        silent = [name for name, tree in OURS.items() if not ast.get_docstring(tree)]
        self.assertEqual(silent, [])

    def test_nothing_is_imported_for_its_types_alone(self) -> None:
        """``TYPE_CHECKING`` would hide an import of a higher floor."""
        self.assertEqual([name for name, tree in OURS.items() if "typing.TYPE_CHECKING" in imported(tree)], [])

    def test_no_message_installs_a_package_of_the_index_under_our_name(self) -> None:
        """Names on an index belong to whoever takes them first: extras are installed from the checkout."""
        said = [
            (name, node.value)
            for name, tree in OURS.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "pip install" in node.value
        ]
        self.assertGreater(len(said), 2)
        self.assertEqual([each for each in said if "pip install -e '.[" not in each[1]], [])

    def test_no_module_is_called_after_nothing(self) -> None:
        stems = {Path(name).stem for name in OURS}
        self.assertEqual(stems & {"utils", "util", "common", "helpers", "helper", "misc", "manager"}, set())


class VerbsOfTheClient(SynchronousTestCase):
    def test_the_grammar_knows_them_all(self) -> None:
        """The server names what it does not have, and imports nothing of the client for it."""
        self.assertEqual(CLIENT_VERBS, set(verbs.TABLE))
        self.assertEqual(CLIENT_VERBS & set(TABLE), set())


class Refusals(SynchronousTestCase):
    def kinds(self) -> list[type[errors.ChatError]]:
        return [errors.ChatError, *errors.ChatError.__subclasses__()]

    def test_each_has_a_code_of_its_own(self) -> None:
        codes = [kind.code for kind in self.kinds()]
        self.assertEqual(len(codes), len(set(codes)))
        for kind in self.kinds():
            self.assertIn("code", vars(kind), kind)
            self.assertRegex(kind.code, r"\A[a-z]+(-[a-z]+)*\Z")

    def test_each_has_one_line_for_a_person(self) -> None:
        for kind in self.kinds():
            self.assertRegex(kind.text, r"\A[A-Z][^\n]{10,150}\Z", kind)
            self.assertIn("text", vars(kind), kind)

    def test_a_line_of_its_own_and_the_usual_one(self) -> None:
        self.assertEqual(errors.NoSuchUser().line, errors.NoSuchUser.text)
        self.assertEqual(errors.NoSuchUser("No user x.").line, "No user x.")
        self.assertEqual(errors.BadCredentials().ask, "password")
