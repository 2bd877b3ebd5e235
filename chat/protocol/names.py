"""What a name of a person or a room is, and when two of them are the same or look the same.

The grammar comes first (letters, digits, ``_``, ``-``, ``.``, one script), then PRECIS UsernameCaseMapped
(RFC 8265 section 3.3), which settles what a letter is. Names are compared case-folded; a name beyond ASCII
has a skeleton as well (Unicode TS 39 section 4), by which it is kept from passing for another one. The
Unicode tables are read with the first name that needs them, or by `prepare`: a client that meets none never holds them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import cache
from typing import Any

from chat.protocol.errors import BadName
from chat.protocol.values import Name

MOST_CHARACTERS = 32
"""The most characters (code points, composed) that a name may have."""

NAME_BYTES = 400
"""The most UTF-8 bytes of a word that may be a name; typed decomposed, no 32 characters take more than 384."""

RESERVED = frozenset({
    "admin", "administrator", "chanserv", "moderator", "nickserv", "operator", "owner", "root", "server", "system",
    "all", "channel", "channels", "everybody", "everyone", "here", "me", "myself", "online", "since", "users", "you",
    "account", "room", "user", "welcome",
    "anonymous", "deleted", "false", "guest", "invalid", "nobody", "none", "null", "somebody", "someone", "true",
    "undefined", "unknown",
})  # fmt: skip
"""Folded names that nobody may have: they read as the server's own word, as everybody, or as nobody."""

_ASCII_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,31}")
_REFERENCE = re.compile(r"[rk][0-9]+(\.[0-9]*)?")
_ALLOWED = "Use letters, digits, _ - or ."
_PUNCTUATION = frozenset("_-.")
_LONGEST_WORD = 200
"""Longer words are not looked at: no 32 characters decompose into so many that anybody types."""

_MARKS_IN_A_ROW = 4
_WRITTEN_TOGETHER = (
    frozenset({"HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"HAN", "BOPOMOFO"}),
    frozenset({"HAN", "HANGUL"}),
)
"""Scripts that one language mixes (Unicode TS 39 section 5.2, without the Latin that it adds)."""

_LONG_VOWEL = "ー"
"""Belongs to no script of its own, but occurs in Hiragana and Katakana only."""

_LEFT_TO_RIGHT_MARK = "\u200e"
_DOT_ABOVE = "\u0307"
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Fillers of Hangul: letters to the tables, nothing to the eye."""


def fold(word: str) -> str:
    """What names are compared by; one leading ``@`` or ``#`` is dropped.

    It never fails, and costs little, since it is asked of words of ordinary lines. A word that cannot be a
    name folds to something that no name folds to.
    """
    if word.startswith(("@", "#")):
        word = word[1:]
    if word.isascii():
        return word.lower()
    if len(word) > _LONGEST_WORD:
        return ""
    composed = unicodedata.normalize("NFC", word)
    if unicodedata.normalize("NFKC", composed) != composed:
        return ""  # full-width letters and the like: no name has them, and none is found by them
    # Decomposed before it is folded, as canonical caseless matching asks (Unicode, D145).
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", composed).casefold())


def read_name(word: str, *, verbs: Collection[str] = ()) -> Name:
    """Read a name that somebody chose; one leading ``@`` or ``#`` is dropped.

    What is typed decomposed (as macOS does) is composed (NFC); nothing else is altered.

    :param verbs: every verb and alias in lower case; none of them may be a name.
    :raises BadName: in one line, what is wrong with it and what is allowed.
    """
    if word.startswith(("@", "#")):
        word = word[1:]
    name = Name(word, word.lower()) if _ASCII_NAME.fullmatch(word) else _read_beyond_ascii(word)
    if name.folded in verbs:
        raise BadName(f'"{name.shown}" is a command, so it cannot be a name. Choose another one.')
    if _REFERENCE.fullmatch(name.folded):
        raise BadName(f'"{name.shown}" looks like a message id. Choose another name.')
    if name.folded in RESERVED or name.skeleton in RESERVED:
        raise BadName(f'"{name.shown}" is reserved. Choose another name.')
    return name


def _read_beyond_ascii(word: str) -> Name:
    """Read a name that is not plainly an ASCII one, or find out why it is no name at all."""
    if not word:
        raise BadName
    # The early bound keeps normalizing cheap; it is far beyond what 32 characters need.
    shown = unicodedata.normalize("NFC", word) if len(word) <= _LONGEST_WORD else word
    if len(shown) > MOST_CHARACTERS:
        raise BadName(f"A name can have at most {MOST_CHARACTERS} characters; this one has {len(shown)}.")
    for character in shown:
        _check_character(character)
    if unicodedata.category(shown[0])[0] != "L":
        raise BadName(f"A name must begin with a letter, not with {_describe(shown[0])}.")
    if shown.isascii():
        return Name(shown, shown.lower())  # a Kelvin sign is a K once composed
    _check_marks(shown)
    _check_scripts(shown)
    _check_precis(shown)
    return Name(shown, fold(shown), skeleton(shown))


def skeleton(word: str) -> str:
    """What a word looks like: words with one skeleton are hard to tell apart (Unicode TS 39 section 4).

    Unlike there, ASCII stands for itself (``m`` is not ``rn``, ``1`` not ``l``) and the result is
    case-folded, so that it can be compared with the folded ASCII names, which have no skeleton.
    """
    prototypes = _prototypes()
    looks = unicodedata.normalize("NFD", word)
    # Twice, since a prototype of several characters (o and a stroke, for ø) may hold one that has a prototype itself.
    looks = looks.translate(prototypes).translate(prototypes)
    looks = unicodedata.normalize("NFD", looks.casefold())
    # An i with a dot above shows one dot, as the bare i does.
    return looks.replace("i" + _DOT_ABOVE, "i").replace("j" + _DOT_ABOVE, "j")


# --- the rules ------------------------------------------------------------------------------------


def _check_character(character: str) -> None:
    if character in _PUNCTUATION:
        return
    if character.isspace():
        raise BadName(f"A name cannot contain spaces. {_ALLOWED}")
    category = unicodedata.category(character)
    if (category[0] not in "LM" and category != "Nd") or character in _BLANK_LETTERS:
        raise BadName(f"A name cannot contain {_describe(character)}. {_ALLOWED}")
    plain = unicodedata.normalize("NFKC", character)
    if plain != unicodedata.normalize("NFC", character):
        instead = f' Type the plain "{plain}" instead.' if plain.isalnum() else ""
        raise BadName(f"A name cannot contain {_describe(character)}.{instead}")


def _check_marks(shown: str) -> None:
    """Refuse piles of accents (Unicode TS 39 section 5.4)."""
    row = 0
    before = ""
    for character in shown:
        row = row + 1 if unicodedata.category(character)[0] == "M" else 0
        if row > _MARKS_IN_A_ROW or (row > 1 and character == before):
            raise BadName("A name cannot stack accents on one letter.")
        before = character


def _check_scripts(shown: str) -> None:
    scripts: dict[str, None] = {}
    for character in shown:
        if character.isascii() and not character.isalpha():
            continue
        script = _script(character)
        if script in ("COMMON", "UNKNOWN"):
            raise BadName(f"A name cannot contain {_describe(character)}. {_ALLOWED}")
        if script != "INHERITED":
            scripts[script] = None
    if len(scripts) > 1 and not any(together >= scripts.keys() for together in _WRITTEN_TOGETHER):
        mixed = " and ".join(script.replace("_", " ").title() for script in scripts)
        raise BadName(f"A name must keep to one script; this one mixes {mixed}.")


def _check_precis(word: str) -> None:
    """Refuse what PRECIS refuses: invisible letters, unassigned ones, mixed directions.

    What passes UsernameCasePreserved passes UsernameCaseMapped when it is folded, but not the other way round:
    ſ folds to s and is no letter of a name.
    """
    try:
        _username_profile().enforce(word)
    except UnicodeEncodeError as error:
        if error.reason.endswith("bidi_rule"):
            raise BadName("A right-to-left name must end with a letter or a digit.") from None
        raise BadName(f"A name cannot contain {_describe(error.object[error.start])}. {_ALLOWED}") from None


def _describe(character: str) -> str:
    """Name a character so that a person finds it, even one that cannot be seen."""
    if character.isascii() and character.isprintable():
        return f'"{character}"'
    code = f"U+{ord(character):04X}"
    category = unicodedata.category(character)
    if category == "Cf" or character in _BLANK_LETTERS:
        return f"the invisible character {code}"
    if category[0] in "CM":
        return f"the character {code}"
    return f'"{character}" ({code})'


def prepare() -> None:
    """Read the tables now, where nobody waits for it, instead of with the first name that needs them: 0.1 seconds."""
    for sample in ("é", "я", "א", "カ", "한"):
        read_name(sample)


# --- the tables -----------------------------------------------------------------------------------


@cache
def _username_profile() -> Any:
    from precis_i18n import get_profile

    return get_profile("UsernameCasePreserved")


def _script(character: str) -> str:
    from confusable_homoglyphs import categories

    if character == _LONG_VOWEL:
        return "KATAKANA"
    script: str = categories.alias(character).upper()
    return script


@cache
def _prototypes() -> dict[int, str]:
    """What each look-alike beyond ASCII looks like.

    The package gives every pair of look-alikes in both directions, so its graph is one of stars: in the
    middle of each the prototype, and ASCII characters of one star (``I``, ``l`` and ``1``) beside each other.
    """
    from confusable_homoglyphs.utils import load

    alike: dict[str, set[str]] = {}
    for character, others in load("confusables.json").items():
        looks = {other["c"].replace(_LEFT_TO_RIGHT_MARK, "") for other in others}
        alike.setdefault(character.replace(_LEFT_TO_RIGHT_MARK, ""), set()).update(looks)
    prototypes: dict[int, str] = {}
    for character in alike:
        if len(character) == 1 and not character.isascii():
            prototype = _middle(character, alike)
            if prototype != character:
                prototypes[ord(character)] = prototype
    return prototypes


def _middle(character: str, alike: dict[str, set[str]]) -> str:
    """The prototype in the star of a character, or the character itself if it is the prototype."""
    others = alike[character]
    ascii_one = next((other for other in others if other.isascii()), None)
    if ascii_one is not None:
        # Tables call a capital I an l. Names tell I from l, so a capital that looks like I is one.
        return "I" if ascii_one == "l" and character.isupper() else ascii_one
    if len(others) > 1:
        return character
    (other,) = others
    if len(other) > 1 or len(alike[other]) > 1:
        return other
    return min(character, other)  # a pair of two: either serves, if it is always the same
