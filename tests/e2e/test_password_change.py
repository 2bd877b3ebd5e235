"""A password is changed while others log in with the old one, with a real server and real hashing."""

from __future__ import annotations

import asyncio

from twisted.trial.unittest import SynchronousTestCase

from tests.e2e.program import Frame, Program
from tests.e2e.stage import Stage

OLD, NEW = "correct horse", "another horse"
RIVALS = 8


class ThePasswordIsChanged(SynchronousTestCase):
    def test_while_others_log_in_with_the_old_one(self) -> None:
        """None of them stays, none of their tokens lets anybody in, and the owner goes on."""
        stage = Stage("--sessions=many", "--rate=1000000", "--burst=1000000")
        self.addCleanup(stage.close)
        stage.start()
        asyncio.run(asyncio.wait_for(self.play(stage.port), 30))

    async def play(self, port: int) -> None:
        ended: list[Frame] = []
        owner = await Program(ended.append).connect(port)
        await owner.ask("register", user="bob", password=OLD, device="owner")
        rivals = [await Program().connect(port) for _ in range(RIVALS)]
        change = owner.ask("password", old=OLD, new=NEW)
        logins = [
            each.ask("login", user="bob", password=OLD, device=f"d{number}") for number, each in enumerate(rivals)
        ]
        self.assertEqual((await change)["type"], "password-changed")
        answers = await asyncio.gather(*logins)
        for number, (rival, answer) in enumerate(zip(rivals, answers, strict=True)):
            self.assertEqual((await rival.ask("whoami"))["type"], "refused", answer)
            self.assertEqual((await rival.ask("takeover"))["type"], "refused", answer)
            if answer["type"] == "logged-in":
                again = await rival.ask("login", token=answer["token"], device=f"d{number}")
                self.assertEqual(again["type"], "refused")
        self.assertNotEqual((await owner.ask("whoami"))["type"], "refused")
        self.assertEqual([each for each in ended if each["type"] == "signed-out"], [])
        for each in (owner, *rivals):
            await each.close()
