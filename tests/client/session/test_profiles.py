"""`chat.client.session.profiles` and `chat.client.session.tofu`: what is kept between two starts, and who may read
it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from chat.client.model.failures import ClientFailure
from chat.client.session import profiles as files_module
from chat.client.session.endpoint import ServerAddress
from chat.client.session.profiles import Files
from chat.client.session.tofu import KeyChanged, SameDatabase, ServerReinstalled, pinned, spelled
from chat.protocol.events import Welcome

HOME = ServerAddress("home.example")
OTHER = ServerAddress("other.example", 99, tls=False)


class Vouched:
    """A handshake, as far as it is looked at."""

    def __init__(self, vouched_for: bool) -> None:
        self.vouched_for = vouched_for


class FilesCase(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "person"
        self.files = Files(self.folder / "config", self.folder / "data")

    def write(self, text: str) -> None:
        self.files.config.parent.mkdir(parents=True, exist_ok=True)
        self.files.config.write_text(text, "utf-8")


class Config(FilesCase):
    def test_is_not_needed(self) -> None:
        settings = self.files.settings()
        self.assertEqual((settings.theme, settings.bell, settings.servers), ("dark", True, ()))

    def test_names_servers(self) -> None:
        self.write(
            "[chat]\ntheme = light\nbell = no\n[servers]\nhome = home.example\nold = other.example:99 unencrypted\n"
        )
        settings = self.files.settings()
        self.assertEqual((settings.theme, settings.bell), ("light", False))
        self.assertEqual(settings.servers, (("home", HOME), ("old", OTHER)))

    def test_that_makes_no_sense_is_said_in_one_line(self) -> None:
        for text in ("nonsense", "[servers]\nx = a b c", "[chat]\nbell = perhaps", "[servers]\nx = :1"):
            self.write(text)
            error = self.assertRaises(ClientFailure, self.files.settings)
            self.assertIn("config.ini: ", str(error))
            self.assertNotIn("\n", str(error))


class Servers(FilesCase):
    def test_are_remembered_the_latest_first(self) -> None:
        self.files.keep_token(HOME, "ann", "desk", "ct_1")
        self.files.keep_token(OTHER, "bob", "desk", "ct_2")
        known = self.files.known()
        self.assertEqual([each.address for each in known], [OTHER, HOME])
        self.assertEqual((known[1].tokens, known[1].account), ({"ann@desk": "ct_1"}, "ann"))
        self.files.keep_token(HOME, "ann", "desk", "")
        self.assertEqual(self.files.find(HOME).tokens, {})
        self.files.forget(HOME)
        self.assertEqual(self.files.find(HOME).account, "")

    def test_do_not_show_their_tokens_when_printed(self) -> None:
        self.files.keep_token(HOME, "ann", "desk", "ct_secret")
        self.assertNotIn("ct_secret", repr(self.files.known()))

    def test_are_bounded(self) -> None:
        self.patch(files_module, "MOST_RECENT", 3)
        for number in range(9):
            self.files.pin(ServerAddress(f"host-{number}"), b"x")
        self.assertEqual(len(self.files.known()), 3)

    def test_nobody_else_may_read_them(self) -> None:
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.files.keep_token(HOME, "ann", "desk", "ct_1")
        self.files.keep_typed(["hello", "two\nlines"])
        self.assertEqual((self.folder / "data").stat().st_mode & 0o777, 0o700)
        for path in (self.folder / "data").iterdir():
            self.assertEqual(path.stat().st_mode & 0o777, 0o600, path.name)
        self.assertEqual(self.files.typed(), ["hello", "two\nlines"])

    def test_of_a_file_that_was_damaged(self) -> None:
        self.files.pin(HOME, b"x")
        for text in (
            "",
            "{",
            "[]",
            '{"home.example": 3}',
            '{"a b c": {}}',
            '{"home.example": {"pin": "x", "met": []}}',
        ):
            (self.folder / "data" / "servers.json").write_text(text)
            self.assertEqual(self.files.known(), [])
        self.files.pin(HOME, b"y")
        self.assertEqual(self.files.find(HOME).pin, b"y")

    def test_of_a_folder_that_cannot_be_written(self) -> None:
        (self.folder).mkdir(exist_ok=True)
        (self.folder / "data").write_text("a file")
        self.assertRaises(ClientFailure, self.files.pin, HOME, b"x")
        self.assertEqual(self.files.known(), [])


class LinesThatWait(FilesCase):
    def test_that_another_program_removes_at_the_same_moment_are_gone(self) -> None:
        self.files.keep_unsent(HOME, "ann", "desk", ["a line"])
        folder, locked = self.files._folder, self.files._folder.locked

        def meanwhile() -> Any:
            folder.locked = locked  # type: ignore[method-assign]
            self.files.keep_unsent(HOME, "ann", "desk", [])
            return locked()

        folder.locked = meanwhile  # type: ignore[method-assign]
        self.files.keep_unsent(HOME, "ann", "desk", [])
        self.assertEqual(self.files.unsent(HOME, "ann", "desk"), [])


class AKey(FilesCase):
    def look(self, fingerprint: bytes, vouched_for: bool = False) -> None:
        pinned(self.files, HOME, Vouched(vouched_for))(fingerprint)  # type: ignore[arg-type]

    def test_is_remembered_at_the_first_meeting(self) -> None:
        self.look(b"first")
        self.look(b"first")
        changed = self.assertRaises(KeyChanged, self.look, b"second")
        self.assertEqual((changed.before, changed.now), (b"first", b"second"))
        self.look(b"first")

    def test_that_an_authority_vouches_for_may_change(self) -> None:
        self.look(b"first", vouched_for=True)
        self.look(b"second", vouched_for=True)
        self.assertRaises(KeyChanged, self.look, b"third")

    def test_is_taken_anew_once_the_server_was_forgotten(self) -> None:
        self.look(b"first")
        self.files.forget(HOME)
        self.look(b"second")

    def test_is_spelled_in_groups(self) -> None:
        self.assertEqual(spelled(bytes(range(4))), "0001 0203")


class ADatabase(FilesCase):
    """Keys, marks and tokens are of one database, and of use with no other."""

    def setUp(self) -> None:
        super().setUp()
        self.told: list[str] = []
        self.server = self.program()

    def program(self) -> SameDatabase:
        return SameDatabase(self.files, HOME, self.told.append)

    def welcome(self, database: str) -> Welcome:
        return Welcome("home", "1.0", {}, (), (), database)

    def key(self, folder: Path | None = None) -> Path:
        return (folder or self.files.keys(HOME)) / "ann" / "desk.keys"

    def has_keys(self) -> None:
        self.server.look(self.welcome("one"))
        self.key().parent.mkdir()
        self.key().write_text("secret")
        self.files.keep_token(HOME, "ann", "desk", "ct_1")
        self.files.keep_unsent(HOME, "ann", "desk", ["waits"])
        self.files.keep_unsent(OTHER, "ann", "desk", ["waits there"])

    def aside(self) -> Path:
        (folder,) = (each for each in self.files.keys(HOME).parent.iterdir() if "+old-" in each.name)
        return folder

    def test_is_remembered_at_the_first_meeting(self) -> None:
        self.has_keys()
        for server in (self.server, self.program()):
            server.look(self.welcome("one"))
            self.assertRaises(ServerReinstalled, server.look, self.welcome("two"))
        self.assertTrue(self.key().exists())
        self.assertEqual((self.files.find(HOME).tokens, self.told), ({"ann@desk": "ct_1"}, []))

    def test_is_the_same_one_with_tls_and_without(self) -> None:
        self.has_keys()
        bare = SameDatabase(self.files, replace(HOME, tls=False), self.told.append)
        self.assertRaises(ServerReinstalled, bare.look, self.welcome("two"))
        bare.look(self.welcome("one"))

    def test_of_a_server_that_does_not_say_is_no_other(self) -> None:
        self.has_keys()
        self.server.look(self.welcome(""))
        self.program().look(self.welcome(""))
        self.program().look(self.welcome("one"))

    def test_that_a_server_begins_to_tell_of_takes_nothing_away(self) -> None:
        self.key().parent.mkdir(parents=True)
        self.key().write_text("secret")
        self.server.look(self.welcome("one"))
        self.assertEqual((self.key().read_text(), self.told), ("secret", []))

    def test_of_before_is_put_aside_when_somebody_begins_anew(self) -> None:
        self.has_keys()
        self.files.pin(HOME, b"key")
        self.files.begin_anew(HOME)
        self.assertEqual((self.files.find(HOME).pin, self.files.find(HOME).tokens), (b"key", {}))
        self.program().look(self.welcome("two"))
        self.assertFalse(self.key().exists())
        self.assertEqual(self.key(self.aside()).read_text(), "secret")
        self.assertEqual(
            self.told, [f"Your keys and unsent lines for the old server at {HOME} were moved to {self.aside()}."]
        )
        self.assertEqual(self.files.unsent(HOME, "ann", "desk"), [])
        self.assertEqual(self.files.unsent(OTHER, "ann", "desk"), ["waits there"])
        self.assertIn('["waits"]', (self.aside() / "unsent.json").read_text())

    def test_of_before_is_not_put_aside_when_it_is_there_again(self) -> None:
        self.has_keys()
        self.files.forget(HOME)
        self.program().look(self.welcome("one"))
        self.assertEqual((self.key().read_text(), self.told), ("secret", []))

    def test_of_before_is_put_aside_as_often_as_a_server_is_set_up_anew(self) -> None:
        for number in range(3):
            self.files.forget(HOME)
            self.program().look(self.welcome(str(number)))
        self.assertEqual(len(list(self.files.keys(HOME).parent.iterdir())), 3)
        self.assertEqual(len(self.told), 2)

    def test_that_another_program_has_met_anew_is_none_for_one_that_holds_what_was_before(self) -> None:
        self.has_keys()
        self.files.begin_anew(HOME)
        self.program().look(self.welcome("two"))
        self.assertRaises(ServerReinstalled, self.server.look, self.welcome("two"))

    def test_nobody_else_may_read_which_one_it_is(self) -> None:
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.server.look(self.welcome("one"))
        keys = self.files.keys(HOME)
        self.assertEqual(keys.stat().st_mode & 0o777, 0o700)
        self.assertEqual([each.stat().st_mode & 0o777 for each in keys.iterdir()], [0o600])
