"""Ordinary chat lines: those of ``chatter.txt``, and more of the same kind, put together from parts.

The parts are chosen at random from a fixed seed, so that the lines are the same in every run.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from random import Random

PEOPLE = ("bob", "alice", "carol", "will", "mark", "rose", "bill", "may", "grace", "art", "hope", "Дмитрий")
"""Who is in the room; most of the names are English words as well."""

ROOMS = ("lobby", "ops", "games", "music", "general")

_WHO = (
    "I", "we", "you", "they", "somebody", "the others", "my sister", "our teacher", "the admin", "the new one", *PEOPLE,
)  # fmt: skip
_DID = (
    "finished the report", "broke the build", "found the keys", "called the landlord", "went home early",
    "forgot the password of the wiki", "moved the meeting to ten", "ordered pizza for everybody", "lost the message",
    "read the history of the thing", "blocked the road with that van", "listed all the parts", "joined a gym",
    "kicked the ball over the fence", "will be online later", "may need help with the search", "set the alarm",
    "left the room to the others", "had to register twice", "can not connect to the printer", "muted the phone",
    "created a mess", "invited the neighbours", "sent it by mail", "told me a joke", "quit the band",
)  # fmt: skip
_WHEN = (
    "", " today", " yesterday", " last night", " this morning", " again", " at lunch", " on monday", " an hour ago",
    ", I think", ", right?", ", sorry", " :)", "!", "...", " by the way", " I guess",
)  # fmt: skip
_ASKED = (
    "did you see the game", "is the server up", "where is my charger", "what time is it in Tokyo", "who has the list",
    "can you help me", "do we meet online or in the room", "how do I connect the projector", "when does the shop close",
    "why is it so quiet", "have you read the message from the bank", "are you coming with us", "any idea",
    "could you send me the file", "will it rain", "may I ask something", "is the history test on friday",
    "what is the topic of the talk", "who is on the invite", "do you want to join", "should we block a day for it",
)  # fmt: skip
_CALLED = ("{}: ", "{}, ", "@{} ", "hey {}, ", "{} - ", "ok {}, ", "thanks {}, ", "sorry {}, ")
_FIRST = (
    "yes", "no", "well", "hm", "ok", "so", "and", "but", "then", "now", "wow", "nope", "sure", "true", "right",
    "maybe", "oh", "ah", "please", "thanks", "sorry", "guys", "honestly", "anyway", "also", "still", "because",
)  # fmt: skip
_THINGS = (
    "message", "list", "history", "login", "register", "block", "room", "search", "topic", "time", "chat", "account",
    "password", "device", "session", "invite", "topic", "set", "help", "reply", "private key", "broadcast", "member",
    "door", "lamp", "router", "cable", "cake", "window", "bike", "train", "garden", "screen", "keyboard", "song",
)  # fmt: skip
_SAID_OF_IT = (
    "the {} is broken", "my {} is on the table", "that {} looks fine to me", "which {} do you mean", "a {} a day",
    "another {}, really", "no {} for me, thanks", "I like the {}", "we need a better {}", "your {} is ready",
    "this {} is older than me", "old {}s never die", "every {} has two sides", "what a {}", "it's just a {}",
)  # fmt: skip
_GERMAN = (
    ("ich", "du", "wir", "der Chef", "meine Schwester", "Bob", "Rose", "Mark", "niemand"),
    ("hat", "holt", "sucht", "braucht", "findet", "vergisst", "bringt", "repariert"),
    ("den Schlüssel", "die Liste", "das Kabel", "einen Kuchen", "die Nachricht", "den Drucker", "Zeit", "das Passwort"),
    ("", " heute", " morgen", " schon wieder", ", glaub ich", ", oder?", " um acht", "!"),
)
_FRENCH = (
    ("je", "tu", "on", "le prof", "ma sœur", "Bob", "Rose", "Mark", "personne"),
    ("cherche", "trouve", "apporte", "oublie", "répare", "prend", "perd", "voit"),
    ("la clé", "la liste", "le câble", "un gâteau", "le message", "l'imprimante", "le temps", "le mot de passe"),
    ("", " aujourd'hui", " demain", " encore", ", je crois", ", non ?", " à huit heures", " !"),
)
_SPANISH = (
    ("yo", "tú", "ella", "el profe", "mi hermana", "Bob", "Rose", "Mark", "nadie"),
    ("busca", "encuentra", "trae", "olvida", "arregla", "coge", "pierde", "ve"),
    ("la llave", "la lista", "el cable", "un pastel", "el mensaje", "la impresora", "tiempo", "la contraseña"),
    ("", " hoy", " mañana", " otra vez", ", creo", ", ¿no?", " a las ocho", "!"),
)

AFTER_A_VERB = (
    "is broken", "was great", "of things", "the port", "it", "me", "will do", "may take a while", "that", "??", "!",
    "party tonight", "for tomorrow", "in the morning", "mark as read", "will be sent", "may be late", "rose again",
    "bill to the customer", "to grace", "to grace us", "games with bob", "20 years ago", "on fire",
    "and hope", "is down", "off", "2h ago", "your friends", "or not", "us at the lobby", "ops about it", "users first",
)  # fmt: skip
"""What may follow a word of the table in a sentence."""


def written() -> list[str]:
    """The lines of ``chatter.txt``."""
    lines = Path(__file__).with_name("chatter.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("# ")]


def made() -> list[str]:
    """Many more, of every kind, so that the lines that begin with a verb are no more of them than in a real room."""
    random = Random(20_261_121)
    kinds = [
        (2400, ["".join(each) for each in product([f"{who} " for who in _WHO], _DID, _WHEN)]),
        (1500, [f"{call.format(who)}{ask}?" for call, who, ask in product(_CALLED, PEOPLE, _ASKED)]),
        (1500, [f"{first} {said.format(thing)}" for first, said, thing in product(_FIRST, _SAID_OF_IT, _THINGS)]),
        (500, [said.format(thing) for said, thing in product(_SAID_OF_IT, _THINGS)]),
        (500, [f"{first}, {ask}?" for first, ask in product(_FIRST, _ASKED)]),
        (850, [f"{a} {b} {c}{d}" for a, b, c, d in product(*_GERMAN)]),
        (850, [f"{a} {b} {c}{d}" for a, b, c, d in product(*_FRENCH)]),
        (850, [f"{a} {b} {c}{d}" for a, b, c, d in product(*_SPANISH)]),
    ]
    return [line for number, lines in kinds for line in random.sample(lines, number)]
