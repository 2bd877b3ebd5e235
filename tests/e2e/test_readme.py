"""What the README prints is what a newcomer sees: its transcript and its commands run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.e2e.stage import PATIENCE, StageCase

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

TYPED = ("new ann", "connect lobby", "hello all", "message carol are you coming?")
"""The lines of the transcript that the newcomer types; what stands behind a prompt is typed as well."""

PROMPT = "Password (your typing is visible): "


def blocks(kind: str) -> list[str]:
    """The fenced blocks of a kind, without their fences."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


class Transcript(StageCase):
    def test_is_what_people_see(self) -> None:
        (transcript,) = (block for block in blocks("") if block.startswith("$ nc "))
        command, *lines = transcript.splitlines()
        self.assertEqual(command, "$ nc localhost 7777")
        self.accounts("carol")
        ann = self.stage.enter("ann")
        bob = None
        for line in lines:
            if line in TYPED:
                if line == "new ann":
                    bob = None  # the greeting counts who is online, so bob comes after it
                if line == "connect lobby":
                    bob = self.person("bob", "lobby")
                ann.types(line)
            elif line.startswith(PROMPT):
                ann.sees(PROMPT)
                ann.types(line.removeprefix(PROMPT))
            else:
                if line.startswith("bob: "):
                    assert bob is not None, "bob is in the lobby"
                    bob.sees("ann: hello all")
                    bob.types(line.removeprefix("bob: "))
                ann.sees(line.replace("7777", str(self.stage.port)) + "\n")
        for line in TYPED:
            self.assertIn(line, lines)


class Commands(StageCase):
    def run_as_printed(self, command: str) -> str:
        """Run a line of the README in the folder of the server, with its port."""
        here = command.replace(".venv/bin", os.path.dirname(sys.executable)).replace("7777", str(self.stage.port))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", here],
            cwd=self.stage.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def the_one_with(self, words: str) -> str:
        (found,) = (block.strip() for block in blocks("sh") if words in block)
        return found

    def test_the_first_administrator(self) -> None:
        said = self.run_as_printed(self.the_one_with("chatctl create-user"))
        code = re.search(r"[a-z2-9]{4}(?:-[a-z2-9]{4}){3}", said)
        assert code is not None, said
        ann = self.stage.enter("ann")
        ann.types(f"claim ann {code[0]}", "correct horse", "admin status")
        ann.sees("Welcome to the chat system!", "people")

    def test_a_script(self) -> None:
        self.accounts("bob")
        ann = self.person("ann")
        answer = self.run_as_printed(self.the_one_with("printf"))
        self.assertIn("Welcome to the chat system!", answer)
        ann.sees("bob (private): the build is done")
