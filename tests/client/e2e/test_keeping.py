"""Where keys lie: the cupboard of a machine, and a file on the way to another one."""

from __future__ import annotations

from collections.abc import Callable

from chat.client.e2e.key_files import KeyFiles
from chat.client.e2e.key_transfer import export_keys, import_keys
from chat.client.model.failures import BadKeyFile, ClientFailure
from tests.client.e2e.people import WORDS, SealedCase
from tests.server.frontends.server import PASSWORD


def answers(*words: str) -> Callable[[str], str]:
    """Somebody who is asked for these, one after the other."""
    waiting = list(words)
    return lambda prompt: waiting.pop(0)


class TheCupboard(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.runtime = self.folder / "run"
        self.runtime.mkdir()
        self.key_files = KeyFiles(self.folder / "keys", self.runtime, cost=2)

    def test_what_was_unlocked_once_stays_so_until_one_is_logged_out(self) -> None:
        self.key_files.open("ann", "desk", "horse").close()
        self.assertEqual(self.key_files.wanted("ann", "desk"), "")
        self.key_files.open("ann", "desk", "").close()
        self.key_files.forget("ann", "desk")
        self.assertIn("unlock your keys", self.key_files.wanted("ann", "desk"))
        with self.assertRaises(BadKeyFile):
            self.key_files.open("ann", "desk", "")

    def test_nothing_stays_unlocked_without_such_a_folder(self) -> None:
        key_files = KeyFiles(self.folder / "keys", cost=2)
        key_files.open("ann", "desk", "horse").close()
        self.assertTrue(key_files.wanted("ann", "desk"))

    def test_everything_is_readable_by_its_owner_alone(self) -> None:
        self.key_files.open("ann", "desk", "horse").close()
        files = [each for each in self.folder.rglob("*") if each.is_file()]
        self.assertEqual(len(files), 2)
        self.assertEqual({each.stat().st_mode & 0o777 for each in files}, {0o600})

    def test_names_make_no_paths(self) -> None:
        path = self.key_files.path("../eve", "desk")
        self.assertEqual(path.parent.parent, self.folder / "keys")

    def test_a_changed_password_is_what_they_are_under(self) -> None:
        ann = self.enters("ann")
        self.run_link(ann.engine.change_password(PASSWORD, "another horse"))
        ann.engine.close()
        key_files = KeyFiles(self.folder / "ann", cost=2)
        with self.assertRaises(BadKeyFile):
            key_files.open("ann", "desk", PASSWORD)
        key_files.open("ann", "desk", "another horse").close()


class ToAnotherMachine(SealedCase):
    def test_by_a_file(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        bob.types(f"message ann {WORDS}")
        ann.engine.close()
        file = self.folder / "keys.ann"
        here, there = (KeyFiles(self.folder / name, cost=2) for name in ("ann", "laptop"))
        export_keys(here, "ann", "desk", file, answers(PASSWORD, "moving", "moving"), cost=2)
        self.assertNotIn(b"account_key", file.read_bytes())
        self.assertIn("1 keys of conversations", import_keys(there, "ann", "laptop", file, answers("moving", PASSWORD)))
        laptop = self.enters("ann", machine="laptop", device="laptop")
        self.assertEqual(self.sealed(laptop), [WORDS])
        laptop.types("message bob thanks")
        self.assertEqual(self.sealed(bob)[-1], "thanks")

    def test_not_under_two_passphrases_and_not_over_another_file(self) -> None:
        self.enters("ann").engine.close()
        key_files, file = KeyFiles(self.folder / "ann", cost=2), self.folder / "keys.ann"
        with self.assertRaises(ClientFailure):
            export_keys(key_files, "ann", "desk", file, answers(PASSWORD, "one", "two"), cost=2)
        self.assertFalse(file.exists())
        file.write_text("something else")
        with self.assertRaises(ClientFailure):
            export_keys(key_files, "ann", "desk", file, answers(PASSWORD, "one", "one"), cost=2)

    def test_not_somebody_elses(self) -> None:
        self.enters("ann").engine.close()
        self.enters("eve").engine.close()
        file = self.folder / "keys.ann"
        cupboards = [KeyFiles(self.folder / name, cost=2) for name in ("ann", "eve")]
        export_keys(cupboards[0], "ann", "desk", file, answers(PASSWORD, "one", "one"), cost=2)
        with self.assertRaisesRegex(ClientFailure, "keys belong to ann"):
            import_keys(cupboards[1], "eve", "desk", file, answers("one", PASSWORD))
