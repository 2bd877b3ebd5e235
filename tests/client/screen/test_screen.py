"""`chat.client.screen`: what a person does, and what the screen then shows."""

from __future__ import annotations

from dataclasses import replace

from textual import events
from textual._xterm_parser import XTermParser

from chat.client.model.conversation import Key
from chat.client.model.send_queue import Outgoing
from chat.client.model.state import State
from chat.client.screen.current_conversation import CurrentConversation
from chat.client.screen.input_box import InputBox
from chat.client.screen.message_list import MessageList
from chat.client.screen.sidebar import SideBar
from chat.client.screen.start import tell_alt_enter_apart
from chat.client.session.observer import Phase
from tests.client.theatre import HERE, Play, ScreenCase
from tests.server.frontends.server import PASSWORD


class GettingIn(ScreenCase):
    def test_a_new_account(self) -> None:
        async def scene(play: Play) -> None:
            self.assertIn("Log in to chat (chat.example)", play.sees())
            await play.presses("f4")
            self.assertIn("Create an account on chat", play.sees())
            await play.types("ann")
            await play.types(PASSWORD)
            self.assertIn("ann on chat.example", play.sees())
            self.assertIn("You are not in a room yet.", play.sees())
            self.assertNotIn("horse", play.sees())

        self.play(scene)
        self.assertEqual(self.files.find(HERE).account, "ann")

    def test_a_new_account_by_invitation_code(self) -> None:
        self.server.chat.apply(replace(self.server.settings, registration="code"))
        ((code,), _) = self.run_until_done(self.server.chat.authenticator.invite(1, "eve"))

        async def scene(play: Play) -> None:
            self.assertNotIn("Invitation code", play.sees())
            await play.presses("f4")
            self.assertIn("Invitation code", play.sees())
            await play.types("ann")
            self.assertEqual(play.focused(), "invitation")
            await play.types("k7mq-2xnp-w4ta-9hdr")
            self.assertEqual(play.focused(), "password")
            await play.types(PASSWORD)
            self.assertIn("That invitation code is wrong, used or expired.", play.sees())
            self.assertEqual((play.field("name"), play.field("invitation")), ("ann", "k7mq-2xnp-w4ta-9hdr"))
            self.assertEqual(play.focused(), "invitation")
            await play.types(code)
            await play.types(PASSWORD)
            self.assertIn("ann on chat.example", play.sees())

        self.play(scene)

    def test_no_new_account_where_nobody_can_make_one(self) -> None:
        self.server.chat.apply(replace(self.server.settings, registration="closed"))

        async def scene(play: Play) -> None:
            self.assertNotIn("F4", play.sees())
            await play.presses("f4")
            self.assertIn("Registration is closed.", play.sees())
            self.assertIn("Log in to chat", play.sees())

        self.play(scene)

    def test_a_wrong_password_is_asked_again_without_the_name(self) -> None:
        self.run_link(self.logged_in("ann").engine.leave())

        async def scene(play: Play) -> None:
            await play.types("ann")
            await play.types("wrong horse")
            self.assertIn("Wrong name or password.", play.sees())
            self.assertNotIn("login NAME", play.sees(), "that is for netcat")
            await play.types(PASSWORD)
            self.assertIn("ann on chat.example", play.sees())

        self.play(scene)

    def test_by_the_token_of_last_time(self) -> None:
        async def scene(play: Play) -> None:
            self.assertEqual(play.desk.engine.status.phase, Phase.ONLINE)
            await play.presses("ctrl+c")

        self.play_as("ann", scene, room="lobby")

        async def again(play: Play) -> None:
            self.assertIn("#lobby", play.sees())
            self.assertIn("ann on chat.example", play.sees())

        self.play(again)

    def test_somebody_who_is_signed_in_elsewhere(self) -> None:
        first = self.logged_in("ann")

        async def scene(play: Play) -> None:
            await play.types("ann")
            await play.types(PASSWORD)
            self.assertIn("is already signed in", play.sees())
            await play.types("yes")
            self.assertIn("ann on chat.example", play.sees())

        self.play(scene)
        self.assertIn("elsewhere", first.screen.status.reason)

    def test_servers_to_pick_from(self) -> None:
        self.files.pin(HERE, b"x")
        self.files.config.parent.mkdir(parents=True)
        self.files.config.write_text("[servers]\nschool = school.example:99\n")

        async def scene(play: Play) -> None:
            for words in ("Which server?", "school  school.example:99", "chat.example"):
                self.assertIn(words, play.sees())
            await play.presses("n", "o", "space", "!", "enter")
            self.assertIn("'no !' is not a server address. Write HOST or HOST:PORT.", play.sees())
            await play.presses("down", "down", "enter")
            self.assertIn("Log in to chat (chat.example)", play.sees())
            await play.presses("f3")
            self.assertIn("Which server?", play.sees())

        self.play(scene, address=None)

    def test_tab_and_shift_tab_go_from_field_to_field(self) -> None:
        async def scene(play: Play) -> None:
            await play.presses("a", "n", "n", "tab")
            self.assertEqual(play.focused(), "password")
            await play.presses("x", "shift+tab")
            self.assertEqual((play.focused(), play.field("name"), play.field("password")), ("name", "ann", "x"))

        self.play(scene)

    def test_what_is_typed_right_after_the_name_belongs_to_the_password(self) -> None:
        """However fast somebody types: the screen has not moved the focus yet when the next key comes."""
        for key in ("enter", "tab"):

            async def scene(play: Play, key: str = key) -> None:
                await play.presses_at_once("b", "o", "b", key, "p", "w")
                self.assertEqual((play.field("name"), play.field("password")), ("bob", "pw"))

            self.play(scene)

    def test_nor_does_a_key_get_lost_however_the_form_began(self) -> None:
        self.run_link(self.logged_in("ann").engine.leave())

        async def scene(play: Play) -> None:
            await play.presses_at_once("f4", *"bob", "enter", *"pw1")
            self.assertEqual((play.field("name"), play.field("password")), ("bob", "pw1"))
            await play.presses_at_once("shift+tab", *"bobby", "tab", *"23")
            self.assertEqual((play.field("name"), play.field("password")), ("bobby", "23"))
            self.assertNotIn("cannot", play.sees())

        self.play(scene, user="ann")

    def test_a_new_name_that_cannot_be_one_is_refused_before_a_password_is_typed(self) -> None:
        async def scene(play: Play) -> None:
            await play.presses("f4")
            await play.types("b!b")
            self.assertIn('A name cannot contain "!".', play.sees())
            self.assertEqual(play.focused(), "name")
            await play.types("bob")
            self.assertNotIn("cannot hold", play.sees())
            self.assertEqual(play.focused(), "password")

        self.play(scene)

    def test_a_name_that_is_taken_is_asked_for_again(self) -> None:
        self.logged_in("ann")

        async def scene(play: Play) -> None:
            await play.presses("f4")
            await play.types("ann")
            await play.types(PASSWORD)
            self.assertIn("The name ann is taken.", play.sees())
            self.assertEqual(play.focused(), "name")

        self.play(scene)

    def test_what_was_typed_stays_when_it_is_for_a_new_account(self) -> None:
        async def scene(play: Play) -> None:
            await play.types("bob")
            await play.presses("f4")
            self.assertEqual((play.field("name"), play.focused()), ("bob", "name"))
            await play.presses("enter", "enter")
            self.assertIn("Type a password", play.sees())

        self.play(scene)

    def test_a_password_without_a_name_asks_for_the_name(self) -> None:
        async def scene(play: Play) -> None:
            await play.presses("tab")
            await play.types(PASSWORD)
            self.assertIn("Type your name.", play.sees())
            self.assertEqual(play.focused(), "name")

        self.play(scene)

    def test_a_server_that_does_not_answer(self) -> None:
        async def scene(play: Play) -> None:
            self.assertIn("Which server?", play.sees())
            self.assertIn("There is no answer.", play.sees())

        self.play(scene, reachable=False)

    def test_a_server_that_takes_its_time_is_named_and_can_be_left(self) -> None:
        async def scene(play: Play) -> None:
            self.assertIn("Connecting to chat.example ...", play.sees())
            await play.presses("escape")
            self.assertIn("Which server?", play.sees())

        self.play(scene, slow=True)


class Talking(ScreenCase):
    def test_lines_of_both(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            await play.types("hello bob")
            self.assertEqual(bob.screen.said(), ["hello bob"])
            self.assertIn("ann: hello bob ✓", play.line("hello bob"))
            bob.types("hi there", room="lobby")
            await play.settle()
            self.assertIn("bob: hi there", play.sees())
            self.assertIn("● bob", play.sees())

        self.play_as("ann", scene, room="lobby")

    def test_private_lines_wait_beside_and_are_opened_by_key_and_by_click(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            bob.types("message ann psst")
            await play.settle()
            self.assertIn("bob (1)", play.sees())
            self.assertNotIn("psst", play.sees())
            await play.presses("f4")
            self.assertIn("bob: psst", play.sees())
            self.assertNotIn("bob (1)", play.sees())
            await play.types("what is it?")
            self.assertEqual(bob.screen.said(), ["psst", "what is it?"])
            await play.clicks(SideBar, (3, 0))
            self.assertIn(">#lobby", play.sees())
            await play.presses("alt+down")
            self.assertIn(">● bob", play.sees())

        self.play_as("ann", scene, room="lobby")

    def test_marks_beside_own_lines(self) -> None:
        """Kept by the server, then delivered to a device of the other one."""
        self.logged_in("bob")

        async def scene(play: Play) -> None:
            await play.types("message bob psst")
            await play.pass_time(3)
            self.assertIn("psst ✓✓", play.line("psst"))
            await play.types("/message nobody hi")
            self.assertIn("ann: hi ✗ No user nobody.", play.sees())

        async def again(play: Play) -> None:
            await play.presses("alt+down")
            self.assertIn("psst ✓✓", play.line("psst"))

        self.play_as("ann", scene)
        self.play(again)

    def test_a_refused_line_stays_where_it_was_said(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            await play.types("/message nobody hi")
            bob.types("what was said after it", room="lobby")
            await play.types("and this")
            await play.types("/message nobody hi again")
            for _ in range(2):
                shown = play.sees()
                places = [shown.index(words) for words in ("hi ✗", "what was said after it", "and this", "hi again ✗")]
                self.assertEqual((places, shown.count("✗")), (sorted(places), 2))
                await play.presses("f2")  # another width: all is drawn anew

        self.play_as("ann", scene, room="lobby")

    def test_a_line_that_was_refused_before_there_was_a_screen_shows_on_it(self) -> None:
        state, lobby = State(), Key(True, "lobby")
        outgoing = Outgoing(lobby, "say", {}, "typed a week ago", 0)
        state.refuse(outgoing, "It has waited for too long.")
        self.assertEqual(CurrentConversation(state, lambda: None).go(lobby).lines, [(0, outgoing)])

    def test_who_is_named_is_told(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            await play.types("message bob hi")
            bob.types("lunch, Ann?", room="lobby")
            bob.types("anything", room="lobby")
            await play.settle()
            self.assertIn("!#lobby (2)", play.sees())

        self.play_as("ann", scene, room="lobby")

    def test_the_bell_rings_for_private_lines_and_for_ones_name_once_in_a_burst(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            rung: list[None] = []
            play.app.bell = lambda: rung.append(None)  # type: ignore[method-assign]  # a terminal without a sound
            for line, rings in (("hello all", 0), ("hello ann", 1), ("message ann psst", 2), ("channel", 2)):
                bob.types(line, room="lobby")
                await play.settle()
                self.assertEqual(len(rung), rings, line)
            await play.types("I am ann")
            self.assertEqual(len(rung), 2)
            for _ in range(20):
                bob.types("ann?", room="lobby")
            await play.settle()
            self.assertEqual(len(rung), 3)

        self.play_as("ann", scene, room="lobby")

    def test_a_quiet_room_does_not_call_and_its_lines_wait(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            rung: list[None] = []
            play.app.bell = lambda: rung.append(None)  # type: ignore[method-assign]  # a terminal without a sound
            await play.types("message bob hi")
            marks = {"on": " #lobby (1)", "mentions": "!#lobby (2)", "off": "!#lobby (3)"}
            for rings, (word, mark) in enumerate(marks.items()):
                await play.types(f"/set quiet lobby {word}")
                bob.types("lunch, ann?", room="lobby")
                await play.settle()
                self.assertIn(mark, play.sees())
                self.assertEqual(len(rung), rings, word)

        self.play_as("ann", scene, room="lobby")

    def test_what_was_said_with_people_whose_accounts_are_gone_shows_until_it_was_read(self) -> None:
        self.logged_in("ann", "lobby").engine.close()
        for name in ("bob", "carol"):
            desk = self.logged_in(name)
            desk.types(f"message ann this was {name}")
            self.run_link(desk.engine.delete_account({"action": "delete"}, PASSWORD))

        async def scene(play: Play) -> None:
            self.assertEqual(play.sees().count("○ deleted account (1)"), 2)
            for name in ("bob", "carol"):
                await play.presses("alt+right")
                self.assertIn(f"nobody: this was {name}", play.sees())
                self.assertEqual(play.sees().count(">○ deleted account"), 1)
            self.assertEqual(play.sees().count("○ deleted account"), 1)
            await play.types("are you there?")
            self.assertIn("! Not sent: this account was deleted.", play.sees())
            await play.presses("alt+up")
            self.assertNotIn("deleted account", play.sees())

        self.play_as("ann", scene)

    def test_what_was_set_before_or_elsewhere_holds_too(self) -> None:
        bob, other = self.logged_in("bob", "lobby"), self.logged_in("ann", "lobby", device="other")
        other.types("/set quiet lobby on", room="lobby")

        async def scene(play: Play) -> None:
            await play.types("message bob hi")
            bob.types("lunch, ann?", room="lobby")
            await play.settle()
            self.assertIn(" #lobby (1)", play.sees())
            other.types("/set quiet lobby off", room="lobby")
            bob.types("ann?", room="lobby")
            await play.settle()
            self.assertIn("* There are no quiet rooms.", play.sees())
            self.assertNotIn("Your settings:", play.sees())
            self.assertIn("!#lobby (2)", play.sees())

        self.play_as("ann", scene, room="lobby")

    def test_what_was_said_in_a_quiet_room_meanwhile_does_not_call_at_the_next_start(self) -> None:
        bob, ann = self.logged_in("bob", "lobby"), self.logged_in("ann", "lobby")
        ann.types("/set quiet lobby on", room="lobby")
        self.run_link(ann.engine.leave())
        bob.types("lunch, ann?", room="lobby")
        talk = self.logged_in("ann").talk("lobby")
        self.assertEqual((talk.unread, talk.mentions), (1, 0))

    def test_a_typing_error_in_a_private_verb_is_not_said(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            await play.types("mesage bob secret")
            self.assertIn("! Not sent. Did you mean: message bob", play.sees())
            self.assertEqual(bob.screen.said(), [])

        self.play_as("ann", scene, room="lobby")

    def test_answers_of_the_server_stand_where_they_were_asked_for(self) -> None:
        async def scene(play: Play) -> None:
            await play.types("/whois")
            self.assertIn("ann", play.sees())
            await play.types("/connect nowhere")
            self.assertIn("! No room nowhere.", play.sees())

        self.play_as("ann", scene, room="lobby")

    def test_a_password_that_a_command_asks_for_is_not_shown(self) -> None:
        async def scene(play: Play) -> None:
            await play.types("/password")
            self.assertIn("Old password:", play.sees())
            await play.types(PASSWORD)
            self.assertIn("New password:", play.sees())
            await play.types("another horse")
            self.assertIn("Your password has been changed.", play.sees())
            self.assertNotIn("horse", play.sees())

        self.play_as("ann", scene, room="lobby")

    def test_what_a_hostile_person_writes_stays_text(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            bob.types("message ann \x1b[31m[red]markup[/red]\x07 " + "\u202e" + "x" * 200)
            await play.presses("f4")
            self.assertIn("[31m[red]markup[/red]", play.sees())
            self.assertNotIn("\x1b", play.sees())
            self.assertNotIn("\u202e", play.sees())

        self.play_as("ann", scene, room="lobby")

    def test_corrections_show_where_the_line_stands(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            bob.types("teh cat", room="lobby")
            await play.settle()
            bob.types("/edit the cat", room="lobby")
            await play.settle()
            self.assertIn("bob: the cat (edited)", play.sees())
            bob.types("/delete", room="lobby")
            await play.settle()
            self.assertIn("bob: (deleted)", play.sees())
            self.assertNotIn("cat", play.sees())

        self.play_as("ann", scene, room="lobby")


class Switching(ScreenCase):
    def test_goes_to_another_account_and_back_without_a_password(self) -> None:
        async def scene(play: Play) -> None:
            await play.presses("f3")
            self.assertIn("chat.example as ann  (you are here)", play.sees())
            await play.presses("down", "enter")
            self.assertEqual(self.online(), [])
            await play.presses("f4")
            await play.types("carol")
            await play.types(PASSWORD)
            self.assertIn("carol on chat.example", play.sees())
            self.assertNotIn("#lobby", play.sees())
            await play.presses("f3", "down", "enter")
            self.assertIn("ann on chat.example", play.sees())
            self.assertIn("#lobby", play.sees())
            self.assertEqual(self.online(), ["ann"])

        self.play_as("ann", scene, room="lobby")

    def test_who_looks_and_stays_misses_nothing(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            await play.presses("f3")
            bob.types("meanwhile", room="lobby")
            await play.presses("escape")
            self.assertIn("bob: meanwhile", play.sees())
            await play.presses("f3", "enter")
            self.assertIn("bob: meanwhile", play.sees())

        self.play_as("ann", scene, room="lobby")


class TheInput(ScreenCase):
    def test_what_is_being_written_waits_in_its_conversation(self) -> None:
        """So that nobody says to a room what was meant for one person."""
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            await play.types("message bob hi")
            writing = play.app.screen.query_one(InputBox)
            await play.presses("s", "e", "c")
            await play.presses("alt+up")
            self.assertEqual((writing.text, ">#lobby" in play.sees()), ("", True))
            await play.presses("x", "alt+down")
            self.assertEqual(writing.text, "sec")
            await play.presses("r", "enter")
            self.assertEqual(bob.screen.said()[-1], "secr")

        self.play_as("ann", scene, room="lobby")

    def test_who_is_put_out_of_a_room_says_the_rest_to_nobody(self) -> None:
        bob = self.logged_in("bob")
        bob.types("create den")

        async def scene(play: Play) -> None:
            await play.types("/connect den")
            await play.presses("s", "e", "c")
            bob.types("/kick ann", room="den")
            await play.settle()
            self.assertIn("no room", play.sees())
            self.assertIn("You were kicked from den by bob", play.sees())
            self.assertEqual(play.app.screen.query_one(InputBox).text, "")

        self.play_as("ann", scene, room="lobby")

    def test_what_was_offered_goes_with_the_next_key(self) -> None:
        async def scene(play: Play) -> None:
            await play.presses("/", "m", "e", "tab")
            self.assertIn("/me  /message", play.sees())
            await play.presses("ctrl+u")
            self.assertNotIn("/message", play.sees())

        self.play_as("ann", scene, room="lobby")

    def test_completes_verbs_names_and_rooms(self) -> None:
        self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            writing = play.app.screen.query_one(InputBox)
            for typed, completed in (
                ("/me", "/me "),
                ("/connect l", "/connect lobby "),
                ("bo", "bob: "),
                ("hi bo", "hi bob "),
            ):
                writing.put(typed)
                await play.presses("tab")
                self.assertEqual(writing.text, completed)
            writing.put("/who")
            await play.presses("tab", "tab")
            self.assertTrue(writing.text.startswith("/who"))

        self.play_as("ann", scene, room="lobby")

    def test_remembers_what_was_typed(self) -> None:
        async def scene(play: Play) -> None:
            await play.types("one")
            await play.types("two")
            writing = play.app.screen.query_one(InputBox)
            writing.put("draft")
            for key, shown in (("up", "two"), ("up", "one"), ("down", "two"), ("down", "draft")):
                await play.presses(key)
                self.assertEqual(writing.text, shown)
            await play.presses("ctrl+c")

        self.play_as("ann", scene, room="lobby")
        self.assertEqual(self.files.typed()[-2:], ["one", "two"])

    def test_several_lines_are_one_message(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            play.app.post_message(events.Paste("one\ntwo\nthree"))
            await play.settle()
            self.assertIn("3 lines: Enter sends them as one message", play.sees())
            self.assertEqual(bob.screen.said(), [])
            await play.presses("enter")
            self.assertEqual(bob.screen.said(), ["one\ntwo\nthree"])

        self.play_as("ann", scene, room="lobby")

    def test_what_is_too_long_for_one_message_stays_and_the_line_beside_it_says_what_to_do(self) -> None:
        bob = self.logged_in("bob", "lobby")
        many, wide = "\n".join(f"line {number}" for number in range(301)), "x" * 16_385

        async def scene(play: Play) -> None:
            writing = play.app.screen.query_one(InputBox)
            for pasted, hint in (
                (many, "These are 301 lines. A message can have at most 40 lines. Send it in parts."),
                (wide, "A message can have at most 16,384 bytes. Send it in parts."),
            ):
                play.app.post_message(events.Paste(pasted))
                await play.settle()
                play.line(hint)
                await play.presses("enter")
                self.assertEqual((writing.text, bob.screen.said()), (pasted, []))
                play.line(hint)
                writing.put("")

        self.play_as("ann", scene, room="lobby")


class TheSize(ScreenCase):
    def test_narrow_screens_show_the_list_or_the_conversation(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            bob.types("a line that is wider than the screen is", room="lobby")
            bob.types("message ann psst")
            await play.settle()
            self.assertNotIn("● bob", play.sees())
            self.assertIn("1 unread elsewhere", play.sees())
            await play.presses("f2")
            self.assertIn("● bob (1)", play.sees())
            await play.clicks(SideBar, (3, 1))
            self.assertIn("bob: psst", play.sees())
            await play.resizes(80, 24)
            self.assertIn("#lobby", play.sees())
            self.assertIn("● bob", play.sees())

        self.play_as("ann", scene, room="lobby", size=(40, 12))


class Scrolling(ScreenCase):
    def test_loads_what_is_older_and_stays_where_it_is(self) -> None:
        bob = self.logged_in("bob", "lobby")
        for number in range(450):
            bob.types(f"line {number}.", room="lobby")

        async def scene(play: Play) -> None:
            await play.types("/connect lobby")
            self.assertIn("line 449.", play.sees())
            feed = play.app.screen.query_one(MessageList)
            for _ in range(80):
                await play.presses("pageup")
                if feed.talk is not None and feed.talk.complete and feed.scroll_offset.y == 0:
                    break
            self.assertIn("line 0.", play.sees())
            self.assertIn("older", play.sees())
            bob.types("something new", room="lobby")
            await play.settle()
            self.assertIn("line 0.", play.sees())
            await play.presses("ctrl+end")
            self.assertIn("something new", play.sees())

        self.play_as("ann", scene)

    def test_what_is_drawn_piece_by_piece_is_what_is_drawn_at_once(self) -> None:
        """Older rows, notes between, a day that changes, something that is corrected, lines that are delivered."""
        bob = self.logged_in("bob", "lobby")
        for number in range(230):
            bob.types(f"line {number}.", room="lobby")
            if number % 50 == 49:
                self.server.clock.stall(20_000)

        async def scene(play: Play) -> None:
            feed = play.app.screen.query_one(MessageList)

            def same() -> None:
                feed.draw()
                drawn = [strip.text for strip in feed._strips]
                feed.redraw()
                self.assertEqual(drawn, [strip.text for strip in feed._strips])

            await play.types("/connect lobby")
            await play.types("/whois")
            same()
            for _ in range(40):
                await play.presses("pageup")
            self.assertTrue(feed.talk is not None and feed.talk.complete)
            self.assertIn("line 0.", play.sees())
            same()
            bob.types("/edit line 229!", room="lobby")
            await play.types("my own")
            await play.types("/delete")
            self.assertIn("line 229! (edited)", play.sees())
            same()
            await play.types("message bob one")
            await play.types("two")
            await play.pass_time(3)
            self.assertIn("two ✓✓", play.sees())
            same()

        self.play_as("ann", scene)


class StayingIn(ScreenCase):
    def test_a_lost_connection_is_shown_and_found_again(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            play.desk.reachable = False
            play.desk.cut()
            await play.settle()
            self.assertIn("Not connected", play.sees())
            self.assertIn("next try in", play.sees())
            await play.types("while away")
            self.assertIn("ann: while away …", play.sees())
            self.assertIn("1 unsent", play.sees())
            bob.types("meanwhile", room="lobby")
            play.desk.reachable = True
            await play.presses("f5")
            await play.pass_time(1)
            self.assertIn("ann: while away ✓", play.sees())
            self.assertIn("bob: meanwhile", play.sees())
            self.assertEqual(bob.screen.said()[-1], "while away")

        self.play_as("ann", scene, room="lobby")

    def test_a_line_that_is_refused_after_one_has_gone_on_is_told(self) -> None:
        bob = self.logged_in("bob")
        bob.types("create den")

        async def scene(play: Play) -> None:
            await play.types("/connect den")
            play.desk.reachable = False
            play.desk.cut()
            await play.settle()
            await play.types("too late")
            await play.presses("alt+down")
            bob.types("/kick ann", room="den")
            play.desk.reachable = True
            await play.presses("f5")
            await play.pass_time(1)
            self.assertIn("! Not sent to den: You are not a member of den.", play.sees())
            self.assertNotIn("#den", play.sees())

        self.play_as("ann", scene, room="lobby")

    def test_who_is_signed_out_from_elsewhere_reads_why(self) -> None:
        async def scene(play: Play) -> None:
            other = self.desk()
            outcome = self.begin(other.engine.log_in("ann", PASSWORD))
            await play.settle()
            self.failureResultOf(outcome)
            self.begin(other.engine.take_over())
            await play.settle()
            self.assertIn("elsewhere", play.sees())

        self.play_as("ann", scene, room="lobby")


class Leaving(ScreenCase):
    def test_logout_is_for_another_account_on_the_same_server(self) -> None:
        async def scene(play: Play) -> None:
            await play.types("/logout")
            self.assertIn("Logging out. Bye for now!", play.sees())
            self.assertIn("Log in to chat (chat.example)", play.sees())
            await play.presses("f4")
            await play.types("carol")
            await play.types(PASSWORD)
            self.assertIn("carol on chat.example", play.sees())
            self.assertNotIn("#lobby", play.sees())

        self.play_as("ann", scene, room="lobby")

    def test_quit_and_ctrl_c(self) -> None:
        for leave in ("/quit", ""):

            async def scene(play: Play, leave: str = leave) -> None:
                if leave:
                    await play.types(leave)
                else:
                    await play.presses("ctrl+c")
                self.assertEqual((play.app._exit, self.online()), (True, []))

            self.play_as("ann", scene, room="lobby")


class ReadingAndTyping(ScreenCase):
    def test_help_and_themes(self) -> None:
        async def scene(play: Play) -> None:
            await play.presses("f1")
            self.assertIn("what you typed before", play.sees())
            await play.presses("escape", "f6")
            self.assertFalse(play.app.current_theme.dark)

        self.play_as("ann", scene, room="lobby")

    def test_who_reads_older_lines_sees_how_many_new_ones_there_are(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            for number in range(40):
                bob.types(f"line {number}", room="lobby")
            await play.settle()
            await play.presses("pageup")
            self.assertIn("older lines; Ctrl-End: newest", play.sees())
            for words in ("lunch?", "anybody?"):
                bob.types(words, room="lobby")
            await play.settle()
            self.assertIn("2 new below; Ctrl-End: newest", play.sees())
            await play.presses("ctrl+end")
            self.assertNotIn("Ctrl-End", play.sees())

        self.play_as("ann", scene, room="lobby")

    def test_alt_enter_makes_a_new_line_in_terminals_that_send_an_escape_before_the_enter(self) -> None:
        """Else what is half written would be said."""
        tell_alt_enter_apart()
        parser = XTermParser()
        keys = [getattr(event, "key", "") for event in (*parser.feed("\x1b\r"), *parser.feed("\r"))]
        self.assertEqual(keys, ["ctrl+j", "enter"])

    def test_help_keeps_its_columns_on_a_narrow_screen(self) -> None:
        async def scene(play: Play) -> None:
            await play.presses("f1")
            shown = play.sees().splitlines()
            place = next(place for place, line in enumerate(shown) if "Alt-Enter" in line)
            self.assertEqual(shown[place + 1].index("Ctrl-J"), shown[place].index("new line"))

        self.play_as("ann", scene, size=(40, 24))

    def test_a_line_stays_indented_as_code_and_tables_are(self) -> None:
        bob = self.logged_in("bob", "lobby")

        async def scene(play: Play) -> None:
            bob.types("def answer():\n    if True:\n        return 42", room="lobby")
            await play.settle()
            second, third = (play.line(words).index(words) for words in ("if True", "return"))
            self.assertEqual(third - second, 4)

        self.play_as("ann", scene, room="lobby")
